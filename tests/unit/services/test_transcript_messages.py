"""The messages of a transcript are read from Telnyx's rows, and fetched from every page."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from partyline.domain.model.commands import Action
from partyline.domain.model.conversation import UNKNOWN_CONVERSATION_ID, Conversation
from partyline.domain.model.results import InsightsFound, Result, Retryable, TranscriptFound
from partyline.domain.model.transcript import (
    ToolCall,
    Transcript,
    TranscriptMessage,
    TranscriptRun,
)
from partyline.services.transcript_messages import messages_of
from partyline.telnyx.payloads import MessageRow
from tests.unit.services.test_command_executor import command, conversation, execute

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def read(*rows: dict[str, Any]) -> list[TranscriptMessage]:
    return list(messages_of(MessageRow.model_validate(row) for row in rows))


def test_a_row_of_the_end_is_read() -> None:
    row = {
        "role": "assistant",
        "timestamp": "2026-07-01T12:00:00Z",
        "tool_calls": [
            {"id": "1", "type": "function", "function": {"name": "invite", "arguments": "{}"}}
        ],
    }
    result = {"role": "tool", "content": "done", "tool_call_id": "1"}
    call = ToolCall(id="1", function="invite", arguments="{}")
    assert read(row, result) == [
        TranscriptMessage(role="assistant", text=None, at=NOON, tool_calls=(call,)),
        TranscriptMessage(role="tool", text="done", tool_call_id="1"),
    ]


@pytest.mark.parametrize(
    ("times", "at"),
    [
        ({"created_at": "2026-07-01T11:59:59Z", "sent_at": "2026-07-01T12:00:00Z"}, NOON),
        ({"created_at": "2026-07-01T12:00:00Z", "sent_at": None}, NOON),
        ({"sent_at": "2026-07-01T12:00:00"}, NOON),
        ({"timestamp": "yesterday"}, None),
    ],
)
def test_the_time_at_which_a_person_heard_a_message_counts_first(
    times: dict[str, Any], at: datetime | None
) -> None:
    assert read({"role": "user", "text": "Hi", **times}) == [
        TranscriptMessage(role="user", text="Hi", at=at)
    ]


@pytest.mark.parametrize("text", [None, "[REDACTED]", "<redacted>", "Redacted", "***", "*****"])
def test_a_text_that_telnyx_withholds_is_no_text(text: str | None) -> None:
    [message] = read({"role": "user", "content": text})
    assert message.is_redacted


@pytest.mark.parametrize("text", ["", "?", "...", "It was redacted.", "* * *", "**"])
def test_any_other_text_stays(text: str) -> None:
    [message] = read({"role": "user", "content": text})
    assert (message.text, message.is_redacted) == (text, False)


@pytest.mark.parametrize(
    "named",
    [
        {"participant_id": "v3:1"},
        {"metadata": {"participant_id": "v3:1"}},
        {"metadata": {"participant": {"id": "v3:1"}}},
    ],
)
def test_the_id_of_a_speaker_is_read_where_telnyx_tells(named: dict[str, Any]) -> None:
    assert read({"role": "user", "text": "Hi", **named})[0].participant_id == "v3:1"


@pytest.mark.parametrize(
    "odd",
    [
        {"metadata": [1]},
        {"metadata": {"participant_id": 7, "participant": "Dana"}},
        {"tool_calls": "none", "tool_call_id": 1},
        {"tool_calls": [{"function": "x"}]},
        {"created_at": 5, "sent_at": {}},
    ],
)
def test_odd_fields_leave_the_words(odd: dict[str, Any]) -> None:
    [message] = read({"role": "User", "text": "Hi", **odd})
    assert (message.role, message.text, message.participant_id) == ("user", "Hi", None)


def test_a_row_without_a_known_role_is_left_out() -> None:
    assert read({"role": "ghost", "text": "Boo"}, {"text": "Boo"}, {}) == []


def test_a_text_of_another_type_is_its_json() -> None:
    parts = [{"type": "text", "text": "Hi\0"}]
    [message] = read({"role": "user", "content": parts})
    assert message.text == '[{"type": "text", "text": "Hi\\u0000"}]'


def rows(count: int) -> list[dict[str, Any]]:
    """Rows of the list of a conversation's messages, a second apart."""
    return [
        {
            "role": "user" if nth % 2 else "assistant",
            "text": str(nth),
            "tool_calls": [],
            "created_at": f"2026-07-01T12:{nth // 60:02d}:{nth % 60:02d}Z",
        }
        for nth in range(count)
    ]


