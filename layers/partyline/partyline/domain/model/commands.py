"""Commands: the Telnyx actions that a conversation owes, and when each may be sent again.

A command is stored before it is sent, under a key that names its purpose. Its `command_id` is
derived from the key, so a second sending carries the same id and Telnyx drops the duplicate
(Telnyx docs, receiving webhooks: duplicates within 60 seconds are ignored). After that window an
action that must not happen twice is reconciled with Telnyx, or given up, and not sent again.

A command that Telnyx refuses in one form is sent again in another form, with a new `command_id`.
The change is stored before the next sending, so every process sends the same form with the same id.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID, uuid5

from pydantic import Field

from partyline.domain.model.statuses import AssistantMode
from partyline.domain.model.stored import Stored
from partyline.domain.model.timeouts import BACKOFF, LEASE, RESEND_WINDOW, START_LEASE

_NAMESPACE = UUID("6f1c3d0e-55a8-4b0e-9b1c-0d6c2f1b7a10")


class Action(StrEnum):
    """The Telnyx actions."""

    DIAL = "dial"
    ANSWER = "answer"
    HANG_UP = "hang_up"
    START = "start"
    JOIN = "join"
    STOP = "stop"
    MESSAGE = "message"
    BRIDGE = "bridge"
    CREATE_CONFERENCE = "create_conference"
    JOIN_CONFERENCE = "join_conference"
    LEAVE_CONFERENCE = "leave_conference"
    HOLD = "hold"
    IDENTIFY = "identify"
    SCREEN = "screen"
    LEAVE_MESSAGE = "leave_message"
    WAIT_WORDS = "wait_words"
    STOP_WORDS = "stop_words"
    GOODBYE = "goodbye"
    LOOK = "look"
    FETCH_INSIGHTS = "fetch_insights"
    FETCH_TRANSCRIPT = "fetch_transcript"


Role = Literal["user", "assistant", "system", "developer"]
"""The roles of a message (Telnyx API: ai_assistant_add_messages)."""

RECONCILABLE = frozenset({Action.DIAL, Action.START})
"""Actions whose effect can be looked up at Telnyx."""

TRACEABLE = frozenset({Action.JOIN, Action.MESSAGE, Action.SCREEN, Action.LEAVE_MESSAGE})
"""Actions whose arrival at Telnyx the list of call events may prove. Telnyx does not document how
soon a command is in the list, so an absent command proves nothing."""

WORDS = frozenset({Action.WAIT_WORDS, Action.STOP_WORDS, Action.GOODBYE})
"""Actions by which a person on the line hears something, or stops hearing something."""

STOPS = frozenset({Action.STOP, Action.STOP_WORDS})
"""Actions that end a voice, so that another voice is heard."""

FETCHES = frozenset({Action.FETCH_INSIGHTS, Action.FETCH_TRANSCRIPT})
"""Actions that fetch what a conversation at Telnyx has left."""

IDEMPOTENT = (
    WORDS
    | FETCHES
    | {
        Action.ANSWER,
        Action.HANG_UP,
        Action.STOP,
        Action.LEAVE_CONFERENCE,
        Action.LOOK,
    }
)
"""Actions that do no harm a second time, however late."""

CONNECTING = frozenset({Action.BRIDGE, Action.CREATE_CONFERENCE, Action.JOIN_CONFERENCE})
"""Actions that connect people to each other. Each is given up after `timeouts.CONNECT_WAIT`."""

TRANSIENT = frozenset({*CONNECTING, *FETCHES, Action.LEAVE_CONFERENCE, Action.MESSAGE, Action.LOOK})
"""Actions whose commands are removed when settled."""

WEBHOOK_URLS = "webhook_urls"
"""The change of a command whose `webhook_urls` Telnyx refused; the executor knows the next form."""

ASSISTANT_LEG = "assistant_leg"
"""The change of a join that is sent on the path of the assistant's leg, not of the joining leg."""

MAX_CHANGES = 12
"""The most changes of a command: 6 optional fields of a start, or 4 other forms of `webhook_urls`
and the 3 event types that these may leave out one by one."""


