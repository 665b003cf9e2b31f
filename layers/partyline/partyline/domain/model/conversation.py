"""A conversation as it is stored: one document with its participants, their legs, and what is owed.

What changes together is stored together, so every step is one write of one document.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from partyline.domain.model.commands import Action, Command, Message
from partyline.domain.model.statuses import (
    NOT_ADMITTING,
    ConversationStatus,
    Direction,
    LegStatus,
    OnHangup,
    Outcome,
    ParticipantStatus,
)

HOST_ID = "host"
"""The participant id of the host; there is one in each conversation."""

UNKNOWN_CONVERSATION_ID = "unknown"
"""Stands for the id of a conversation of Telnyx's that ended before we learned it."""

MachineDetection = Literal["off", "standard", "premium"]


class Stored(BaseModel):
    """Base of what is stored. Unknown fields are skipped so that a roll-back reads newer rows."""

    model_config = ConfigDict(extra="ignore")


class Assistant(Stored):
    """The Telnyx assistant and what is overridden for this conversation (`ai_assistant_start`)."""

    id: str
    name: str | None = None
    greeting: str | None = None
    instructions: str | None = None
    model: str | None = None
    dynamic_variables: dict[str, str | int | float | bool] | None = None
    tools: list[dict[str, Any]] | None = None
    mcp_servers: list[dict[str, Any]] | None = None
    voice: str | None = None
    voice_settings: dict[str, Any] | None = None
    transcription: dict[str, Any] | None = None
    interruption_settings: dict[str, Any] | None = None
    message_history: list[dict[str, Any]] | None = None
    send_message_history_updates: bool | None = None


class Screening(Stored):
    """What a person hears before being joined, and the digit that says yes."""

    say: str
    accept_digit: str = "1"
    timeout_secs: int = 15


class Plan(Stored):
    """Whom to reach and how: numbers in order or at once, a round or several."""

    to: list[str]
    from_: str
    strategy: Literal["in_order", "at_once"] = "in_order"
    ring_timeout_secs: int = 30
    deadline_secs: int | None = None
    machine_detection: MachineDetection = "off"
    on_machine: Literal["next", "join"] = "next"
    screening: Screening | None = None
    max_attempts: int = 1
    pause_secs: int = 30
    time_limit_secs: int | None = None


class Failure(Stored):
    """Why something did not work: Telnyx's code and words, or ours."""

    code: str
    message: str


class Leg(Stored):
    """One phone call to or from a participant."""

    number: int
    to: str | None = None
    from_: str | None = None
    owned: bool = True
    """We dialled or answered it, so it is ours to hang up; a call we were attached to is not."""
    status: LegStatus = LegStatus.DIALING
    outcome: Outcome | None = None
    call_control_id: str | None = None
    call_leg_id: str | None = None
    call_session_id: str | None = None
    ring_timeout_secs: int | None = None
    created_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    verdict_deadline: datetime | None = None
    """When we stop waiting for the verdict of the machine detection, or for the digit."""
    poll_at: datetime | None = None
    """When to ask Telnyx whether the call is still there, if no webhook has said more by then."""
    polled_at: datetime | None = None
    """When Telnyx was last asked about it."""
    machine: bool | None = None
    hangup_cause: str | None = None
    hangup_source: str | None = None
    sip_hangup_cause: str | None = None
    failure: Failure | None = None
    rule: str | None = None
    """The rule of ours that refused the call, if one did."""

    @property
    def is_up(self) -> bool:
        """Whether, as far as we know, the call is still there."""
        return self.status is not LegStatus.ENDED

    @property
    def is_finished(self) -> bool:
        """Whether nothing can come of it any more: it is gone, or judged to be of no use."""
        return not self.is_up or self.outcome not in (None, Outcome.HUMAN)


class Participant(Stored):
    """A person in the conversation, reached by one leg or by several, one after the other."""

    id: str
    host: bool = False
    name: str | None = None
    status: ParticipantStatus = ParticipantStatus.DIALING
    outcome: Outcome | None = None
    on_hangup: OnHangup = OnHangup.CONTINUE
    plan: Plan | None = None
    tell_assistant: bool = True
    contact: str | None = None
    """Whom the assistant asked for, if it was the assistant who invited."""
    legs: list[Leg] = Field(default_factory=list)
    accepted_leg: int | None = None
    """The number of the leg that the person is on."""
    removed: bool = False
    created_at: datetime
    joined_at: datetime | None = None
    joined_restart: int = 0
    """In which run of the assistant the person was joined; the first is 0."""
    left_at: datetime | None = None
    next_round_at: datetime | None = None

    @property
    def active_leg(self) -> Leg | None:
        """The leg that the person was accepted on."""
        return None if self.accepted_leg is None else self.leg(self.accepted_leg)

    @property
    def numbers(self) -> set[str | None]:
        """The number that the person is on the line from, or else all that they are sought at."""
        if self.active_leg is None:
            return set(self.plan.to) if self.plan else set()
        return {self.active_leg.to if self.plan else self.active_leg.from_}

    def leg(self, number: int | None) -> Leg | None:
        """The leg of that number, if there is one."""
        return next((leg for leg in self.legs if leg.number == number), None)


