"""Bookings of a bearer key: valid only with the key, bounded, listed, and cancelled together."""

from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from local.simulator.model import Person
from partyline.services.errors import RequestError
from partyline.services.secrets import Secret, SecretUnreadableError
from tests.scenario.bus.conftest import BusStack, NewStack
from tests.support.lab import API_KEY, Answer, minutes
from tests.support.people import DANA, HOST, LEE

Json = dict[str, Any]


class KeySecret(Secret):
    """The secret of the bearer keys, without a cache; the test changes the entries."""

    def __init__(self) -> None:
        self.name = "bearer"
        self.entries: dict[str, Json] = {}
        self.is_readable = True
        for key_id, key in (("scenario", API_KEY), ("leaked", "leaked-key")):
            digest = sha256(key.encode()).hexdigest()
            self.entries[key_id] = {"id": key_id, "sha256": digest}

    def document(self, *, fresh: bool = False) -> Json:
        del fresh
        if not self.is_readable:
            raise SecretUnreadableError("secret bearer cannot be read")
        return {"keys": list(self.entries.values())}


@pytest.fixture
def stack(new_stack: NewStack) -> BusStack:
    """A stack with two bearer keys."""
    stack = new_stack()
    stack.lab.app.bearer_keys = KeySecret()
    return stack


def keys_of(stack: BusStack) -> KeySecret:
    secret = stack.lab.app.bearer_keys
    assert isinstance(secret, KeySecret)
    return secret


def ask(
    stack: BusStack, method: str, path: str, body: Json | None = None, key: str = API_KEY
) -> Answer:
    return stack.lab.ask(method, path, body, authorization=f"Bearer {key}")


def book(stack: BusStack, key: str = "leaked-key", mins: float = 3, to: str = HOST) -> Answer:
    start_at = (stack.lab.clock.now() + timedelta(minutes=mins)).isoformat()
    return ask(stack, "POST", "/conversations", {"to": to, "start_at": start_at}, key)


def booked(stack: BusStack, key: str = "leaked-key", mins: float = 3, to: str = HOST) -> str:
    answer = book(stack, key, mins, to)
    assert answer.status == 202, answer.json
    return str(answer.json["id"])


def limit(stack: BusStack, **settings: int) -> None:
    stack.lab.app.settings = stack.lab.app.settings.model_copy(update=settings)


def listed(stack: BusStack) -> list[str]:
    answer = ask(stack, "GET", "/conversations?status=scheduled")
    return [booking["id"] for booking in answer.json["conversations"]]


def start_again(stack: BusStack, conversation_id: str) -> Any:
    """Make another attempt at a start, as Lambda does after an error."""
    function = stack.lab.gateway._template.functions["StartScheduledFunction"]
    return stack.lab.gateway.invoke(function, {"conversation_id": conversation_id})


def delete_key(stack: BusStack) -> None:
    del keys_of(stack).entries["leaked"]


def let_key_expire(stack: BusStack) -> None:
    expires_at = stack.lab.clock.now() + timedelta(minutes=1)
    keys_of(stack).entries["leaked"]["expires_at"] = expires_at.isoformat()


def take_right_to_start(stack: BusStack) -> None:
    keys_of(stack).entries["leaked"]["may"] = ["control", "read", "directory"]


@pytest.mark.parametrize("revoke", [delete_key, let_key_expire, take_right_to_start])
def test_a_booking_of_a_key_that_is_no_longer_valid_calls_nobody(
    stack: BusStack, revoke: Any
) -> None:
    conversation_id = booked(stack)
    revoke(stack)
    stack.lab.run(minutes(6))
    assert stack.lab.people_dialled() == []
    shown = ask(stack, "GET", f"/conversations/{conversation_id}").json
    assert (shown["status"], shown["failure"]["code"]) == ("failed", "key_revoked")
    [event] = stack.events_of(conversation_id)
    assert event["detail-type"] == "conversation.failed"
    assert event["detail"]["data"]["failure"]["code"] == "key_revoked"
    [told] = ask(stack, "GET", f"/conversations/{conversation_id}/timeline").json["events"]
    assert told["type"] == "conversation.failed"
    assert stack.background.queues.waiting("StartDeadLetters") == [], "a retry would not help"


