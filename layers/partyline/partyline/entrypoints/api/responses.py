"""What the API answers. The models are closed: each field that goes out is written down here."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer

from partyline.domain.masking import mask_fields, mask_headers
from partyline.domain.model import assistant as stored_assistant
from partyline.domain.model import events, statuses
from partyline.domain.model import participant as stored_participant
from partyline.domain.model.commands import Role
from partyline.domain.model.conversation import Conversation as StoredConversation
from partyline.domain.model.events import EventType
from partyline.domain.model.handover import HandoverOutcome, Then
from partyline.domain.model.insight import Insight as StoredInsight
from partyline.domain.model.transcript import SpeakerRole
from partyline.domain.rules.calls import staying_calls
from partyline.domain.rules.leaving import time_limit_of
from partyline.domain.rules.report import reported_costs
from partyline.services.requests import PhoneNumber
from partyline.store.erasures import Erasure as StoredErasure
from partyline.store.scheduled import ScheduledConversation, ScheduleStatus
from partyline.store.transcripts import PlacedMessage

Moment = Annotated[datetime, AfterValidator(lambda at: at.astimezone(UTC))]
"""A time in UTC, as RFC 3339 writes it."""


class ApiModel(BaseModel):
    """Base: closed, and read from the attributes of the domain's models."""

    model_config = ConfigDict(extra="forbid", from_attributes=True, populate_by_name=True)


class Failure(ApiModel):
    """Why something did not work: Telnyx's code and words, or ours."""

    code: str
    message: str


class LegCost(ApiModel):
    """Telnyx's price of a call, and the longest billed time."""

    total: str
    currency: str
    billed_secs: int | None


class Leg(ApiModel):
    """One phone call to or from a participant. `cost` is there once Telnyx has told the price."""

    call_control_id: str | None
    to: str | None
    from_: str | None = Field(alias="from")
    status: statuses.LegStatus
    outcome: statuses.Outcome | None
    hangup_cause: str | None
    failure: Failure | None
    created_at: Moment
    answered_at: Moment | None
    ended_at: Moment | None
    mos: float | None
    cost: LegCost | None


class Attempt(ApiModel):
    """The newest call to a participant: its status, and which number of how many it tries."""

    status: statuses.LegStatus
    number: Annotated[int, Field(ge=1)]
    of: Annotated[int, Field(ge=1)]


class Participant(ApiModel):
    """A person in the conversation, with every call that was tried.

    While a pause between two rounds of calls lasts, `next_round_at` is its end. In a large
    conversation, only the timeline has the first calls: `earlier_legs` counts them.
    """

    id: str
    name: str | None
    host: bool
    status: statuses.ParticipantStatus
    outcome: statuses.Outcome | None
    on_hangup: statuses.OnHangup
    attempt: Attempt | None = None
    next_round_at: Moment | None
    legs: list[Leg]
    earlier_legs: Annotated[int, Field(ge=0)]
    created_at: Moment
    joined_at: Moment | None
    left_at: Moment | None

    @classmethod
    def of(cls, participant: stored_participant.Participant) -> Self:
        """Show a participant."""
        shown = cls.model_validate(participant)
        if participant.plan and participant.legs:
            numbers, leg = len(participant.plan.to), participant.legs[-1]
            nth = (leg.number - 1) % numbers + 1
            shown.attempt = Attempt(status=leg.status, number=nth, of=numbers)
        if participant.status not in statuses.BEING_REACHED:
            shown.next_round_at = None  # the plan ended during a pause
        return shown


class Handover(ApiModel):
    """A handover to a participant. `outcome` is absent (null) until the handover has ended."""

    id: str
    participant_id: str
    then: Then
    status: statuses.HandoverStatus
    outcome: HandoverOutcome | None
    failure: Failure | None
    began_at: Moment
    ended_at: Moment | None


class Assistant(stored_assistant.Assistant):
    """The Telnyx assistant, and what is different for this conversation."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)


class Costs(ApiModel):
    """What a conversation has cost so far in a currency."""

    total: str
    assistant: str
    calls: str


class AssistantId(ApiModel):
    """The Telnyx assistant; its settings are in the answer for the one conversation."""

    id: str


class Insight(ApiModel):
    """A finding about a run of the assistant that is over.

    `run` counts from 0; a restart of the assistant begins another run. A result that is too large
    is the beginning of its JSON, and `cut_from_bytes` is the size of the whole.
    """

    insight_id: str
    run: Annotated[int, Field(ge=0)]
    result: Any
    cut_from_bytes: int | None = None


class ConversationSummary(ApiModel):
    """A conversation in a list: without insights, and without the assistant's settings."""

    id: str
    status: statuses.ConversationStatus
    direction: statuses.Direction
    telnyx_conversation_id: str | None
    assistant: AssistantId
    mode: statuses.AssistantMode
    wanted_mode: statuses.AssistantMode
    participants: list[Participant]
    handovers: list[Handover] = []
    insights: list[Insight] = []
    costs: dict[str, Costs] = {}
    metadata: dict[str, Any]
    failure: Failure | None
    created_at: Moment
    updated_at: Moment
    active_at: Moment | None
    ended_at: Moment | None

    @classmethod
    def of(cls, conversation: StoredConversation, insights: Sequence[StoredInsight] = ()) -> Self:
        """Show a conversation."""
        shown = cls.model_validate(conversation.model_copy(update={"insights": list(insights)}))
        shown.participants = [Participant.of(person) for person in conversation.participants]
        shown.costs = {
            currency: Costs.model_validate(costs)
            for currency, costs in reported_costs(conversation).items()
        }
        return shown


