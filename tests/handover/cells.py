"""The cells of the grid: every phase with every event that can happen in the phase."""

from collections.abc import Iterator
from dataclasses import dataclass

from local.simulator.model import Person
from tests.handover.events import EVENTS, Event
from tests.handover.phases import CONNECTING, PHASES, STEPPING, Stage
from tests.support.people import DANA

PEOPLE = (1, 2, 4)
"""The numbers of people on the line before the handover."""

THENS = ("stay", "silent", "away")

BY_NAME = {event.name: event for event in EVENTS}


@dataclass(frozen=True)
class Cell:
    """An event in a phase of a handover."""

    phase: str
    event: str
    people: int
    then: str

    def __str__(self) -> str:
        return f"{self.phase}, {self.event}, {self.people} on the line, then {self.then}"

    @property
    def row(self) -> Event:
        """The event's row in the table."""
        return BY_NAME[self.event]

    @property
    def outcomes(self) -> frozenset[str]:
        """The right outcomes of the handover."""
        return frozenset(self.row.outcomes[self.phase].split())

    def stage(self) -> Stage:
        """Return a new stage for the cell."""
        person = {"behaviour": "manual", **self.row.person}
        return Stage(
            self.phase,
            self.then,
            self.people,
            self.row.strike,
            plan=self.row.plan,
            person=Person(DANA, **person),
            settings=self.row.settings,
            ring_secs=self.row.ring_secs,
        )


def cells() -> Iterator[Cell]:
    """List all cells."""
    for phase in PHASES:
        for event in EVENTS:
            if phase not in event.outcomes:
                continue
            for people in PEOPLE:
                yield from (Cell(phase, event.name, people, then) for then in _thens(phase))


def _thens(phase: str) -> tuple[str, ...]:
    if phase in CONNECTING:
        return ("away",)
    return THENS[1:] if phase in STEPPING else THENS
