"""Telnyx's webhooks as typed events.

`parse` accepts unknown event types and odd fields, because Telnyx delivers a refused webhook again
or drops the webhook. Sources: Telnyx API, webhooks; payloads as captured on live calls.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field, TypeAdapter, model_validator

from partyline.telnyx.lenient import Id, Json, Moment, Received, Text, Whole, as_object, objects

MAX_BODY_BYTES = 256 * 1024
LEG_FIELDS = {"call_control_id", "call_leg_id", "call_session_id", "from", "to"}

Malformation = Literal["too_large", "not_utf8", "not_json", "too_deep", "not_an_object"]


class MalformedWebhookError(ValueError):
    """The body is not JSON, not an object, or too large. `reason` is a single word for a metric."""

    def __init__(self, reason: Malformation) -> None:
        self.reason: Malformation = reason
        super().__init__(reason)


class LegPayload(Received):
    """The fields that every payload may have about its leg. Each may be missing."""

    call_control_id: Id = None
    call_leg_id: Id = None
    call_session_id: Id = None
    connection_id: Id = None
    client_state: Text = None
    from_: Id = Field(None, alias="from")
    to: Id = None


class InitiatedPayload(LegPayload):
    """A new leg. `direction` is incoming or outgoing: only an incoming leg may be answered."""

    direction: Id = None


class HangupPayload(LegPayload):
    """The cause of a leg's end."""

    hangup_cause: Id = None
    sip_hangup_cause: Id = None


class MachinePayload(LegPayload):
    """The verdict: human, machine, not_sure, human_residence, beep_detected, ended, ..."""

    result: Id = None


class GatherPayload(LegPayload):
    """The pressed keys. `status`: valid, invalid, timeout, call_hangup, cancelled, ..."""

    digits: Id = None
    status: Id = None


class ConversationPayload(LegPayload):
    """The assistant's conversation on the leg. The duration is in seconds."""

    conversation_id: Id = None
    duration_sec: Whole = None
    reason: Id = None


class StartFailedPayload(LegPayload):
    """A failed start. `reason`: invalid_request or service_error. The leg stays up."""

    reason: Id = None


class InsightResult(Received):
    """An insight. `result` is a JSON object or text, and the text may be JSON or markdown."""

    insight_id: Id = None
    result: Json = None


class InsightsPayload(LegPayload):
    """The insights of a conversation. Only the insight group's own webhook has its id."""

    conversation_id: Id = None
    results: Annotated[tuple[InsightResult, ...], BeforeValidator(objects)] = ()

    @model_validator(mode="before")
    @classmethod
    def _leg_from_metadata(cls, payload: Any) -> Any:
        # The insight group's own webhook has the leg's fields in `metadata`.
        if not isinstance(payload, dict):
            return payload
        metadata = as_object(payload.get("metadata"))
        missing = {name for name in LEG_FIELDS if payload.get(name) is None}
        return {**payload, **{name: metadata.get(name) for name in missing}}


class Event(Received):
    """The fields of every event. `attempt` counts the deliveries from 1.

    `id` stays the same in every delivery, so a duplicate is recognized by the id. `event_type` is
    the text that Telnyx sent, or empty.
    """

    id: Id = None
    event_type: str = ""
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


class MachineDetectionEnded(Event):
    """The verdict of standard or premium machine detection. A second verdict may follow."""

    payload: MachinePayload


class MachineGreetingEnded(Event):
    """A machine's greeting is over. After an early beep this event replaces the verdict."""

    payload: MachinePayload


class GatherEnded(Event):
    """The wait for keys is over, with keys or without."""

    payload: GatherPayload


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


class UnknownEvent(Event):
    """An event of any other type, so that a new event type of Telnyx does no harm."""


class WebhookType(NamedTuple):
    """How we read a webhook type, and whether a function and a URL are for this type alone."""

    event: type[Event]
    has_function: bool = False


WEBHOOK_TYPES: Mapping[str, WebhookType] = {
    "call.initiated": WebhookType(CallInitiated, has_function=True),
    "call.answered": WebhookType(CallAnswered, has_function=True),
    "call.hangup": WebhookType(CallHangup, has_function=True),
    "call.machine.detection.ended": WebhookType(MachineDetectionEnded, has_function=True),
    "call.machine.premium.detection.ended": WebhookType(MachineDetectionEnded, has_function=True),
    "call.machine.greeting.ended": WebhookType(MachineGreetingEnded),
    "call.machine.premium.greeting.ended": WebhookType(MachineGreetingEnded),
    "call.gather.ended": WebhookType(GatherEnded),
    "call.conversation.created": WebhookType(ConversationCreated, has_function=True),
    "call.conversation.ended": WebhookType(ConversationEnded, has_function=True),
    "call.conversation.start_failed": WebhookType(ConversationStartFailed),
    "call.conversation_insights.generated": WebhookType(
        ConversationInsightsGenerated, has_function=True
    ),
    # A misprint in Telnyx's own material, and the insight group's own webhook.
    "call.conversation.insights.generated": WebhookType(ConversationInsightsGenerated),
    "conversation_insight_result": WebhookType(ConversationInsightsGenerated),
}
"""Every webhook type that we know. The template has a route for each type with a function.

A new type also needs an entry in `TO_INPUT` (`entrypoints.webhook`); a type without is ignored.
"""

_UNKNOWN = WebhookType(UnknownEvent)
_EVENT_TYPE: TypeAdapter[str | None] = TypeAdapter(Id)


def parse(body: bytes) -> Event:
    """Read the raw body of a webhook, up to 256 KB of UTF-8 JSON. Raises MalformedWebhookError.

    The usual envelope is `{"data": {...}, "meta": {"attempt"}}`. An insight group sends the event
    without an envelope, so a body without `data` is read as the event.
    """
    envelope = _json_object(body)
    data = as_object(envelope.get("data", envelope))
    event_type = _EVENT_TYPE.validate_python(data.get("event_type")) or ""
    return WEBHOOK_TYPES.get(event_type, _UNKNOWN).event.model_validate(
        {
            "id": data.get("id"),
            "event_type": event_type,
            "occurred_at": data.get("occurred_at"),
            "attempt": as_object(envelope.get("meta")).get("attempt"),
            "payload": as_object(data.get("payload")),
        }
    )


def _json_object(body: bytes) -> dict[str, Any]:
    if len(body) > MAX_BODY_BYTES:
        raise MalformedWebhookError("too_large")
    try:
        # pydantic's faster reader refuses a whole body because of a lone surrogate.
        envelope = json.loads(body.decode())
    except UnicodeDecodeError:
        raise MalformedWebhookError("not_utf8") from None
    except ValueError:
        raise MalformedWebhookError("not_json") from None
    except RecursionError:
        raise MalformedWebhookError("too_deep") from None
    if not isinstance(envelope, dict):
        raise MalformedWebhookError("not_an_object")
    return envelope
