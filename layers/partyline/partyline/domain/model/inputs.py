"""Whatever can move a conversation: a webhook, an API request, a command's result, a timer.

Each input carries the `id` by which the timeline and the logs say what caused what.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from partyline.domain.model.conversation import Assistant, Insight, Limits, Plan
from partyline.domain.model.results import Result
from partyline.domain.model.statuses import OnHangup


@dataclass(frozen=True, kw_only=True)
class Input:
    """Base of all inputs."""

    id: str


@dataclass(frozen=True, kw_only=True)
class CallRef:
    """How a webhook says which call it is about; `participant` and `leg` are our own client_state.

    Any of it may be missing, and our client_state is a hint, not a proof.
    """

    call_control_id: str | None = None
    call_leg_id: str | None = None
    call_session_id: str | None = None
    participant: str | None = None
    leg: int | None = None


@dataclass(frozen=True, kw_only=True)
class NewParticipant:
    """A person to bring in: by a plan to dial, or by a call that is live already."""

    id: str
    name: str | None = None
    on_hangup: OnHangup = OnHangup.CONTINUE
    plan: Plan | None = None
    call_control_id: str | None = None
    tell_assistant: bool = True
    contact: str | None = None


# What the API asks


@dataclass(frozen=True, kw_only=True)
class StartConversation(Input):
    """Start by dialling the host, or around a live call."""

    conversation_id: str
    assistant: Assistant
    connection_id: str
    host: NewParticipant
    guests: tuple[NewParticipant, ...] = ()
    base_url: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    phrases: dict[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    route: str | None = None


@dataclass(frozen=True, kw_only=True)
class InviteParticipant(Input):
    """Bring another person in."""

    participant: NewParticipant


@dataclass(frozen=True, kw_only=True)
class RemoveParticipant(Input):
    """Hang a person up."""

    participant_id: str


@dataclass(frozen=True, kw_only=True)
class SendMessage(Input):
    """Put a message into the assistant's conversation."""

    role: str
    content: str


@dataclass(frozen=True, kw_only=True)
class StopConversation(Input):
    """Stop the assistant; `hang_up` the legs too, or leave them to the caller's application."""

    hang_up: bool = False


# What Telnyx tells


@dataclass(frozen=True, kw_only=True)
class Route:
    """How calls to a number of ours are answered."""

    assistant: Assistant
    connection_id: str
    on_hangup: OnHangup = OnHangup.END
    phrases: dict[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, kw_only=True)
class CallInput(Input):
    """Base of the webhooks: about one call."""

    call: CallRef
    occurred_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class CallInitiated(CallInput):
    """A call begins. `route` is given for an incoming one that we should take."""

    conversation_id: str
    incoming: bool
    from_: str | None = None
    to: str | None = None
    route: Route | None = None
    base_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class CallAnswered(CallInput):
    """Somebody, or something, picked up."""


@dataclass(frozen=True, kw_only=True)
class CallHangup(CallInput):
    """A call is over."""

    cause: str | None = None
    source: str | None = None
    sip_cause: str | None = None


@dataclass(frozen=True, kw_only=True)
class MachineVerdict(CallInput):
    """What the machine detection heard."""

    machine: bool


@dataclass(frozen=True, kw_only=True)
class DigitsGathered(CallInput):
    """What a person pressed in answer to a screening, and how it ended (Telnyx's `status`).

    A key that only ends the input, `#` as a rule, is not among the digits.
    """

    digits: str
    status: str | None = None


@dataclass(frozen=True, kw_only=True)
class ConversationCreated(CallInput):
    """The assistant runs."""

    telnyx_conversation_id: str | None


@dataclass(frozen=True, kw_only=True)
class ConversationStartFailed(CallInput):
    """The assistant did not start."""

    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class ConversationEnded(CallInput):
    """The assistant's conversation is over; the calls may not be."""

    telnyx_conversation_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class InsightsGenerated(CallInput):
    """What Telnyx made of the conversation."""

    insights: tuple[Insight, ...]


# Results of commands, and time


@dataclass(frozen=True, kw_only=True)
class CommandResult(Input):
    """What became of the command with this key."""

    key: str
    result: Result


@dataclass(frozen=True, kw_only=True)
class TimerElapsed(Input):
    """Time has passed. Also what a doubled webhook amounts to: see whether anything is owed."""
