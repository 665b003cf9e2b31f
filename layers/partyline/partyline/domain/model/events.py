"""Events, numbered within their conversation. The timeline and the bus carry the events.

Each event type has a model of its data. `events/schemas/` and the tables of `docs/events.md` are
written from the models (`make schemas`): a model's docstring and its fields' descriptions are for
consumers of the bus.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from partyline.domain.model.commands import Role
from partyline.domain.model.handover import HandoverOutcome, Then
from partyline.domain.model.statuses import AssistantMode, Direction, Outcome
from partyline.domain.model.stored import Failure
from partyline.domain.model.transcript import SpeakerRole


class EventType(StrEnum):
    """The kinds of event; each is the detail-type on the bus."""

    CONVERSATION_STARTED = "conversation.started"
    CONVERSATION_ACTIVE = "conversation.active"
    CONVERSATION_STOPPING = "conversation.stopping"
    CONVERSATION_RESTARTED = "conversation.restarted"
    CONVERSATION_ENDED = "conversation.ended"
    CONVERSATION_FAILED = "conversation.failed"
    INSIGHTS_GENERATED = "conversation.insights_generated"
    CONVERSATION_ANALYZED = "conversation.analyzed"
    TRANSCRIPT_UPDATED = "transcript.updated"
    TRANSCRIPT_READY = "transcript.ready"
    PARTICIPANT_INVITED = "participant.invited"
    PARTICIPANT_SCREENING = "participant.screening"
    PARTICIPANT_WAITING = "participant.waiting"
    PARTICIPANT_JOINING = "participant.joining"
    PARTICIPANT_JOINED = "participant.joined"
    PARTICIPANT_LEFT = "participant.left"
    PARTICIPANT_FAILED = "participant.failed"
    PARTICIPANT_ALONE = "participant.alone"
    HANDOVER_STARTED = "handover.started"
    HANDOVER_ENDED = "handover.ended"
    CALL_BACK_BOOKED = "call_back.booked"
    LEG_DIALING = "leg.dialing"
    LEG_RINGING = "leg.ringing"
    LEG_ANSWERED = "leg.answered"
    LEG_SCREENING = "leg.screening"
    LEG_REFUSED = "leg.refused"
    LEG_SCREENED = "leg.screened"
    LEG_JUDGED = "leg.judged"
    LEG_SPEAKING = "leg.speaking"
    LEG_TRANSFERRED = "leg.transferred"
    LEG_ENDED = "leg.ended"
    LEG_CORRECTED = "leg.corrected"
    ASSISTANT_MODE_CHANGED = "assistant.mode_changed"
    ASSISTANT_MODE_FAILED = "assistant.mode_failed"
    MESSAGE_SENT = "message.sent"
    MESSAGE_FAILED = "message.failed"
    COMMAND_CHANGED = "command.changed"
    COMMAND_FAILED = "command.failed"
    COMMAND_REPAIRED = "command.repaired"
    ROUTE_CHANGED = "route.changed"
    DO_NOT_CALL_CHANGED = "do_not_call.changed"
    CONVERSATION_ERASED = "conversation.erased"
    PERSON_ERASED = "person.erased"


class Event(BaseModel):
    """A stored event. `cause` is the id of the input that led to the event."""

    seq: int
    type: EventType
    occurred_at: datetime
    cause: str
    data: dict[str, Any]


# Objects within `data`


class CostLine(BaseModel):
    """The cost of a Telnyx product."""

    product: str | None = None
    cost: str | None = None


class Cost(BaseModel):
    """The cost of a call. Amounts are decimal numbers as strings, as Telnyx sends amounts."""

    total: str | None = None
    currency: str | None = None
    breakdown: list[CostLine] = []


class Recording(BaseModel):
    """A recording at Telnyx. `GET /recordings/{id}` at Telnyx has the links, which expire."""

    id: str
    channels: str | None = None
    format: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


class SpokenMessage(BaseModel):
    """What a person (`user`) or the assistant said."""

    role: SpeakerRole
    text: str
    at: datetime | None = None
    participant_id: str | None = None


class Quality(BaseModel):
    """The quality of a call: the audio from the phone (`inbound`) and to the phone (`outbound`)."""

    mos: float | None = None
    jitter_max_variance: float | None = None
    jitter_packets: int | None = None
    inbound_packets: int | None = None
    inbound_skipped: int | None = None
    outbound_packets: int | None = None
    outbound_skipped: int | None = None


# The fields of `data`

ActionName = Annotated[str, Field(description="Telnyx's action, such as `dial`")]
AssistantId = Annotated[str, Field(description="Telnyx's id of the assistant")]
Caller = Annotated[str, Field(description="the caller's number, masked to its last four digits")]
Changes = Annotated[
    list[str],
    Field(
        description="the fields of Telnyx's request that are left out, such as `message_history`; "
        "`assistant_leg` for a join on the assistant's leg"
    ),
]
CommandId = Annotated[str, Field(description="the `command_id` that Telnyx was given")]
Content = Annotated[str, Field(description="the message, phone numbers masked")]
CallDirection = Annotated[Direction, Field(description="who called whom")]
Reason = Annotated[str, Field(description="what led to the event, in a word")]
CallCost = Annotated[Cost, Field(description="the cost of the call, by Telnyx's products")]
DurationSecs = Annotated[int, Field(description="how long the assistant ran, in seconds")]
Recordings = Annotated[
    list[Recording], Field(description="the recordings of the call; Telnyx has the links")
]
CallQuality = Annotated[
    Quality,
    Field(description="the quality of the call, as Telnyx measured: `mos`, jitter and packets"),
]
FailureReason = Annotated[
    Failure, Field(description="why not: `code` and `message`, of Telnyx's or ours")
]
HangupCause = Annotated[str, Field(description="Telnyx's word for the end of the call")]
HandoverId = Annotated[str, Field(description="the handover's id")]
AssistantsPart = Annotated[
    Then, Field(description="the assistant's part after the join: `stay`, `silent` or `away`")
]
BookedId = Annotated[str, Field(description="the id of the conversation that starts later")]
StartAt = Annotated[datetime, Field(description="when the conversation starts")]
EndOfHandover = Annotated[HandoverOutcome, Field(description="how the handover ended")]
InsightIds = Annotated[list[str], Field(description="the ids of the new insights")]
LegNumber = Annotated[int, Field(ge=1, description="which of the participant's calls, from 1")]
Machine = Annotated[bool, Field(description="whether a machine answered")]
Mode = Annotated[AssistantMode, Field(description="the part that the assistant takes")]
PreviousMode = Annotated[AssistantMode, Field(description="the mode before")]
MissingTools = Annotated[
    list[str],
    Field(description="Partyline's tools that the request's inline `tools` leave out"),
]
Name = Annotated[str, Field(description="the participant's name")]
CallOutcome = Annotated[Outcome, Field(description="how a call came out")]
ParticipantId = Annotated[str, Field(description="the participant's id")]
MessageRole = Annotated[Role, Field(description="in whose name the message is")]
MessageCount = Annotated[int, Field(ge=0, description="the number of messages until now")]
Run = Annotated[
    int, Field(ge=0, description="the run of the assistant, from 0; a restart is a new run")
]
RunCount = Annotated[int, Field(ge=0, description="the number of runs with messages")]
Position = Annotated[int, Field(ge=0, description="the position of the first message, from 0")]
SpokenMessages = Annotated[
    list[SpokenMessage],
    Field(description="the messages; of very long messages the API alone has the rest"),
]
IsComplete = Annotated[
    bool, Field(description="whether every message of every run of the assistant is stored")
]
Rule = Annotated[str, Field(description="the dial rule that forbids the call")]
SipHangupCause = Annotated[str, Field(description="the SIP response code")]
SpokenWords = Annotated[
    Literal["waiting", "goodbye", "message"], Field(description="what the person hears")
]
TelnyxConversationId = Annotated[
    str, Field(description="Telnyx's id of the assistant's conversation")
]
Called = Annotated[str, Field(description="the number called, masked to its last four digits")]

ChangedNumber = Annotated[
    str, Field(description="the number, masked to its last four digits, or `default`")
]
Change = Annotated[Literal["put", "deleted"], Field(description="what the request did")]
KeyId = Annotated[str, Field(description="the id of the bearer key")]
ErasureId = Annotated[str, Field(description="the id of the erasure; the API gives its receipt")]
Erased = Annotated[int, Field(ge=0, description="how many were erased")]

EVENT_DATA: dict[EventType, type["EventData"]] = {}  # the data model of each event type


class EventData(BaseModel):
    """Base of the data models. A field without a value is left out of the event."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    type: ClassVar[EventType]

    def __init_subclass__(cls, *, event: EventType | None = None, **config: Any) -> None:
        super().__init_subclass__(**config)
        if event:
            cls.type = event
            EVENT_DATA[event] = cls


