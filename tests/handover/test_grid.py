"""A small part of `make handover`: every event in some phase, and every phase with some events."""

from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from partyline.domain import decide
from partyline.domain.rules import hunting, transition
from tests.handover.cells import BY_NAME, PEOPLE, Cell, cells
from tests.handover.judging import judge
from tests.handover.phases import PHASES
from tests.support.sampling import sampled

NTH = 7
"""Every event is played in a phase out of this number of its phases."""

ISSUE = (
    "caller leaves, person leaves, declines, says nothing, is a machine, is a screening phone, "
    "line busy, Telnyx refuses, webhook lost, doubled, function dies, deadline, "
    "two answer together, cancelled, stop"
)
"""The events that the grid was asked for."""


def sample() -> dict[str, list[Cell]]:
    """Return some cells by phase; neighbours have other numbers of people and another `then`."""
    by_phase = defaultdict[str, list[Cell]](list)
    known = list(cells())
    for turn, (name, event) in enumerate(BY_NAME.items()):
        phases = list(event.outcomes)
        count = -(-len(phases) // NTH)
        for nth in range(count):
            phase = phases[(turn + nth * NTH) % len(phases)]
            own = [cell for cell in known if (cell.phase, cell.event) == (phase, name)]
            by_phase[phase].append(own[(turn + nth) * 5 % len(own)])
    return by_phase


def test_the_grid_has_every_phase_and_event_and_at_least_500_cells() -> None:
    known = list(cells())
    assert len(known) >= 500
    assert len(set(known)) == len(known)
    assert {cell.people for cell in known} == set(PEOPLE)
    assert {cell.phase for cell in known} == set(PHASES)
    assert [
        event for event in ISSUE.split(", ") if not any(event in name for name in BY_NAME)
    ] == []


def test_every_event_and_every_phase_is_in_the_sample() -> None:
    played = {cell.event for own in sample().values() for cell in own}
    assert played == set(BY_NAME)
    assert set(sample()) == set(PHASES)


@pytest.mark.parametrize("phase", PHASES)
def test_a_handover_ends_in_one_right_outcome(phase: str) -> None:
    results = map(judge, sampled(sample()[phase]))
    assert [f"{r.cell}: {r.violations}" for r in results if r.violations] == []


# The judge, judged


def without_rule(patch: pytest.MonkeyPatch, name: str) -> None:
    patch.setattr(decide, "RULES", tuple(r for r in decide.RULES if r.__name__ != name))


def the_brief_is_told(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(transition, "spoken_name", lambda person: person.plan and person.plan.brief)


def a_lost_answer_is_awaited_for_long(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(hunting, "SCREENING_GRACE", timedelta(seconds=60))


def no_handover_is_followed(patch: pytest.MonkeyPatch) -> None:
    without_rule(patch, "follow_handover")


def no_call_is_released(patch: pytest.MonkeyPatch) -> None:
    without_rule(patch, "release_calls")


PLANTED_BUGS: list[Any] = [
    (the_brief_is_told, Cell("joined", "nothing", 1, "stay"), "the assistant knows the brief"),
    (a_lost_answer_is_awaited_for_long, Cell("brief", "webhooks lost", 1, "stay"), "of silence"),
    (no_handover_is_followed, Cell("away", "nothing", 1, "silent"), "the outcome is missing"),
    (no_call_is_released, Cell("away", "caller leaves", 2, "silent"), "was left up"),
]


@pytest.mark.parametrize(("plant", "cell", "seen"), PLANTED_BUGS)
def test_a_planted_bug_is_detected(
    monkeypatch: pytest.MonkeyPatch,
    plant: Callable[[pytest.MonkeyPatch], None],
    cell: Cell,
    seen: str,
) -> None:
    plant(monkeypatch)
    assert any(seen in violation for violation in judge(cell).violations)
