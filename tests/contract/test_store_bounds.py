"""Allowances and the count of what goes on, held against every engine that the store runs on."""

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
    row = store.find([KEY]).get(KEY)
    return int(row["units"]["N"]) if row else 0


def test_a_charge_is_taken_until_nothing_is_left(store: ConversationStore) -> None:
    store.commit(None, begun("c-1"), charge=charge(3))
    store.commit(None, begun("c-2"), charge=charge(2))
    with pytest.raises(QuotaExceededError):
        store.commit(None, begun("c-3"), charge=charge(1))
    assert store.load("c-3") is None
    assert counted(store) == 5


def test_one_charge_takes_all_there_is_and_no_more(store: ConversationStore) -> None:
    store.commit(None, begun("c-1"), charge=charge(5))
    assert counted(store) == 5


def test_every_key_and_every_minute_counts_for_itself(store: ConversationStore) -> None:
    others = [keys.dials("dev", NOW), keys.dials("ops", NOW + timedelta(minutes=1))]
    for nth, key in enumerate([KEY, *others]):
        store.commit(None, begun(f"c-{nth}"), charge=QuotaCharge(key, 5, 5, LATER))
    assert keys.dials("ops", NOW + timedelta(seconds=59)) == KEY


def test_a_counter_says_when_it_may_be_forgotten(store: ConversationStore) -> None:
    store.commit(None, begun(), charge=charge(1))
    row = store.find([KEY])[KEY]
    assert int(row["expires_at"]["N"]) == int(LATER.timestamp())


def test_what_was_taken_in_before_is_doubled_and_not_exhausted(store: ConversationStore) -> None:
    dedupe = DedupeRecord(keys.request("key"), "hash-1")
    first = store.commit(None, begun(), dedupe, charge=charge(5))
    with pytest.raises(AlreadyProcessedError):
        store.commit(first, spoken(first), dedupe, charge=charge(1))
    assert counted(store) == 5


def test_what_has_to_be_decided_again_is_not_exhausted_yet(store: ConversationStore) -> None:
    store.commit(None, begun(), charge=charge(5))
    with pytest.raises(VersionConflictError):
        store.commit(None, begun(), charge=charge(1))


def test_what_fails_for_another_reason_is_not_charged(store: ConversationStore) -> None:
    first = store.commit(None, begun())
    store.commit(first, spoken(first))
    with pytest.raises(VersionConflictError):
        store.commit(first, spoken(first), charge=charge(1))
    assert counted(store) == 0


def test_what_goes_on_is_counted_and_what_is_over_is_not(store: ConversationStore) -> None:
    for nth, status in enumerate(ConversationStatus):
        with_status(store, f"c-{nth}", status)
    assert store.count_open(10) == 3  # connecting, active, stopping
    moved(store, "c-1", ConversationStatus.ENDED)
    assert store.count_open(10) == 2


def test_more_than_is_asked_about_is_not_counted(store: ConversationStore) -> None:
    for nth in range(4):
        with_status(store, f"c-{nth}", ConversationStatus.ACTIVE)
    assert store.count_open(3) == 3
