"""The contract of scheduled conversations, on every engine: added once, moved once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest

from local.stack.memory_table import MemoryTable
from local.stack.template import Template
from partyline.domain.model.events import EventType
from partyline.domain.model.stored import Failure
from partyline.store import ConversationStore, DedupeRecord, keys
from partyline.store.errors import (
    AlreadyProcessedError,
    InvalidCursorError,
    QuotaExceededError,
    TooManyConflictsError,
    VersionConflictError,
)
from partyline.store.open_counts import OPEN_API
from partyline.store.pages import Page
from partyline.store.scheduled import ScheduledConversation, ScheduledConversations, ScheduleStatus
from tests.contract.test_store import NOW, Contended

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOST = 100  # open bookings of a key
DEDUPE = DedupeRecord(keys.request("key"), "hash-1")


@pytest.fixture
def schedules(dynamodb: "DynamoDBClient", template: Template) -> ScheduledConversations:
    return ScheduledConversations(dynamodb, template.table.name)


def asked(
    name: str = "c-1", to: str = "+13125550101", key_id: str = "ops", at: int = 0
) -> ScheduledConversation:
    """A conversation that starts in an hour, booked `at` seconds after `NOW`."""
    return ScheduledConversation(
        id=name,
        start_at=NOW + timedelta(hours=1),
        created_at=NOW + timedelta(seconds=at),
        body={"to": to},
        key_id=key_id,
        by_key=True,
        fingerprint="f-1",
        base_url="https://partyline.example",
    )


def test_a_schedule_is_read_as_it_was_added(schedules: ScheduledConversations) -> None:
    assert schedules.get("c-1") is None
    schedules.add(asked(), DEDUPE, MOST)
    assert schedules.get("c-1") == asked()


def test_a_schedule_outlives_its_start_by_a_week(
    schedules: ScheduledConversations, dynamodb: "DynamoDBClient", template: Template
) -> None:
    """The table deletes a row after the row's `expires_at`."""
    schedules.add(asked(), None, MOST)
    for status in (ScheduleStatus.STARTING, ScheduleStatus.FAILED):
        pk, sk = keys.schedule("c-1")
        key = {"pk": {"S": pk}, "sk": {"S": sk}}
        row = dynamodb.get_item(TableName=template.table.name, Key=key)["Item"]
        expires_at = datetime.fromtimestamp(int(row["expires_at"]["N"]), UTC)
        assert expires_at == asked().start_at + timedelta(days=7)
        read = schedules.get("c-1")
        assert read is not None
        schedules.move(read, status)


def test_a_conversation_has_one_schedule(schedules: ScheduledConversations) -> None:
    schedules.add(asked(), None, MOST)
    with pytest.raises(VersionConflictError):
        schedules.add(asked(to="+13125550102"), None, MOST)
    with pytest.raises(VersionConflictError):
        schedules.add(asked(to="+13125550102"), DEDUPE, MOST)
    assert schedules.get("c-1") == asked()


def test_a_request_adds_one_schedule(schedules: ScheduledConversations) -> None:
    schedules.add(asked(), DEDUPE, MOST)
    for name in ("c-1", "c-2"):
        with pytest.raises(AlreadyProcessedError) as known:
            schedules.add(asked(name), DedupeRecord(DEDUPE.key, "hash-2"), MOST)
        assert known.value.request_hash == "hash-1"
    assert schedules.get("c-2") is None


@pytest.mark.parametrize("dedupe", [None, DEDUPE])
def test_a_transaction_that_always_conflicts_adds_no_booking(
    template: Template, dedupe: DedupeRecord | None
) -> None:
    contended: DynamoDBClient = Contended()  # type: ignore[assignment]
    with pytest.raises(TooManyConflictsError):
        ScheduledConversations(contended, template.table.name).add(asked(), dedupe, MOST)


def test_of_a_cancel_and_a_start_at_once_one_wins(
    schedules: ScheduledConversations,
) -> None:
    schedules.add(asked(), None, MOST)
    read = schedules.get("c-1")
    assert read is not None
    cancelled = schedules.move(read, ScheduleStatus.CANCELLED)
    with pytest.raises(VersionConflictError):
        schedules.move(read, ScheduleStatus.STARTING)
    assert schedules.get("c-1") == cancelled
    assert cancelled.status is ScheduleStatus.CANCELLED


def test_a_schedule_that_does_not_exist_cannot_be_moved(schedules: ScheduledConversations) -> None:
    with pytest.raises(VersionConflictError):
        schedules.move(asked(), ScheduleStatus.STARTING)
    assert schedules.get("c-1") is None


def ids(page: Page[ScheduledConversation]) -> list[str]:
    return [booking.id for booking in page.items]


