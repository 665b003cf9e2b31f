"""Inputs: the webhooks, API requests, command results and timers that can move a conversation.

The `id` of an input is the `cause` of its events and commands, in the timeline and in the logs.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from partyline.domain.model.assistant import Assistant, AssistantStart
from partyline.domain.model.commands import Action, Role
from partyline.domain.model.conversation import Limits
from partyline.domain.model.costs import LegCost
from partyline.domain.model.events import Cost, Quality, Recording
from partyline.domain.model.handover import Then
from partyline.domain.model.insight import Insight
from partyline.domain.model.plan import Plan
from partyline.domain.model.results import Result
from partyline.domain.model.statuses import AssistantMode, OnHangup
from partyline.domain.model.transcript import Source, TranscriptMessage


@dataclass(frozen=True, kw_only=True)
class Input:
    """Base of all inputs."""

    id: str


@dataclass(frozen=True, kw_only=True)
class CallRef:
    """The ids by which a webhook names its call. Any field may be missing.

    `participant`, `leg`, `prompt` and `repeat` come from our client_state, which is a hint, not a
    proof. `prompt`: the last command that the person heard, such as `screen` or `wait_words`, and
    `repeat` its `Command.repeats`. `incoming`: the webhook says that a person called us.
    """

    call_control_id: str | None = None
    call_leg_id: str | None = None
    call_session_id: str | None = None
    participant: str | None = None
    leg: int | None = None
    prompt: Action | None = None
    repeat: int = 0
    incoming: bool = False


@dataclass(frozen=True, kw_only=True)
class NewParticipant:
    """A person to add: by a plan to dial, or by a call that is live already."""

    id: str
    name: str | None = None
    on_hangup: OnHangup = OnHangup.CONTINUE
    plan: Plan | None = None
    call_control_id: str | None = None
    tell_assistant: bool = True
    contact: str | None = None
    key_id: str | None = None


# API requests


@dataclass(frozen=True, kw_only=True)
class StartConversation(Input):
    """Start a conversation by dialling the host, or around a live call."""

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
    live_transcript: bool = False


@dataclass(frozen=True, kw_only=True)
class InviteParticipant(Input):
    """Add a participant."""

    participant: NewParticipant


@dataclass(frozen=True, kw_only=True)
class HandOver(Input):
    """Hand the caller over to a new guest, or to the guest who has the id of `participant`."""

    handover_id: str
    participant: NewParticipant
    then: Then = "stay"


@dataclass(frozen=True, kw_only=True)
class RemoveParticipant(Input):
    """Remove a participant and hang up the call."""

    participant_id: str


@dataclass(frozen=True, kw_only=True)
class SendMessage(Input):
    """Send a message to the assistant. `shown` is the text for events, if that is masked."""

    role: Role
    content: str
    trigger_response: bool = False
    shown: str | None = None


@dataclass(frozen=True, kw_only=True)
class SetAssistantMode(Input):
    """Let the assistant speak, be silent, or leave the people to each other."""

    mode: AssistantMode


@dataclass(frozen=True, kw_only=True)
class NoteCallBack(Input):
    """A call back is booked: the conversation `booked_id` starts at `start_at`."""

    booked_id: str
    start_at: datetime


@dataclass(frozen=True, kw_only=True)
class StopConversation(Input):
    """Stop the assistant; `hang_up` ends the calls too, else the caller's application goes on."""

    hang_up: bool = False


# Telnyx webhooks


