"""Telnyx's webhooks as typed events.

`parse` accepts unknown event types, odd fields and bodies of any size, because Telnyx delivers a
refused webhook again or drops the webhook. Source: Telnyx API, webhooks.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from pydantic import Field, TypeAdapter, model_validator

from partyline.telnyx.lenient import Id, Moment, Received, Whole, as_keyword, as_object, read_json
from partyline.telnyx.payloads import (
    AnalyzedPayload,
    ConversationPayload,
    GatherPayload,
    HangupPayload,
    InitiatedPayload,
    InsightsPayload,
    LegPayload,
    MachinePayload,
    StartFailedPayload,
    TranscriptPayload,
    VoicePayload,
)

Malformation = Literal["not_utf8", "not_json", "too_deep", "not_an_object"]


class MalformedWebhookError(ValueError):
    """The body is not JSON, or not an object. `reason` is a single word for a metric."""

    def __init__(self, reason: Malformation) -> None:
        self.reason: Malformation = reason
        super().__init__(reason)


class Event(Received):
    """The fields of every event. `attempt` counts the deliveries from 1.

    `id` stays the same in every delivery, so a duplicate is recognized by the id. `event_type` is
    the type in the spelling of our list, the text that Telnyx sent for an unknown type, or empty.
    `underscored`: Telnyx sent another spelling, such as `call_answered` for `call.answered`.
    """

    id: Id = None
    event_type: str = ""
    underscored: bool = Field(default=False, exclude=True)  # no field of the body
    occurred_at: Moment = None
    attempt: Whole = None
    payload: LegPayload


class CallInitiated(Event):
    """A leg begins: an incoming call, or a dial of ours."""

    payload: InitiatedPayload


class CallAnswered(Event):
    """A leg was picked up. Whether a human or a machine picked up is not known yet."""


class CallHangup(Event):
    """A leg ended."""

    payload: HangupPayload


class CallBridged(Event):
    """Telnyx connected the leg to another leg, as at the end of a transfer."""


class ConferenceParticipantJoined(Event):
    """The leg is in a conference. The client_state may be that of the conference's first leg."""


class ConferenceParticipantLeft(Event):
    """The leg has left a conference."""


class MachineDetectionEnded(Event):
    """The verdict of standard or premium machine detection. A second verdict may follow."""

    payload: MachinePayload


class CallScreeningDetected(Event):
    """An iPhone screens the call. Telnyx listens again, and another verdict follows."""


class MachineGreetingEnded(Event):
    """A machine's greeting is over. After an early beep this event replaces the verdict."""

    payload: MachinePayload


class GatherEnded(Event):
    """The wait for keys is over, with keys or without."""

    payload: GatherPayload


class VoiceEnded(Event):
    """A sentence or an audio file on the leg is over."""

    payload: VoicePayload


class ConversationCreated(Event):
    """The assistant's conversation exists. The assistant may not be ready to speak."""

    payload: ConversationPayload


class ConversationEnded(Event):
    """The assistant's conversation is over."""

    payload: ConversationPayload


class ConversationStartFailed(Event):
    """The assistant did not start."""

    payload: StartFailedPayload


class ConversationInsightsGenerated(Event):
    """Insights are ready: seconds after the end of the conversation, at times before the end."""

    payload: InsightsPayload

    @model_validator(mode="before")
    @classmethod
    def _id_from_request(cls, event: Any) -> Any:
        # The insight group's own webhook has no event id, but a request_id that stays the same.
        if not isinstance(event, dict) or event.get("id") is not None:
            return event
        return {**event, "id": as_object(event.get("payload")).get("request_id")}


class ConversationAnalyzed(Event):
    """Insights, cost and recordings, after the end of the conversation."""

    payload: AnalyzedPayload


class TranscriptUpdated(Event):
    """The assistant's conversation has new messages: at each turn, with the whole transcript.

    Of `call.conversation.messages_added`, nothing is documented: perhaps only the new messages.
    """

    payload: TranscriptPayload


class AcknowledgedEvent(Event):
    """An event of a type that we know and have no use for."""


class UnknownEvent(Event):
    """An event of any other type, so that a new event type of Telnyx does no harm."""


class AiEvent(UnknownEvent):
    """An undocumented `ai.*` event, which accompanies an event of a documented type."""


class VersionOneEvent(UnknownEvent):
    """An event of API version 1: no payload, or no envelope, and a type with underscores.

    An application that was made by the API has `webhook_api_version` 1 unless told otherwise.
    """


class EventWithoutType(UnknownEvent):
    """A JSON object without an event, or an event without a type."""


class WebhookType(NamedTuple):
    """How we read a webhook type, and whether a function and a URL are for this type alone."""

    event: type[Event]
    has_function: bool = False


GROUP_INSIGHTS = "conversation_insight_result"
"""The insight group's own webhook, the only webhook without an envelope."""

MESSAGES_ADDED = "call.conversation.messages_added"

