"""The records of steps, on every engine: written with the step or not at all, read in order."""

import json

import pytest

from partyline.store import ConversationStore, keys, steps
from partyline.store.errors import InvalidCursorError, VersionConflictError
from tests.contract.test_store import begun, spoken


def record(text: str) -> str:
    return json.dumps({"text": text}, ensure_ascii=False)


def test_a_long_record_is_read_whole(store: ConversationStore) -> None:
    first = store.commit(None, begun(), record=record("short"))
    store.commit(first, spoken(first), record=record("ü" * 200_000))
    page = store.steps(first.id)
    assert [json.loads(text) for text in page.items] == [
        {"version": 1, "text": "short"},
        {"version": 2, "text": "ü" * 200_000},
    ]
    assert page.next_cursor is None


def test_a_step_that_fails_leaves_no_record(store: ConversationStore) -> None:
    first = store.commit(None, begun(), record=record("first"))
    store.commit(first, spoken(first), record=record("second"))
    with pytest.raises(VersionConflictError):
        store.commit(first, spoken(first), record=record("too late"))
    assert [json.loads(text)["text"] for text in store.steps(first.id).items] == ["first", "second"]


def test_a_step_without_a_record_leaves_a_gap(store: ConversationStore) -> None:
    first = store.commit(None, begun())
    store.commit(first, spoken(first), record=record("second"))
    assert [json.loads(text)["version"] for text in store.steps(first.id).items] == [2]


def test_pages_follow_each_other(store: ConversationStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "MAX_PAGE_BYTES", 60)
    conversation = store.commit(None, begun(), record=record("1"))
    for number in range(2, 8):
        conversation = store.commit(conversation, spoken(conversation), record=record(str(number)))
    read, cursor, pages = list[str](), None, 0
    while pages == 0 or cursor:
        page = store.steps(conversation.id, cursor)
        read += [json.loads(text)["text"] for text in page.items]
        cursor, pages = page.next_cursor, pages + 1
    assert read == ["1", "2", "3", "4", "5", "6", "7"]
    assert pages > 2


def test_the_cursor_of_a_timeline_is_no_cursor_of_steps(store: ConversationStore) -> None:
    first = store.commit(None, begun(), record=record("1"))
    store.commit(first, spoken(first), record=record("2"))
    cursor = store.timeline(first.id, limit=1).next_cursor
    with pytest.raises(InvalidCursorError):
        store.steps(first.id, cursor)


def test_records_are_no_insights_and_no_events(store: ConversationStore) -> None:
    first = store.commit(None, begun(), record=record("1"))
    found = store.load_with_insights(first.id)
    assert found is not None
    assert found[1] == []
    assert [event.seq for event in store.timeline(first.id).items] == [1, 2, 3]
    assert keys.step("c", 12, 3) == ("CONVERSATION#c", "STEP#000012#003")
