"""The live test finds the answers that the simulator plays together, or says why it cannot."""

import random
from collections.abc import Mapping
from pathlib import Path

import pytest

from local.live_test.report import Report
from local.simulator.unknowns import PLAYED
from tests.support.live_telnyx import LiveTelnyx
from tests.unit.live_test.test_answers_found import ASKED

COMBINATIONS = 20

TURNED = {
    name: next(answer.id for answer in unknown.answers if answer.id != unknown.assumed)
    for name, unknown in PLAYED.items()
}
"""Every answer turned round."""

LAST = {
    name: [answer.id for answer in unknown.answers if answer.id != unknown.assumed][-1]
    for name, unknown in PLAYED.items()
}
"""Every answer turned round, the other way where there are three answers."""


def combination(seed: int) -> dict[str, str]:
    """Return a random answer to each unknown."""
    rng = random.Random(seed)
    return {name: rng.choice(unknown.answers).id for name, unknown in sorted(PLAYED.items())}


def unanswerable(answers: Mapping[str, str]) -> set[str]:
    """Return the questions that other answers make impossible to settle."""
    questions = set()
    if answers["events-listed"] == "late":
        questions.add("events-command-id")
    if answers["legs-after-stop"] == "hung-up":
        questions.add("start-on-joined")
    if answers["host-hangup"] == "continues":
        questions.add("legs-after-end")
        if answers["stop-event"] == "none":
            questions.add("end-count")
    return questions


def check(report: Report, answers: Mapping[str, str]) -> None:
    settled = {name: answers[name] for name in ASKED if name not in unanswerable(answers)}
    assert report.observed == settled
    assert report.unlisted == {}
    assert {*report.open} & {*ASKED} == unanswerable(answers)
    assert all(report.open.values())


@pytest.mark.parametrize("answers", [TURNED, LAST], ids=["turned", "turned the other way"])
def test_every_answer_turned_round_is_found(answers: dict[str, str], tmp_path: Path) -> None:
    report = LiveTelnyx(tmp_path / "state", answers).report()
    check(report, answers)
    assert all(observation.differs for observation in report.answers.values())


@pytest.mark.sampled
@pytest.mark.parametrize("seed", range(COMBINATIONS))
def test_a_combination_of_answers_is_found(seed: int, tmp_path: Path) -> None:
    answers = combination(seed)
    check(LiveTelnyx(tmp_path / "state", answers).report(), answers)
