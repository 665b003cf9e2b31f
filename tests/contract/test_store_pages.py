"""Pages of timelines and lists, on every engine: bounded by number and by size, without a gap."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from local.stack.template import Template
from partyline.domain.decide import Decision
from partyline.domain.model.events import Event, EventType
from partyline.domain.model.routes import StoredRoute
from partyline.store import ConversationStore
from partyline.store.directory import Directory
from partyline.store.pages import MAX_PAGE_BYTES
from tests.contract.test_store import ACTIVE, NOW, begun, with_status
from tests.support.changes import CHANGE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LAMBDA_ANSWER_BYTES = 6 * 2**20


def with_events(store: ConversationStore, events: int, text: str) -> int:
    """Commit `c-1` with so many events, each with a text; the number of all its events."""
    conversation = store.commit(None, begun())
    while events > 0:
        step = [
            Event(
                seq=conversation.seq + nth,
                type=EventType.MESSAGE_SENT,
                occurred_at=NOW,
                cause="request-2",
                data={"content": text},
            )
            for nth in range(1, 1 + min(events, 90, 800_000 // len(text)))
        ]
        after = conversation.model_copy(update={"seq": conversation.seq + len(step)})
        conversation = store.commit(conversation, Decision(after, step))
        events -= len(step)
    return conversation.seq


def timeline_pages(store: ConversationStore, limit: int = 1000) -> list[list[Event]]:
    pages, cursor = [], None
    while True:
        page = store.timeline("c-1", cursor, limit)
        pages.append(list(page.items))
        cursor = page.next_cursor
        if cursor is None:
            return pages


def test_a_timeline_is_read_in_pages_of_the_limit(store: ConversationStore) -> None:
    last = with_events(store, 17, "Hello.")
    pages = timeline_pages(store, limit=5)
    assert [len(page) for page in pages] == [5] * (last // 5) + [last % 5] * bool(last % 5)
    assert [event.seq for page in pages for event in page] == list(range(1, last + 1))
    assert len(timeline_pages(store, limit=last)) == 1


def test_a_timeline_has_a_thousand_events_a_page(
    ministack: "DynamoDBClient", template: Template
) -> None:
    store = ConversationStore(ministack, template.table.name)
    last = with_events(store, 1000, "Hello.")
    pages = timeline_pages(store)
    assert [len(page) for page in pages] == [1000, last - 1000]


def test_a_page_of_a_timeline_fits_into_an_answer_of_lambda(store: ConversationStore) -> None:
    """Quotation marks are the worst case: JSON within JSON has four characters for each."""
    last = with_events(store, 20, '"' * 100_000)
    pages = timeline_pages(store)
    assert [event.seq for page in pages for event in page] == list(range(1, last + 1))
    sizes = [len(json.dumps(json.dumps([event.data for event in page]))) for page in pages]
    assert MAX_PAGE_BYTES / 2 < max(sizes) < LAMBDA_ANSWER_BYTES


def test_one_event_larger_than_a_page_is_a_page(
    store: ConversationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = with_events(store, 2, "x" * 1000)
    monkeypatch.setattr("partyline.store.conversations.MAX_PAGE_BYTES", 10)
    assert [len(page) for page in timeline_pages(store)] == [1] * last


def test_the_timeline_of_an_unknown_conversation_is_empty(store: ConversationStore) -> None:
    page = store.timeline("c-2")
    assert (page.items, page.next_cursor) == ([], None)


def test_a_cursor_is_valid_for_its_own_timeline_only(store: ConversationStore) -> None:
    with_events(store, 3, "Hello.")
    cursor = store.timeline("c-1", limit=1).next_cursor
    assert cursor is not None
    assert store.timeline("c-1", cursor).items[0].seq == 2
    with_status(store, "c-2", ACTIVE)
    with_status(store, "c-3", ACTIVE, NOW + timedelta(minutes=1))
    other = store.list_newest(ACTIVE, 1).next_cursor
    for bad in ("", "x", "é", "====", cursor[:-2], cursor + "A", "\0", "YzF8", other or ""):
        with pytest.raises(ValueError, match="cursor"):
            store.timeline("c-1", bad)
    with pytest.raises(ValueError, match="cursor"):
        store.timeline("c-2", cursor)


def large(store: ConversationStore, name: str, minute: int) -> None:
    """Commit a conversation with a document of 300 KB, which is 600 KB in an answer."""
    at = NOW + timedelta(minutes=minute)
    store.commit(None, begun(name, at, metadata={"text": '"' * 150_000}))


def walked(read: Callable[[str | None], tuple[list[str], str | None]]) -> list[list[str]]:
    pages, cursor = [], None
    while True:
        names, cursor = read(cursor)
        pages.append(names)
        if cursor is None:
            return pages


def test_a_page_of_large_conversations_fits_into_an_answer_of_lambda(
    store: ConversationStore,
) -> None:
    for nth in range(20):
        large(store, f"c-{nth}", nth)

    def read(cursor: str | None) -> tuple[list[str], str | None]:
        page = store.list_newest(None, 50, cursor)
        texts = [item.model_dump_json(exclude_defaults=True) for item in page.items]
        assert len(json.dumps(texts)) < LAMBDA_ANSWER_BYTES
        return [item.id for item in page.items], page.next_cursor

    pages = walked(read)
    assert len(pages) > 1
    assert [name for page in pages for name in page] == [f"c-{nth}" for nth in reversed(range(20))]


def test_a_page_of_large_routes_fits_into_an_answer_of_lambda(
    dynamodb: "DynamoDBClient", template: Template
) -> None:
    directory = Directory(dynamodb, template.table.name)
    assistant = {"id": "assistant-1", "instructions": '"' * 90_000}
    numbers = [f"+131255501{nth:02}" for nth in range(20)]
    for number in numbers:
        directory.put_route(number, StoredRoute.model_validate({"assistant": assistant}), CHANGE)

    def read(after: str | None) -> tuple[list[str], str | None]:
        page = directory.routes(50, after)
        texts = [route.model_dump_json(exclude_unset=True) for _, route in page.items]
        assert len(json.dumps(texts)) < LAMBDA_ANSWER_BYTES
        return [number for number, _ in page.items], page.next_cursor

    pages = walked(read)
    assert len(pages) > 1
    assert [number for page in pages for number in page] == numbers
