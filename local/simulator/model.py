"""The simulator's state: people, legs, conversations, and records of requests and deliveries."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from local.simulator.clock import Timer
from local.simulator.violations import Violations

Behaviour = Literal["answer", "busy", "decline", "no_answer", "machine", "unreachable", "manual"]
LegState = Literal["ringing", "parked", "answered", "ended"]
JsonObject = dict[str, Any]


CALL_LIMIT_SECS = 14_400
"""Telnyx's time limit of a call without a limit of its own (Telnyx API: POST /calls)."""


ScreeningPhone = Literal["iphone", "pixel"]
"""Phones that screen calls. Only the prompt of an iPhone ends with a tone that Telnyx knows."""


@dataclass(frozen=True)
class Person:
    """A person at a number, and the person's reaction to a call.

    `manual` waits for `Simulator.answer`, `decline`, `busy` or `hang_up`. `machine_result` is the
    verdict of machine detection (None: human or machine, after `behaviour`); `digits` are pressed
    keys during a gather (None: no keys); `hangs_up_after_secs` counts from the answer. With
    `screens_calls` the phone asks for the reason of the call before the person answers; a person
    with the behaviour `machine` never does. The greeting of a machine lasts `greeting_secs` from
    the answer (None: without end), and a beep follows if `beeps`.
    """

    number: str
    name: str = ""
    behaviour: Behaviour = "answer"
    answer_after_secs: float = 1.0
    machine_result: str | None = None
    digits: str | None = None
    digits_after_secs: float = 1.0
    hangs_up_after_secs: float | None = None
    patience_secs: float = 120.0
    screens_calls: ScreeningPhone | None = None
    greeting_secs: float | None = 8.0
    beeps: bool = True


@dataclass
class WebhookConfig:
    """The URLs of a leg's webhooks from the dial or answer (Telnyx API: dial and answer only)."""

    url: str | None = None
    urls: dict[str, list[str]] = field(default_factory=dict)
    retries_ms: dict[str, list[int]] = field(default_factory=dict)


@dataclass
class Gather:
    """A running gather of digits on a leg (Telnyx API: gather_using_speak)."""

    minimum: int
    maximum: int
    terminator: str
    valid: str
    pressed: str = ""
    deadline: Timer | None = None


@dataclass(frozen=True)
class Utterance:
    """A sentence or an audio file on a leg; an endless loop has infinite `secs`."""

    kind: Literal["speak", "playback"]
    content: str
    secs: float
    client_state: str | None = None
    status: str = "completed"


@dataclass
class SimulatedLeg:
    """A phone call in Telnyx's view; `heard` is the list of the person's perceptions, in order."""

    call_control_id: str
    call_leg_id: str
    call_session_id: str
    direction: Literal["incoming", "outgoing"]
    from_: str
    to: str
    connection_id: str
    started_at: datetime
    state: LegState
    client_state: str | None = None
    dialled_with: str | None = None
    """The client_state of the dial."""
    webhooks: WebhookConfig = field(default_factory=WebhookConfig)
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    hangup_cause: str | None = None
    sip_reason: str | None = None
    """The text of the SIP Reason header on the CANCEL of an unanswered outgoing leg."""
    bridged_to: str | None = None
    """The call_control_id of the leg that a bridge or a transfer has connected with this leg."""
    parks: bool | None = None
    """Whether the leg stays up when its bridge ends (Telnyx API: bridge, park_after_unbridge); None
    for a transfer."""
    had_assistant: bool = False
    far_end: "SimulatedLeg | None" = field(default=None, repr=False, compare=False)
    """The other leg of a call between two numbers of the account; both legs end together."""
    assistant: JsonObject | None = None
    detection: str = "disabled"
    detection_config: JsonObject = field(default_factory=dict)
    time_limit_secs: float = CALL_LIMIT_SECS
    conversation_id: str | None = None
    gather: Gather | None = None
    voices: list[Utterance] = field(default_factory=list)
    """What plays on the leg, and what waits to be played."""
    on_answer: Callable[[], None] | None = None
    timers: list[Timer] = field(default_factory=list)
    heard: list[tuple[datetime, str]] = field(default_factory=list)
    webhooks_sent: list[tuple[datetime, str]] = field(default_factory=list)
    """The times and types of the webhooks of the leg, with those that were lost on the way."""

    @property
    def shows_missed_call(self) -> bool:
        """Whether the person's phone shows a missed call; a SIP reason prevents that."""
        unanswered = self.direction == "outgoing" and self.answered_at is None
        return unanswered and self.hangup_cause == "originator_cancel" and not self.sip_reason

    @property
    def person_number(self) -> str:
        """The number of the person at the other end, for both directions."""
        return self.to if self.direction == "outgoing" else self.from_


