"""What exists in the simulated world: people, legs, conversations, and the books kept of it all."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from local.simulator.clock import Timer

Behaviour = Literal["answer", "busy", "decline", "no_answer", "machine", "unreachable", "manual"]
LegState = Literal["ringing", "parked", "answered", "ended"]
JsonObject = dict[str, Any]


@dataclass(frozen=True)
class Person:
    """Who is at a number and what they do when it rings.

    `manual` waits for `Simulator.answer`, `decline`, `busy` or `hang_up`. `machine_result` is what
    machine detection says of them (None: human or machine, after `behaviour`); `digits` are what
    they press when asked (None: nothing); `hangs_up_after_secs` counts from the answer.
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


@dataclass
class WebhookConfig:
    """Where a leg's webhooks go, as its dial or answer said (Telnyx API: dial and answer only)."""

    url: str | None = None
    urls: dict[str, str] = field(default_factory=dict)
    retries_ms: dict[str, list[int]] = field(default_factory=dict)


@dataclass
class Gather:
    """Digits that a leg is being asked for (Telnyx API: gather_using_speak)."""

    minimum: int
    maximum: int
    terminator: str
    valid: str
    pressed: str = ""
    deadline: Timer | None = None


@dataclass
class SimulatedLeg:
    """One phone call as Telnyx sees it; `heard` is what the person on it noticed, in order."""

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
    webhooks: WebhookConfig = field(default_factory=WebhookConfig)
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    hangup_cause: str | None = None
    assistant: JsonObject | None = None
    detection: str = "disabled"
    time_limit_secs: float = 14400
    conversation_id: str | None = None
    gather: Gather | None = None
    timers: list[Timer] = field(default_factory=list)
    heard: list[tuple[datetime, str]] = field(default_factory=list)

    @property
    def person_number(self) -> str:
        """The number of the human at the other end, whoever called whom."""
        return self.to if self.direction == "outgoing" else self.from_


@dataclass(frozen=True)
class Message:
    """One row of a conversation's transcript."""

    role: str
    content: str
    at: datetime


@dataclass
class JoinedParticipant:
    """A leg other than the starting one in a conversation."""

    call_control_id: str
    name: str | None
    on_hangup: str
    present: bool = True


@dataclass
class SimulatedConversation:
    """One assistant conversation; `starting_call` is the leg on which the assistant started."""

    conversation_id: str
    starting_call: str
    assistant_id: str
    started_at: datetime
    metadata: dict[str, str]
    status: Literal["active", "ended"] = "active"
    host_present: bool = True
    ended_at: datetime | None = None
    reason: str | None = None
    participants: list[JoinedParticipant] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    insights: list[JsonObject] | None = None


@dataclass
class LedgerEntry:
    """One request as it came and as it was answered; status 0 means no answer left the house."""

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
    unknown_fields: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Delivery:
    """One attempt to deliver a webhook; `status` is None when nobody answered."""

    at: datetime
    event_id: str
    event_type: str
    url: str
    attempt: int
    status: int | None
    duration_secs: float
    call_control_id: str | None
    body: bytes = b""


@dataclass
class World:
    """Everything there is.

    Tools are keyed by their own id, inline and attached ones by the assistant's; a number has the
    connection_id of its application, or None.
    """

    people: dict[str, Person] = field(default_factory=dict)
    legs: dict[str, SimulatedLeg] = field(default_factory=dict)
    conversations: dict[str, SimulatedConversation] = field(default_factory=dict)
    applications: dict[str, JsonObject] = field(default_factory=dict)
    tools: dict[str, JsonObject] = field(default_factory=dict)
    inline_tools: dict[str, list[JsonObject]] = field(default_factory=dict)
    attached_tools: dict[str, list[str]] = field(default_factory=dict)
    numbers: dict[str, str | None] = field(default_factory=dict)
    ledger: list[LedgerEntry] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
