"""The parts of the report on a conversation (`conversation.report`). See `domain.rules.report`."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from partyline.domain.model.handover import HandoverOutcome, Then
from partyline.domain.model.statuses import Outcome, ParticipantStatus

SHAPE_VERSION = 1
"""The version of the report's shape. A further field keeps the version; any other change raises it.
"""


class ReportPart(BaseModel):
    """Base of the parts. The report of a bus has the fields without a value left out."""


class ReportedTimes(ReportPart):
    """When the conversation was asked for, answered, first spoken in, and over."""

    asked: datetime
    answered: datetime | None = None
    first_word: datetime | None = None
    ended: datetime | None = None


class ReportedCost(ReportPart):
    """Telnyx's price of a call. The amount is a decimal number as text."""

    total: str
    currency: str


class ReportedLeg(ReportPart):
    """A call to or from a person. `seconds` counts from the answer; `mos` is from 1 to 5."""

    number: int
    to: str | None = None
    outcome: Outcome | None = None
    hangup_cause: str | None = None
    sip_hangup_cause: str | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    seconds: int | None = None
    cost: ReportedCost | None = None
    mos: float | None = None


class ReportedPerson(ReportPart):
    """A person of the conversation, with all calls."""

    participant_id: str
    name: str | None = None
    host: bool
    status: ParticipantStatus
    outcome: Outcome | None = None
    joined_at: datetime | None = None
    left_at: datetime | None = None
    legs: list[ReportedLeg] = []


class ReportedInsight(ReportPart):
    """An insight into a run of the assistant. `cut_from_bytes`: `result` is only the beginning."""

    insight_id: str
    run: int
    result: Any = None
    cut_from_bytes: int | None = None


class ReportedTranscript(ReportPart):
    """Whether there is a transcript. `complete`: no message of a run may be missing."""

    messages: Annotated[int, Field(ge=0)]
    complete: bool


class ReportedHandover(ReportPart):
    """A handover of the caller, and how the handover ended."""

    handover_id: str
    participant_id: str
    then: Then
    outcome: HandoverOutcome | None = None


class ReportedCosts(ReportPart):
    """What the conversation cost in a currency: the assistant, the calls, and both together."""

    total: str
    assistant: str
    calls: str


class ReportedRest(ReportPart):
    """The calls that the report does not list, because there were too many."""

    legs: int
    seconds: int