@dataclass(frozen=True)
class Message:
    """A row of a conversation's transcript."""

    role: str
    content: str
    at: datetime


@dataclass
class JoinedParticipant:
    """A leg that joined a conversation after the starting leg."""

    call_control_id: str
    name: str | None
    on_hangup: str
    present: bool = True


@dataclass
class SimulatedConversation:
    """An assistant conversation; `starting_call` is the leg on which the assistant started."""

    conversation_id: str
    starting_call: str
    assistant_id: str
    started_at: datetime
    metadata: dict[str, str]
    voice: str
    sends_history: bool = False
    """Whether each turn sends `call.ai_gather.message_history_updated`."""
    status: Literal["active", "ended"] = "active"
    host_present: bool = True
    ended_at: datetime | None = None
    reason: str | None = None
    participants: list[JoinedParticipant] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    insights: list[JsonObject] | None = None
    client_state: str | None = None  # of the request that started the assistant
    deleted: bool = False

    def guest(self, call_control_id: str) -> JoinedParticipant | None:
        """Return the participant of a call, also a participant who has left."""
        calls = {guest.call_control_id: guest for guest in self.participants}
        return calls.get(call_control_id)


@dataclass
class SimulatedConference:
    """A conference; `members` are the calls in the conference. Without members, it has ended."""

    conference_id: str
    name: str
    created_at: datetime
    client_state: str | None
    members: list[str] = field(default_factory=list)


@dataclass
class LedgerEntry:
    """A request and its answer; status 0 means that no answer was sent."""

    at: datetime
    method: str
    path: str
    body: JsonObject | None
    action: str | None = None
    call_control_id: str | None = None
    command_id: str | None = None
    status: int = 0
    response: Any = None
    duplicate: bool = False
    lost: bool = False
    fault: str | None = None
    """The kind of the injected fault that applied to the request."""
    unknown_fields: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Delivery:
    """An attempt to deliver a webhook; `status` is None if no answer came."""

    at: datetime
    event_id: str
    event_type: str
    url: str
    attempt: int
    status: int | None
    duration_secs: float
    call_control_id: str | None
    body: bytes = b""
    signed_at: str = ""
    """The header `telnyx-timestamp`."""


@dataclass
class World:
    """The whole state of the account.

    The key of `tools` is the tool's id, the key of inline and attached tools and
    of settings the assistant's id. A number has the connection_id of its application, or None.
    """

    people: dict[str, Person] = field(default_factory=dict)
    legs: dict[str, SimulatedLeg] = field(default_factory=dict)
    conversations: dict[str, SimulatedConversation] = field(default_factory=dict)
    conferences: dict[str, SimulatedConference] = field(default_factory=dict)
    applications: dict[str, JsonObject] = field(default_factory=dict)
    profiles: dict[str, JsonObject] = field(default_factory=dict)
    tools: dict[str, JsonObject] = field(default_factory=dict)
    inline_tools: dict[str, list[JsonObject]] = field(default_factory=dict)
    attached_tools: dict[str, list[str]] = field(default_factory=dict)
    assistant_settings: dict[str, JsonObject] = field(default_factory=dict)
    numbers: dict[str, str | None] = field(default_factory=dict)
    ledger: list[LedgerEntry] = field(default_factory=list)
    violations: Violations = field(default_factory=Violations)
