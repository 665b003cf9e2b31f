"""What is asked for later stands once and moves once, held against every engine of the table."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from local.template import Template
from partyline.outcomes import Conflict, Duplicate
from partyline.store import Inbox, keys
from partyline.store.schedules import Scheduled, Schedules, ScheduleStatus
from tests.contract.test_store import NOW, Contended

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

INBOX = Inbox(keys.request("key"), "hash-1")


@pytest.fixture
def schedules(dynamodb: "DynamoDBClient", template: Template) -> Schedules:
    return Schedules(dynamodb, template.table.name)


def asked(name: str = "c-1", to: str = "+13125550101") -> Scheduled:
    """Somebody is to be called in an hour."""
    return Scheduled(
        id=name,
        start_at=NOW + timedelta(hours=1),
        created_at=NOW,
        body={"to": to},
        key_id="ops",
        fingerprint="f-1",
        base_url="https://partyline.example",
    )


def test_what_is_asked_for_is_kept_as_it_was(schedules: Schedules) -> None:
    assert schedules.get("c-1") is None
    schedules.add(asked(), INBOX)
    assert schedules.get("c-1") == asked()


def test_an_appointment_is_made_once(schedules: Schedules) -> None:
    schedules.add(asked(), None)
    with pytest.raises(Conflict):
        schedules.add(asked(to="+13125550102"), None)
    with pytest.raises(Conflict):
        schedules.add(asked(to="+13125550102"), INBOX)
    assert schedules.get("c-1") == asked()


def test_a_request_makes_one_appointment(schedules: Schedules) -> None:
    schedules.add(asked(), INBOX)
    for name in ("c-1", "c-2"):
        with pytest.raises(Duplicate) as known:
            schedules.add(asked(name), Inbox(INBOX.key, "hash-2"))
        assert known.value.request_hash == "hash-1"
    assert schedules.get("c-2") is None


@pytest.mark.parametrize("inbox", [None, INBOX])
def test_two_that_are_made_in_the_same_instant_are_in_each_others_way(
    dynamodb: "DynamoDBClient", template: Template, inbox: Inbox | None
) -> None:
    contended: DynamoDBClient = Contended(dynamodb)  # type: ignore[assignment]
    with pytest.raises(Conflict):
        Schedules(contended, template.table.name).add(asked(), inbox)


def test_of_a_cancel_and_a_start_that_read_the_same_one_wins(schedules: Schedules) -> None:
    schedules.add(asked(), None)
    read = schedules.get("c-1")
    assert read is not None
    cancelled = schedules.move(read, ScheduleStatus.CANCELLED)
    with pytest.raises(Conflict):
        schedules.move(read, ScheduleStatus.STARTING)
    assert schedules.get("c-1") == cancelled
    assert cancelled.status is ScheduleStatus.CANCELLED


def test_what_is_not_there_does_not_move(schedules: Schedules) -> None:
    with pytest.raises(Conflict):
        schedules.move(asked(), ScheduleStatus.STARTING)
    assert schedules.get("c-1") is None
