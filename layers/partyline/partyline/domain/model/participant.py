"""A participant: a person in the conversation, with the legs by which we reached the person."""

from datetime import datetime

from pydantic import Field

from partyline.domain.model import statuses
from partyline.domain.model.costs import EndedLeg
from partyline.domain.model.leg import Leg
from partyline.domain.model.plan import Plan
from partyline.domain.model.stored import Stored

HOST_ID = "host"  # the participant id of the host; a conversation has a single host


class Participant(Stored):
    """A person in the conversation, with the legs by which the person was reached."""

    id: str
    host: bool = False
    name: str | None = None
    status: statuses.ParticipantStatus = statuses.ParticipantStatus.DIALING
    outcome: statuses.Outcome | None = None
    on_hangup: statuses.OnHangup = statuses.OnHangup.CONTINUE
    plan: Plan | None = None
    tell_assistant: bool = True
    contact: str | None = None  # the contact that the assistant invited, if the assistant did
    key_id: str | None = None  # the bearer key of the request for the person, if a key sent it
    legs: list[Leg] = Field(default_factory=list)
    earlier_legs: int = 0
    """Legs that the document does not hold any more (see `rules.compact`)."""
    ended_legs: list[EndedLeg] = Field(default_factory=list)
    """What the report needs of the newest of those legs."""
    accepted_leg: int | None = None  # the number of the leg that the person is on
    removed: bool = False
    created_at: datetime
    joined_at: datetime | None = None
    joined_after_restarts: int = 0
    """The run of the assistant in which the person was joined; the first is 0."""
    left_at: datetime | None = None
    hunt_began_at: datetime | None = None
    """When the calls by the plan began. A guest may have to wait until the host is reached."""
    next_round_at: datetime | None = None

    @property
    def active_leg(self) -> Leg | None:
        """The leg that the person was accepted on."""
        return None if self.accepted_leg is None else self.leg(self.accepted_leg)

    @property
    def numbers(self) -> set[str | None]:
        """The number that the person is on the line from, or else all numbers of the plan."""
        if self.active_leg is None:
            return set(self.plan.to) if self.plan else set()
        return {self.active_leg.to if self.plan else self.active_leg.from_}

    @property
    def legs_tried(self) -> int:
        """Number of legs so far, which is the number of the newest leg."""
        return self.earlier_legs + len(self.legs)

    def leg(self, number: int | None) -> Leg | None:
        """Return the leg of that number, if there is one."""
        return next((leg for leg in self.legs if leg.number == number), None)
