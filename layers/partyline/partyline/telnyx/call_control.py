"""Telnyx's commands and queries for calls and assistants, a method for each."""

import re
from collections.abc import Iterable
from typing import Any, TypeVar
from urllib.parse import quote

from partyline.telnyx import requests
from partyline.telnyx.client import TelnyxClient
from partyline.telnyx.errors import WebhookUrlsRefusedError
from partyline.telnyx.lenient import Received, as_object, objects
from partyline.telnyx.requests import GatherUsingSpeakRequest
from partyline.telnyx.responses import (
    ActiveCall,
    AiConversation,
    AssistantConversation,
    Call,
    ConversationInsights,
    Dialed,
)

# The fields whose keys are event types. Telnyx refuses some event types there.
BY_EVENT_TYPE = ("webhook_urls", "webhook_retries_policies")
# Whether Telnyx accepts event types with this prefix is not documented.
UNSURE_PREFIX = "call.conversation"
PAGE_SIZE = "250"

R = TypeVar("R", bound=Received)


class CallControl:
    """Commands and queries for calls and assistants. Every method may raise a TelnyxError.

    After Telnyx has refused an event type in `webhook_urls`, this object no longer sends that event
    type: its webhooks then go to `webhook_url`.
    """

    def __init__(self, client: TelnyxClient) -> None:
        self._client = client
        self._refused_event_types: set[str] = set()

    def dial(self, request: requests.DialRequest) -> Dialed:
        """Call a number. Telnyx API: POST /calls."""
        return _read(Dialed, self._post_with_targets("/calls", request))

    def answer(self, call_control_id: str, request: requests.AnswerRequest) -> None:
        """Pick up an incoming leg."""
        self._post_with_targets(_action(call_control_id, "answer"), request)

    def hang_up(self, call_control_id: str, request: requests.HangUpRequest) -> None:
        """End a leg. CallEndedError means that the leg was over already."""
        self._command(call_control_id, "hangup", request)

    def start_assistant(
        self, call_control_id: str, request: requests.StartAssistantRequest
    ) -> AssistantConversation:
        """Put the assistant on an answered leg."""
        answer = self._command(call_control_id, "ai_assistant_start", request)
        return _read(AssistantConversation, answer)

    def join_assistant(
        self, call_control_id: str, request: requests.JoinAssistantRequest
    ) -> AssistantConversation:
        """Let an answered leg, `call_control_id`, join a running conversation."""
        answer = self._command(call_control_id, "ai_assistant_join", request)
        return _read(AssistantConversation, answer)

    def stop_assistant(self, call_control_id: str, request: requests.StopAssistantRequest) -> None:
        """Take the assistant off. The leg stays up."""
        self._command(call_control_id, "ai_assistant_stop", request)

    def add_messages(self, call_control_id: str, request: requests.AddMessagesRequest) -> None:
        """Put messages into the running conversation."""
        self._command(call_control_id, "ai_assistant_add_messages", request)

    def gather_using_speak(self, call_control_id: str, request: GatherUsingSpeakRequest) -> None:
        """Say a text and wait for keys. The keys come with call.gather.ended."""
        self._command(call_control_id, "gather_using_speak", request)

    def retrieve_call(self, call_control_id: str) -> Call:
        """Return a leg. Telnyx API: GET /calls/{id}; CallEndedError some time after its end."""
        return _read(Call, self._client.request("GET", _call(call_control_id)))

    def list_active_calls(self, connection_id: str, limit_pages: int = 5) -> list[ActiveCall]:
        """Return the legs that are up on a connection. GET /connections/{id}/active_calls.

        Follows the cursor for at most `limit_pages` pages of 250.
        """
        path = f"/connections/{_segment(connection_id)}/active_calls"
        calls: list[ActiveCall] = []
        params = {"page[limit]": PAGE_SIZE}
        for _ in range(limit_pages):
            page = self._client.document("GET", path, params=params)
            calls += [ActiveCall.model_validate(row) for row in objects(page.get("data"))]
            after = as_object(as_object(page.get("meta")).get("cursors")).get("after")
            if not after or after == params.get("page[after]"):
                break
            params = {**params, "page[after]": str(after)}
        return calls

    def list_ai_conversations(self, call_control_id: str, limit: int = 2) -> list[AiConversation]:
        """Return the conversations begun on a leg, newest first. Telnyx API: GET /ai/conversations.

        Freshness is not documented: right after a start the row may be missing.
        """
        params = {
            "metadata->call_control_id": f"eq.{call_control_id}",
            "order": "created_at.desc",
            "limit": str(limit),
        }
        rows = objects(self._client.request("GET", "/ai/conversations", params=params))
        conversations = [AiConversation.model_validate(row) for row in rows]
        # Rows of other calls have been seen in such answers.
        return [
            conversation
            for conversation in conversations
            if as_object(conversation.metadata).get("call_control_id") == call_control_id
        ]

    def list_conversation_insights(self, conversation_id: str) -> list[ConversationInsights]:
        """Return a conversation's insights, a row for each run.

        Telnyx API: GET /ai/conversations/{id}/conversations-insights.
        """
        path = f"/ai/conversations/{_segment(conversation_id)}/conversations-insights"
        rows = objects(self._client.request("GET", path))
        return [ConversationInsights.model_validate(row) for row in rows]

    def _command(self, call_control_id: str, action: str, request: requests.Command) -> Any:
        path = _action(call_control_id, action)
        return self._client.request("POST", path, json=request.body())

    def _post_with_targets(self, path: str, request: requests.WebhookTargets) -> Any:
        """Send a request; if Telnyx refuses event types (90057), send again with fewer.

        The second request omits the event types that Telnyx names, or else the unsure event types.
        The third omits all: a call with all its webhooks at the same URL is better than no call.
        """
        for to_leave_out in (_named_or_unsure, lambda _error, sent: sent):
            body = self._without_refused(request.body())
            try:
                return self._client.request("POST", path, json=body)
            except WebhookUrlsRefusedError as error:
                sent = {event_type for field in BY_EVENT_TYPE for event_type in body.get(field, ())}
                if not sent:
                    raise
                self._refused_event_types |= to_leave_out(error, sent)
        return self._client.request("POST", path, json=self._without_refused(request.body()))

    def _without_refused(self, body: dict[str, Any]) -> dict[str, Any]:
        for field in BY_EVENT_TYPE:
            if field in body:
                refused, by_type = self._refused_event_types, body[field].items()
                kept = {name: value for name, value in by_type if name not in refused}
                body = {**body, field: kept}
        return {name: value for name, value in body.items() if value or name not in BY_EVENT_TYPE}


def _named_or_unsure(error: WebhookUrlsRefusedError, sent: set[str]) -> set[str]:
    """Return the event types in the refusal's pointers, else in its texts, else the unsure ones."""
    in_pointers = _mentioned((problem.pointer for problem in error.problems), sent)
    in_texts = _mentioned((problem.detail for problem in error.problems), sent)
    unsure = {event_type for event_type in sent if event_type.startswith(UNSURE_PREFIX)}
    return in_pointers or in_texts or unsure or sent


def _mentioned(texts: Iterable[str], sent: set[str]) -> set[str]:
    words = {word for text in texts for word in re.findall(r"[a-z_]+(?:\.[a-z_]+)+", text)}
    return words & sent


def _segment(value: str) -> str:
    """Percent-encode an id as a segment of a path: `v3:...` becomes `v3%3A...`."""
    if not value.strip("."):
        raise ValueError("an id in a path is not empty and not only dots")
    return quote(value, safe="")


def _call(call_control_id: str) -> str:
    return f"/calls/{_segment(call_control_id)}"


def _action(call_control_id: str, action: str) -> str:
    return f"{_call(call_control_id)}/actions/{action}"


def _read(answer: type[R], data: object) -> R:
    return answer.model_validate(as_object(data))
