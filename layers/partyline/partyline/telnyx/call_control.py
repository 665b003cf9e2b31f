"""Telnyx's actions, one method each."""

import re
from collections.abc import Iterable
from typing import Any, TypeVar
from urllib.parse import quote

from partyline.telnyx.client import TelnyxClient
from partyline.telnyx.errors import WebhookUrlsRefusedError
from partyline.telnyx.lenient import Received, as_object, objects
from partyline.telnyx.requests import (
    ActiveCall,
    AddMessagesRequest,
    AiConversation,
    AnswerRequest,
    AssistantJoined,
    AssistantStarted,
    Call,
    Command,
    ConversationInsights,
    Dialed,
    DialRequest,
    Done,
    GatherUsingSpeakRequest,
    HangUpRequest,
    JoinAssistantRequest,
    StartAssistantRequest,
    StopAssistantRequest,
    WebhookTargets,
)

# Keyed by event type, and refused for an event type that Telnyx does not take there.
BY_EVENT_TYPE = ("webhook_urls", "webhook_retries_policies")
# Whether Telnyx takes these is not documented.
UNSURE_PREFIX = "call.conversation"
PAGE_SIZE = "250"

R = TypeVar("R", bound=Received)


class CallControl:
    """What can be done with calls and assistants. Every method may raise a TelnyxError.

    An event type that Telnyx refuses in `webhook_urls` is left out from then on, for as long as
    this object lives: its webhooks then go to `webhook_url`.
    """

    def __init__(self, client: TelnyxClient) -> None:
        self._client = client
        self._refused_event_types: set[str] = set()

    def dial(self, request: DialRequest) -> Dialed:
        """Call someone. Telnyx API: POST /calls."""
        return _read(Dialed, self._post_with_targets("/calls", request))

    def answer(self, call_control_id: str, request: AnswerRequest) -> Done:
        """Pick up an incoming leg."""
        path = _action(call_control_id, "answer")
        return _read(Done, self._post_with_targets(path, request))

    def hang_up(self, call_control_id: str, request: HangUpRequest) -> Done:
        """End a leg. CallEnded means that it was over already."""
        return self._command(Done, call_control_id, "hangup", request)

    def start_assistant(
        self, call_control_id: str, request: StartAssistantRequest
    ) -> AssistantStarted:
        """Put the assistant on an answered leg."""
        return self._command(AssistantStarted, call_control_id, "ai_assistant_start", request)

    def join_assistant(
        self, call_control_id: str, request: JoinAssistantRequest
    ) -> AssistantJoined:
        """Let an answered leg into a running conversation; `call_control_id` is that leg's own."""
        return self._command(AssistantJoined, call_control_id, "ai_assistant_join", request)

    def stop_assistant(self, call_control_id: str, request: StopAssistantRequest) -> Done:
        """Take the assistant off. The leg stays up."""
        return self._command(Done, call_control_id, "ai_assistant_stop", request)

    def add_messages(self, call_control_id: str, request: AddMessagesRequest) -> Done:
        """Put messages into the running conversation."""
        return self._command(Done, call_control_id, "ai_assistant_add_messages", request)

    def gather_using_speak(self, call_control_id: str, request: GatherUsingSpeakRequest) -> Done:
        """Say something and wait for keys; they come as call.gather.ended."""
        return self._command(Done, call_control_id, "gather_using_speak", request)

    def retrieve_call(self, call_control_id: str) -> Call:
        """Look at one leg. Telnyx API: GET /calls/{id}; CallEnded some time after its end."""
        return _read(Call, self._client.request("GET", _call(call_control_id)))

    def list_active_calls(self, connection_id: str, limit_pages: int = 5) -> list[ActiveCall]:
        """The legs that are up on a connection. Telnyx API: GET /connections/{id}/active_calls.

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
        """The conversations begun on a leg, newest first. Telnyx API: GET /ai/conversations.

        Freshness is not documented: right after a start the row may be missing.
        """
        params = {
            "metadata->call_control_id": f"eq.{call_control_id}",
            "order": "created_at.desc",
            "limit": str(limit),
        }
        rows = objects(self._client.request("GET", "/ai/conversations", params=params))
        found = [AiConversation.model_validate(row) for row in rows]
        # Rows of other calls have been seen in such answers.
        return [
            each
            for each in found
            if as_object(each.metadata).get("call_control_id") == call_control_id
        ]

    def list_conversation_insights(self, conversation_id: str) -> list[ConversationInsights]:
        """A conversation's insights, one row a run of them.

        Telnyx API: GET /ai/conversations/{id}/conversations-insights.
        """
        path = f"/ai/conversations/{_segment(conversation_id)}/conversations-insights"
        rows = objects(self._client.request("GET", path))
        return [ConversationInsights.model_validate(row) for row in rows]

    def _command(self, answer: type[R], call_control_id: str, action: str, request: Command) -> R:
        path = _action(call_control_id, action)
        return _read(answer, self._client.request("POST", path, json=request.body()))

    def _post_with_targets(self, path: str, request: WebhookTargets) -> Any:
        """Send; when event types are refused (90057), send again without them.

        First without those that Telnyx names, or else the unsure ones; if that is refused too,
        without any, because a call with all its webhooks on one URL beats no call.
        """
        for to_leave_out in (_named_or_unsure, _all):
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
                kept = {
                    event_type: value
                    for event_type, value in body[field].items()
                    if event_type not in self._refused_event_types
                }
                body = {**body, field: kept}
        return {name: value for name, value in body.items() if value or name not in BY_EVENT_TYPE}


def _named_or_unsure(error: WebhookUrlsRefusedError, sent: set[str]) -> set[str]:
    """The event types the refusal points at, or else its words name, or else the unsure ones."""
    pointed = _mentioned((problem.pointer for problem in error.problems), sent)
    worded = _mentioned((problem.detail for problem in error.problems), sent)
    unsure = {event_type for event_type in sent if event_type.startswith(UNSURE_PREFIX)}
    return pointed or worded or unsure or sent


def _all(_error: WebhookUrlsRefusedError, sent: set[str]) -> set[str]:
    return sent


def _mentioned(texts: Iterable[str], sent: set[str]) -> set[str]:
    words = {word for text in texts for word in re.findall(r"[a-z_]+(?:\.[a-z_]+)+", text)}
    return words & sent


def _segment(value: str) -> str:
    """An id as one segment of a path: real ones look like `v3:...`, which becomes `v3%3A...`."""
    if not value.strip("."):
        raise ValueError("an id in a path is not empty and not only dots")
    return quote(value, safe="")


def _call(call_control_id: str) -> str:
    return f"/calls/{_segment(call_control_id)}"


def _action(call_control_id: str, action: str) -> str:
    return f"{_call(call_control_id)}/actions/{action}"


def _read(answer: type[R], data: object) -> R:
    return answer.model_validate(as_object(data))
