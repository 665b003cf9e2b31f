"""The official client's types of the requests, webhooks and answers that we use."""

from typing import Any, get_args

import telnyx
from telnyx.types.ai.conversation_list_response import ConversationListResponse
from telnyx.types.ai.conversation_retrieve_conversations_insights_response import (
    ConversationRetrieveConversationsInsightsResponse,
)
from telnyx.types.call_dial_params import CallDialParams
from telnyx.types.call_dial_response import CallDialResponse
from telnyx.types.call_event_list_response import CallEventListResponse
from telnyx.types.call_retrieve_status_response import CallRetrieveStatusResponse
from telnyx.types.calls.action_add_ai_assistant_messages_params import (
    ActionAddAIAssistantMessagesParams,
)
from telnyx.types.calls.action_answer_params import ActionAnswerParams
from telnyx.types.calls.action_bridge_params import ActionBridgeParams
from telnyx.types.calls.action_gather_using_speak_params import ActionGatherUsingSpeakParams
from telnyx.types.calls.action_hangup_params import ActionHangupParams
from telnyx.types.calls.action_join_ai_assistant_params import ActionJoinAIAssistantParams
from telnyx.types.calls.action_join_ai_assistant_response import ActionJoinAIAssistantResponse
from telnyx.types.calls.action_speak_params import ActionSpeakParams
from telnyx.types.calls.action_start_ai_assistant_params import ActionStartAIAssistantParams
from telnyx.types.calls.action_start_ai_assistant_response import ActionStartAIAssistantResponse
from telnyx.types.calls.action_start_playback_params import ActionStartPlaybackParams
from telnyx.types.calls.action_stop_ai_assistant_params import ActionStopAIAssistantParams
from telnyx.types.calls.action_stop_playback_params import ActionStopPlaybackParams
from telnyx.types.conference_create_params import ConferenceCreateParams
from telnyx.types.conference_create_response import ConferenceCreateResponse
from telnyx.types.conferences.action_join_params import ActionJoinParams as ConferenceJoinParams
from telnyx.types.conferences.action_leave_params import ActionLeaveParams as ConferenceLeaveParams
from telnyx.types.connection_list_active_calls_response import ConnectionListActiveCallsResponse
from telnyx.types.unsafe_unwrap_webhook_event import UnsafeUnwrapWebhookEvent

from tests.drift.shapes import Shape, shape_of

VERSION: str = telnyx.__version__

REQUESTS: dict[str, Any] = {
    "POST /calls": CallDialParams,
    "answer": ActionAnswerParams,
    "hangup": ActionHangupParams,
    "ai_assistant_start": ActionStartAIAssistantParams,
    "ai_assistant_join": ActionJoinAIAssistantParams,
    "ai_assistant_stop": ActionStopAIAssistantParams,
    "ai_assistant_add_messages": ActionAddAIAssistantMessagesParams,
    "bridge": ActionBridgeParams,
    "POST /conferences": ConferenceCreateParams,
    "conferences/{id}/actions/join": ConferenceJoinParams,
    "conferences/{id}/actions/leave": ConferenceLeaveParams,
    "gather_using_speak": ActionGatherUsingSpeakParams,
    "speak": ActionSpeakParams,
    "playback_start": ActionStartPlaybackParams,
    "playback_stop": ActionStopPlaybackParams,
}
"""The type of each request's body, by the last part of its path."""

ANSWERS: dict[str, Any] = {
    "POST /calls": CallDialResponse,
    "ai_assistant_start": ActionStartAIAssistantResponse,
    "ai_assistant_join": ActionJoinAIAssistantResponse,
    "POST /conferences": ConferenceCreateResponse,
    "GET /calls/{id}": CallRetrieveStatusResponse,
    "GET /connections/{id}/active_calls": ConnectionListActiveCallsResponse,
    "GET /call_events": CallEventListResponse,
    "GET /ai/conversations": ConversationListResponse,
    "GET /ai/conversations/{id}/conversations-insights": (
        ConversationRetrieveConversationsInsightsResponse
    ),
}
"""The type of each answer. The type of a list is that of the whole answer, or of a row."""


VOICE = ("=call.", "=conference.")
"""The beginnings of the event types that we may read."""


def answer_shape(name: str) -> Shape:
    """Return the fields of the answer's `data`, or of a row of the answer's list."""
    shape = shape_of(ANSWERS[name])
    for prefix in ("data[].", "data."):
        inner = {p.removeprefix(prefix): f for p, f in shape.items() if p.startswith(prefix)}
        if inner:
            return inner
    return shape


def webhook_shapes() -> dict[str, Shape]:
    """Return the fields of each voice webhook's `data`, by event type."""
    shapes = {}
    for event in get_args(UnsafeUnwrapWebhookEvent):
        shape = shape_of(event)
        kinds = shape["data.event_type"].kinds if "data.event_type" in shape else set()
        event_types = [kind.removeprefix("=") for kind in kinds if kind.startswith(VOICE)]
        data = {p.removeprefix("data."): f for p, f in shape.items() if p.startswith("data.")}
        shapes.update(dict.fromkeys(event_types, data))
    return shapes