@dataclass(frozen=True, kw_only=True)
class Route:
    """The settings for calls to a number of ours."""

    assistant: Assistant
    connection_id: str
    on_hangup: OnHangup = OnHangup.END
    phrases: dict[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    start: AssistantStart = "after_answer"
    live_transcript: bool = False


@dataclass(frozen=True, kw_only=True)
class CallInput(Input):
    """Base of the webhooks. Each webhook is about a single call."""

    call: CallRef
    occurred_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class CallInitiated(CallInput):
    """A call begins. `route` is set for an incoming call that we should answer."""

    conversation_id: str
    incoming: bool
    from_: str | None = None
    to: str | None = None
    route: Route | None = None
    base_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class CallAnswered(CallInput):
    """A person or a machine answered the call."""


@dataclass(frozen=True, kw_only=True)
class CallHangup(CallInput):
    """A call is over."""

    cause: str | None = None
    sip_cause: str | None = None
    quality: Quality | None = None


@dataclass(frozen=True, kw_only=True)
class CallBridged(CallInput):
    """Telnyx connected the call to another call."""


@dataclass(frozen=True, kw_only=True)
class ConferenceJoined(CallInput):
    """The call is in a conference. The client_state may be that of the conference's first call."""


@dataclass(frozen=True, kw_only=True)
class ConferenceLeft(CallInput):
    """The call is no longer in a conference."""


@dataclass(frozen=True, kw_only=True)
class MachineVerdict(CallInput):
    """The verdict of the machine detection.

    `by_speech`: the machine was recognized by its words, which may be those of a phone that screens
    the call. A machine with a beep is an answering machine.
    """

    machine: bool
    by_speech: bool = False


@dataclass(frozen=True, kw_only=True)
class GreetingEnded(CallInput):
    """The greeting of a machine, or the prompt of a phone that screens the call, is over.

    `result` is Telnyx's: `beep_detected`, `no_beep_detected`, `ended`, `prompt_ended` or `not_sure`
    (Telnyx API: call.machine.greeting.ended and call.machine.premium.greeting.ended).
    """

    result: str


@dataclass(frozen=True, kw_only=True)
class CallScreeningDetected(CallInput):
    """An iPhone screens the call, and the machine detection starts again."""


@dataclass(frozen=True, kw_only=True)
class DigitsGathered(CallInput):
    """The digits pressed in answer to a screening, and how the gather ended (Telnyx's `status`).

    The terminating digit, `#` as a rule, is not among the digits.
    """

    digits: str
    status: str | None = None


@dataclass(frozen=True, kw_only=True)
class VoiceEnded(CallInput):
    """A sentence or an audio file on the call is over; `call.prompt` names our command.

    `status` is Telnyx's: `completed`, `call_hangup`, `cancelled_amd`, and of an audio file also
    `cancelled`, `file_not_found`, `failed` or `unknown` (Telnyx API: call.speak.ended and
    call.playback.ended).
    """

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
    """The assistant's conversation is over; the calls may still be up."""

    telnyx_conversation_id: str | None = None
    reason: str | None = None
    messages: tuple[TranscriptMessage, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TranscriptUpdated(CallInput):
    """The assistant's conversation has new messages.

    With the source `history` the messages are the whole conversation, with `added` the whole
    conversation or only the new messages: Telnyx does not document `messages_added`.
    """

    source: Source
    messages: tuple[TranscriptMessage, ...]
    telnyx_conversation_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class InsightsGenerated(CallInput):
    """Telnyx's insights into the conversation."""

    insights: tuple[Insight, ...]


@dataclass(frozen=True, kw_only=True)
class ConversationAnalyzed(CallInput):
    """Telnyx's insights, cost and recordings of a conversation that is over."""

    telnyx_conversation_id: str | None
    insights: tuple[Insight, ...] = ()
    duration_secs: int | None = None
    cost: Cost | None = None
    recordings: tuple[Recording, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CallCost(CallInput):
    """The price of a call that is over."""

    cost: LegCost


# Results of commands, and time


@dataclass(frozen=True, kw_only=True)
class CommandResult(Input):
    """The result of the command with this key."""

    key: str
    result: Result


@dataclass(frozen=True, kw_only=True)
class PollCalls(Input):
    """Poll calls by themselves: a census lacks the calls (`missing`), or no census is complete.

    `calls` are names as `Conversation.listed_calls` has them.
    """

    calls: tuple[str, ...]
    missing: bool


@dataclass(frozen=True, kw_only=True)
class TimerElapsed(Input):
    """Time has passed. A duplicate webhook counts as a timer too, for pending commands."""
