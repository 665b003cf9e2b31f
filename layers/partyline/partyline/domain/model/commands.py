"""The Telnyx actions that a conversation owes, and the rules for owing, sending and sending again.

A command is written down before it is sent, under a key that says what it is for. Its `command_id`
is derived from that key, so that whoever sends it again sends the same one, and Telnyx drops the
double (Telnyx docs, receiving webhooks: duplicates within 60 seconds are ignored). Beyond that
window nothing that could happen twice is sent again: we look first, or give up and say so.
"""

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID, uuid5

from pydantic import BaseModel

from partyline.domain.model.timeouts import BACKOFF, LEASE, RESEND_WINDOW

_NAMESPACE = UUID("6f1c3d0e-55a8-4b0e-9b1c-0d6c2f1b7a10")


class Action(StrEnum):
    """What is asked of Telnyx."""

    DIAL = "dial"
    ANSWER = "answer"
    HANG_UP = "hang_up"
    START = "start"
    JOIN = "join"
    STOP = "stop"
    MESSAGE = "message"
    SCREEN = "screen"
    LOOK = "look"
    FETCH_INSIGHTS = "fetch_insights"


How = Literal["send", "find"]

RECONCILABLE = frozenset({Action.DIAL, Action.START})
"""What can be looked up at Telnyx when we do not know whether it took effect."""

IDEMPOTENT = frozenset(
    {Action.ANSWER, Action.HANG_UP, Action.STOP, Action.LOOK, Action.FETCH_INSIGHTS}
)
"""What does no harm a second time, however late."""

TRANSIENT = frozenset({Action.MESSAGE, Action.LOOK, Action.FETCH_INSIGHTS})
"""What leaves no mark in the ledger once it is settled."""


class Message(BaseModel):
    """A message for the assistant's conversation."""

    role: str
    content: str


class Command(BaseModel):
    """One Telnyx action that is owed, or was."""

    id: str
    key: str
    action: Action
    status: Literal["pending", "done", "failed"] = "pending"
    participant_id: str | None = None
    leg: int | None = None
    messages: list[Message] | None = None
    cause: str | None = None
    """The id of the input that made it owed."""
    owed_at: datetime | None = None
    """Since when it is owed; None for one that is older than this field."""
    attempts: int = 0
    sent_at: datetime | None = None
    """When it was first sent without a certain answer; None if it surely had no effect yet."""
    claimed_at: datetime | None = None
    """When it was last taken to be sent."""
    not_before: datetime
    reconcile: bool = False
    """Look for its effect at Telnyx instead of sending it."""

    @property
    def is_pending(self) -> bool:
        """Whether it is still owed."""
        return self.status == "pending"

    @property
    def may_have_taken_effect(self) -> bool:
        """Whether an earlier sending than the one it is claimed for may have had its effect."""
        return self.sent_at != self.claimed_at

    def is_stale(self, now: datetime) -> bool:
        """Whether it is too late to rely on Telnyx dropping a double."""
        return self.sent_at is not None and now - self.sent_at > RESEND_WINDOW

    def claim(self, now: datetime) -> None:
        """Take it to be sent now: leased, so that nobody else sends it meanwhile."""
        self.attempts += 1
        self.claimed_at = now
        self.sent_at = self.sent_at or now
        self.not_before = now + LEASE

    def mark_not_sent(self) -> None:
        """The last sending surely had no effect; an earlier one, still in doubt, may have had."""
        if self.sent_at == self.claimed_at:
            self.sent_at = None

    def back_off(self, now: datetime) -> None:
        """Leave it for a while; a little longer each time."""
        self.not_before = now + BACKOFF[min(self.attempts, len(BACKOFF)) - 1]


def command_key(
    action: Action, participant_id: str | None, leg: int | None, nth: int | None
) -> str:
    """The name of a command within its conversation, e.g. `join:guest-1f0c:2`."""
    parts = (action, participant_id, leg, nth)
    return ":".join(str(part) for part in parts if part is not None)


def command_id(conversation_id: str, key: str) -> str:
    """The `command_id` that Telnyx sees: the same one for the same command, for ever."""
    return str(uuid5(_NAMESPACE, f"{conversation_id}/{key}"))
