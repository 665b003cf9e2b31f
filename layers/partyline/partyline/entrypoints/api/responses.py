"""How a conversation looks from outside."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from partyline.domain.model.conversation import Conversation, Insight, Leg, Participant
from partyline.domain.model.events import Event
from partyline.store.scheduled import ScheduledConversation

View = dict[str, Any]


def conversation_view(conversation: Conversation, insights: Sequence[Insight] = ()) -> View:
    """A conversation with its participants and insights."""
    return {
        "id": conversation.id,
        "status": conversation.status,
        "direction": conversation.direction,
        "telnyx_conversation_id": conversation.telnyx_conversation_id,
        "assistant": conversation.assistant.model_dump(exclude_none=True),
        "participants": [participant_view(each) for each in conversation.participants],
        "insights": [{"insight_id": i.insight_id, "result": i.result} for i in insights],
        "metadata": conversation.metadata,
        "failure": conversation.failure and conversation.failure.model_dump(),
        "created_at": _time(conversation.created_at),
        "updated_at": _time(conversation.updated_at),
        "active_at": _time(conversation.active_at),
        "ended_at": _time(conversation.ended_at),
    }


def scheduled_view(schedule: ScheduledConversation) -> View:
    """A conversation that has not begun: none of its people are known to anybody yet."""
    return {
        "id": schedule.id,
        "status": schedule.status,
        "start_at": _time(schedule.start_at),
        "metadata": schedule.body.get("metadata", {}),
        "failure": schedule.failure and schedule.failure.model_dump(),
        "created_at": _time(schedule.created_at),
    }


def participant_view(participant: Participant) -> View:
    """A participant with every leg that was tried."""
    return {
        "id": participant.id,
        "name": participant.name,
        "host": participant.host,
        "status": participant.status,
        "outcome": participant.outcome,
        "on_hangup": participant.on_hangup,
        "legs": [_leg_view(leg) for leg in participant.legs],
        "created_at": _time(participant.created_at),
        "joined_at": _time(participant.joined_at),
        "left_at": _time(participant.left_at),
    }


def _leg_view(leg: Leg) -> View:
    return {
        "call_control_id": leg.call_control_id,
        "to": leg.to,
        "from": leg.from_,
        "status": leg.status,
        "outcome": leg.outcome,
        "hangup_cause": leg.hangup_cause,
        "failure": leg.failure and leg.failure.model_dump(),
        "created_at": _time(leg.created_at),
        "answered_at": _time(leg.answered_at),
        "ended_at": _time(leg.ended_at),
    }


def event_view(event: Event) -> View:
    """One line of a timeline."""
    return {
        "seq": event.seq,
        "type": event.type,
        "occurred_at": _time(event.occurred_at),
        "cause": event.cause,
        "data": event.data,
    }


def _time(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None