class ConversationStarted(EventData, event=EventType.CONVERSATION_STARTED):
    """A conversation begins: by an incoming call, by a call we make, or on a live call."""

    direction: CallDirection
    assistant_id: AssistantId
    caller: Caller | None = None
    missing_tools: MissingTools | None = None


class ConversationActive(EventData, event=EventType.CONVERSATION_ACTIVE):
    """The assistant runs."""

    telnyx_conversation_id: TelnyxConversationId | None = None


class ConversationStopping(EventData, event=EventType.CONVERSATION_STOPPING):
    """The conversation has begun to end."""

    reason: Reason
    telnyx_conversation_id: TelnyxConversationId | None = None


class ConversationRestarted(EventData, event=EventType.CONVERSATION_RESTARTED):
    """Telnyx ended the assistant's conversation while guests were left; another one is started."""

    participant_id: ParticipantId
    command_id: CommandId


class ConversationEnded(EventData, event=EventType.CONVERSATION_ENDED):
    """The conversation is over, after the assistant ran or a stop was asked for."""

    telnyx_conversation_id: TelnyxConversationId | None = None
    reason: Reason | None = None


class ConversationFailed(EventData, event=EventType.CONVERSATION_FAILED):
    """The assistant never ran."""

    failure: FailureReason | None = None
    telnyx_conversation_id: TelnyxConversationId | None = None


