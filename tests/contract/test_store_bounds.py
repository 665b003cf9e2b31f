"""Quotas and the count of open conversations, on every engine."""

from datetime import datetime, timedelta

import pytest

from partyline.domain.decide import Decision
from partyline.domain.model.statuses import ConversationStatus, Direction
from partyline.store import ConversationStore, DedupeRecord, QuotaCharge, keys
from partyline.store.errors import AlreadyProcessedError, QuotaExceededError, VersionConflictError
from partyline.store.open_counts import OPEN_API, OPEN_INBOUND, addition
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


def dial(store: ConversationStore, units: int, at: datetime, most: int = 5) -> None:
    store.charge([store.dial_counts.charge("ops", units, most, at)])


def test_the_dials_of_the_last_60_seconds_count_together(store: ConversationStore) -> None:
    minute = NOW.replace(second=0, microsecond=0)
    dial(store, 2, minute + timedelta(seconds=9))
    dial(store, 2, minute + timedelta(seconds=50))
    early = minute + timedelta(seconds=69)  # the first two dials are a minute old, and still count
    with pytest.raises(QuotaExceededError):
        dial(store, 2, early)
    dial(store, 1, early)
    dial(store, 2, minute + timedelta(seconds=70))
    with pytest.raises(QuotaExceededError):
        dial(store, 1, minute + timedelta(seconds=100))


def test_a_full_minute_before_leaves_no_room_in_a_minute_without_dials(
    store: ConversationStore,
) -> None:
    dial(store, 5, NOW.replace(second=59))
    with pytest.raises(QuotaExceededError):
        dial(store, 1, NOW.replace(second=0) + timedelta(minutes=1))


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


def rung(name: str, number: str) -> Decision:
    """The step that a call from a number begins."""
    conversation = begun(name).conversation
    assert conversation is not None
    conversation.direction = Direction.INBOUND
    conversation.host.legs[0].from_ = number
    return Decision(conversation)


def counts(store: ConversationStore) -> tuple[int, int]:
    """The counter of the API's share, and the index that the sweep counts."""
    return store.open_counts.count(OPEN_API), store.open_counts.count_in_index(OPEN_API)


def test_open_conversations_are_counted_and_finished_ones_are_not(store: ConversationStore) -> None:
    for nth, status in enumerate(ConversationStatus):
        with_status(store, f"c-{nth}", status)
    assert counts(store) == (3, 3)  # connecting, active, stopping
    moved(store, "c-1", ConversationStatus.ENDED)
    assert counts(store) == (2, 2)


def test_a_step_that_fails_does_not_count(store: ConversationStore) -> None:
    store.commit(None, begun("c-1"))
    with pytest.raises(VersionConflictError):
        store.commit(None, begun("c-1"))
    assert counts(store) == (1, 1)


def test_the_calls_of_a_caller_are_counted_up_to_a_limit(store: ConversationStore) -> None:
    for nth in range(3):
        store.commit(None, rung(f"c-{nth}", "+13125550101"))
    store.commit(None, rung("c-3", "+13125550102"))
    of_caller = store.open_counts.count_of_caller
    assert of_caller("+13125550101", 9) == 3
    assert of_caller("+13125550101", 2) == 2
    assert of_caller("+13125550103", 9) == 0
    assert (store.open_counts.count(OPEN_INBOUND), counts(store)) == (4, (0, 0))


def wrong_by(store: ConversationStore, units: int) -> None:
    """Change the counter of the API without a conversation."""
    store.table.write([addition(OPEN_API, keys.open_shard("c-1"), units)])


@pytest.mark.parametrize("units", [3, -1])
def test_a_wrong_count_is_corrected_after_two_runs(store: ConversationStore, units: int) -> None:
    store.commit(None, begun("c-1"))
    wrong_by(store, units)
    repaired = [store.open_counts.repair() for _ in range(3)]
    assert repaired == [0, abs(units), 0]
    assert counts(store) == (1, 1)


def test_a_difference_of_a_single_run_is_not_corrected(store: ConversationStore) -> None:
    """The index is behind the table by a moment."""
    store.commit(None, begun("c-1"))
    wrong_by(store, 5)
    assert store.open_counts.repair() == 0
    wrong_by(store, -5)  # the index has caught up
    assert [store.open_counts.repair() for _ in range(2)] == [0, 0]
    wrong_by(store, -2)
    assert [store.open_counts.repair() for _ in range(2)] == [0, 2]
    assert counts(store) == (1, 1)
