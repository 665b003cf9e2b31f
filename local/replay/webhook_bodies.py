"""Telnyx's webhooks, written again from the inputs that they became.

The inverse of `partyline.entrypoints.webhook.TO_INPUT`, with the shapes of Telnyx's API.
"""

import json
from collections.abc import Callable
from typing import Any

from partyline.telnyx.client_state import ClientState

Json = dict[str, Any]


def webhook_body(recorded: Json, conversation_id: str) -> bytes | None:
    """Return the body of the webhook of an input; None for an input of another origin.

    An incoming call is of another origin too: its input holds the route, which no webhook has.
    """
    known = _WEBHOOKS.get(recorded["type"])
    if known is None or recorded.get("incoming"):
        return None
    event_type, payload_of = known
    event_type = event_type or _TURN_TYPES[recorded["source"]]
    data = {
        "record_type": "event",
        "id": recorded["id"],
        "event_type": event_type,
        "occurred_at": recorded.get("occurred_at"),
        "payload": _call(recorded["call"], conversation_id) | payload_of(recorded),
    }
    return json.dumps({"data": data}).encode()


def _call(call: Json, conversation_id: str) -> Json:
    payload = {
        name: call.get(name) for name in ("call_control_id", "call_leg_id", "call_session_id")
    }
    payload["direction"] = "incoming" if call.get("incoming") else "outgoing"
    if call.get("participant"):
        state = ClientState(
            conversation_id,
            call["participant"],
            call["leg"],
            call.get("prompt"),
            call.get("repeat", 0),
        )
        payload["client_state"] = state.encode()
    return payload


def _fields(**names: str) -> Callable[[Json], Json]:
    """Return a function that takes an input's fields, by the names of the payload's fields."""
    return lambda recorded: {field: recorded.get(name) for field, name in names.items()}


def _hangup(recorded: Json) -> Json:
    payload = _fields(hangup_cause="cause", sip_hangup_cause="sip_cause")(recorded)
    quality = recorded.get("quality")
    if quality:
        inbound = _fields(
            mos="mos",
            jitter_max_variance="jitter_max_variance",
            jitter_packet_count="jitter_packets",
            packet_count="inbound_packets",
            skip_packet_count="inbound_skipped",
        )
        outbound = _fields(packet_count="outbound_packets", skip_packet_count="outbound_skipped")
        stats = {"inbound": inbound(quality), "outbound": outbound(quality)}
        payload["call_quality_stats"] = stats
    return payload


def _verdict(recorded: Json) -> Json:
    machine = "machine" if recorded.get("by_speech") else "beep_detected"
    return {"result": machine if recorded["machine"] else "human"}


def _results(recorded: Json) -> list[Json]:
    return [_fields(insight_id="insight_id", result="result")(row) for row in recorded["insights"]]


def _insights(recorded: Json) -> Json:
    telnyx_id = recorded["insights"][0].get("telnyx_conversation_id")
    return {"conversation_id": telnyx_id, "results": _results(recorded)}


def _messages(recorded: Json) -> list[Json]:
    row = _fields(
        role="role",
        content="text",
        timestamp="at",
        tool_call_id="tool_call_id",
        participant_id="participant_id",
    )
    call = _fields(name="function", arguments="arguments")
    return [
        row(message)
        | {
            "tool_calls": [
                {"id": tool_call.get("id"), "type": "function", "function": call(tool_call)}
                for tool_call in message["tool_calls"]
            ]
        }
        for message in recorded["messages"]
    ]


def _ended(recorded: Json) -> Json:
    payload = _fields(conversation_id="telnyx_conversation_id", reason="reason")(recorded)
    return payload | {"messages": _messages(recorded)}


def _updated(recorded: Json) -> Json:
    telnyx_id, messages = recorded.get("telnyx_conversation_id"), _messages(recorded)
    return {"conversation_id": telnyx_id, "messages": messages}


def _analyzed(recorded: Json) -> Json:
    recording = _fields(
        id="id", channels="channels", format="format", start_time="started_at", end_time="ended_at"
    )
    return {
        "conversation_id": recorded.get("telnyx_conversation_id"),
        "duration_sec": recorded.get("duration_secs"),
        "conversation_insights": [{"conversation_insights": _results(recorded)}],
        "cost": recorded.get("cost"),
        "recordings": [recording(row) for row in recorded["recordings"]],
    }


_TURN_TYPES = {
    "history": "call.conversation.message_history_updated",
    "added": "call.conversation.messages_added",
}
"""The event type of new messages, by their source."""

_WEBHOOKS: dict[str, tuple[str, Callable[[Json], Json]]] = {
    "CallInitiated": ("call.initiated", _fields(**{"from": "from_", "to": "to"})),
    "CallAnswered": ("call.answered", _fields()),
    "CallHangup": ("call.hangup", _hangup),
    "ConferenceJoined": ("conference.participant.joined", _fields()),
    "ConferenceLeft": ("conference.participant.left", _fields()),
    "CallBridged": ("call.bridged", _fields()),
    "MachineVerdict": ("call.machine.detection.ended", _verdict),
    "GreetingEnded": ("call.machine.premium.greeting.ended", _fields(result="result")),
    "CallScreeningDetected": ("call.machine.premium.call_screening.detected", _fields()),
    "DigitsGathered": ("call.gather.ended", _fields(digits="digits", status="status")),
    "VoiceEnded": ("call.speak.ended", _fields(status="status")),
    "ConversationCreated": (
        "call.conversation.created",
        _fields(conversation_id="telnyx_conversation_id"),
    ),
    "ConversationStartFailed": ("call.conversation.start_failed", _fields(reason="reason")),
    "ConversationEnded": ("call.conversation.ended", _ended),
    "TranscriptUpdated": ("", _updated),
    "InsightsGenerated": ("call.conversation_insights.generated", _insights),
    "ConversationAnalyzed": ("call.analyzed", _analyzed),
}
"""The event type and the payload of each input that is a webhook. The source of new messages tells
their type."""
