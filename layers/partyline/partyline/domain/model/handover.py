"""A handover: the caller is handed to a person, and the assistant steps back.

`then` is the assistant's part once the person has joined. A handover ends with a single outcome.
"""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from partyline.domain.model.statuses import HandoverStatus
from partyline.domain.model.stored import Failure, Stored

Then = Literal["stay", "silent", "away"]
"""The assistant's part after the join: speaks on, is silent, or leaves (`AssistantMode`)."""


class HandoverOutcome(StrEnum):
    """How a handover ended. The words of `Outcome` have their meaning there."""

    HANDED_OVER = "handed_over"
    DECLINED = "declined"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    MACHINE = "machine"
    SCREENED = "screened"
    VOICEMAIL_LEFT = "voicemail_left"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    LIMITED = "limited"
    CALLER_LEFT = "caller_left"
    CANCELLED = "cancelled"
    ERROR = "error"


class Handover(Stored):
    """A handover of the caller to a participant. `failure`: why the outcome is `error`."""

    id: str
    participant_id: str
    then: Then = "stay"
    status: HandoverStatus = HandoverStatus.REACHING
    outcome: HandoverOutcome | None = None
    failure: Failure | None = None
    began_at: datetime
    ended_at: datetime | None = None