def shown_assistant(assistant: dict[str, Any]) -> dict[str, Any]:
    """Show the settings of an assistant; the values of the headers of tools are masked."""
    tools = {"tools": mask_headers(assistant["tools"])} if assistant.get("tools") else {}
    return assistant | tools


def warnings_about(assistant: stored_assistant.Assistant) -> list[str]:
    """Warn of inline tools, which replace the assistant's stored tools and thereby ours."""
    missing = ", ".join(assistant.missing_tools)
    replaced = "The inline `tools` replace the assistant's stored tools, and lack Partyline's: "
    return [f"{replaced}{missing}."] if missing else []


class Mode(ApiModel):
    """The mode of the assistant: the mode that holds, and the mode that is wanted."""

    conversation_id: str
    mode: statuses.AssistantMode
    wanted_mode: statuses.AssistantMode

    @classmethod
    def of(cls, conversation: StoredConversation) -> Self:
        """Show the mode of a conversation's assistant."""
        mode, wanted_mode = conversation.mode, conversation.wanted_mode
        return cls(conversation_id=conversation.id, mode=mode, wanted_mode=wanted_mode)


class Conversation(ConversationSummary):
    """A conversation with its participants and insights."""

    warnings: list[str] = []
    assistant: Annotated[  # type: ignore[assignment]
        Assistant,
        PlainSerializer(lambda assistant: shown_assistant(assistant.model_dump(exclude_none=True))),
    ]

    @classmethod
    def of(cls, conversation: StoredConversation, insights: Sequence[StoredInsight] = ()) -> Self:
        """Show a conversation."""
        shown = super().of(conversation, insights)
        shown.warnings = warnings_about(conversation.assistant)
        return shown


class StayingCall(ApiModel):
    """A call that stays up after a stop. Partyline hangs up a call that it dialled or answered.

    `hung_up_at` is that time; None for a call of another application, which Partyline leaves alone.
    """

    participant_id: str
    call_control_id: str | None
    hung_up_at: Moment | None


class Stopped(Conversation):
    """A conversation that was told to stop, and the calls that stay up."""

    staying_up: list[StayingCall] = []

    @classmethod
    def of(cls, conversation: StoredConversation, insights: Sequence[StoredInsight] = ()) -> Self:
        """Show a stopped conversation."""
        shown = super().of(conversation, insights)
        over_at = time_limit_of(conversation)
        shown.staying_up = [
            StayingCall(
                participant_id=participant.id,
                call_control_id=leg.call_control_id,
                hung_up_at=over_at if leg.owned else None,
            )
            for participant, leg in staying_calls(conversation, conversation.updated_at)
        ]
        return shown


class Scheduled(ApiModel):
    """A conversation that is to start later."""

    id: str
    status: ScheduleStatus
    start_at: Moment
    key_id: str = Field(description="the id of the bearer key or of the IAM caller, or `bus`")
    metadata: dict[str, Any]
    failure: Failure | None
    created_at: Moment

    @classmethod
    def of(cls, scheduled: ScheduledConversation) -> Self:
        """Show a scheduled start."""
        return cls(
            id=scheduled.id,
            status=scheduled.status,
            start_at=scheduled.start_at,
            key_id=scheduled.key_id,
            metadata=scheduled.body.get("metadata", {}),
            failure=scheduled.failure and Failure.model_validate(scheduled.failure),
            created_at=scheduled.created_at,
        )


class Conversations(ApiModel):
    """A page of conversations, newest first; with the status `scheduled`, of scheduled starts."""

    conversations: list[ConversationSummary] | list[Scheduled]
    next_cursor: str | None


class Cancelled(ApiModel):
    """A page of scheduled starts that were cancelled together."""

    cancelled: list[Scheduled]
    next_cursor: str | None


class Event(ApiModel):
    """An event in the timeline of a conversation."""

    seq: Annotated[int, Field(ge=1)]
    type: EventType
    occurred_at: Moment
    cause: str
    data: dict[str, Any]

    @classmethod
    def of(cls, event: events.Event) -> Self:
        """Show an event, with the phone numbers in its data masked."""
        return cls.model_validate(event.model_copy(update={"data": mask_fields(event.data)}))


