"""The transcript has each message once, in order: live by differences, and whole after the end."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from local.stack.memory_table import MAX_ITEM_BYTES, size_of
from partyline.domain.model.inputs import ConversationEnded, TranscriptUpdated
from partyline.domain.model.results import Refused, Succeeded
from partyline.domain.model.statuses import OnHangup
from partyline.domain.model.transcript import Source, ToolCall, TranscriptMessage, TranscriptPart
from partyline.domain.rules import transcripts
from partyline.domain.rules.compact import document_bytes
from partyline.store.transcripts import transcript_puts
from tests.support.domain_story import (
    T0,
    TELNYX_ID,
    Story,
    active_story,
    call_ref,
    start_request,
    turns,
)

SECOND_ID = "telnyx-conversation-2"


def live_story(**host: Any) -> Story:
    """The host speaks with the assistant, and the conversation asks for a live transcript."""
    story = Story()
    request = start_request()
    story.receive(replace(request, host=replace(request.host, **host), live_transcript=True))
    story.succeed("dial:host:1")
    story.answer()
    story.succeed("start:host:1")
    return story


def turn(
    story: Story,
    *texts: str,
    source: Source = "history",
    at: float | None = None,
    messages: tuple[TranscriptMessage, ...] | None = None,
    **fields: Any,
) -> None:
    """A webhook brings these messages, which were true at `at` seconds."""
    occurred_at = None if at is None else T0 + timedelta(seconds=at)
    said = turns(*texts) if messages is None else messages
    call = fields.pop("call", call_ref())
    update = TranscriptUpdated(
        id="", call=call, source=source, messages=said, occurred_at=occurred_at, **fields
    )
    story.receive(update)


def end(
    story: Story,
    *texts: str,
    telnyx_id: str | None = TELNYX_ID,
    messages: tuple[TranscriptMessage, ...] | None = None,
    on: str = "host",
) -> None:
    """The end of the assistant's conversation brings these messages."""
    said = turns(*texts) if messages is None else messages
    story.receive(
        ConversationEnded(id="", call=call_ref(on), telnyx_conversation_id=telnyx_id, messages=said)
    )


def read(parts: list[TranscriptPart], run: int = 0) -> list[TranscriptMessage]:
    """Return the messages of a run, as a reader puts the parts together."""
    messages: list[TranscriptMessage] = []
    for part in sorted(parts, key=lambda part: (part.generation, part.first)):
        if part.run == run:
            messages[part.first :] = part.messages
    return messages


def words(story: Story, run: int = 0) -> list[str | None]:
    return [message.text for message in read(story.parts, run)]


def events(story: Story, name: str) -> list[dict[str, Any]]:
    return [event.data for event in story.events if event.type.value == name]


def ready(story: Story) -> list[dict[str, Any]]:
    return events(story, "transcript.ready")


# While the assistant runs


def test_each_turn_stores_the_new_messages_only() -> None:
    story = live_story()
    turn(story, "Hello", at=1)
    turn(story, "Hello", "Hi", "How can I help?", at=2)
    assert [(part.first, len(part.messages)) for part in story.parts] == [(0, 1), (1, 2)]
    assert words(story) == ["Hello", "Hi", "How can I help?"]
    first, second = events(story, "transcript.updated")
    assert (first["run"], first["first"], first["count"]) == (0, 0, 1)
    assert (second["first"], second["count"]) == (1, 3)
    assert [message["text"] for message in second["messages"]] == ["Hi", "How can I help?"]
    assert {message.at for message in story.parts[1].messages} == {T0 + timedelta(seconds=2)}


def test_a_conversation_that_does_not_ask_for_a_live_transcript_stores_nothing_before_the_end() -> (
    None
):
    story = active_story()
    before = story.state
    turn(story, "Hello", at=1)
    assert (story.parts, story.state) == ([], before)


def test_a_lost_webhook_is_made_good_by_the_next() -> None:
    story = live_story()
    turn(story, "Hello", at=1)
    turn(story, "Hello", "Hi", "How can I help?", "Dana, please", at=4)
    assert words(story) == ["Hello", "Hi", "How can I help?", "Dana, please"]


