"""A conversation in a sentence: its status, and each person in a few words."""

from datetime import UTC, datetime
from typing import Any

from local.printing import participant_status

Json = dict[str, Any]

_WORDS = {
    "dialing": "is being called",
    "ringing": "is ringing",
    "answered": "has answered",
    "screening": "is asked to accept",
    "waiting": "waits",
    "joining": "is being joined",
    "joined": "is on the line",
    "left": "has left",
}
_OUTCOMES = {
    "busy": "was busy",
    "declined": "declined",
    "no_answer": "did not answer",
    "machine": "has a machine",
    "human": "hung up before the join",
    "cancelled": "is no longer called",
    "screened": "has a phone that screens calls",
    "voicemail_left": "has a message on the voicemail",
}


def summary(conversation: Json, now: datetime) -> str:
    """Return a sentence about a conversation, or about a scheduled start."""
    status = conversation["status"]
    failure = conversation["failure"]
    reason = f" ({failure['code']}: {failure['message']})" if failure else ""
    if "participants" not in conversation:
        return f"{status}{reason}, to start at {conversation['start_at']}"
    people = ", ".join(
        f"{name_of(person)} {told(person)}" for person in conversation["participants"]
    )
    mode = conversation.get("mode", "speaking")
    is_told = mode != "speaking" and conversation["ended_at"] is None
    assistant = f", the assistant is {mode}" if is_told else ""
    return f"{status}{_lasted(conversation, now)}{reason}{assistant}: {people}"


def name_of(participant: Json) -> str:
    """Return the name of a participant, else the id."""
    return str(participant["name"] or participant["id"])


def told(participant: Json) -> str:
    """Return a participant's status in a few words, such as `is ringing, number 2 of 3`."""
    if participant["status"] == "failed":
        outcome = participant["outcome"] or "failed"
        return _OUTCOMES.get(outcome, f"was not reached ({outcome.replace('_', ' ')})")
    status, comma, number = participant_status(participant).partition(",")
    return _WORDS.get(status, status) + comma + number


def _lasted(conversation: Json, now: datetime) -> str:
    """Return ` for 1:12` or ` after 1:12`, counted from the assistant's start."""
    if conversation["active_at"] is None:
        return ""
    ended_at = conversation["ended_at"]
    until = datetime.fromisoformat(ended_at) if ended_at else now
    secs = max(0, int((until - datetime.fromisoformat(conversation["active_at"])).total_seconds()))
    return f" {'after' if ended_at else 'for'} {secs // 60}:{secs % 60:02}"


def now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)
