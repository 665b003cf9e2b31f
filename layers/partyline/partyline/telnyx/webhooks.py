"""Telnyx's webhooks as typed events.

`parse` never fails on an event it does not know or on an odd field: a webhook that is refused comes
again, or never. Sources: Telnyx API, webhooks; payloads as captured on live calls.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from partyline.telnyx.lenient import (
    Id,
    Json,
    Moment,
    Received,
    Text,
    Whole,
    as_object,
    objects,
    usable_id,
)

MAX_BODY_BYTES = 256 * 1024
LEG_FIELDS = {"call_control_id", "call_leg_id", "call_session_id", "from", "to"}

Malformation = Literal["too_large", "not_utf8", "not_json", "too_deep", "not_an_object"]


class MalformedWebhookError(ValueError):
    """The body is no JSON object that we are willing to read. `reason` is one word."""

    def __init__(self, reason: Malformation) -> None:
        self.reason: Malformation = reason
        super().__init__(reason)


class LegPayload(Received):
    """What every payload may say about its leg. Any of it may be missing."""

    call_control_id: Id = None
    call_leg_id: Id = None
    call_session_id: Id = None
    connection_id: Id = None
    client_state: Text = None
    from_: Id = Field(None, alias="from")
    to: Id = None


class InitiatedPayload(LegPayload):
    """`direction` is incoming or outgoing: only an incoming leg may be answered."""

    direction: Id = None
    state: Id = None
    start_time: Moment = None
    caller_id_name: Id = None
    calling_party_type: Id = None


class AnsweredPayload(LegPayload):
    """The leg was picked up, by whom or what is not known yet."""

    start_time: Moment = None


class HangupPayload(LegPayload):
    """Why the leg ended. `hangup_source` is caller, callee or unknown."""

    hangup_cause: Id = None
    hangup_source: Id = None
    sip_hangup_cause: Id = None
    start_time: Moment = None
    end_time: Moment = None


class MachinePayload(LegPayload):
    """`result`: human, machine, not_sure, human_residence, beep_detected, ended, ..."""

    result: Id = None


class GatherPayload(LegPayload):
    """The keys that were pressed. `status`: valid, invalid, timeout, call_hangup, cancelled, ..."""

    digits: Id = None
    status: Id = None


class ConversationPayload(LegPayload):
    """Which conversation runs on the leg. The duration is in seconds."""

    conversation_id: Id = None
    assistant_id: Id = None
    duration_sec: Whole = None
    reason: Id = None


class StartFailedPayload(LegPayload):
    """`reason`: invalid_request or service_error. The leg stays up."""

    reason: Id = None


class InsightResult(Received):
    """One insight. `result` is text, at times JSON text or markdown, or a JSON object."""

    insight_id: Id = None
    result: Json = None


class InsightsPayload(LegPayload):
    """The insights of a conversation. Only the insight group's own webhook names it by id."""

    conversation_id: Id = None
    insight_group_id: Id = None
    status: Id = None
    results: Annotated[tuple[InsightResult, ...], BeforeValidator(objects)] = ()

    @model_validator(mode="before")
    @classmethod
    def _leg_from_metadata(cls, payload: Any) -> Any:
        # The insight group's own webhook keeps what it knows of the leg in `metadata`.
        if not isinstance(payload, dict):
            return payload
        metadata = as_object(payload.get("metadata"))
        missing = {name for name in LEG_FIELDS if payload.get(name) is None}
        return {**payload, **{name: metadata.get(name) for name in missing}}


class Event(Received):
    """What every event says. `event_type` is as Telnyx sent it, `attempt` counts deliveries from 1.

    `id` stays the same when Telnyx delivers again: what to recognize a double by.
    """

    id: Id = None
    event_type: str = ""
    occurred_at: Moment = None
    attempt: Whole = None
    payload: LegPayload


class CallInitiated(Event):
    """A leg begins: somebody calls us, or we dial."""

    payload: InitiatedPayload


class CallAnswered(Event):
    """A leg was picked up."""

    payload: AnsweredPayload


class CallHangup(Event):
    """A leg ended."""

    payload: HangupPayload


class MachineDetectionEnded(Event):
    """Machine detection has its verdict, the plain or the premium one. A second may follow."""

    payload: MachinePayload


class MachineGreetingEnded(Event):
    """A machine's greeting is over. After an early beep this comes instead of the verdict."""

    payload: MachinePayload


class GatherEnded(Event):
    """Someone pressed keys, or did not."""

    payload: GatherPayload


class ConversationCreated(Event):
    """The assistant's conversation exists. It need not be ready to speak."""

    payload: ConversationPayload


class ConversationEnded(Event):
    """The assistant's conversation is over."""

    payload: ConversationPayload


class ConversationStartFailed(Event):
    """The assistant did not start."""

    payload: StartFailedPayload


class ConversationInsightsGenerated(Event):
    """Insights are ready: seconds after the end, at times before it."""

    payload: InsightsPayload

    @model_validator(mode="before")
    @classmethod
    def _id_from_request(cls, event: Any) -> Any:
        # The insight group's own webhook has no event id; its request_id stays the same.
        if not isinstance(event, dict) or event.get("id") is not None:
            return event
        return {**event, "id": as_object(event.get("payload")).get("request_id")}


class UnknownEvent(Event):
    """An event that nothing here waits for. A new one of Telnyx's must not break us."""


WebhookEvent = (
    CallInitiated
    | CallAnswered
    | CallHangup
    | MachineDetectionEnded
    | MachineGreetingEnded
    | GatherEnded
    | ConversationCreated
    | ConversationEnded
    | ConversationStartFailed
    | ConversationInsightsGenerated
    | UnknownEvent
)

EVENT_TYPES: Mapping[str, type[WebhookEvent]] = {
    "call.initiated": CallInitiated,
    "call.answered": CallAnswered,
    "call.hangup": CallHangup,
    "call.machine.detection.ended": MachineDetectionEnded,
    "call.machine.premium.detection.ended": MachineDetectionEnded,
    "call.machine.greeting.ended": MachineGreetingEnded,
    "call.machine.premium.greeting.ended": MachineGreetingEnded,
    "call.gather.ended": GatherEnded,
    "call.conversation.created": ConversationCreated,
    "call.conversation.ended": ConversationEnded,
    "call.conversation.start_failed": ConversationStartFailed,
    "call.conversation_insights.generated": ConversationInsightsGenerated,
    # A misprint in Telnyx's own material, and the insight group's own webhook.
    "call.conversation.insights.generated": ConversationInsightsGenerated,
    "conversation_insight_result": ConversationInsightsGenerated,
}


def parse(body: bytes) -> WebhookEvent:
    """Read one webhook's raw body, up to 256 KB of UTF-8 JSON. Raises MalformedWebhook.

    The usual envelope is `{"data": {...}, "meta": {"attempt"}}`; a body without `data` is taken as
    the event itself, as an insight group sends it.
    """
    envelope = _json_object(body)
    data = as_object(envelope.get("data", envelope))
    event_type = usable_id(data.get("event_type")) or ""
    return EVENT_TYPES.get(event_type, UnknownEvent).model_validate(
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
        # Not pydantic's faster reader: it refuses a whole body for one lone surrogate.
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
