"""Quotas and the count of open conversations, on every engine."""

from datetime import timedelta

import pytest

from partyline.domain.model.statuses import ConversationStatus
from partyline.store import ConversationStore, DedupeRecord, QuotaCharge, keys
from partyline.store.errors import AlreadyProcessedError, QuotaExceededError, VersionConflictError
from tests.contract.test_store import NOW, begun, moved, spoken, with_status

KEY = keys.dials("ops", NOW)
LATER = NOW + timedelta(hours=1)


def charge(units: int, most: int = 5) -> QuotaCharge:
    return QuotaCharge(KEY, units, most, LATER)


def counted(store: ConversationStore) -> int:
    row = store.table.find([KEY]).get(KEY)
    return int(row["units"]["N"]) if row else 0


def test_charges_add_up_until_the_quota_is_used(store: ConversationStore) -> None:
    store.commit(None, begun("c-1"), charges=[charge(3)])
    store.commit(None, begun("c-2"), charges=[charge(2)])
    with pytest.raises(QuotaExceededError):
        store.commit(None, begun("c-3"), charges=[charge(1)])
    assert store.load("c-3") is None
    assert counted(store) == 5


def test_one_charge_may_use_the_whole_quota(store: ConversationStore) -> None:
    store.commit(None, begun("c-1"), charges=[charge(5)])
    assert counted(store) == 5


def test_every_key_and_every_minute_has_its_own_quota(store: ConversationStore) -> None:
    others = [keys.dials("dev", NOW), keys.dials("ops", NOW + timedelta(minutes=1))]
    for nth, key in enumerate([KEY, *others]):
        store.commit(None, begun(f"c-{nth}"), charges=[QuotaCharge(key, 5, 5, LATER)])
    assert keys.dials("ops", NOW + timedelta(seconds=59)) == KEY


def test_a_counter_has_an_expiry_time(store: ConversationStore) -> None:
    store.commit(None, begun(), charges=[charge(1)])
    row = store.table.find([KEY])[KEY]
    assert int(row["expires_at"]["N"]) == int(LATER.timestamp())


def test_a_duplicate_over_the_quota_counts_as_a_duplicate(store: ConversationStore) -> None:
    dedupe = DedupeRecord(keys.request("key"), "hash-1")
    first = store.commit(None, begun(), dedupe, charges=[charge(5)])
    with pytest.raises(AlreadyProcessedError):
        store.commit(first, spoken(first), dedupe, charges=[charge(1)])
    assert counted(store) == 5


def test_a_stale_step_over_the_quota_counts_as_a_version_conflict(store: ConversationStore) -> None:
    store.commit(None, begun(), charges=[charge(5)])
    with pytest.raises(VersionConflictError):
        store.commit(None, begun(), charges=[charge(1)])


def test_a_step_that_fails_is_not_charged(store: ConversationStore) -> None:
    first = store.commit(None, begun())
    store.commit(first, spoken(first))
    with pytest.raises(VersionConflictError):
        store.commit(first, spoken(first), charges=[charge(1)])
    assert counted(store) == 0


def test_open_conversations_are_counted_and_finished_ones_are_not(store: ConversationStore) -> None:
    for nth, status in enumerate(ConversationStatus):
        with_status(store, f"c-{nth}", status)
    assert store.count_open(10) == 3  # connecting, active, stopping
    moved(store, "c-1", ConversationStatus.ENDED)
    assert store.count_open(10) == 2


def test_the_count_stops_at_its_limit(store: ConversationStore) -> None:
    for nth in range(4):
        with_status(store, f"c-{nth}", ConversationStatus.ACTIVE)
    assert store.count_open(3) == 3