@pytest.mark.parametrize("revoke", [delete_key, let_key_expire, take_right_to_start])
def test_a_later_round_of_calls_needs_the_key_of_the_request(stack: BusStack, revoke: Any) -> None:
    people = {number: Person(number, behaviour="no_answer") for number in (HOST, LEE)}
    stack.lab.telnyx.world.people |= people
    body = {"to": [HOST, LEE], "max_attempts": 2, "pause_secs": 300, "ring_timeout_secs": 10}
    started = ask(stack, "POST", "/conversations", body, "leaked-key").json["id"]
    stack.lab.run(60)
    revoke(stack)
    stack.lab.run(minutes(7))
    assert stack.lab.people_dialled() == ["host", "Lee"]
    shown = ask(stack, "GET", f"/conversations/{started}").json
    assert (shown["status"], shown["failure"]["code"]) == ("failed", "key_revoked")


def test_a_later_round_waits_while_the_keys_cannot_be_read(stack: BusStack) -> None:
    stack.lab.telnyx.world.people[HOST] = Person(HOST, behaviour="busy")
    body = {"to": HOST, "max_attempts": 2, "pause_secs": 600}
    ask(stack, "POST", "/conversations", body, "leaked-key")
    stack.lab.run(60)
    keys_of(stack).is_readable = False
    stack.lab.run(minutes(10))
    assert stack.lab.people_dialled() == ["host"]
    keys_of(stack).is_readable = True
    stack.lab.run(minutes(1))
    assert stack.lab.people_dialled() == ["host", "host"]


def test_a_booking_that_failed_for_its_key_stays_failed(stack: BusStack) -> None:
    conversation_id = booked(stack)
    entry = keys_of(stack).entries.pop("leaked")
    stack.lab.run(minutes(4))
    keys_of(stack).entries["leaked"] = entry
    assert start_again(stack, conversation_id) == {"status": "not_started"}
    assert stack.lab.people_dialled() == []


def test_a_booking_of_a_valid_key_and_of_the_bus_start(stack: BusStack) -> None:
    booked(stack, API_KEY)
    start_at = (stack.lab.clock.now() + timedelta(minutes=3)).isoformat()
    stack.background.bus.put(
        "partyline.starts", "StartConversation", {"to": DANA, "start_at": start_at}
    )
    stack.lab.run(minutes(4))
    assert sorted(stack.lab.people_dialled()) == ["Dana", "host"]


def test_a_start_waits_while_the_secret_of_the_keys_cannot_be_read(stack: BusStack) -> None:
    conversation_id = booked(stack, mins=1)
    keys_of(stack).is_readable = False
    stack.lab.run(90)
    with pytest.raises(RequestError):
        start_again(stack, conversation_id)
    assert stack.lab.people_dialled() == []
    keys_of(stack).is_readable = True
    assert ask(stack, "GET", f"/conversations/{conversation_id}").json["status"] == "scheduled"
    assert start_again(stack, conversation_id) == {"status": "started"}
    assert stack.lab.people_dialled() == ["host"]


def test_a_start_fails_when_the_secret_stays_unreadable(stack: BusStack) -> None:
    conversation_id = booked(stack, mins=1)
    keys_of(stack).is_readable = False
    stack.lab.run(minutes(4))
    with pytest.raises(RequestError):
        start_again(stack, conversation_id)
    keys_of(stack).is_readable = True
    shown = ask(stack, "GET", f"/conversations/{conversation_id}").json
    assert (shown["status"], shown["failure"]["code"]) == ("failed", "unavailable")
    assert stack.lab.people_dialled() == []


@pytest.mark.parametrize("final", ["cancelled", "failed"])
def test_a_booking_that_is_cancelled_or_revoked_stays_so_while_the_secret_is_unreadable(
    stack: BusStack, final: str
) -> None:
    conversation_id = booked(stack)
    if final == "cancelled":
        ask(stack, "DELETE", f"/conversations/{conversation_id}")
    else:
        delete_key(stack)
    stack.lab.run(minutes(6))
    before = ask(stack, "GET", f"/conversations/{conversation_id}").json
    assert before["status"] == final
    keys_of(stack).is_readable = False
    assert start_again(stack, conversation_id) == {"status": "not_started"}
    keys_of(stack).is_readable = True
    assert ask(stack, "GET", f"/conversations/{conversation_id}").json == before


