"""A census finds the calls that Telnyx's list lacks, and concludes nothing from a short list."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from partyline.services.census import Census, turn_of_minute
from partyline.services.timers import TimerMessage
from partyline.store.census import BelievedCalls
from partyline.telnyx.errors import NoResponseError
from partyline.telnyx.responses import ActiveCall

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(hours=1)

Page = Iterable[str] | Exception


@dataclass
class Account:
    """The table and Telnyx: the believed calls, and the pages of each connection's list."""

    believed: list[BelievedCalls]
    pages: dict[str, list[Page]]
    complete: dict[str, datetime] = field(default_factory=dict)
    now: datetime = NOW

    def believed_calls(self) -> Iterator[BelievedCalls]:
        yield from self.believed

    def complete_at(self, connection_id: str) -> datetime | None:
        return self.complete.get(connection_id)

    def note_complete(self, connection_id: str, at: datetime) -> None:
        self.complete[connection_id] = at

    def active_call_pages(self, connection_id: str) -> Iterator[list[ActiveCall]]:
        for page in self.pages[connection_id]:
            if isinstance(page, Exception):
                raise page
            yield [ActiveCall(call_leg_id=name or None) for name in page]

    def census(self) -> Census:
        return Census(self, lambda: self, lambda: self.now)  # type: ignore[arg-type, return-value]


def conversation(
    name: str, *calls: str, at: datetime = LONG_AGO, connection: str = "1"
) -> BelievedCalls:
    return BelievedCalls(name, connection, dict.fromkeys(calls, at))


def always() -> bool:
    return True


def test_only_the_conversation_of_a_missing_call_gets_a_message() -> None:
    account = Account(
        [conversation("c-1", "a", "b"), conversation("c-2", "c")], {"1": [["a"], ["c"]]}
    )
    result = account.census().take(always)
    assert (result.compared, result.missing, result.failed) == (3, 1, 0)
    assert result.messages == [TimerMessage("c-1", calls=("b",), missing=True)]
    assert account.complete == {"1": NOW}


def test_a_call_is_found_under_either_of_its_ids() -> None:
    class BothIds(Account):
        def active_call_pages(self, connection_id: str) -> Iterator[list[ActiveCall]]:
            yield [ActiveCall(call_control_id="v3:a", call_leg_id="a")]

    account = BothIds([conversation("c-1", "v3:a"), conversation("c-2", "a")], {})
    assert account.census().take(always).messages == []


def test_a_call_that_was_just_answered_may_be_missing() -> None:
    young = conversation("c-1", "a", at=NOW - timedelta(seconds=59))
    account = Account([young], {"1": [[]]})
    assert account.census().take(always).messages == []
    account.now += timedelta(seconds=1)
    assert len(account.census().take(always).messages) == 1


def test_each_connection_has_a_census_of_its_own() -> None:
    account = Account(
        [conversation("c-1", "a"), conversation("c-2", "b", connection="2")],
        {"1": [NoResponseError("no")], "2": [[]]},
        {"1": NOW, "2": NOW},
    )
    result = account.census().take(always)
    assert (result.compared, result.missing, result.failed) == (1, 1, 1)
    assert [message.conversation_id for message in result.messages] == ["c-2"]


BROKEN: dict[str, list[Page]] = {
    "no page": [NoResponseError("no")],
    "the second page is missing": [["a"], NoResponseError("no")],
    "a row without an id": [["a", ""]],
}


@pytest.mark.parametrize("pages", BROKEN.values(), ids=BROKEN)
def test_nothing_is_concluded_from_a_list_that_is_not_complete(pages: list[Page]) -> None:
    account = Account([conversation("c-1", "a", "b")], {"1": pages}, {"1": NOW})
    result = account.census().take(always)
    assert (result.compared, result.failed, result.messages) == (0, 1, [])


def test_a_census_without_the_time_for_all_pages_is_not_complete() -> None:
    account = Account([conversation("c-1", "a", "b")], {"1": [["a"], ["b"]]}, {"1": NOW})
    assert account.census().take(lambda: False).failed == 1


@pytest.mark.parametrize(("believed", "missing", "failed"), [(10, 10, 0), (20, 11, 1), (60, 15, 0)])
def test_a_list_that_lacks_very_many_calls_is_doubted(
    believed: int, missing: int, failed: int
) -> None:
    names = [f"call-{nth}" for nth in range(believed)]
    conversations = [conversation(name, name) for name in names]
    account = Account(conversations, {"1": [names[missing:]]}, {"1": NOW})
    result = account.census().take(always)
    assert result.failed == failed
    assert len(result.messages) == (0 if failed else missing)


def test_every_call_is_polled_once_in_each_growing_round_while_no_census_is_complete() -> None:
    names = [f"c-{nth}" for nth in range(40)]
    account = Account(
        [conversation(name, f"call of {name}") for name in names],
        {"1": [NoResponseError("no")]},
        {"1": NOW},
    )
    minute = 0
    for length, begins in [(5, 0), (4, 5), (8, 9), (8, 17), (8, 25)]:
        assert minute == begins
        polled = []
        for _ in range(length):
            account.now = NOW + timedelta(minutes=minute, seconds=minute % 3 - 1)
            messages = account.census().take(always).messages
            assert not any(message.missing for message in messages), "the calls stay in the census"
            assert len(messages) < len(names)
            polled += [message.conversation_id for message in messages]
            minute += 1
        assert sorted(polled) == (sorted(names) if begins else [])


def test_the_patience_begins_with_the_first_census_that_fails() -> None:
    account = Account([conversation("c-1", "a")], {"1": [NoResponseError("no")]})
    assert account.census().take(always).messages == []
    assert account.complete == {"1": NOW}


def test_a_turn_is_always_a_minute_of_its_round() -> None:
    for minutes in range(300):
        turn = turn_of_minute(timedelta(minutes=minutes))
        assert turn is None if minutes < 5 else turn is not None and 0 <= turn[0] < turn[1]
