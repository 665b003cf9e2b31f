"""The assistant books a call back to the caller, and the caller is called at that time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from partyline.services.call_backs import (
    MAX_CALL_BACKS,
    NOT_DIALLED,
    NOT_NOW,
    QUIET,
    TOO_MANY,
    WHEN,
    WITHHELD_NUMBER,
)
from tests.scenario.bus.conftest import BusStack, NewStack
from tests.support.lab import URL, minutes
from tests.support.people import CALLER, OUR_NUMBER

Json = dict[str, Any]


@pytest.fixture
def stack(new_stack: NewStack) -> BusStack:
    """A stack with a caller who speaks with the assistant of a route."""
    stack = new_stack()
    stack.lab.route(OUR_NUMBER, assistant={"id": "assistant-sales", "greeting": "Example Corp."})
    return stack


def bookings(stack: BusStack) -> list[Json]:
    answer = stack.lab.ask("GET", "/conversations?status=scheduled")
    booked: list[Json] = answer.json["conversations"]
    return booked


def starts(stack: BusStack) -> list[datetime]:
    return [datetime.fromisoformat(booking["start_at"]) for booking in bookings(stack)]


def test_a_caller_who_asks_for_a_call_back_is_called_at_that_time(stack: BusStack) -> None:
    lab = stack.lab
    conversation_id = lab.inbound()
    words = lab.use_tool("call_back", in_minutes=5, name="Robin")
    assert words.startswith("The call back is booked: in 5 minutes, ")
    assert words.endswith(" where the caller is.")
    [booking] = bookings(stack)
    assert booking["key_id"] == "call_back"
    lab.hang_up(CALLER)
    lab.run(minutes(7))
    newest = lab.conversation(booking["id"])
    assert (newest["status"], newest["direction"]) == ("active", "outbound")
    assert newest["participants"][0]["name"] == "Robin"
    assert newest["assistant"]["id"] == "assistant-sales"
    assert newest["assistant"]["greeting"] == "Example Corp."
    assert newest["metadata"] == {"call_back_of": conversation_id}
    assert newest["participants"][0]["legs"][0]["from"] == OUR_NUMBER
    assert lab.people_dialled() == ["caller"]
    [told] = [e for e in lab.timeline(conversation_id) if e["type"] == "call_back.booked"]
    assert told["data"]["booked_id"] == booking["id"]
    lab.assert_clean()


def test_another_time_replaces_the_time_before_and_the_same_time_changes_nothing(
    stack: BusStack,
) -> None:
    lab = stack.lab
    conversation_id = lab.inbound()
    at = (lab.clock.now() + timedelta(hours=3)).replace(second=0, microsecond=0)
    lab.use_tool("call_back", at=at.isoformat())
    said = [lab.use_tool("call_back", at=(at + timedelta(hours=1)).isoformat()) for _ in range(2)]
    assert said[0] == said[1]
    assert starts(stack) == [at + timedelta(hours=1)]
    told = [e for e in lab.event_types(conversation_id) if e == "call_back.booked"]
    assert len(told) == 2
    for hour in range(2, MAX_CALL_BACKS):
        lab.use_tool("call_back", at=(at + timedelta(hours=hour)).isoformat())
    last = lab.use_tool("call_back", at=(at + timedelta(hours=9)).isoformat())
    assert last == "The limit of call backs is reached, so no other call back can be booked."
    assert starts(stack) == [at + timedelta(hours=MAX_CALL_BACKS - 1)]


def test_the_same_signed_request_books_once(stack: BusStack) -> None:
    lab = stack.lab
    lab.inbound()
    call = lab.telnyx_conversation().starting_call
    request = lab.telnyx.use_tool(call, f"{URL}/tools/call_back", {"in_minutes": 30})
    said = []
    for _ in range(3):
        said.append(lab.post("/tools/call_back", request.body, request.headers).json["message"])
        lab.run(50)
    assert len(bookings(stack)) == 1
    assert len({words.partition("minutes, ")[2] for words in said}) == 1
    said = lab.run_together([lambda: lab.use_tool("call_back", in_minutes=90)] * 2)
    assert len(bookings(stack)) == 1
    assert all(words.startswith("The call back is booked") for words in said)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, WHEN),
        ({"in_minutes": "soon"}, WHEN),
        ({"in_minutes": True}, WHEN),
        ({"in_minutes": 1e300}, WHEN),
        ({"in_minutes": float(10**9)}, "That is more than a year away. Say an earlier time."),
        ({"at": "tomorrow at five"}, WHEN),
        ({"in_minutes": 5, "at": "2027-01-04T15:00:00Z"}, WHEN),
        ({"at": "9999-12-31T23:59:59-12:00"}, WHEN),
    ],
)
def test_a_time_that_cannot_be_booked_is_told_to_the_model(
    stack: BusStack, arguments: Json, words: str
) -> None:
    stack.lab.inbound()
    assert stack.lab.use_tool("call_back", **arguments) == words
    assert bookings(stack) == []


def test_a_time_that_is_over_is_answered_with_the_present_time(stack: BusStack) -> None:
    stack.lab.inbound()
    for arguments in ({"at": "2020-01-04T15:00:00Z"}, {"in_minutes": -10}):
        words = stack.lab.use_tool("call_back", **arguments)
        assert words.startswith("That time is over. It is ")
    assert bookings(stack) == []


def test_a_time_without_a_zone_is_by_the_callers_clock(stack: BusStack) -> None:
    lab = stack.lab
    lab.inbound()  # from Chicago
    day = (lab.clock.now() + timedelta(days=2)).date()
    words = lab.use_tool("call_back", at=f"{day}T15:00:00")
    assert words.endswith(f"{day:%A}, {day:%B} {day.day}, 3:00 PM where the caller is.")
    [start] = starts(stack)
    assert start.astimezone(UTC).hour in (20, 21)  # by the season


def test_a_caller_without_a_number_that_can_be_dialled_is_told_so(stack: BusStack) -> None:
    for caller, words in (
        ("anonymous", WITHHELD_NUMBER),
        ("+19005550111", NOT_DIALLED),
        ("sip:robin@pbx.example.com", NOT_DIALLED),
        (OUR_NUMBER, NOT_DIALLED),
    ):
        stack.lab.inbound(caller)
        assert stack.lab.use_tool("call_back", in_minutes=5) == words, caller
    assert bookings(stack) == []


def test_quiet_hours_are_asked_for_the_time_of_the_call_back(stack: BusStack) -> None:
    lab = stack.lab
    lab.app.settings = lab.app.settings.model_copy(update={"quiet_hours": "21:00-08:00"})
    lab.app.__dict__.pop("dial_policy", None)
    lab.inbound()
    day = (lab.clock.now() + timedelta(days=2)).date()
    assert lab.use_tool("call_back", at=f"{day}T22:00:00") == QUIET
    assert lab.use_tool("call_back", at=f"{day}T07:59:00") == QUIET
    assert bookings(stack) == []
    assert lab.use_tool("call_back", at=f"{day}T12:00:00").startswith("The call back is booked")


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("max_bookings", NOT_NOW),
        ("max_tool_dials", TOO_MANY),
        ("max_tool_dials_per_minute", TOO_MANY),
    ],
)
def test_call_backs_have_the_limits_of_bookings_and_of_the_tools(
    stack: BusStack, limit: str, words: str
) -> None:
    lab = stack.lab
    lab.app.settings = lab.app.settings.model_copy(update={limit: 1})
    lab.inbound()
    assert lab.use_tool("call_back", in_minutes=60).startswith("The call back is booked")
    assert lab.use_tool("call_back", in_minutes=90) == words
    assert len(bookings(stack)) == 1


def test_after_the_end_of_the_call_no_call_back_is_booked(stack: BusStack) -> None:
    lab = stack.lab
    lab.inbound()
    call = lab.telnyx_conversation().starting_call
    request = lab.telnyx.use_tool(call, f"{URL}/tools/call_back", {"in_minutes": 30})
    lab.hang_up(CALLER)
    lab.run(10)
    answer = lab.post("/tools/call_back", request.body, request.headers)
    assert answer.json["message"] == "The call is over."
    assert bookings(stack) == []


def test_a_number_that_the_caller_says_as_a_name_is_booked_masked(stack: BusStack) -> None:
    stack.lab.inbound()
    stack.lab.use_tool("call_back", in_minutes=5, name="Robin, 646 555 0187")
    [booking] = bookings(stack)
    stack.lab.hang_up(CALLER)
    stack.lab.run(minutes(7))
    assert stack.lab.conversation(booking["id"])["participants"][0]["name"] == "Robin, ***0187"