class Limits(Stored):
    """The bounds of a conversation."""

    participants: int = 20
    """People in its whole life, the host included; more would not fit into a table item."""
    legs_at_once: int = 20
    minutes: int | None = None


class Stop(Stored):
    """A stop that was asked for, or that followed from somebody's leaving."""

    hang_up: bool
    by_request: bool


@dataclass(frozen=True, kw_only=True)
class Insight:
    """One finding about a conversation that is over."""

    insight_id: str
    result: Any


class Conversation(Stored):
    """One AI-assistant conversation with everyone on it."""

    id: str
    version: int = 0
    direction: Direction
    status: ConversationStatus = ConversationStatus.CONNECTING
    assistant: Assistant
    telnyx_conversation_id: str | None = None
    participants: list[Participant] = Field(default_factory=list)
    metadata: dict[str, Any] = Field(default_factory=dict)
    failure: Failure | None = None
    created_at: datetime
    updated_at: datetime
    active_at: datetime | None = None
    ended_at: datetime | None = None

    connection_id: str
    base_url: str | None = None
    """Where our webhooks are reached, for the legs still to be dialled."""
    limits: Limits = Field(default_factory=Limits)
    route: str | None = None
    """The number of ours whose route the contacts come from."""
    phrases: dict[str, str] = Field(default_factory=dict)
    """The conversation's own sentences for what the assistant is told (see `telling`)."""

    seq: int = 0
    """The number of the newest event."""
    commands: dict[str, Command] = Field(default_factory=dict)
    pending_messages: list[Message] = Field(default_factory=list)
    message_batches: int = 0
    stop: Stop | None = None
    stop_deadline: datetime | None = None
    """When a stopping conversation counts as ended though nobody said so."""
    telnyx_ended_at: datetime | None = None
    """When Telnyx said that the assistant's conversation is over, while ours may not be."""
    telnyx_ended_reason: str | None = None
    insights_received_at: datetime | None = None
    """When insights came, which Telnyx makes of what has ended."""
    previous_telnyx_ids: list[str] = Field(default_factory=list)
    """Those that ended with their host, after which the assistant was started anew."""
    insights: list[str] = Field(default_factory=list)
    insights_poll_at: datetime | None = None
    insight_polls: int = 0
    due_at: datetime | None = None
    """When the sweep should look at it next; None when nothing can be late."""

    def deep_copy(self) -> "Conversation":
        """An equal one that shares nothing with it: as JSON and back, which a deep copy takes
        three times as long for."""
        return Conversation.model_validate_json(self.model_dump_json(exclude_defaults=True))

    @property
    def host(self) -> Participant:
        """The first participant: the caller, or the one we dialled."""
        return self.participants[0]

    @property
    def is_over(self) -> bool:
        """Whether nobody is taken in any more."""
        return self.status in NOT_ADMITTING

    @property
    def has_pending_commands(self) -> bool:
        """Whether a command is still owed."""
        return any(command.is_pending for command in self.commands.values())

    @property
    def start_command(self) -> Command | None:
        """The newest start of the assistant, if any was owed."""
        starts = [each for each in self.commands.values() if each.action is Action.START]
        return starts[-1] if starts else None

    @property
    def restarts(self) -> int:
        """How often the assistant was started anew for those who were left."""
        return len(self.previous_telnyx_ids)

    @property
    def is_restarting(self) -> bool:
        """Whether the assistant is being started anew for those who are left."""
        return self.restarts > 0 and self.telnyx_conversation_id is None

    def participant(self, participant_id: str | None) -> Participant | None:
        """The participant of that id, if there is one."""
        return next((each for each in self.participants if each.id == participant_id), None)

    def legs(self) -> list[tuple[Participant, Leg]]:
        """Every leg with the participant whose it is."""
        return [(each, leg) for each in self.participants for leg in each.legs]

    def assistant_leg(self) -> tuple[Participant, Leg] | None:
        """Through whose call the assistant is reached: the host's, else any that is joined."""
        people = [each for each in self.participants if each.host or each.joined_at]
        lines = [(each, each.active_leg) for each in people if each.active_leg and not each.removed]
        return next(((each, leg) for each, leg in lines if leg.is_up), None)
