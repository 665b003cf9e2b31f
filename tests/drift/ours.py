"""Our requests, and our models of Telnyx's answers and webhooks, as tables of fields."""

from typing import Any

from partyline.domain.rules.apply_verdicts import KEY_PRESSED_STATUSES
from partyline.domain.rules.outcomes import GENERIC_CAUSES, TELNYX_CAUSES
from partyline.domain.rules.voice import UNPLAYABLE
from partyline.entrypoints.webhook import MACHINE_RESULTS, PERSON_RESULTS
from partyline.telnyx import requests, responses
from partyline.telnyx.webhooks import WEBHOOK_TYPES
from tests.drift.shapes import Field, Shape, shape_of

REQUESTS: dict[str, Any] = {
    "POST /calls": requests.DialRequest,
    "answer": requests.AnswerRequest,
    "hangup": requests.HangUpRequest,
    "ai_assistant_start": requests.StartAssistantRequest,
    "ai_assistant_join": requests.JoinAssistantRequest,
    "ai_assistant_stop": requests.StopAssistantRequest,
    "ai_assistant_add_messages": requests.AddMessagesRequest,
    "bridge": requests.BridgeRequest,
    "POST /conferences": requests.CreateConferenceRequest,
    "conferences/{id}/actions/join": requests.JoinConferenceRequest,
    "conferences/{id}/actions/leave": requests.LeaveConferenceRequest,
    "gather_using_speak": requests.GatherUsingSpeakRequest,
    "speak": requests.SpeakRequest,
    "playback_start": requests.PlaybackStartRequest,
    "playback_stop": requests.PlaybackStopRequest,
}

ANSWERS: dict[str, Any] = {
    "POST /calls": responses.Dialed,
    "ai_assistant_start": responses.AssistantConversation,
    "ai_assistant_join": responses.AssistantConversation,
    "POST /conferences": responses.ConferenceMade,
    "GET /calls/{id}": responses.Call,
    "GET /connections/{id}/active_calls": responses.ActiveCall,
    "GET /call_events": responses.CallEvent,
    "GET /ai/conversations": responses.AiConversation,
    "GET /ai/conversations/{id}/conversations-insights": responses.ConversationInsights,
}

COMPARED_VALUES: dict[tuple[str, str], frozenset[str]] = {
    ("call.machine.*", "payload.result"): MACHINE_RESULTS | PERSON_RESULTS,
    ("call.gather.ended", "payload.status"): frozenset(
        {*KEY_PRESSED_STATUSES, "call_hangup", "timeout", "cancelled", "cancelled_amd"}
    ),
    ("call.playback.ended", "payload.status"): UNPLAYABLE,
    ("call.hangup", "payload.hangup_cause"): frozenset(
        {*TELNYX_CAUSES, *GENERIC_CAUSES} - {"normal_unspecified"}
    ),
    ("call.initiated", "payload.direction"): frozenset({"incoming"}),
}
"""The values of a webhook's field with which our code compares, by event type and path."""


def webhook_shapes() -> dict[str, Shape]:
    """Return the fields that we read of each webhook's `data`, by event type."""
    shapes = {}
    for event_type, webhook in WEBHOOK_TYPES.items():
        shape = shape_of(webhook.event)
        del shape["attempt"]  # a field of `meta`, which the official client does not type
        # An event of another type is an UnknownEvent.
        shape["event_type"] = Field({f"={event_type}"}, required=False)
        shapes[event_type] = shape
    return shapes
