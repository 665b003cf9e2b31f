"""The messages of a transcript, on every engine: written with the step, read in their order."""

from dataclasses import replace

import pytest

from partyline.domain.model.transcript import ToolCall, TranscriptMessage, TranscriptPart
from partyline.store import ConversationStore, transcripts
from partyline.store.errors import InvalidCursorError, VersionConflictError
from tests.contract.test_store import begun, spoken
from tests.support.domain_story import T0, turns


def part(*texts: str, run: int = 0, generation: int = 0, first: int = 0) -> TranscriptPart:
    return TranscriptPart(run=run, generation=generation, first=first, messages=turns(*texts))


def stored(store: ConversationStore, *parts: TranscriptPart) -> str:
    """Store the parts, each in a step of its own; returns the conversation's id."""
    conversation = store.commit(None, begun())
    for new in parts:
        conversation = store.commit(conversation, replace(spoken(conversation), messages=[new]))
    return conversation.id


def texts(store: ConversationStore, conversation_id: str) -> list[tuple[int, int, str | None]]:
    placed = store.transcript(conversation_id)
    return [(item.run, item.position, item.message.text) for item in placed]


def test_messages_are_read_as_they_were_written(store: ConversationStore) -> None:
    messages = (
        TranscriptMessage(
            role="assistant",
            text=None,
            at=T0,
            tool_calls=(ToolCall(id="1", function="invite", arguments='{"contact": "Dana"}'),),
        ),
        TranscriptMessage(role="tool", text="ü" * 3, tool_call_id="1", participant_id="dana"),
        TranscriptMessage(role="user", text="", cut_from_chars=7),
    )
    new = TranscriptPart(run=0, generation=0, first=0, messages=messages)
    read = store.transcript(stored(store, new))
    assert tuple(item.message for item in read) == messages


def test_a_part_replaces_the_messages_from_its_first_position_on(store: ConversationStore) -> None:
    parts = [
        part("Hello", "Hi"),
        part("Our hours are from nine", first=2),
        part("Our hours", "And on Sundays?", first=2, generation=1),
        part("No", first=4, generation=1),
        part("Hello again", run=1),
    ]
    said = ["Hello", "Hi", "Our hours", "And on Sundays?", "No"]
    expected = [(0, nth, text) for nth, text in enumerate(said)] + [(1, 0, "Hello again")]
    assert texts(store, stored(store, *parts)) == expected


def test_an_earlier_part_adds_nothing_behind_a_later_part(store: ConversationStore) -> None:
    parts = [part("Hello", "Hi"), part("Bye", first=2), part("Wait", first=1, generation=1)]
    assert texts(store, stored(store, *parts)) == [(0, 0, "Hello"), (0, 1, "Wait")]


def test_a_whole_list_replaces_all_messages(store: ConversationStore) -> None:
    parts = [part("Hello", "Hi", "Bye"), part("Hallo", "Ja", generation=1)]
    assert texts(store, stored(store, *parts)) == [(0, 0, "Hallo"), (0, 1, "Ja")]


def test_a_long_transcript_is_stored_in_one_step(store: ConversationStore) -> None:
    said = ["ü" * 20_000] * 25 + ["short"] * 1_900
    assert [text for _, _, text in texts(store, stored(store, part(*said)))] == said


def test_a_step_that_fails_leaves_no_message(store: ConversationStore) -> None:
    first = store.commit(None, begun())
    store.commit(first, replace(spoken(first), messages=[part("Hello")]))
    with pytest.raises(VersionConflictError):
        store.commit(first, replace(spoken(first), messages=[part("Too late", first=1)]))
    assert texts(store, first.id) == [(0, 0, "Hello")]


def test_messages_are_no_insights_and_no_events(store: ConversationStore) -> None:
    first = store.commit(None, replace(begun(), messages=[part("Hello")]))
    found = store.load_with_insights(first.id)
    assert found is not None
    assert found[1] == []
    assert store.timeline(first.id).items == begun().events


def test_pages_of_messages_follow_each_other(
    store: ConversationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation_id = stored(store, part("a", "b", "c"), part("d", "e", run=1))
    for most in (2, 3, 5):
        read, cursor, pages = list[str | None](), None, 0
        while pages == 0 or cursor:
            page = store.transcript_page(conversation_id, cursor, most)
            read += [item.message.text for item in page.items]
            cursor, pages = page.next_cursor, pages + 1
        assert (read, pages) == (["a", "b", "c", "d", "e"], -(-5 // most))
    monkeypatch.setattr(transcripts, "fitting", lambda _: 1)
    assert len(store.transcript_page(conversation_id, None, 5).items) == 1


def test_the_cursor_of_steps_is_no_cursor_of_messages(store: ConversationStore) -> None:
    conversation_id = stored(store, part("a", "b"))
    cursor = store.transcript_page(conversation_id, None, 1).next_cursor
    with pytest.raises(InvalidCursorError):
        store.steps(conversation_id, cursor)
    with pytest.raises(InvalidCursorError):
        store.transcript_page("c-2", cursor, 1)