def test_open_bookings_are_listed_newest_first_and_by_key(
    schedules: ScheduledConversations,
) -> None:
    for nth in range(5):
        schedules.add(asked(f"c-{nth}", key_id="ops" if nth % 2 else "crm", at=nth), None, MOST)
    first = schedules.list_newest(2)
    assert ids(first) == ["c-4", "c-3"]
    second = schedules.list_newest(2, first.next_cursor)
    third = schedules.list_newest(2, second.next_cursor)
    assert (ids(second), ids(third), third.next_cursor) == (["c-2", "c-1"], ["c-0"], None)
    assert ids(schedules.list_of_key("ops", 5)) == ["c-3", "c-1"]
    page = schedules.list_of_key("crm", 2)
    assert ids(schedules.list_of_key("crm", 2, page.next_cursor)) == ["c-0"]
    assert (ids(schedules.list_of_key("op", 5)), ids(schedules.list_of_key("", 5))) == ([], [])
    with pytest.raises(InvalidCursorError):
        schedules.list_newest(2, page.next_cursor)
    with pytest.raises(InvalidCursorError):
        schedules.list_of_key("ops", 2, page.next_cursor)


def test_a_burst_of_bookings_does_not_pass_the_limit_of_a_key(template: Template) -> None:
    """Each request sees room before any other request has written its booking."""
    table: Any = MemoryTable(template.table.create)
    schedules = ScheduledConversations(table, template.table.name)
    ready = Barrier(8)

    def book(nth: int) -> bool:
        assert schedules.has_room("ops", 3, NOW)
        ready.wait()
        try:
            schedules.add(asked(f"c-{nth}"), None, 3)
        except QuotaExceededError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(book, range(8))) == 3
    assert not schedules.has_room("ops", 3, NOW)


def test_each_key_has_a_limit_of_its_own(schedules: ScheduledConversations) -> None:
    schedules.add(asked(), None, 1)
    with pytest.raises(QuotaExceededError):
        schedules.add(asked("c-2"), None, 1)
    assert schedules.get("c-2") is None
    schedules.add(asked("c-3", key_id="crm"), None, 1)


def test_a_repeated_request_counts_no_second_booking(schedules: ScheduledConversations) -> None:
    schedules.add(asked(), DEDUPE, 2)
    for _ in range(3):
        with pytest.raises(AlreadyProcessedError):
            schedules.add(asked("c-2"), DEDUPE, 2)
        with pytest.raises(VersionConflictError):
            schedules.add(asked(), None, 2)
    schedules.add(asked("c-3"), None, 2)


def test_a_full_counter_that_lost_a_booking_is_corrected_after_a_minute(
    schedules: ScheduledConversations, dynamodb: "DynamoDBClient", template: Template
) -> None:
    """The row of a booking that was never called at its time expires without a move."""
    for name in ("c-1", "c-2"):
        schedules.add(asked(name), None, 2)
    pk, sk = keys.schedule("c-1")
    dynamodb.delete_item(TableName=template.table.name, Key={"pk": {"S": pk}, "sk": {"S": sk}})
    assert not schedules.has_room("ops", 2, NOW + timedelta(seconds=59))
    assert schedules.has_room("ops", 2, NOW + timedelta(seconds=60))
    schedules.add(asked("c-3", at=60), None, 2)
    assert not schedules.has_room("ops", 2, NOW + timedelta(hours=1))


@pytest.mark.parametrize("status", [s for s in ScheduleStatus if s is not ScheduleStatus.SCHEDULED])
def test_a_booking_that_has_moved_is_neither_listed_nor_counted(
    schedules: ScheduledConversations, status: ScheduleStatus
) -> None:
    schedules.add(asked(), None, MOST)
    with pytest.raises(QuotaExceededError):
        schedules.add(asked("c-2"), None, 1)
    schedules.move(asked(), status)
    assert (ids(schedules.list_newest(5)), ids(schedules.list_of_key("ops", 5))) == ([], [])
    schedules.add(asked("c-2"), None, 1)


def test_bookings_are_no_conversations(
    schedules: ScheduledConversations, dynamodb: "DynamoDBClient", template: Template
) -> None:
    schedules.add(asked(), None, MOST)
    store = ConversationStore(dynamodb, template.table.name)
    assert (store.open_counts.count_in_index(OPEN_API), list(store.list_newest(None, 5).items)) == (
        0,
        [],
    )


def test_a_booking_that_fails_for_good_has_an_event(
    schedules: ScheduledConversations, dynamodb: "DynamoDBClient", template: Template
) -> None:
    schedules.add(asked(), None, MOST)
    failure = Failure(code="key_revoked", message="No key.")
    failed = schedules.fail(asked(), failure, NOW, "schedule-c-1")
    schedules.add(asked("c-2"), None, 1)
    assert schedules.get("c-1") == failed
    assert (failed.status, failed.failure) == (ScheduleStatus.FAILED, failure)
    [event] = ConversationStore(dynamodb, template.table.name).timeline("c-1").items
    assert (event.type, event.data["failure"]) == (
        EventType.CONVERSATION_FAILED,
        failure.model_dump(),
    )
    with pytest.raises(VersionConflictError):
        schedules.fail(asked(), failure, NOW, "again")
