"""Cases, a fault at a point of a story: list, run and judge them."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from tests.faults.invariants import (
    Ending,
    compare,
    ending_of,
    violations_of,
    without_reasons,
)
from tests.faults.points import HANGUP, VERSION_ONE, Point, faults
from tests.faults.stories import STORIES, Story

BY_NAME = {story.name: story for story in STORIES}


@dataclass(frozen=True)
class Case:
    """A fault at the nth point of a story."""

    story: str
    nth: int
    point: Point
    fault: str

    def __str__(self) -> str:
        place = f"{self.point.place} {self.point.operation}"
        return f"{self.story}, point {self.nth} ({place}): {self.fault}"


@dataclass(frozen=True)
class Verdict:
    """The result of a case: violated invariants, and failures that the timeline reports."""

    case: Case
    violations: Sequence[str]
    reported_failures: Sequence[str]


@dataclass(frozen=True)
class FaultlessRun:
    """The ending of a story without faults, its points, and the types of its webhooks.

    `rings_in` tells whether the story has an inbound call.
    """

    ending: Ending
    points: Sequence[Point]
    webhook_types: frozenset[str]
    rings_in: bool


@cache
def faultless_run(name: str) -> FaultlessRun:
    """Run a story without faults."""
    lab = BY_NAME[name].new_lab()
    BY_NAME[name].play(lab)
    lab.settle()
    wrong = violations_of(lab)
    assert not wrong, f"{name}, with no fault at all: {wrong}"
    return FaultlessRun(
        ending=ending_of(lab, BY_NAME[name].interchangeable),
        points=tuple(lab.io.points),
        webhook_types=frozenset(a.event_type for a in lab.telnyx.deliverer.attempts),
        rings_in=any(leg.direction == "incoming" for leg in lab.telnyx.legs),
    )


def cases(stories: Sequence[Story] = STORIES) -> Iterator[Case]:
    """List all cases."""
    for story in stories:
        for nth, point in enumerate(faultless_run(story.name).points):
            for fault in faults(point):
                yield Case(story.name, nth, point, fault)


def judge(case: Case) -> Verdict:
    """Run the story with the fault, and compare its ending with the faultless ending."""
    faultless = faultless_run(case.story)
    right, points = faultless.ending, faultless.points
    random.seed(str(case))  # the pauses after conflicts are random
    story = BY_NAME[case.story]
    lab = story.new_lab({case.nth: case.fault})
    try:
        story.play(lab)
        lab.settle()
    except Exception as error:  # noqa: BLE001 - any error is a finding of this case
        return Verdict(case, [f"{type(error).__name__}: {error}"], [])
    if lab.io.points[: case.nth + 1] != list(points[: case.nth + 1]) or not lab.io.injected:
        return Verdict(case, ["the fault did not strike where it should have"], [])
    wrong = violations_of(lab)
    if wrong:
        return Verdict(case, wrong, [])
    ended = ending_of(lab, story.interchangeable)
    if case.fault == VERSION_ONE and case.point.operation == HANGUP:
        ended, right = without_reasons(ended), without_reasons(right)
    return Verdict(case, *compare(ended, right))
