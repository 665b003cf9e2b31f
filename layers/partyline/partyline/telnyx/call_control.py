"""Telnyx's commands and queries for calls and assistants, a method for each."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Literal, TypeVar
from urllib.parse import quote

from partyline.telnyx import requests
from partyline.telnyx.client import TelnyxClient
from partyline.telnyx.errors import NoResponseError, WebhookUrlsRefusedError
from partyline.telnyx.lenient import Received, as_object, objects
from partyline.telnyx.payloads import MessageRow
from partyline.telnyx.requests import GatherUsingSpeakRequest
from partyline.telnyx.responses import (
    ActiveCall,
    AiConversation,
    AssistantConversation,
    Call,
    CallEvent,
    ConferenceMade,
    ConversationInsights,
    Dialed,
)
from partyline.telnyx.webhook_urls import Form, WebhookUrls

PAGE_SIZE = "250"

MESSAGE_PAGE_SIZE, MAX_MESSAGE_PAGES = 100, 25
"""The largest page of messages that Telnyx gives, and the most pages that are read."""

Names = tuple[str | None, str | None, str | None]  # the ids and the client_state of a listed call


class RepeatedPageError(NoResponseError):
    """The cursor of a list leads to a page that was read before, or to no further call."""


R = TypeVar("R", bound=Received)


class CallControl:
    """Commands and queries for calls and assistants. Every method may raise a TelnyxError.

    `webhook_urls` is the first form of that field. After a WebhookUrlsRefusedError, this object
    sends another form.
    """

    def __init__(self, client: TelnyxClient, webhook_urls: str = "list") -> None:
        self._client = client
        self._webhook_urls = WebhookUrls(webhook_urls)

    @property
    def webhook_form(self) -> Form:
        """The form in which the next request has `webhook_urls`."""
        return self._webhook_urls.form

    def dial(self, request: requests.DialRequest) -> Dialed:
        """Call a number. Telnyx API: POST /calls."""
        return _read(Dialed, self._post_with_targets("/calls", request))

    def answer(self, call_control_id: str, request: requests.AnswerRequest) -> None:
        """Pick up an incoming leg."""
        self._post_with_targets(_action(call_control_id, "answer"), request)

    def reject(self, call_control_id: str, request: requests.RejectRequest) -> None:
        """Refuse an incoming leg that was not answered."""
        self._command(call_control_id, "reject", request)

    def hang_up(self, call_control_id: str, request: requests.HangUpRequest) -> None:
        """End a leg. CallEndedError means that the leg was over already."""
        self._command(call_control_id, "hangup", request)

    def start_assistant(
        self, call_control_id: str, request: requests.StartAssistantRequest, answer_secs: float
    ) -> AssistantConversation:
        """Put the assistant on an answered leg.

        Waits `answer_secs` for the answer. Without an answer the request is not repeated, because
        `call.conversation.created` tells whether the assistant runs.
        """
        answer = self._command(call_control_id, "ai_assistant_start", request, answer_secs)
        return _read(AssistantConversation, answer)

    def join_assistant(
        self, call_control_id: str, request: requests.JoinAssistantRequest
    ) -> AssistantConversation:
        """Let an answered leg, `request.participant.id`, join a running conversation.

        `call_control_id` is the leg of the path: the joining leg, or the assistant's leg.
        """
        answer = self._command(call_control_id, "ai_assistant_join", request)
        return _read(AssistantConversation, answer)

    def stop_assistant(self, call_control_id: str, request: requests.StopAssistantRequest) -> None:
        """Take the assistant off. The leg stays up."""
        self._command(call_control_id, "ai_assistant_stop", request)

    def add_messages(self, call_control_id: str, request: requests.AddMessagesRequest) -> None:
        """Put messages into the running conversation."""
        self._command(call_control_id, "ai_assistant_add_messages", request)

    def bridge(self, call_control_id: str, request: requests.BridgeRequest) -> None:
        """Connect a leg to another leg. `call.bridged` follows for each leg."""
        self._command(call_control_id, "bridge", request)

    def create_conference(self, request: requests.CreateConferenceRequest) -> ConferenceMade:
        """Make a conference with a leg. Telnyx API: POST /conferences."""
        answer = self._client.request("POST", "/conferences", json=request.body())
        return _read(ConferenceMade, answer)

    def join_conference(self, conference: str, request: requests.JoinConferenceRequest) -> None:
        """Put a leg into a conference, which an id or a name names."""
        self._client.request("POST", _in_conference(conference, "join"), json=request.body())

    def leave_conference(self, conference: str, request: requests.LeaveConferenceRequest) -> None:
        """Take a leg out of a conference. The leg stays up."""
        self._client.request("POST", _in_conference(conference, "leave"), json=request.body())

    def gather_using_speak(self, call_control_id: str, request: GatherUsingSpeakRequest) -> None:
        """Say a text and wait for keys. The keys come with call.gather.ended."""
        self._command(call_control_id, "gather_using_speak", request)

    def speak(self, call_control_id: str, request: requests.SpeakRequest) -> None:
        """Say a sentence. The end comes with call.speak.ended."""
        self._command(call_control_id, "speak", request)

    def start_playback(self, call_control_id: str, request: requests.PlaybackStartRequest) -> None:
        """Play an audio file. The end comes with call.playback.ended."""
        self._command(call_control_id, "playback_start", request)

    def stop_playback(self, call_control_id: str, request: requests.PlaybackStopRequest) -> None:
        """End a sentence or an audio file that plays on a leg."""
        self._command(call_control_id, "playback_stop", request)

    def retrieve_call(self, call_control_id: str) -> Call:
        """Return a leg. Telnyx API: GET /calls/{id}; UnknownCallError 10 minutes after its end.

        An answer that does not say whether the leg is up counts as no answer.
        """
        call = _read(Call, self._client.request("GET", _call(call_control_id)))
        if call.is_alive is None:
            raise NoResponseError("the answer does not say whether the call is up")
        return call

    def list_active_calls(self, connection_id: str, limit_pages: int = 5) -> list[ActiveCall]:
        """Return the legs that are up on a connection. GET /connections/{id}/active_calls.

        Follows the cursor for at most `limit_pages` pages of 250.
        """
        calls: list[ActiveCall] = []
        try:
            for page in islice(self.active_call_pages(connection_id), limit_pages):
                calls += (call for call in page if call.call_control_id or call.client_state)
        except RepeatedPageError:
            pass
        return calls

    def active_call_pages(self, connection_id: str) -> Iterator[list[ActiveCall]]:
        """Return the same legs, page by page, by the cursor of each page (Telnyx API: page[after]).

        A row that cannot be read is a leg without an id. Raises a NoResponseError when a page is
        missing: the list is then not complete.
        """
        path = f"/connections/{_segment(connection_id)}/active_calls"
        params, seen, listed = {"page[limit]": PAGE_SIZE}, set[str](), set[Names]()
        while True:
            page = self._client.document("GET", path, params=params)
            rows = page.get("data")
            if not isinstance(rows, list):
                raise NoResponseError("the answer has no list")
            calls = [_read(ActiveCall, row) for row in rows]
            yield calls
            meta = page.get("meta")
            after = as_object(as_object(meta).get("cursors")).get("after")
            if not after and len(calls) >= int(PAGE_SIZE) and not isinstance(meta, dict):
                raise NoResponseError("a full page does not say whether a page follows")
            if not after:
                return
            names = {(call.call_control_id, call.call_leg_id, call.client_state) for call in calls}
            if str(after) in seen or names <= listed:
                raise RepeatedPageError("the cursor of a page repeats, or leads nowhere")
            seen.add(str(after))
            listed |= names
            params = {**params, "page[after]": str(after)}

    def list_call_events(
        self,
        call_control_id: str,
        call_leg_id: str | None,
        type_: Literal["command", "webhook"] = "command",
        limit: int = 100,
    ) -> list[CallEvent]:
        """Return the commands, or the webhooks, of a leg. Telnyx API: GET /call_events.

        The description has the filter by `leg_id`. The filter by `call_control_id` has been used on
        live calls; Telnyx ignores an unknown filter, and then returns the events of other legs.
        """
        name, value = (
            ("leg_id", call_leg_id) if call_leg_id else ("call_control_id", call_control_id)
        )
        params = {f"filter[{name}]": value, "filter[type]": type_, "page[size]": str(limit)}
        rows = objects(self._client.request("GET", "/call_events", params=params))
        return [CallEvent.model_validate(row) for row in rows]

    def list_ai_conversations(self, call_control_id: str, limit: int = 2) -> list[AiConversation]:
        """Return the conversations begun on a leg, newest first. Telnyx API: GET /ai/conversations.

        Freshness is not documented: right after a start the row may be missing.
        """
        params = {
            "metadata->call_control_id": f"eq.{call_control_id}",
            "order": "created_at.desc",
            "limit": str(limit),
        }
        rows = _rows(self._client.document("GET", "/ai/conversations", params=params).get("data"))
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

    def delete_ai_conversation(self, conversation_id: str) -> None:
        """Delete a conversation with its messages. Telnyx API: DELETE /ai/conversations/{id}.

        The description has a 200 without a body, and a 404 for an unknown conversation. The client
        cannot read such a 200, so it repeats the request: the 404 then proves the deletion.
        """
        self._client.request("DELETE", f"/ai/conversations/{_segment(conversation_id)}")

    def list_conversation_messages(self, conversation_id: str) -> list[MessageRow]:
        """Return a conversation's messages, the oldest first, from `MAX_MESSAGE_PAGES` at most.

        Telnyx API: GET /ai/conversations/{id}/messages, which does not document the order. Raises a
        NoResponseError when a page has no list.
        """
        path = f"/ai/conversations/{_segment(conversation_id)}/messages"
        messages = list[MessageRow]()
        for number in range(1, MAX_MESSAGE_PAGES + 1):
            params = {"page[size]": str(MESSAGE_PAGE_SIZE), "page[number]": str(number)}
            page = self._client.document("GET", path, params=params)
            rows = _rows(page.get("data"))
            messages += [MessageRow.model_validate(row) for row in rows]
            total = as_object(page.get("meta")).get("total_pages")
            last = number >= total if isinstance(total, int) else len(rows) < MESSAGE_PAGE_SIZE
            if last or not rows:
                break
        return _oldest_first(messages)

    def _command(
        self,
        call_control_id: str,
        action: str,
        request: requests.Command,
        answer_secs: float | None = None,
    ) -> Any:
        path = _action(call_control_id, action)
        return self._client.request("POST", path, json=request.body(), answer_secs=answer_secs)

    def _post_with_targets(self, path: str, request: requests.WebhookTargets) -> Any:
        step, body = self._webhook_urls.step, self._webhook_urls.shaped(request.body())
        try:
            return self._client.request("POST", path, json=body)
        except WebhookUrlsRefusedError as error:
            self._webhook_urls.note_refusal(error, body, step)
            raise


def _segment(value: str) -> str:
    """Percent-encode an id as a segment of a path: `v3:...` becomes `v3%3A...`."""
    if not value.strip("."):
        raise ValueError("an id in a path is not empty and not only dots")
    return quote(value, safe="")


def _call(call_control_id: str) -> str:
    return f"/calls/{_segment(call_control_id)}"


def _action(call_control_id: str, action: str) -> str:
    return f"{_call(call_control_id)}/actions/{action}"


def _in_conference(conference: str, action: str) -> str:
    return f"/conferences/{_segment(conference)}/actions/{action}"


def _rows(data: object) -> list[dict[str, Any]]:
    """Return the rows of a list. An answer without a list counts as no answer, not as no rows."""
    if not isinstance(data, list):
        raise NoResponseError("the answer has no list")
    return objects(data)


def _oldest_first(messages: list[MessageRow]) -> list[MessageRow]:
    times = [message.created_at for message in messages]
    first, last = (times[0], times[-1]) if times else (None, None)
    return messages[::-1] if first and last and first > last else messages


def _read(answer: type[R], data: object) -> R:
    return answer.model_validate(as_object(data))