def test_the_open_bookings_of_each_key_are_bounded(stack: BusStack) -> None:
    limit(stack, max_bookings=2)
    first, _ = booked(stack), booked(stack)
    refused = book(stack)
    assert (refused.status, refused.json["error"]["code"]) == (429, "too_many_bookings")
    booked(stack, API_KEY)
    assert ask(stack, "DELETE", f"/conversations/{first}").status == 200
    booked(stack)


def test_a_start_that_waits_for_room_says_why_it_cannot_be_cancelled(stack: BusStack) -> None:
    limit(stack, max_dials_per_minute=1)
    ids = [booked(stack, mins=1) for _ in range(2)]
    stack.lab.run(75)
    states = {id_: ask(stack, "GET", f"/conversations/{id_}").json["status"] for id_ in ids}
    [waiting] = [id_ for id_, status in states.items() if status == "starting"]
    paths = (("DELETE", f"/conversations/{waiting}"), ("POST", f"/conversations/{waiting}/stop"))
    for method, path in paths:
        refused = ask(stack, method, path)
        assert (refused.status, refused.json["error"]["code"]) == (409, "starting")


def test_a_start_that_has_failed_is_erased_instead_of_cancelled(stack: BusStack) -> None:
    conversation_id = booked(stack, mins=1)
    delete_key(stack)
    stack.lab.run(75)
    erased = ask(stack, "DELETE", f"/conversations/{conversation_id}")
    assert (erased.status, erased.json["id"]) == (202, conversation_id)


def test_the_dials_of_a_booking_count_for_its_key_at_its_time(stack: BusStack) -> None:
    limit(stack, max_dials_per_minute=1)
    own, other = booked(stack, mins=1), booked(stack, API_KEY, mins=1, to=DANA)
    second = booked(stack, mins=1)
    stack.lab.run(75)
    statuses = {
        conversation_id: ask(stack, "GET", f"/conversations/{conversation_id}").json["status"]
        for conversation_id in (own, second, other)
    }
    assert statuses.pop(other) != "starting"
    assert sorted(status == "starting" for status in statuses.values()) == [False, True]
    assert sorted(stack.lab.people_dialled()) == ["Dana", "host"]


def test_bookings_are_listed_by_the_status_scheduled_page_by_page(stack: BusStack) -> None:
    made = []
    for _ in range(5):
        made.append(booked(stack))
        stack.lab.run(1)
    ask(stack, "DELETE", f"/conversations/{made.pop(2)}")
    found, query = [], "?status=scheduled&limit=3"
    while query:
        page = ask(stack, "GET", f"/conversations{query}").json
        assert {row["key_id"] for row in page["conversations"]} == {"leaked"}
        found += [row["id"] for row in page["conversations"]]
        cursor = page["next_cursor"]
        query = f"?status=scheduled&limit=3&cursor={cursor}" if cursor else ""
    assert found == made[::-1]
    stack.lab.run(minutes(4))
    assert listed(stack) == []


def test_one_request_cancels_all_bookings_of_a_key(stack: BusStack) -> None:
    leaked = {booked(stack) for _ in range(3)}
    kept = booked(stack, API_KEY, to=DANA)
    cancelled: list[str] = []
    path = "/conversations?key_id=leaked&limit=2"
    page = ask(stack, "DELETE", path)
    while True:
        assert page.status == 200, page.json
        assert {row["status"] for row in page.json["cancelled"]} <= {"cancelled"}
        cancelled += [row["id"] for row in page.json["cancelled"]]
        if page.json["next_cursor"] is None:
            break
        page = ask(stack, "DELETE", f"{path}&cursor={page.json['next_cursor']}")
    assert set(cancelled) == leaked
    assert listed(stack) == [kept]
    assert len(stack.background.scheduler.schedules) == 1
    assert ask(stack, "DELETE", path).json == {"cancelled": [], "next_cursor": None}
    stack.lab.run(minutes(4))
    assert stack.lab.people_dialled() == ["Dana"]


@pytest.mark.parametrize(
    "query", ["", "?key_id=", "?key=leaked", "?key_id=leaked&status=active", "?key_id=leaked%0A"]
)
def test_the_request_to_cancel_all_bookings_names_a_key(stack: BusStack, query: str) -> None:
    conversation_id = booked(stack)
    assert ask(stack, "DELETE", f"/conversations{query}").status == 422
    assert listed(stack) == [conversation_id]
