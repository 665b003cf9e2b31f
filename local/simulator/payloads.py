"""The payload of each webhook, field for field as Telnyx sends it (nulls and extras included).

Telnyx API: webhooks of the OpenAPI description, and captures of live calls: `state` is absent from
answered and hangup, a hangup may lack `client_state`, insights have no conversation id.
"""

import json
from collections.abc import Iterator
from typing import Any

from local.simulator.model import (
    JsonObject,
    Message,
    SimulatedConference,
    SimulatedConversation,
    SimulatedLeg,
)
from local.simulator.settings import Settings
from local.simulator.switchboard import timestamp

_QUALITY = {
    "inbound": {
        "mos": "4.50",
        "packet_count": "3601",
        "jitter_max_variance": "0.12",
        "jitter_packet_count": "0",
        "skip_packet_count": "0",
    },
    "outbound": {"packet_count": "3590", "skip_packet_count": "1"},
}
# An Erlang term, as captured: Telnyx replaces the state of the application.
_TELNYX_STATE = "g3QAAAACbQAAAAtkYXRhX2NlbnRlcm0AAAADY2gxbQAAAApkZXBsb3ltZW50bQAAAARiYXNl"
_COST = {
    "total": "0.0630",
    "currency": "USD",
    "breakdown": [
        {"product": "ai-voice-assistant", "cost": "0.0600"},
        {"product": "callcontrol-cdrs", "cost": "0.0030"},
    ],
}
_SPOKEN = ("user", "assistant")


def as_text(content: Any) -> str:
    """Return a text as it is, any other value as JSON."""
    return content if isinstance(content, str) else json.dumps(content)


def _ids(leg: SimulatedLeg) -> JsonObject:
    return {
        "call_control_id": leg.call_control_id,
        "call_leg_id": leg.call_leg_id,
        "call_session_id": leg.call_session_id,
        "connection_id": leg.connection_id,
        "client_state": leg.client_state,
    }


def _call(leg: SimulatedLeg) -> JsonObject:
    return {**_ids(leg), "from": leg.from_, "to": leg.to}


def _party(leg: SimulatedLeg) -> str:
    return "pstn" if leg.person_number.startswith("+") else "sip"


def initiated(leg: SimulatedLeg) -> JsonObject:
    """call.initiated: incoming legs are parked, outgoing legs are bridging."""
    incoming = leg.direction == "incoming"
    payload = {
        **_call(leg),
        "caller_id_name": leg.from_,
        "calling_party_type": _party(leg),
        "connection_codecs": "PCMA,PCMU,VP8,H264",
        "direction": leg.direction,
        "offered_codecs": "PCMU,G729",
        "start_time": timestamp(leg.started_at),
        "state": "parked" if incoming else "bridging",
    }
    if incoming:
        payload["from_sip_uri"] = f"{leg.from_.lstrip('+')}@192.0.2.186:5060"
        payload["to_sip_uri"] = f"{leg.to}@192.0.2.10:5060"
    return payload


def answered(leg: SimulatedLeg) -> JsonObject:
    """call.answered."""
    return {
        **_call(leg),
        "calling_party_type": _party(leg),
        "codec": "PCMU",
        "sampling_rate": 8000,
        "start_time": timestamp(leg.started_at),
    }


def hangup(leg: SimulatedLeg, source: str, sip_cause: str, *, sparse: bool) -> JsonObject:
    """call.hangup; a sparse payload lacks client_state and calling_party_type."""
    payload = {
        **_call(leg),
        "calling_party_type": _party(leg),
        "hangup_cause": leg.hangup_cause,
        "hangup_source": source,
        "sip_hangup_cause": sip_cause,
        "call_quality_stats": _QUALITY if leg.answered_at else None,
        "telnyx_error": None,
        "start_time": timestamp(leg.started_at),
        "end_time": timestamp(leg.ended_at or leg.started_at),
    }
    if sparse:
        del payload["client_state"], payload["calling_party_type"]
    return payload


def detection(leg: SimulatedLeg, result: str, *, sparse: bool) -> JsonObject:
    """call.machine[.premium].detection.ended; a sparse payload lacks call_control_id."""
    payload = {**_call(leg), "result": result}
    if sparse:
        del payload["call_control_id"]
    return payload


def detection_started(leg: SimulatedLeg) -> JsonObject:
    """call.machine.premium.detection.started."""
    return _call(leg)


def bridged(leg: SimulatedLeg) -> JsonObject:
    """call.bridged: the other leg has an event of its own."""
    return _call(leg)