class Message(Stored):
    """A message for the assistant's conversation."""

    role: Role
    content: str
    shown: str | None = None  # the text for events, where the content is masked
    trigger_response: bool = False  # the assistant answers at once, not at its next turn
    sets_mode: AssistantMode | None = None  # the mode that holds once Telnyx has the message

    @property
    def event_fields(self) -> dict[str, Any]:
        """The role and the text as events show them."""
        return {"role": self.role, "content": self.content if self.shown is None else self.shown}


class Command(Stored):
    """A Telnyx action that is or was owed."""

    id: str
    key: str
    action: Action
    status: Literal["pending", "done", "failed"] = "pending"
    participant_id: str | None = None
    leg: int | None = None
    messages: list[Message] | None = None
    changes: list[str] = Field(default_factory=list)
    """How the form differs from the first form, a change for each refusal: the fields of Telnyx's
    request that are left out, `WEBHOOK_URLS` or `ASSISTANT_LEG`."""
    repeats: int = 0  # how often the command was owed again, each time with a new id
    cause: str | None = None  # the id of the input that led to the command
    owed_at: datetime | None = None
    """Since when the command is owed; `None` for a command that is older than this field."""
    attempts: int = 0
    sent_at: datetime | None = None
    """The first sending without a certain answer; `None` if no sending can have had an effect."""
    claimed_at: datetime | None = None  # the last claim
    not_before: datetime
    reconcile: bool = False  # look for the effect at Telnyx instead of sending the command

    @property
    def is_pending(self) -> bool:
        """Whether the command is still owed."""
        return self.status == "pending"

    def is_for(self, participant_id: str, leg: int) -> bool:
        """Whether the command is for this leg of this participant."""
        return (self.participant_id, self.leg) == (participant_id, leg)

    @property
    def may_have_taken_effect(self) -> bool:
        """Whether a sending before the current claim may have taken effect."""
        return self.sent_at != self.claimed_at

    def is_stale(self, now: datetime) -> bool:
        """Whether it is too late to rely on Telnyx dropping a duplicate."""
        return self.sent_at is not None and now - self.sent_at > RESEND_WINDOW

    def claim(self, now: datetime) -> None:
        """Lease the command to the current process, which sends it now."""
        self.attempts += 1
        self.claimed_at = now
        self.sent_at = self.sent_at or now
        self.not_before = now + (START_LEASE if self.action is Action.START else LEASE)

    def mark_not_sent(self) -> None:
        """Note that the last sending had no effect. An earlier sending in doubt stays in doubt."""
        if self.sent_at == self.claimed_at:
            self.sent_at = None

    def owe_again(self, conversation_id: str, now: datetime) -> None:
        """Owe a settled or refused command again: due now, with a new id.

        Telnyx drops a command whose id it had within the last 60 s, perhaps also of a refused one.
        """
        self.repeats += 1
        self.id = command_id(conversation_id, f"{self.key}/again/{self.repeats}")
        self.status, self.sent_at, self.not_before = "pending", None, now

    def change_form(self, changes: Iterable[str], conversation_id: str, now: datetime) -> None:
        """Change the form after a refusal: due now, with a new id, and without a sending so far."""
        self.changes.extend(changes)
        self.id = command_id(conversation_id, f"{self.key}/{len(self.changes)}")
        self.sent_at = None
        self.not_before = now

    def back_off(self, now: datetime) -> None:
        """Pause before the next attempt; each pause is longer than the last."""
        self.not_before = now + BACKOFF[min(self.attempts, len(BACKOFF)) - 1]


def command_key(action: Action, person_id: str | None, leg: int | None, nth: int | None) -> str:
    """Return the name of a command within its conversation, such as `join:guest-1f0c:2`."""
    parts = (action, person_id, leg, nth)
    return ":".join(str(part) for part in parts if part is not None)


def command_id(conversation_id: str, key: str) -> str:
    """Return the `command_id` for Telnyx: always the same for the same command."""
    return str(uuid5(_NAMESPACE, f"{conversation_id}/{key}"))
