"""How a Telnyx webhook becomes an input.

Nothing of a webhook is looked at before its signature is found right. Every function that takes
webhooks takes every type of event: a wrong URL costs a cold start, never correctness.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

# Telnyx waits 2 s: what sends commands is loaded at the start too, not when the first is due.
import partyline.services.engine  # noqa: F401
from partyline.bootstrap import App
from partyline.domain.model.conversation import Insight
from partyline.domain.model.errors import ErrorCode
from partyline.domain.model.inputs import (
    CallAnswered,
    CallHangup,
    CallInitiated,
    CallInput,
    CallRef,
    ConversationCreated,
    ConversationEnded,
    ConversationStartFailed,
    DigitsGathered,
    InsightsGenerated,
    MachineVerdict,
)
from partyline.entrypoints.http import Response, base_url, http_handler, json_response
from partyline.entrypoints.signed import verified_body
from partyline.ids import fingerprint
from partyline.services import inbound_routes
from partyline.services.correlation import Correlation, correlate
from partyline.services.errors import RequestError
from partyline.store import DedupeRecord, keys
from partyline.telemetry import count, log_safe, logger
from partyline.telnyx import webhooks
from partyline.telnyx.client_state import ClientState
from partyline.telnyx.webhooks import MalformedWebhookError, WebhookEvent

MACHINES = frozenset({"machine", "fax_detected", "beep_detected", "ended"})
"""Results that mean a machine. Telnyx advises to take `not_sure` for a person; so is silence."""

PLAIN_ID = re.compile(r"[\w-]{1,64}", re.ASCII)


def webhook() -> Callable[[dict[str, Any], Any], Response]:
    """The handler of a function that takes Telnyx's webhooks, of whatever type."""
    return http_handler(process_webhook, lambda: count("WebhookFailed"))


def process_webhook(
    app: App, request: dict[str, Any], received_at: float | None = None
) -> Response:
    """Take a webhook in, as it came through the API, and answer it.

    `received_at` is in Unix seconds, for one that waited since; None: just now. Raises a
    RequestError, and whatever the engine raises.
    """
    body = verified_body(app, request, received_at)
    try:
        event = webhooks.parse(body)
    except MalformedWebhookError as error:
        count("WebhookMalformed")
        message = f"The body is unusable: {error.reason}."
        raise RequestError(ErrorCode.MALFORMED_WEBHOOK, message) from None
    count("WebhookReceived")
    event_id = event.id if event.id and PLAIN_ID.fullmatch(event.id) else _name(body)
    logger.thread_safe_append_keys(event_id=event_id, event_type=log_safe(event.event_type))
    given, found = _input(app, request, event, event_id)
    if given is None or found is None:
        count("WebhookIgnored")
        logger.info("ignored")
        return json_response(200, {"status": "ignored"})
    logger.thread_safe_append_keys(conversation_id=found.conversation_id)
    engine, store = app.engine, app.store
    dedupe = DedupeRecord(keys.webhook(found.conversation_id, event_id))
    ingested = engine.ingest(found.loader(store), given, dedupe)
    if ingested.pending:
        # Telnyx delivers again on a 503, and what is still owed is then done.
        raise RequestError(ErrorCode.PENDING, "A Telnyx command could not be carried out yet.")
    return json_response(200, {"status": "duplicate" if ingested.duplicate else "ok"})


def _name(body: bytes) -> str:
    """A name for an event that has none to be known by: the same body is the same event."""
    return fingerprint(body.decode("utf-8", "replace"))


def _input(
    app: App, request: dict[str, Any], event: WebhookEvent, event_id: str
) -> tuple[CallInput | None, Correlation | None]:
    """What the event means for which conversation; None for what is nobody's or nothing to us."""
    to_input = INPUTS.get(type(event))
    if to_input is None:
        return None, None
    payload = event.payload
    state = ClientState.decode(payload.client_state)
    call = CallRef(
        call_control_id=payload.call_control_id,
        call_leg_id=payload.call_leg_id,
        call_session_id=payload.call_session_id,
        participant=state.participant if state else None,
        leg=state.leg if state else None,
    )
    incoming = isinstance(event, webhooks.CallInitiated) and event.payload.direction == "incoming"
    dialled = (payload.to or "") if incoming else None
    found = correlate(app.store, call, state.conversation if state else None, dialled)
    if found is None:
        return None, None
    given = to_input(event, {"id": event_id, "call": call, "occurred_at": event.occurred_at})
    if isinstance(given, CallInitiated):
        settings = app.settings
        row = inbound_routes.choose_route(found.rows, dialled)
        route = inbound_routes.inbound_route(row, settings, payload.connection_id)
        given = replace(
            given,
            conversation_id=found.conversation_id,
            route=route,
            base_url=base_url(request, settings.public_base_url),
        )
        if found.conversation is None and route is None:
            return None, None
    return given, found


def _initiated(event: webhooks.CallInitiated, common: dict[str, Any]) -> CallInput:
    return CallInitiated(
        **common,
        conversation_id="",
        incoming=event.payload.direction == "incoming",
        from_=event.payload.from_,
        to=event.payload.to,
    )


def _hangup(event: webhooks.CallHangup, common: dict[str, Any]) -> CallInput:
    return CallHangup(
        **common,
        cause=event.payload.hangup_cause,
        source=event.payload.hangup_source,
        sip_cause=event.payload.sip_hangup_cause,
    )


def _verdict(event: webhooks.MachineDetectionEnded, common: dict[str, Any]) -> CallInput:
    return MachineVerdict(**common, machine=event.payload.result in MACHINES)


def _greeting(event: webhooks.MachineGreetingEnded, common: dict[str, Any]) -> CallInput | None:
    """A greeting is a machine's; after an early beep it is all the verdict that comes."""
    return MachineVerdict(**common, machine=True) if event.payload.result in MACHINES else None


def _insights(
    event: webhooks.ConversationInsightsGenerated, common: dict[str, Any]
) -> CallInput | None:
    found = [each for each in event.payload.results if each.insight_id]
    insights = tuple(
        Insight(insight_id=each.insight_id or "", result=each.result) for each in found
    )
    return InsightsGenerated(**common, insights=insights) if insights else None


INPUTS: dict[type, Callable[[Any, dict[str, Any]], CallInput | None]] = {
    webhooks.CallInitiated: _initiated,
    webhooks.CallAnswered: lambda _, common: CallAnswered(**common),
    webhooks.CallHangup: _hangup,
    webhooks.MachineDetectionEnded: _verdict,
    webhooks.MachineGreetingEnded: _greeting,
    webhooks.GatherEnded: lambda event, common: DigitsGathered(
        **common, digits=event.payload.digits or "", status=event.payload.status
    ),
    webhooks.ConversationCreated: lambda event, common: ConversationCreated(
        **common, telnyx_conversation_id=event.payload.conversation_id
    ),
    webhooks.ConversationStartFailed: lambda event, common: ConversationStartFailed(
        **common, reason=event.payload.reason
    ),
    webhooks.ConversationEnded: lambda event, common: ConversationEnded(
        **common,
        telnyx_conversation_id=event.payload.conversation_id,
        reason=event.payload.reason,
    ),
    webhooks.ConversationInsightsGenerated: _insights,
}
"""What each type of event is to us. A type that is not here, an UnknownEvent, is nothing."""
