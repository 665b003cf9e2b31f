"""The live test finds the answers that the simulator plays."""

from pathlib import Path

import pytest

from local.live_test.experiments import ABOUT_AWS, EXPERIMENTS, NOT_ASKED
from local.simulator.unknowns import PLAYED, UNKNOWNS
from tests.support.live_telnyx import LiveTelnyx, asking

ASKED = [name for name in PLAYED if name not in NOT_ASKED]
SINGLE = [(name, answer.id) for name in ASKED for answer in PLAYED[name].answers]


def test_each_question_is_asked_or_named_as_not_asked() -> None:
    asked = {name for experiment in EXPERIMENTS for name in experiment.asks}
    assert asked | {*NOT_ASKED} == {*UNKNOWNS}
    assert not asked & {*NOT_ASKED}
    assert len(ASKED) == 56
    assert sum(reason == ABOUT_AWS for reason in NOT_ASKED.values()) == len(UNKNOWNS) - len(PLAYED)


def test_under_the_assumed_answers_nothing_differs(tmp_path: Path) -> None:
    report = LiveTelnyx(tmp_path / "state").report()
    assert report.observed == {name: PLAYED[name].assumed for name in ASKED}
    assert not [name for name, observation in report.answers.items() if observation.differs]
    assert report.unlisted == {}
    assert report.open == {name: NOT_ASKED[name] for name in UNKNOWNS if name in NOT_ASKED}


@pytest.mark.parametrize(("name", "answer"), SINGLE, ids=lambda text: text)
def test_a_planted_answer_is_found(name: str, answer: str, tmp_path: Path) -> None:
    experiments = asking(name)
    report = LiveTelnyx(tmp_path / "state", {name: answer}).report(experiments)
    assert report.observed[name] == answer
    assert report.answers[name].differs == (answer != PLAYED[name].assumed)
    others = {other: a for other, a in report.observed.items() if other != name}
    assert others == {other: PLAYED[other].assumed for other in others}


def test_a_deployment_that_answers_the_second_number_first_hides_the_answers_of_a_ringing_call(
    tmp_path: Path,
) -> None:
    telnyx = LiveTelnyx(tmp_path / "state")
    telnyx.lab.answers_first = True
    report = telnyx.report()
    hidden = {"prepared-assistant", "ringing-alive", "call-duration"}
    assert report.observed == {name: PLAYED[name].assumed for name in ASKED if name not in hidden}
    assert {*report.open} & {*ASKED} == hidden
    assert report.open["prepared-assistant"].startswith("The deployment answered")