WEBHOOK_TYPES: Mapping[str, WebhookType] = {
    "call.initiated": WebhookType(CallInitiated, has_function=True),
    "call.answered": WebhookType(CallAnswered, has_function=True),
    "call.hangup": WebhookType(CallHangup, has_function=True),
    "call.bridged": WebhookType(CallBridged),
    "conference.participant.joined": WebhookType(ConferenceParticipantJoined),
    "conference.participant.left": WebhookType(ConferenceParticipantLeft),
    "call.machine.detection.ended": WebhookType(MachineDetectionEnded, has_function=True),
    "call.machine.premium.detection.ended": WebhookType(MachineDetectionEnded, has_function=True),
    "call.machine.greeting.ended": WebhookType(MachineGreetingEnded),
    "call.machine.premium.greeting.ended": WebhookType(MachineGreetingEnded),
    "call.machine.premium.call_screening.detected": WebhookType(CallScreeningDetected),
    "call.machine.premium.detection.started": WebhookType(AcknowledgedEvent),
    "call.gather.ended": WebhookType(GatherEnded),
    "call.speak.started": WebhookType(AcknowledgedEvent),
    "call.speak.ended": WebhookType(VoiceEnded),
    "call.playback.started": WebhookType(AcknowledgedEvent),
    "call.playback.ended": WebhookType(VoiceEnded),
    "call.conversation.created": WebhookType(ConversationCreated, has_function=True),
    "call.conversation.ended": WebhookType(ConversationEnded, has_function=True),
    "call.conversation.start_failed": WebhookType(ConversationStartFailed),
    "call.conversation_insights.generated": WebhookType(
        ConversationInsightsGenerated, has_function=True
    ),
    # A misprint in Telnyx's own material.
    "call.conversation.insights.generated": WebhookType(ConversationInsightsGenerated),
    GROUP_INSIGHTS: WebhookType(ConversationInsightsGenerated),
    "call.analyzed": WebhookType(ConversationAnalyzed),
    # Undocumented, and sent at each turn: reported of live calls, or named in Telnyx's samples.
    MESSAGES_ADDED: WebhookType(TranscriptUpdated),
    "call.conversation.message_history_updated": WebhookType(TranscriptUpdated),
    # Asked for by `send_message_history_updates` (Telnyx API: ai_assistant_start).
    "call.ai_gather.message_history_updated": WebhookType(TranscriptUpdated),
}
"""Every webhook type that we know.

The template has a route for each type with a function. All other types go to the default function.
A new type also needs an entry in `TO_INPUT` (`entrypoints.webhook`); a type without is ignored.
"""


UNUSED_TYPES = frozenset(
    f"{family}.{name}"
    for family, names in {
        "call": "ai_gather.ended ai_gather.partial_results cost deepfake_detection.error"
        " deepfake_detection.result dequeued dtmf.received enqueued fork.started fork.stopped hold"
        " payment.completed payment.progress recording.error recording.saved"
        " recording.transcription.saved refer.completed refer.failed refer.started transcription"
        " unhold",
        "conference": "created ended floor.changed"
        " participant.playback.ended participant.playback.started participant.speak.ended"
        " participant.speak.started playback.ended playback.started recording.saved speak.ended"
        " speak.started",
        "siprec": "failed started stopped",
        "streaming": "failed started stopped",
    }.items()
    for name in names.split()
)
"""The other types of calls that Telnyx documents (Telnyx API, webhooks; official client 4.189).

An assistant with recording, or the owner of an attached call, causes some of these. Any further
type is unknown, and raises an alarm.
"""


SPELLINGS = {as_keyword(name): name for name in (*UNUSED_TYPES, *WEBHOOK_TYPES)}
"""The types that we know by a spelling that `call_answered` and `CallAnswered` share."""

_EVENT_TYPE: TypeAdapter[str | None] = TypeAdapter(Id)


def parse(body: bytes) -> Event:
    """Read the raw body of a webhook: UTF-8 JSON of any size. Raises MalformedWebhookError.

    The usual envelope is `{"data": {...}, "meta": {"attempt"}}`. An insight group sends the event
    without an envelope, so a body without `data` is read as the event. An event of a type with
    dots and without `payload` is read as its own payload.
    """
    envelope = _json_object(body)
    data = as_object(envelope.get("data", envelope))
    sent_type = _EVENT_TYPE.validate_python(data.get("event_type")) or ""
    known = sent_type in WEBHOOK_TYPES
    event_type = sent_type if known else SPELLINGS.get(as_keyword(sent_type), sent_type)
    is_flat = "data" not in envelope or (
        "_" in sent_type and not isinstance(data.get("payload"), dict)
    )
    event = _event(sent_type, event_type, is_flat=is_flat)
    return event.model_validate(
        {
            "id": data.get("id"),
            "event_type": event_type,
            "underscored": event_type != sent_type and event is not VersionOneEvent,
            "occurred_at": data.get("occurred_at"),
            "attempt": as_object(envelope.get("meta")).get("attempt"),
            "payload": as_object(data.get("payload", data)),
        }
    )


def _event(sent_type: str, event_type: str, *, is_flat: bool) -> type[Event]:
    """Return the kind of event that a type stands for.

    `is_flat`: the body has the fields of the call beside the type, as in API version 1.
    """
    if not sent_type:
        return EventWithoutType
    if is_flat and "." not in sent_type and sent_type != GROUP_INSIGHTS:
        return VersionOneEvent
    if event_type in WEBHOOK_TYPES:
        return WEBHOOK_TYPES[event_type].event
    if event_type in UNUSED_TYPES:
        return AcknowledgedEvent
    return AiEvent if sent_type.startswith("ai.") else UnknownEvent


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        envelope = read_json(body.decode())
    except UnicodeDecodeError:
        raise MalformedWebhookError("not_utf8") from None
    except ValueError:
        raise MalformedWebhookError("not_json") from None
    except RecursionError:
        raise MalformedWebhookError("too_deep") from None
    if not isinstance(envelope, dict):
        raise MalformedWebhookError("not_an_object")
    return envelope