@pytest.mark.parametrize("at", [1, 2, 3, None])
def test_a_late_or_doubled_webhook_changes_nothing(at: float | None) -> None:
    story = live_story()
    turn(story, "Hello", "Hi", "Bye", at=3)
    before = story.state
    turn(story, "Hello", "Hi", at=at)
    turn(story, "Hello", "Hi", "Bye", at=at)
    assert story.state == before


@pytest.mark.parametrize("at", [2, 3, None])
def test_a_late_webhook_with_a_sentence_that_was_interrupted_since_changes_nothing(
    at: float | None,
) -> None:
    story = live_story()
    turn(story, "Hello, how", "Wait", at=3)
    turn(story, "Hello, how can I help?", at=at)
    assert words(story) == ["Hello, how", "Wait"]


def test_an_interrupted_sentence_replaces_what_the_assistant_meant_to_say() -> None:
    story = live_story()
    turn(story, "Hello", "Hi", "Our hours are from nine to five", at=2)
    turn(story, "Hello", "Hi", "Our hours", "And on Sundays?", at=3)
    assert words(story) == ["Hello", "Hi", "Our hours", "And on Sundays?"]
    newest = story.parts[-1]
    assert (newest.generation, newest.first, len(newest.messages)) == (1, 2, 2)
    assert events(story, "transcript.updated")[-1]["first"] == 2


def test_messages_without_spoken_words_are_no_part_of_the_live_transcript() -> None:
    story = live_story()
    told = TranscriptMessage(role="system", text="Dana has joined.")
    turn(story, messages=(*turns("Hello"), told, *turns("Hi")), at=1)
    assert words(story) == ["Hello", "Hi"]


@pytest.mark.parametrize("whole", [True, False])
def test_added_messages_may_be_the_whole_conversation_or_only_the_new(whole: bool) -> None:
    story = live_story()
    said = turns("Hello", "Yes", "Really?", "Yes", "Good")
    for nth in range(1, 6):
        turn(story, messages=said[:nth] if whole else said[nth - 1 : nth], source="added", at=nth)
    assert words(story) == ["Hello", "Yes", "Really?", "Yes", "Good"]


def test_a_doubled_webhook_with_only_the_new_messages_counts_once() -> None:
    story = live_story()
    for _ in range(2):
        turn(story, "Hello", source="added", at=1)
    for _ in range(2):
        turn(story, messages=turns("Hello", "Hi")[1:], source="added", at=2)
    assert words(story) == ["Hello", "Hi"]


def test_a_doubled_webhook_with_only_the_new_messages_counts_once_after_newer_messages() -> None:
    story = live_story()
    said = turns("Hello", "Hi", "Bye")
    for nth in (0, 1, 2, 0, 1):
        turn(story, messages=said[nth : nth + 1], source="added", at=nth + 1)
    assert words(story) == ["Hello", "Hi", "Bye"]


def test_a_word_that_is_said_twice_is_no_doubled_webhook() -> None:
    story = live_story()
    hello, yes = turns("Hello", "Yes")
    for nth, said in enumerate((hello, yes, yes)):
        turn(story, messages=(said,), source="added", at=nth + 1)
    assert words(story) == ["Hello", "Yes", "Yes"]


def test_late_messages_are_added_and_are_not_the_newest() -> None:
    """Telnyx's list is whole with the newest message, though a late message was stored last."""
    story = live_story()
    said = turns("Hello", "Hi", "Bye", "Goodbye")
    for nth in (0, 1, 3, 2):
        turn(story, messages=said[nth : nth + 1], source="added", at=nth + 1)
    assert words(story) == ["Hello", "Hi", "Goodbye", "Bye"]
    story.hang_up()
    end(story, "Hello", "Goodbye")
    assert story.state.transcript_is_final
    assert words(story) == ["Hello", "Goodbye"]


@pytest.mark.parametrize("at", [2, 3])
def test_added_messages_count_no_more_once_the_whole_history_comes(at: float) -> None:
    story = live_story()
    turn(story, messages=turns("Hello"), source="added", at=1)
    turn(story, "Hello", "Hi", at=2)
    turn(story, messages=turns("Hello", "Hi")[1:], source="added", at=at)
    assert words(story) == ["Hello", "Hi"]


