"""What happened, in order, numbered within its conversation: timeline and bus carry it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel


class EventType(StrEnum):
    """The kinds of event; each is the detail-type on the bus."""

    CONVERSATION_STARTED = "conversation.started"
    CONVERSATION_ACTIVE = "conversation.active"
    CONVERSATION_STOPPING = "conversation.stopping"
    CONVERSATION_RESTARTED = "conversation.restarted"
    CONVERSATION_ENDED = "conversation.ended"
    CONVERSATION_FAILED = "conversation.failed"
    INSIGHTS_GENERATED = "conversation.insights_generated"
    PARTICIPANT_INVITED = "participant.invited"
    PARTICIPANT_SCREENING = "participant.screening"
    PARTICIPANT_WAITING = "participant.waiting"
    PARTICIPANT_JOINING = "participant.joining"
    PARTICIPANT_JOINED = "participant.joined"
    PARTICIPANT_LEFT = "participant.left"
    PARTICIPANT_FAILED = "participant.failed"
    PARTICIPANT_ALONE = "participant.alone"
    LEG_DIALING = "leg.dialing"
    LEG_RINGING = "leg.ringing"
    LEG_ANSWERED = "leg.answered"
    LEG_SCREENING = "leg.screening"
    LEG_REFUSED = "leg.refused"
    LEG_JUDGED = "leg.judged"
    LEG_ENDED = "leg.ended"
    MESSAGE_SENT = "message.sent"
    MESSAGE_FAILED = "message.failed"
    COMMAND_FAILED = "command.failed"
    COMMAND_REPAIRED = "command.repaired"


class Event(BaseModel):
    """One thing that happened. `cause` is the id of the input that brought it about."""

    seq: int
    type: EventType
    occurred_at: datetime
    cause: str
    data: dict[str, Any]


def masked(number: str | None) -> str | None:
    """A phone number or address as it may be shown in a timeline or a log: its last four signs."""
    return None if number is None else f"***{number.partition(',')[0][-4:]}"