def conference(leg: SimulatedLeg, conference: SimulatedConference) -> JsonObject:
    """conference.*: about a call in a conference (official client: ConferenceParticipantJoined).

    The client_state is that of the conference (Telnyx API: POST /conferences, client_state).
    """
    state = {"client_state": conference.client_state}
    return {**_ids(leg), **state, "conference_id": conference.conference_id}


def gather_ended(leg: SimulatedLeg, digits: str, status: str) -> JsonObject:
    """call.gather.ended: status valid, invalid, timeout or call_hangup."""
    return {**_call(leg), "digits": digits, "status": status}


def voice(leg: SimulatedLeg, media_url: str | None) -> JsonObject:
    """call.speak.started, and with a URL call.playback.started; the ends have a status too."""
    return _ids(leg) if media_url is None else {**_ids(leg), "media_url": media_url}


def conversation_created(leg: SimulatedLeg, conversation_id: str) -> JsonObject:
    """call.conversation.created (Telnyx docs: callbacks, call-conversation-created)."""
    return {
        **_call(leg),
        "calling_party_type": _party(leg),
        "conversation_id": conversation_id,
    }


def conversation_start_failed(
    leg: SimulatedLeg, assistant_id: str | None, reason: str
) -> JsonObject:
    """call.conversation.start_failed: only for an assistant given with dial or answer."""
    return {
        **_call(leg),
        "assistant_id": assistant_id,
        "calling_party_type": _party(leg),
        "reason": reason,
    }


def conversation_ended(
    leg: SimulatedLeg, conversation: SimulatedConversation, settings: Settings
) -> JsonObject:
    """call.conversation.ended: `messages` has other turns than speech with the full history."""
    shown = {"all": _SPOKEN, "of_people": ("user",), "none": ()}[settings.ended_messages]
    everything = settings.ended_full_history and settings.ended_messages == "all"
    payload = {
        **_call(leg),
        **_outcome(conversation),
        "calling_party_type": _party(leg),
        "messages": [
            {"role": message.role, "content": content, "timestamp": timestamp(message.at)}
            for message, content in retained(conversation.messages, settings)
            if everything or message.role in shown
        ],
    }
    if not settings.end_names_conversation:
        del payload["conversation_id"]
    return payload


def retained(messages: list[Message], settings: Settings) -> Iterator[tuple[Message, str | None]]:
    """Yield the messages that Telnyx has after the end, each with its content as Telnyx shows it.

    An account without data retention has its messages redacted (official client: messages).
    """
    for message in messages:
        if settings.retains_data:
            yield message, message.content
        elif settings.redaction != "left_out":
            yield message, None if settings.redaction == "null" else "[REDACTED]"


def _outcome(conversation: SimulatedConversation) -> JsonObject:
    ended_at = conversation.ended_at or conversation.started_at
    provider, model, voice = [*conversation.voice.split(".", 2), None, None][:3]
    return {
        "assistant_id": conversation.assistant_id,
        "conversation_id": conversation.conversation_id,
        "duration_sec": int((ended_at - conversation.started_at).total_seconds()),
        "llm_model": "openai/gpt-4o",
        "reason": conversation.reason,
        "stt_model": "distil-whisper/distil-large-v2",
        "tts_model_id": model,
        "tts_provider": provider,
        "tts_voice_id": voice,
    }


def analyzed(leg: SimulatedLeg, conversation: SimulatedConversation) -> JsonObject:
    """call.analyzed: client_state is Telnyx's own, and insights are texts."""
    insights = [
        {"insight_id": insight["insight_id"], "result": as_text(insight["result"])}
        for insight in conversation.insights or []
    ]
    entries = [{"status": "completed", "conversation_insights": insights}] if insights else []
    return {
        **_call(leg),
        **_outcome(conversation),
        "client_state": _TELNYX_STATE,
        "conversation_insights": entries,
        "cost": _COST,
        "recordings": [],
    }


def messages_added(leg: SimulatedLeg, conversation_id: str, messages: list[Message]) -> JsonObject:
    """call.conversation.messages_added, which Telnyx does not document."""
    rows = [{"role": message.role, "content": message.content} for message in messages]
    return {**_call(leg), "conversation_id": conversation_id, "messages": rows}


def message_history(leg: SimulatedLeg, messages: list[Message]) -> JsonObject:
    """call.ai_gather.message_history_updated: every spoken turn until now."""
    rows = [
        {"role": message.role, "content": message.content}
        for message in messages
        if message.role in _SPOKEN
    ]
    return {**_call(leg), "message_history": rows}


def insights(leg: SimulatedLeg, group_id: str, results: list[dict[str, Any]]) -> JsonObject:
    """call.conversation_insights.generated: no conversation id, no numbers."""
    return {
        **_ids(leg),
        "calling_party_type": _party(leg),
        "insight_group_id": group_id,
        "results": results,
    }