def test_a_webhook_of_another_call_or_from_before_the_start_is_not_of_the_run() -> None:
    story = live_story()
    turn(story, "Other", call=call_ref("dana"), at=1)
    turn(story, "Other", telnyx_conversation_id="another", at=1)
    turn(story, "Earlier", at=-1)
    turn(story, "At the start, which Telnyx carries out later", at=0)
    assert story.parts == []
    turn(story, "Hello", at=1)
    assert words(story) == ["Hello"]


# The end


def test_the_end_brings_the_whole_transcript_and_nothing_is_fetched() -> None:
    story = live_story()
    turn(story, "Hello", "Hi", at=2)
    story.hang_up()
    assert not story.state.transcript_is_final
    call = ToolCall(id="1", function="invite", arguments="{}")
    said = (
        *turns("Hello", "Hi"),
        TranscriptMessage(role="assistant", text=None, tool_calls=(call,), at=T0),
        TranscriptMessage(role="tool", text="done", tool_call_id="1"),
        *turns("Bye"),
    )
    end(story, messages=said)
    assert read(story.parts) == list(said)
    assert story.state.transcript_is_final
    assert ready(story) == [{"count": 5, "runs": 1, "complete": True}]
    assert story.advance(60) == ["fetch_insights"]
    turn(story, "Hello", "Hi", "late", at=9)
    assert read(story.parts) == list(said)


BY_THE_CALLER_ALONE = (TranscriptMessage(role="user", text="Hi"),)
REDACTED = (
    TranscriptMessage(role="assistant", text=None, at=T0),
    TranscriptMessage(role="user", text=None, at=T0),
)


@pytest.mark.parametrize(
    "messages",
    [(), BY_THE_CALLER_ALONE, REDACTED, (*turns("Hello", "Hi"), *REDACTED), turns("Hello")],
)
def test_an_end_that_is_lost_cut_or_redacted_is_made_good_by_a_fetch(
    messages: tuple[TranscriptMessage, ...],
) -> None:
    story = active_story()
    story.hang_up()
    end(story, messages=messages)
    assert not story.state.transcript_is_final
    assert story.advance(60) == ["fetch_insights", "fetch_transcript"]
    story.transcript_found("Hello", "Hi", "Bye")
    assert words(story) == ["Hello", "Hi", "Bye"]
    assert ready(story) == [{"count": 3, "runs": 1, "complete": True}]


def test_a_doubled_end_that_is_not_whole_is_stored_once() -> None:
    story = active_story()
    for _ in range(2):
        end(story, "Hello")
    assert len(story.parts) == 1


def test_the_end_of_an_unknown_conversation_brings_no_messages() -> None:
    story = active_story()
    end(story, "Hello", "Hi", telnyx_id="another")
    assert story.parts == []


def test_an_end_with_fewer_words_than_were_heard_is_not_whole() -> None:
    story = live_story()
    turn(story, "Hello", "Hi", "Dana?", "Yes", at=2)
    story.hang_up()
    end(story, "Hello", "Hi")
    assert words(story) == ["Hello", "Hi", "Dana?", "Yes"]
    story.advance(60)
    story.transcript_found("Hello", "Hi", "Dana?", "Yes", "Bye")
    assert words(story) == ["Hello", "Hi", "Dana?", "Yes", "Bye"]


@pytest.mark.parametrize(("newest", "final"), [("No, wait", True), ("No", False)])
def test_a_sentence_that_came_whole_and_then_cut_counts_once_at_the_end(
    newest: str, final: bool
) -> None:
    """Telnyx's list has fewer messages than are stored. It is whole with the newest of them."""
    story = live_story()
    turn(story, "Hello, how can I help?", source="added", at=1)
    turn(story, "Hello, how ", "No, wait", source="added", at=2)
    assert words(story) == ["Hello, how can I help?", "Hello, how ", "No, wait"]
    story.hang_up()
    end(story, "Hello, how ", newest)
    assert story.state.transcript_is_final is final
    assert (words(story) == ["Hello, how ", newest]) is final


def test_messages_are_fetched_one_three_and_seven_minutes_after_the_end() -> None:
    story = live_story()
    turn(story, "Hello", "Hi", at=2)
    story.hang_up()
    ended_at, minutes = story.now, []
    while story.state.transcript.poll_at:
        due: datetime = story.state.transcript.poll_at
        minutes.append((due - ended_at).total_seconds() / 60)
        assert "fetch_transcript" in story.advance((due - story.now).total_seconds())
        assert not story.state.transcript_is_final, "the fetch is under way"
        story.transcript_found()
    assert minutes == [1, 3, 7]
    assert ready(story) == [{"count": 2, "runs": 1, "complete": False}]