class InsightsGenerated(EventData, event=EventType.INSIGHTS_GENERATED):
    """Insights have come; the API gives their content."""

    insight_ids: InsightIds


class ConversationAnalyzed(EventData, event=EventType.CONVERSATION_ANALYZED):
    """Telnyx has processed a run of the assistant that is over."""

    telnyx_conversation_id: TelnyxConversationId | None = None
    duration_secs: DurationSecs | None = None
    cost: CallCost | None = None
    recordings: Recordings | None = None


class TranscriptUpdated(EventData, event=EventType.TRANSCRIPT_UPDATED):
    """New messages of a run of the assistant, which replace those from `first` on."""

    run: Run
    first: Position
    messages: SpokenMessages
    count: MessageCount


class TranscriptReady(EventData, event=EventType.TRANSCRIPT_READY):
    """The transcript is stored, and no more messages are awaited; the API gives the messages."""

    count: MessageCount
    runs: RunCount
    complete: IsComplete


class PersonEvent(EventData):
    """Base of the events about a participant."""

    participant_id: ParticipantId
    name: Name | None = None


class ParticipantInvited(PersonEvent, event=EventType.PARTICIPANT_INVITED):
    """A person is invited."""


class ParticipantEvent(PersonEvent):
    """Base of the events about a participant's status."""

    leg: LegNumber | None = None
    outcome: CallOutcome | None = None


class ParticipantScreening(ParticipantEvent, event=EventType.PARTICIPANT_SCREENING):
    """A person has answered and is asked whether to join."""


class ParticipantWaiting(ParticipantEvent, event=EventType.PARTICIPANT_WAITING):
    """A person has answered and waits for the assistant."""


class ParticipantJoining(ParticipantEvent, event=EventType.PARTICIPANT_JOINING):
    """Telnyx is asked to join a person."""

    command_id: CommandId | None = None


class ParticipantJoined(ParticipantEvent, event=EventType.PARTICIPANT_JOINED):
    """A person is in the conversation."""


class ParticipantLeft(ParticipantEvent, event=EventType.PARTICIPANT_LEFT):
    """A person who was in the conversation, or about to be joined, has gone."""


class ParticipantFailed(ParticipantEvent, event=EventType.PARTICIPANT_FAILED):
    """A person could not be reached, or did not want to join."""

    reason: Reason | None = None
    failure: FailureReason | None = None


class ParticipantAlone(PersonEvent, event=EventType.PARTICIPANT_ALONE):
    """One person is left with the assistant."""


class HandoverEvent(PersonEvent):
    """Base of the events about a handover."""

    handover_id: HandoverId
    then: AssistantsPart


class HandoverStarted(HandoverEvent, event=EventType.HANDOVER_STARTED):
    """The caller is to be handed over to a person."""


class HandoverEnded(HandoverEvent, event=EventType.HANDOVER_ENDED):
    """A handover has its outcome. The causes are those of the person's newest call, if over."""

    outcome: EndOfHandover
    leg: LegNumber | None = None
    hangup_cause: HangupCause | None = None
    sip_hangup_cause: SipHangupCause | None = None
    failure: FailureReason | None = None


class CallBackBooked(EventData, event=EventType.CALL_BACK_BOOKED):
    """The assistant has booked a call back; another booking replaces the booking before."""

    booked_id: BookedId
    start_at: StartAt


