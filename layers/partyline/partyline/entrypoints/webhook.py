"""The webhook functions: from a Telnyx webhook to an input of the engine.

A webhook is parsed after its signature is verified. Every webhook function takes every
event type: a wrong URL costs a cold start, never correctness.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from partyline.bootstrap import App
from partyline.domain.model import inputs
from partyline.domain.model.commands import Action
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.costs import UNKNOWN_CURRENCY, LegCost, is_currency
from partyline.domain.model.error_codes import ErrorCode
from partyline.domain.model.events import Cost, CostLine, Quality, Recording
from partyline.domain.model.inputs import CallInput
from partyline.domain.model.insight import Insight
from partyline.domain.numbers import normal_or_same
from partyline.entrypoints.http import Handler, Response, base_url, http_handler, json_response
from partyline.entrypoints.signed import verified_webhook
from partyline.ids import fingerprint
from partyline.services.correlation import correlate
from partyline.services.engine import IngestResult  # loads what sends commands: Telnyx waits 2 s
from partyline.services.errors import RequestError
from partyline.services.inbound_routes import inbound_route
from partyline.services.transcript_messages import messages_of
from partyline.store import DedupeRecord, keys
from partyline.store.errors import CallInUseError
from partyline.telemetry import Metric, count, log_safe, logger
from partyline.telnyx import webhooks
from partyline.telnyx.client_state import ClientState
from partyline.telnyx.payloads import AnalyzedPayload, CostPayload, InsightResult
from partyline.telnyx.webhooks import Event

MACHINE_RESULTS = frozenset({"machine", "fax_detected"})
"""Verdicts that mean a machine."""

PERSON_RESULTS = frozenset({"human", "human_residence", "human_business", "silence", "not_sure"})
"""The other verdicts. Telnyx advises to treat `not_sure` as a person; so is silence."""

INCOMING = frozenset({"incoming", "inbound"})
"""The directions of a call to us: the webhooks' word, and that of Telnyx's call records."""

MAX_PARTS = 50
"""Recordings, and lines of a cost, that an event holds: an event must fit into the bus."""

IGNORED: dict[type[Event], Metric] = {
    webhooks.TranscriptUpdated: Metric.WEBHOOK_TRANSCRIPT,
    webhooks.AiEvent: Metric.WEBHOOK_AI,
    webhooks.VersionOneEvent: Metric.WEBHOOK_VERSION_ONE,
    webhooks.UnknownEvent: Metric.WEBHOOK_UNKNOWN_TYPE,
    webhooks.EventWithoutType: Metric.WEBHOOK_WITHOUT_TYPE,
}
"""The metrics of ignored webhooks by kind; any other ignored webhook is `WebhookIgnored`."""

NOT_UNDERSTOOD = (Metric.WEBHOOK_VERSION_ONE, Metric.WEBHOOK_UNKNOWN_TYPE)
"""The kinds of ignored webhooks that need an operator; they share a metric, which has an alarm."""

Request = dict[str, Any]
Common = dict[str, Any]

EVENT_ID = re.compile(r"[\w-]{1,64}", re.ASCII)


def webhook() -> Handler:
    """Make the handler of a webhook function, for every event type."""
    return http_handler(process_webhook, _count_failure)


def _count_failure() -> None:
    count(Metric.WEBHOOK_FAILED)
    count(Metric.REQUEST_FAILED)


def process_webhook(app: App, request: Request, received_at: float | None = None) -> Response:
    """Process a webhook and return the answer to Telnyx.

    Telnyx delivers again after an answer of 5xx, a limited number of times (see `aws_errors`).
    `received_at` is in Unix seconds, None for now. Raises a RequestError for a refused webhook and
    for a command that is still pending, and any error of the engine.
    """
    body = verified_webhook(app, request, received_at)
    try:
        event = webhooks.parse(body)
    except webhooks.MalformedWebhookError as error:
        count(Metric.WEBHOOK_MALFORMED)
        message = f"The body is unusable: {error.reason}."
        raise RequestError(ErrorCode.MALFORMED_WEBHOOK, message) from None
    count(Metric.WEBHOOK_RECEIVED)
    body_hash = fingerprint(body.decode("utf-8", "replace"))  # stands for a missing or odd id
    event_id = event.id if event.id and EVENT_ID.fullmatch(event.id) else body_hash
    logger.thread_safe_append_keys(event_id=event_id, event_type=log_safe(event.event_type))
    if event.underscored:
        count(Metric.WEBHOOK_UNDERSCORED)
    try:
        ingested = _ingest(app, request, event, event_id)
    except CallInUseError:
        # A request has just brought the incoming call into another conversation.
        ingested = _ingest(app, request, event, event_id)
    if ingested is None:
        _report_ignored(event)
        return json_response(200, {"status": "ignored"})
    if ingested.pending:
        # Telnyx delivers again after a 503, and the pending command is then carried out.
        raise RequestError(ErrorCode.PENDING, "A Telnyx command could not be carried out yet.")
    return json_response(200, {"status": "duplicate" if ingested.duplicate else "ok"})


def _report_ignored(event: Event) -> None:
    metric = IGNORED.get(type(event), Metric.WEBHOOK_IGNORED)
    count(metric)
    if metric in NOT_UNDERSTOOD:
        count(Metric.WEBHOOK_NOT_UNDERSTOOD)
    if isinstance(event, webhooks.VersionOneEvent):
        message = "ignored: Telnyx sends API version 1; set webhook_api_version of the application"
        logger.warning(message, extra={"reason": "webhook_api_version"})
    elif type(event) is webhooks.UnknownEvent:
        logger.warning("ignored: the type is unknown", extra={"reason": "unknown_type"})
    else:
        logger.info("ignored")


def _ingest(app: App, request: Request, event: Event, event_id: str) -> IngestResult | None:
    to_input = TO_INPUT.get(type(event))
    if to_input is None:
        return None
    payload = event.payload
    incoming = payload.direction in INCOMING
    # A call that begins with a person who calls us is no call of ours yet. The client_state of
    # `call.analyzed` is never ours (Telnyx API: call.analyzed).
    is_new = incoming and isinstance(event, webhooks.CallInitiated)
    analyzed = isinstance(event, webhooks.ConversationAnalyzed)
    state = None if is_new or analyzed else ClientState.decode(payload.client_state)
    call = inputs.CallRef(
        call_control_id=payload.call_control_id,
        call_leg_id=payload.call_leg_id,
        call_session_id=payload.call_session_id,
        participant=state.participant if state else None,
        leg=state.leg if state else None,
        prompt=Action(state.prompt) if state and state.prompt else None,
        repeat=state.repeat if state else 0,
        incoming=incoming,
    )
    input_ = to_input(event, {"id": event_id, "call": call, "occurred_at": event.occurred_at})
    country = app.settings.destinations.home_country
    to = normal_or_same(payload.to, country) if is_new else payload.to
    dialled = (to or keys.DEFAULT_ROUTE) if is_new else None
    from_ = normal_or_same(payload.from_, country) if is_new else payload.from_
    refusal = app.inbound_quotas.check(from_) if is_new else None
    telnyx_id = payload.conversation_id if isinstance(payload, AnalyzedPayload) else None
    hinted_id = state.conversation if state else None
    correlation = correlate(app.store, call, hinted_id, dialled, telnyx_id)
    if correlation is None or input_ is None:
        return None
    if isinstance(input_, inputs.TranscriptUpdated) and not _is_live(correlation.conversation):
        return None
    if state and state.conversation != correlation.conversation_id:
        input_ = replace(
            input_, call=replace(call, participant=None, leg=None, prompt=None, repeat=0)
        )
    if isinstance(input_, inputs.CallInitiated):
        route = inbound_route(correlation.route, app.settings, payload.connection_id, payload.to)
        if correlation.conversation is None and route is None:
            return None
        reason = refusal() if refusal and correlation.conversation is None else None
        if reason:
            app.inbound_quotas.reject(str(call.call_control_id), reason)
            return None
        url = base_url(request, app.settings.public_base_url)
        input_ = replace(
            input_,
            conversation_id=correlation.conversation_id,
            from_=from_,
            to=to,
            route=route,
            base_url=url,
        )
    logger.thread_safe_append_keys(conversation_id=correlation.conversation_id)
    dedupe = DedupeRecord(keys.webhook(correlation.conversation_id, event_id))
    load = app.store.loader(correlation.conversation_id, correlation.conversation)
    return app.engine.ingest(load, input_, dedupe)


def _is_live(conversation: Conversation | None) -> bool:
    return conversation is not None and conversation.transcript.live


def _hangup(event: webhooks.CallHangup, common: Common) -> CallInput:
    payload, stats = event.payload, event.payload.call_quality_stats
    quality: dict[str, float | None] = {}
    if stats and stats.inbound:
        quality |= {
            "mos": stats.inbound.mos,
            "jitter_max_variance": stats.inbound.jitter_max_variance,
            "jitter_packets": stats.inbound.jitter_packet_count,
            "inbound_packets": stats.inbound.packet_count,
            "inbound_skipped": stats.inbound.skip_packet_count,
        }
    if stats and stats.outbound:
        quality["outbound_packets"] = stats.outbound.packet_count
        quality["outbound_skipped"] = stats.outbound.skip_packet_count
    return inputs.CallHangup(
        **common,
        cause=payload.hangup_cause,
        sip_cause=payload.sip_hangup_cause,
        quality=Quality.model_validate(quality) if any(quality.values()) else None,
    )


def _insights(results: Iterable[InsightResult], telnyx_id: str | None) -> tuple[Insight, ...]:
    return tuple(
        Insight(
            insight_id=result.insight_id, result=result.result, telnyx_conversation_id=telnyx_id
        )
        for result in results
    )


def _insights_generated(
    event: webhooks.ConversationInsightsGenerated, common: Common
) -> CallInput | None:
    telnyx_id = event.payload.conversation_id  # only in the insight group's own webhook
    insights = _insights(event.payload.results, telnyx_id)
    return inputs.InsightsGenerated(**common, insights=insights) if insights else None


def _transcript_updated(event: webhooks.TranscriptUpdated, common: Common) -> CallInput | None:
    payload = event.payload
    messages = messages_of(payload.message_history or payload.messages)
    if not messages:
        return None
    return inputs.TranscriptUpdated(
        **common,
        source="added" if event.event_type == webhooks.MESSAGES_ADDED else "history",
        messages=messages,
        telnyx_conversation_id=payload.conversation_id,
    )


def _cost(cost: CostPayload) -> Cost:
    lines = cost.breakdown[:MAX_PARTS]
    breakdown = [CostLine(product=line.product, cost=line.cost) for line in lines]
    return Cost(total=cost.total, currency=cost.currency, breakdown=breakdown)


def _analyzed(event: webhooks.ConversationAnalyzed, common: Common) -> CallInput:
    payload = event.payload
    recordings = (
        Recording(
            id=recording.id,
            channels=recording.channels,
            format=recording.format,
            started_at=recording.start_time,
            ended_at=recording.end_time,
        )
        for recording in payload.recordings[:MAX_PARTS]
        if recording.id
    )
    return inputs.ConversationAnalyzed(
        **common,
        telnyx_conversation_id=payload.conversation_id,
        insights=_insights(payload.results, payload.conversation_id),
        duration_secs=payload.duration_sec,
        cost=_cost(payload.cost) if payload.cost else None,
        recordings=tuple(recordings),
    )


def _call_cost(event: webhooks.CallCost, common: Common) -> CallInput | None:
    """Read the price of a call; None while Telnyx has no price."""
    payload = event.payload
    if payload.status == "error" or payload.total_cost is None:
        return None
    named = (part.currency for part in payload.cost_parts if is_currency(part.currency))
    cost = LegCost(
        total=payload.total_cost,
        currency=next(named, UNKNOWN_CURRENCY),
        billed_secs=payload.billed_duration_secs,
    )
    return inputs.CallCost(**common, cost=cost)


def _machine_verdict(event: webhooks.MachineDetectionEnded, common: Common) -> CallInput:
    result = event.payload.result
    is_machine = result in MACHINE_RESULTS
    if not is_machine and result not in PERSON_RESULTS:
        # An unknown verdict counts as a person: the call of a person is not dropped.
        count(Metric.MACHINE_RESULT_UNKNOWN)
        logger.warning(
            "unknown verdict of the machine detection", extra={"result": log_safe(result)}
        )
    return inputs.MachineVerdict(**common, machine=is_machine, by_speech=result == "machine")


TO_INPUT: dict[type, Callable[[Any, Common], CallInput | None]] = {
    webhooks.CallInitiated: lambda event, common: inputs.CallInitiated(
        **common,
        conversation_id="",
        incoming=event.payload.direction in INCOMING,
        from_=event.payload.from_,
        to=event.payload.to,
    ),
    webhooks.CallAnswered: lambda _, common: inputs.CallAnswered(**common),
    webhooks.CallHangup: _hangup,
    webhooks.ConferenceParticipantJoined: lambda _, common: inputs.ConferenceJoined(**common),
    webhooks.ConferenceParticipantLeft: lambda _, common: inputs.ConferenceLeft(**common),
    webhooks.CallBridged: lambda _, common: inputs.CallBridged(**common),
    webhooks.MachineDetectionEnded: _machine_verdict,
    webhooks.CallScreeningDetected: lambda _, common: inputs.CallScreeningDetected(**common),
    webhooks.MachineGreetingEnded: lambda event, common: inputs.GreetingEnded(
        **common, result=event.payload.result or ""
    ),
    webhooks.GatherEnded: lambda event, common: inputs.DigitsGathered(
        **common, digits=event.payload.digits or "", status=event.payload.status
    ),
    webhooks.VoiceEnded: lambda event, common: inputs.VoiceEnded(
        **common, status=event.payload.status
    ),
    webhooks.ConversationCreated: lambda event, common: inputs.ConversationCreated(
        **common, telnyx_conversation_id=event.payload.conversation_id
    ),
    webhooks.ConversationStartFailed: lambda event, common: inputs.ConversationStartFailed(
        **common, reason=event.payload.reason
    ),
    webhooks.ConversationEnded: lambda event, common: inputs.ConversationEnded(
        **common,
        telnyx_conversation_id=event.payload.conversation_id,
        reason=event.payload.reason,
        messages=messages_of(event.payload.messages),
    ),
    webhooks.TranscriptUpdated: _transcript_updated,
    webhooks.ConversationInsightsGenerated: _insights_generated,
    webhooks.ConversationAnalyzed: _analyzed,
    webhooks.CallCost: _call_cost,
}
"""The input of each event type. A webhook whose type is not here is ignored."""
