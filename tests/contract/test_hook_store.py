"""The contract of hooks and their deliveries, on every engine."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from local.stack.template import Template
from partyline.domain.model.events import HookChanged
from partyline.domain.model.hooks import Delivery, DeliveryStatus, Hook, HookSecret
from partyline.store.errors import InvalidCursorError, TooManyConflictsError
from partyline.store.hooks import HookStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NOW = datetime(2036, 11, 22, 9, 0, tzinfo=UTC)
CHANGED = HookChanged(hook_id="crm", hook_change="put", key_id="ops")


@pytest.fixture
def store(dynamodb: "DynamoDBClient", template: Template) -> HookStore:
    return HookStore(dynamodb, template.table.name)


def hook(hook_id: str = "crm", version: int = 0) -> Hook:
    return Hook(
        id=hook_id,
        url="https://hooks.example.com/",
        secrets=[HookSecret(nonce="n")],
        created_at=NOW,
        changed_at=NOW,
        changed_by="ops",
        version=version,
    )


def delivery(nth: int) -> Delivery:
    return Delivery(
        event_id=f"msg_c-1_{nth}",
        type="conversation.ended",
        occurred_at=NOW + timedelta(seconds=nth),
        conversation_id="c-1",
        seq=nth,
        since=NOW,
    )


def test_hooks_are_stored_by_their_ids(store: HookStore) -> None:
    for hook_id in ("b", "a", "c"):
        store.save(hook(hook_id), CHANGED, NOW, f"r-{hook_id}")
    assert [stored.id for stored in store.all()] == ["a", "b", "c"]
    assert store.get("a") == hook("a", version=1)
    store.delete(hook("a", version=1), CHANGED, NOW, "r-2")
    assert store.get("a") is None


def test_an_older_version_overwrites_and_deletes_nothing(store: HookStore) -> None:
    store.save(hook(), CHANGED, NOW, "r-1")
    store.save(hook(version=1), None, NOW, "")
    for outdated in (hook(), hook(version=1)):
        with pytest.raises(TooManyConflictsError):
            store.save(outdated, CHANGED, NOW, "r-2")
    with pytest.raises(TooManyConflictsError):
        store.delete(hook(version=1), CHANGED, NOW, "r-2")
    assert store.get("crm") == hook(version=2)


def test_a_delivery_is_added_once(store: HookStore) -> None:
    first = delivery(1)
    assert store.add_delivery("crm", first) == first
    tried = first.model_copy(update={"status": DeliveryStatus.RETRYING, "attempts": 1})
    assert store.update_delivery("crm", tried)
    assert store.add_delivery("crm", first) == tried
    assert store.add_delivery("other", first) == first


def test_an_attempt_of_an_earlier_series_changes_no_delivery(store: HookStore) -> None:
    first = delivery(1)
    store.add_delivery("crm", first)
    anew = first.begun_again(NOW + timedelta(seconds=1))
    store.begin_series("crm", anew)
    assert not store.update_delivery("crm", first.model_copy(update={"attempts": 1}))
    assert store.add_delivery("crm", first) == anew
    assert not store.update_delivery("crm", delivery(2)), "there is no such row"


def test_deliveries_are_listed_newest_first_and_replayed_oldest_first(store: HookStore) -> None:
    for nth in range(7):
        store.add_delivery("crm", delivery(nth))
    store.add_delivery("other", delivery(99))
    listed, cursor = [], None
    while True:
        page = store.deliveries("crm", 3, cursor)
        assert 0 < len(page.items) <= 3
        listed += [shown.seq for shown in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert listed == [6, 5, 4, 3, 2, 1, 0]
    assert store.deliveries("crm", 7, None).next_cursor is None
    begin, end = NOW + timedelta(seconds=2), NOW + timedelta(seconds=6)
    first = store.deliveries_between("crm", begin, end, 3, None)
    rest = store.deliveries_between("crm", begin, end, 3, first.next_cursor)
    assert [shown.seq for shown in (*first.items, *rest.items)] == [2, 3, 4, 5]
    assert rest.next_cursor is None
    assert store.deliveries_between("crm", end, begin, 3, None).items == []
    with pytest.raises(InvalidCursorError):
        store.deliveries("other", 3, first.next_cursor)


def test_an_attempt_loads_its_rows_together(store: HookStore) -> None:
    rows = store.load("crm", NOW, "msg_c-1_1", ("c-1", 1))
    assert (rows.hook, rows.delivery, rows.detail) == (None, None, None)
    inline = delivery(1).model_copy(
        update={"conversation_id": "", "detail": {"type": "route.changed"}}
    )
    store.save(hook(), CHANGED, NOW, "r-1")
    store.add_delivery("crm", inline)
    rows = store.load("crm", inline.occurred_at, inline.event_id, None)
    assert rows.hook == hook(version=1)
    assert rows.delivery == inline
    assert rows.detail == {"type": "route.changed"}