def fetch(about: Conversation, *pages: dict[str, Any]) -> tuple[Result, list[httpx.Request]]:
    """Fetch a transcript from these pages, the same for each run."""

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=pages[int(request.url.params["page[number]"]) - 1])

    return execute(command(Action.FETCH_TRANSCRIPT, participant_id=None, leg=None), answer, about)


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("meta", [{"meta": {"total_pages": 3}}, {}])
def test_all_pages_of_messages_are_fetched_the_oldest_first(
    meta: dict[str, Any], newest_first: bool
) -> None:
    listed = rows(250)[::-1] if newest_first else rows(250)
    pages = [{"data": listed[start : start + 100], **meta} for start in (0, 100, 200)]
    result, requests = fetch(conversation(), *pages)
    assert isinstance(result, TranscriptFound)
    [run] = result.runs
    assert run.telnyx_conversation_id == "telnyx-conversation-1"
    assert [message.text for message in run.messages] == [str(nth) for nth in range(250)]
    assert [request.url.params["page[number]"] for request in requests] == ["1", "2", "3"]
    assert {request.url.params["page[size]"] for request in requests} == {"100"}
    assert requests[0].url.path == "/v2/ai/conversations/telnyx-conversation-1/messages"


def test_a_list_without_end_is_read_to_a_bound() -> None:
    page = {"data": rows(100), "meta": {"total_pages": 10**6}}
    _, requests = fetch(conversation(), *([page] * 30))
    assert len(requests) == 25


def test_the_messages_of_the_runs_that_are_not_complete_are_fetched() -> None:
    known = {0: TranscriptRun(source="end", final=True), 2: TranscriptRun(source="history")}
    restarted = conversation(
        previous_telnyx_ids=["t-0", UNKNOWN_CONVERSATION_ID],
        telnyx_conversation_id="t-2",
        transcript=Transcript(runs=known),
    )
    _, requests = fetch(restarted, {"data": []})
    assert [request.url.path for request in requests] == ["/v2/ai/conversations/t-2/messages"]


def test_an_answer_without_a_list_of_messages_is_no_answer() -> None:
    assert isinstance(fetch(conversation(), {"data": None})[0], Retryable)


def test_a_start_asks_for_messages_at_each_turn_if_the_conversation_wants_them() -> None:
    start = command(Action.START)
    for live, asked in ((True, True), (False, None)):
        about = conversation(transcript=Transcript(live=live))
        _, [request] = execute(start, {"conversation_id": "t"}, about)
        body = httpx.Response(200, content=request.content).json()
        assert body.get("send_message_history_updates") is asked


def test_an_earlier_run_on_the_call_is_not_taken_for_the_newest() -> None:
    """The restart was withdrawn, so the newest conversation on its call is an earlier run."""
    start = command(Action.START, status="failed")
    nameless = conversation(
        telnyx_conversation_id=None, previous_telnyx_ids=["t-1"], commands={start.key: start}
    )
    row = {"id": "t-1", "metadata": {"call_control_id": start_call(nameless)}}
    looked = command(Action.FETCH_INSIGHTS, participant_id=None, leg=None)
    result, _ = execute(looked, lambda request: answer_to(request, [row]), nameless)
    assert isinstance(result, InsightsFound)
    assert result.telnyx_conversation_id is None


def start_call(about: Conversation) -> str:
    """Return the call on which the newest assistant was started."""
    assert about.started_on is not None
    return str(about.started_on[1].call_control_id)


def answer_to(request: httpx.Request, conversations: list[dict[str, Any]]) -> httpx.Response:
    """Answer a list of conversations with these, and any other list with nothing."""
    listed = conversations if request.url.path.endswith("/ai/conversations") else []
    return httpx.Response(200, json={"data": listed})