class LegEvent(PersonEvent):
    """Base of the events about a leg, a call to or from a participant."""

    leg: LegNumber
    to: Called | None = None
    outcome: CallOutcome | None = None
    hangup_cause: HangupCause | None = None
    sip_hangup_cause: SipHangupCause | None = None
    failure: FailureReason | None = None


class LegDialing(LegEvent, event=EventType.LEG_DIALING):
    """A call is being made."""

    command_id: CommandId


class LegRinging(LegEvent, event=EventType.LEG_RINGING):
    """The call rings."""


class LegAnswered(LegEvent, event=EventType.LEG_ANSWERED):
    """The call was answered."""


class LegScreening(LegEvent, event=EventType.LEG_SCREENING):
    """The screening has been asked for."""


class LegRefused(LegEvent, event=EventType.LEG_REFUSED):
    """A dial rule forbids the call."""

    rule: Rule


class LegScreened(LegEvent, event=EventType.LEG_SCREENED):
    """A phone screens the call, and may show our words to the called person."""


class LegJudged(LegEvent, event=EventType.LEG_JUDGED):
    """The machine detection says whether a person or a machine has answered."""

    machine: Machine
    reason: Reason | None = None


class LegSpeaking(LegEvent, event=EventType.LEG_SPEAKING):
    """Telnyx is asked to say words to the person, once or again and again."""

    words: SpokenWords
    command_id: CommandId


class LegTransferred(LegEvent, event=EventType.LEG_TRANSFERRED):
    """Telnyx connected the call to another call: the call goes on without us."""


class LegEnded(LegEvent, event=EventType.LEG_ENDED):
    """The call is over."""

    quality: CallQuality | None = None


class LegCorrected(LegEvent, event=EventType.LEG_CORRECTED):
    """A webhook that came after the hangup changes the outcome of a call that is over."""


class AssistantModeChanged(EventData, event=EventType.ASSISTANT_MODE_CHANGED):
    """The assistant speaks, is silent, or has left the people to each other, from now on."""

    mode: Mode
    previous: PreviousMode
    reason: Reason | None = None


class AssistantModeFailed(EventData, event=EventType.ASSISTANT_MODE_FAILED):
    """A mode that was asked for does not come about; the mode before holds."""

    mode: Mode
    failure: FailureReason


class MessageEvent(EventData):
    """Base of the events about a message."""

    command_id: CommandId
    role: MessageRole
    content: Content


class MessageSent(MessageEvent, event=EventType.MESSAGE_SENT):
    """A message went to the assistant."""


class MessageFailed(MessageEvent, event=EventType.MESSAGE_FAILED):
    """A message could not be sent to the assistant; without `command_id`, Telnyx was not asked."""

    command_id: CommandId | None = None  # type: ignore[assignment]
    failure: FailureReason


class CommandChanged(EventData, event=EventType.COMMAND_CHANGED):
    """Telnyx refused a command, which is sent again: without some fields, or on another leg."""

    action: ActionName
    command_id: CommandId
    participant_id: ParticipantId | None = None
    changes: Changes
    refusal: FailureReason


class CommandFailed(EventData, event=EventType.COMMAND_FAILED):
    """Telnyx refused a command, or the command was given up."""

    action: ActionName
    command_id: CommandId
    participant_id: ParticipantId | None = None
    failure: FailureReason


class CommandRepaired(EventData, event=EventType.COMMAND_REPAIRED):
    """Polling Telnyx found an effect that no webhook had reported."""

    action: ActionName
    command_id: CommandId


class DirectoryChanged(EventData):
    """Base of the events about a route or an entry of the do-not-call list."""

    number: ChangedNumber
    change: Change
    key_id: KeyId


class RouteChanged(DirectoryChanged, event=EventType.ROUTE_CHANGED):
    """A route was put or deleted."""


class DoNotCallChanged(DirectoryChanged, event=EventType.DO_NOT_CALL_CHANGED):
    """A number was put on the do-not-call list, or deleted from the list."""


class ConversationErased(EventData, event=EventType.CONVERSATION_ERASED):
    """A conversation or a scheduled start was erased: delete what you keep of it."""

    erasure_id: ErasureId


class PersonErased(EventData, event=EventType.PERSON_ERASED):
    """A person was erased. The event names no person."""

    erasure_id: ErasureId
    conversations: Erased
    bookings: Erased
    contacts: Erased
    do_not_call: Erased
    queue_messages: Erased
    telnyx_conversations: Erased
