"""The contract of scheduled conversations, on every engine: added once, moved once."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from local.stack.template import Template
from partyline.store import DedupeRecord, keys
from partyline.store.errors import AlreadyProcessedError, VersionConflictError
from partyline.store.scheduled import ScheduledConversation, ScheduledConversations, ScheduleStatus
from tests.contract.test_store import NOW, Contended

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DEDUPE = DedupeRecord(keys.request("key"), "hash-1")


@pytest.fixture
def schedules(dynamodb: "DynamoDBClient", template: Template) -> ScheduledConversations:
    return ScheduledConversations(dynamodb, template.table.name)


def asked(name: str = "c-1", to: str = "+13125550101") -> ScheduledConversation:
    """A conversation that starts in an hour."""
    return ScheduledConversation(
        id=name,
        start_at=NOW + timedelta(hours=1),
        created_at=NOW,
        body={"to": to},
        key_id="ops",
        fingerprint="f-1",
        base_url="https://partyline.example",
    )


def test_a_schedule_is_read_as_it_was_added(schedules: ScheduledConversations) -> None:
    assert schedules.get("c-1") is None
    schedules.add(asked(), DEDUPE)
    assert schedules.get("c-1") == asked()


def test_a_schedule_outlives_its_start_by_a_week(
    schedules: ScheduledConversations, dynamodb: "DynamoDBClient", template: Template
) -> None:
    """The table deletes a row after the row's `expires_at`."""
    schedules.add(asked(), None)
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
    schedules.add(asked(), None)
    with pytest.raises(VersionConflictError):
        schedules.add(asked(to="+13125550102"), None)
    with pytest.raises(VersionConflictError):
        schedules.add(asked(to="+13125550102"), DEDUPE)
    assert schedules.get("c-1") == asked()


def test_a_request_adds_one_schedule(schedules: ScheduledConversations) -> None:
    schedules.add(asked(), DEDUPE)
    for name in ("c-1", "c-2"):
        with pytest.raises(AlreadyProcessedError) as known:
            schedules.add(asked(name), DedupeRecord(DEDUPE.key, "hash-2"))
        assert known.value.request_hash == "hash-1"
    assert schedules.get("c-2") is None


@pytest.mark.parametrize("dedupe", [None, DEDUPE])
def test_a_conflicting_transaction_is_a_version_conflict(
    template: Template, dedupe: DedupeRecord | None
) -> None:
    contended: DynamoDBClient = Contended()  # type: ignore[assignment]
    with pytest.raises(VersionConflictError):
        ScheduledConversations(contended, template.table.name).add(asked(), dedupe)


def test_of_a_cancel_and_a_start_at_once_one_wins(
    schedules: ScheduledConversations,
) -> None:
    schedules.add(asked(), None)
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