def test_a_fetch_that_telnyx_refuses_is_given_up() -> None:
    story = active_story()
    story.hang_up()
    for secs in (60, 120, 240):
        story.advance(secs)
        story.result("fetch_transcript", Refused(code="10005", message="No."))
    assert story.state.transcript_is_final
    assert ready(story) == [{"count": 0, "runs": 0, "complete": False}]


def test_a_transcript_that_is_complete_is_ready_once() -> None:
    story = active_story()
    end(story, "Hello", "Hi")
    story.hang_up()
    end(story, "Hello", "Hi")
    story.advance(60)
    story.transcript_found("Hello", "Hi")
    assert ready(story) == [{"count": 2, "runs": 1, "complete": True}]


def test_a_conversation_whose_assistant_never_ran_has_no_transcript() -> None:
    story = Story()
    story.start()
    story.refuse("dial:host:1")
    assert story.state.transcript_is_final
    assert ready(story) == []


def test_a_transcript_of_a_conversation_that_runs_is_not_final() -> None:
    story = active_story()
    assert not story.state.transcript_is_final


# Several runs


def restarted_story() -> Story:
    """The host has left, and the assistant runs again on Dana's call."""
    story = live_story(on_hangup=OnHangup.CONTINUE)
    story.invite()
    story.succeed("dial:dana:1")
    story.answer("dana")
    story.succeed("join:dana:1")
    turn(story, "Hello", "Hi", at=1)
    story.hang_up("host")
    story.now += timedelta(seconds=20)
    return story


def test_each_run_has_its_messages() -> None:
    story = restarted_story()
    end(story, "Hello", "Hi", "Bye")
    story.result("start:dana:1", Succeeded(telnyx_conversation_id=SECOND_ID))
    turn(story, "Hello again", at=30, call=call_ref("dana"))
    turn(story, "Hello", "Hi", "Bye", at=15)
    assert (words(story, 0), words(story, 1)) == (["Hello", "Hi", "Bye"], ["Hello again"])
    story.hang_up("dana")
    end(story, "Hello again", "Bye", telnyx_id=SECOND_ID, on="dana")
    assert words(story, 1) == ["Hello again", "Bye"]
    assert ready(story) == [{"count": 5, "runs": 2, "complete": True}]


def test_a_webhook_of_the_call_of_an_earlier_run_is_not_of_the_newest_run() -> None:
    story = restarted_story()
    story.assistant_ended()
    story.result("start:dana:1", Succeeded(telnyx_conversation_id=SECOND_ID))
    turn(story, "Late", at=30, call=call_ref("host"))
    assert words(story, 1) == []


def test_a_run_whose_end_was_lost_is_fetched_after_the_end_of_the_conversation() -> None:
    story = restarted_story()
    story.assistant_ended()
    story.result("start:dana:1", Succeeded(telnyx_conversation_id=SECOND_ID))
    story.hang_up("dana")
    end(story, "Hello again", "Bye", telnyx_id=SECOND_ID, on="dana")
    assert "fetch_transcript" in story.advance(60)
    story.transcript_found("Hello", "Hi", "Bye")
    assert (words(story, 0), words(story, 1)) == (["Hello", "Hi", "Bye"], ["Hello again", "Bye"])
    assert ready(story) == [{"count": 5, "runs": 2, "complete": True}]


def test_an_end_without_an_id_says_nothing_of_the_second_of_two_runs() -> None:
    story = restarted_story()
    story.assistant_ended()
    story.result("start:dana:1", Succeeded(telnyx_conversation_id=SECOND_ID))
    story.hang_up("dana")
    end(story, "Hello", "Hi", "Bye", telnyx_id=None)
    assert (words(story, 0), words(story, 1)) == (["Hello", "Hi"], [])


def test_an_end_that_ends_our_assistant_on_an_attached_call_brings_its_messages_once() -> None:
    story = Story()
    story.attach()
    story.result("start:host:1", Succeeded())
    for _ in range(2):
        end(story, "Hello", "Hi", telnyx_id="learned from the end")
        assert len(story.parts) == 1