class Report(ApiModel):
    """The report on a conversation, as the event `conversation.report` has the report."""

    conversation_id: str
    seq: Annotated[int, Field(ge=1)]
    occurred_at: Moment
    report: events.ConversationReport

    @classmethod
    def of(cls, conversation_id: str, event: events.Event) -> Self:
        """Show a report, with the phone numbers masked."""
        return cls(
            conversation_id=conversation_id,
            seq=event.seq,
            occurred_at=event.occurred_at,
            report=events.ConversationReport.model_validate(mask_fields(event.data)),
        )


class Timeline(ApiModel):
    """A page of the events of a conversation, in their order."""

    events: list[Event]
    next_cursor: str | None


class ToolCall(ApiModel):
    """A call of a tool by the assistant. `arguments` are JSON as text."""

    id: str | None
    function: str | None
    arguments: str | None


class TranscriptMessage(ApiModel):
    """A message of a transcript.

    `position` counts from 0 in each run of the assistant. `text` is null when Telnyx withholds the
    text, or for a call of tools; a text that is too long is its beginning, and `cut_from_chars` is
    the length of the whole. `participant_id` is null unless Telnyx says who spoke.
    """

    run: Annotated[int, Field(ge=0)]
    position: Annotated[int, Field(ge=0)]
    role: SpeakerRole
    participant_id: str | None
    text: str | None
    at: Moment | None
    tool_calls: list[ToolCall] = []
    tool_call_id: str | None = None
    cut_from_chars: int | None = None

    @classmethod
    def of(cls, placed: PlacedMessage) -> Self:
        """Show a message."""
        message = placed.message
        return cls(
            run=placed.run,
            position=placed.position,
            role=message.role,
            participant_id=message.participant_id,
            text=message.text,
            at=message.at,
            tool_calls=[ToolCall.model_validate(call) for call in message.tool_calls],
            tool_call_id=message.tool_call_id,
            cut_from_chars=message.cut_from_chars,
        )


class Transcript(ApiModel):
    """A page of the messages of a conversation, in their order.

    `final`: no more messages are awaited. `complete`: every message of every run is stored.
    """

    messages: list[TranscriptMessage]
    final: bool
    complete: bool
    next_cursor: str | None


class Step(ApiModel):
    """A step of a conversation: its inputs, as `decide` was given them, and the commands it sent.

    Phone numbers and texts are not masked. A record that is too large has `omitted_bytes` instead.
    """

    version: Annotated[int, Field(ge=1, description="the conversation's version after the step")]
    at: datetime
    seq: Annotated[int, Field(ge=1, description="the number of the newest event after the step")]
    inputs: list[dict[str, Any]] = []
    commands: list[dict[str, Any]] = []
    omitted_bytes: int | None = None


class Export(ApiModel):
    """A page of the steps of a conversation, in their order."""

    steps: list[Step]
    next_cursor: str | None


class Message(ApiModel):
    """A message that is on its way into the conversation."""

    conversation_id: str
    role: Role
    content: str
    trigger_response: bool


class DoNotCall(ApiModel):
    """A number that is not called."""

    number: PhoneNumber
    reason: str | None
    added_at: datetime
    changed_by: str


class Deleted(ApiModel):
    """The number of an entry that does not exist any more."""

    number: PhoneNumber | Literal["default"]
    deleted: Literal[True] = True


class Erased(ApiModel):
    """How many things were erased."""

    conversations: int
    bookings: int = Field(description="scheduled starts")
    contacts: int = Field(description="contacts of routes that had the number")
    do_not_call: int
    queue_messages: int = Field(description="messages of dead-letter queues")
    telnyx_conversations: int = Field(
        description="conversations that Telnyx does not have any more"
    )


class Erasure(ApiModel):
    """An erasure. The receipt of a person's erasure has nothing by which to find the person."""

    id: str = Field(description="of a conversation's erasure: the id of the conversation")
    kind: Literal["conversation", "person"]
    status: Literal["running", "done"]
    created_at: Moment
    done_at: Moment | None
    erased: Erased
    telnyx_owed: int = Field(description="conversations still to be deleted at Telnyx")
    telnyx_given_up: list[str] = Field(
        description="Telnyx's ids of conversations that Telnyx did not delete within a day"
    )

    @classmethod
    def of(cls, erasure: StoredErasure) -> Self:
        """Show an erasure."""
        return cls(
            id=erasure.id,
            kind=erasure.kind,
            status=erasure.status,
            created_at=erasure.created_at,
            done_at=erasure.done_at,
            erased=Erased.model_validate(erasure.counts),
            telnyx_owed=len(erasure.owed),
            telnyx_given_up=erasure.given_up,
        )


class ErrorDetail(ApiModel):
    """The code of an error, the message, and details that name the fields or help otherwise."""

    code: str
    message: str
    details: list[dict[str, Any]]


class Error(ApiModel):
    """The answer to a request that is refused."""

    error: ErrorDetail


class GatewayError(ApiModel):
    """What API Gateway itself answers, before any function runs."""

    message: str | None
