"""Every point of every story with every fault: listed, run, and judged."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from tests.faults.invariants import End, broken, compared, end_of
from tests.faults.points import Point, faults
from tests.faults.stories import STORIES, Story

BY_NAME = {story.name: story for story in STORIES}


@dataclass(frozen=True)
class Case:
    """One fault, at the nth point of a story."""

    story: str
    nth: int
    point: Point
    fault: str

    def __str__(self) -> str:
        place = f"{self.point.place} {self.point.what}"
        return f"{self.story}, point {self.nth} ({place}): {self.fault}"


@dataclass(frozen=True)
class Verdict:
    """What came of a case: what is `wrong`, and what failed honestly."""

    case: Case
    wrong: Sequence[str]
    honest: Sequence[str]


@cache
def faultless(name: str) -> tuple[End, tuple[Point, ...]]:
    """How a story ends when nothing goes wrong, and the points on its way."""
    lab = BY_NAME[name].new_lab()
    BY_NAME[name].tell(lab)
    lab.rest()
    wrong = broken(lab)
    assert not wrong, f"{name}, with no fault at all: {wrong}"
    return end_of(lab, BY_NAME[name].alike), tuple(lab.io.points)


def cases(stories: Sequence[Story] = STORIES) -> Iterator[Case]:
    """Every case there is."""
    for story in stories:
        _, points = faultless(story.name)
        for nth, point in enumerate(points):
            for fault in faults(point):
                yield Case(story.name, nth, point, fault)


def judged(case: Case) -> Verdict:
    """Tell the story with the fault, and see how it ends."""
    right, points = faultless(case.story)
    random.seed(str(case))  # the pauses after conflicts have luck in them
    story = BY_NAME[case.story]
    lab = story.new_lab({case.nth: case.fault})
    try:
        story.tell(lab)
        lab.rest()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this case's
        return Verdict(case, [f"{type(error).__name__}: {error}"], [])
    if lab.io.points[: case.nth + 1] != list(points[: case.nth + 1]) or not lab.io.struck:
        return Verdict(case, ["the fault did not strike where it should have"], [])
    wrong = broken(lab)
    if wrong:
        return Verdict(case, wrong, [])
    return Verdict(case, *compared(end_of(lab, story.alike), right))