def test_an_end_without_an_id_on_an_attached_call_may_be_that_of_an_earlier_assistant() -> None:
    story = Story()
    story.attach()
    story.result("start:host:1", Succeeded(telnyx_conversation_id=TELNYX_ID))
    end(story, "Hello", "Hi", telnyx_id=None)
    assert story.parts == []


# Speakers and bounds


def test_a_speaker_whom_telnyx_names_by_an_id_or_the_id_of_a_call_is_a_participant() -> None:
    story = active_story()
    names = ("v3:nobody", call_ref().call_control_id, "host")
    said = tuple(
        replace(message, participant_id=name)
        for name, message in zip(names, turns("Hello", "Hi", "Bye"), strict=True)
    )
    end(story, messages=said)
    assert [message.participant_id for message in read(story.parts)] == [None, "host", "host"]


def test_a_long_text_is_cut_with_its_length() -> None:
    story = active_story()
    end(story, "Hello", "x" * 20_001)
    _, long = read(story.parts)
    assert (len(str(long.text)), long.cut_from_chars) == (20_000, 20_001)


@pytest.mark.parametrize("sign", ["x", "\U0001f600", "\u0001"])
def test_a_message_with_many_calls_of_tools_fits_into_an_item(sign: str) -> None:
    name = "n" * 512
    calls = tuple(
        ToolCall(id=name, function=name, arguments=sign * 5_000 + str(nth)) for nth in range(150)
    )
    called = replace(turns("", "Hi")[1], text=sign * 30_000, tool_calls=calls, tool_call_id=name)
    story = active_story()
    end(story, messages=(*turns("Hello", "Hi"), called))
    [part] = story.parts
    rows = [put["Item"] for put in transcript_puts("c-1", [part])]
    assert max(map(size_of, rows)) <= MAX_ITEM_BYTES
    assert sum(map(size_of, rows)) <= story.state.transcript.runs[0].size + 1_000
    kept = part.messages[-1].tool_calls
    assert len(kept) == 50
    assert [len(call.arguments or "") for call in kept[:5]] == [5_001, 5_001, 5_001, 4_997, 0]


def test_a_conversation_keeps_messages_up_to_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcripts, "MAX_MESSAGES", 4)
    monkeypatch.setattr(transcripts, "MAX_TRANSCRIPT_BYTES", 1_500)
    story = live_story()
    for nth in range(1, 7):
        turn(story, *map(str, range(nth)), at=nth)
    assert words(story) == ["0", "1", "2", "3"]
    assert len(events(story, "transcript.updated")) == 4
    end(story, *("x" * 600 for _ in range(6)))
    assert words(story) == ["x" * 600] * 2
    story.hang_up()
    assert ready(story)[-1]["complete"] is False


def test_new_messages_are_kept_up_to_the_bounds_and_one_that_is_left_out_is_not_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transcripts, "MAX_MESSAGES", 3)
    monkeypatch.setattr(transcripts, "MAX_TRANSCRIPT_BYTES", 1_500)
    story = live_story()
    said = turns("Hello", "x" * 2_000, "Hi", "Bye", "late")
    for nth in range(5):
        turn(story, messages=said[nth : nth + 1], source="added", at=nth + 1)
        assert story.state.transcript.runs[0].cut is (nth > 0)
    assert words(story) == ["Hello", "Hi", "Bye"]


def test_the_runs_of_a_conversation_share_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcripts, "MAX_MESSAGES", 3)
    story = restarted_story()
    story.assistant_ended()
    story.result("start:dana:1", Succeeded(telnyx_conversation_id=SECOND_ID))
    turn(story, "Hello again", "Yes?", "Bye", at=30, call=call_ref("dana"))
    assert (words(story, 0), words(story, 1)) == (["Hello", "Hi"], ["Hello again"])


def test_an_event_has_as_many_messages_as_fit_into_the_bus() -> None:
    story = live_story()
    turn(story, *("x" * 20_000 for _ in range(10)), at=1)
    assert len(read(story.parts)) == 10
    [updated] = events(story, "transcript.updated")
    assert (len(updated["messages"]), updated["count"]) == (4, 10)


def test_the_document_stays_small_after_the_end() -> None:
    story = live_story()
    said = [str(nth) for nth in range(300)]
    turn(story, *said, at=1)
    size = document_bytes(story.state)
    end(story, *said)
    assert document_bytes(story.state) < size - 1_000
