"""What the directory promises of routes and of the do-not-call list, on every engine."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from local.stack.template import Template
from partyline.domain.decide import decide
from partyline.domain.model.conversation import HOST_ID, Assistant
from partyline.domain.model.inputs import NewParticipant, StartConversation
from partyline.store import ConversationStore, keys
from partyline.store.directory import Directory

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NOW = datetime(2036, 11, 22, 9, 0, tzinfo=UTC)
SALES, SUPPORT = "+13125550101", "+13125550102"


@pytest.fixture
def directory(dynamodb: "DynamoDBClient", template: Template) -> Directory:
    return Directory(dynamodb, template.table.name)


def route(name: str = "assistant-1") -> dict[str, Any]:
    return {"assistant": {"id": name}, "contacts": {"Zoë \U0001f600": {"to": [SUPPORT]}}}


def pages(directory: Directory, limit: int) -> list[list[str]]:
    found, after = [], None
    while True:
        page = directory.routes(limit, after)
        found.append([number for number, _ in page.routes])
        after = page.next_number
        if after is None:
            return found


def test_a_number_that_nobody_gave_a_route_has_none(directory: Directory) -> None:
    assert directory.route(SALES) is None
    assert directory.delete_route(SALES) is False
    assert pages(directory, 5) == [[]]


def test_a_route_is_read_as_it_was_put_and_the_last_one_holds(directory: Directory) -> None:
    directory.put_route(SALES, route("assistant-1"))
    directory.put_route(SALES, route("assistant-2"))
    assert directory.route(SALES) == route("assistant-2")
    assert directory.routes(5, None).routes == [(SALES, route("assistant-2"))]
    assert directory.route(SUPPORT) is None


def test_a_deleted_route_is_neither_read_nor_listed(directory: Directory) -> None:
    for number in (SALES, SUPPORT):
        directory.put_route(number, route())
    assert directory.delete_route(SALES) is True
    assert directory.delete_route(SALES) is False
    assert directory.route(SALES) is None
    assert pages(directory, 5) == [[SUPPORT]]


def test_routes_are_listed_in_the_order_of_their_numbers(directory: Directory) -> None:
    numbers = [f"+131255501{nth:02}" for nth in range(7)]
    for number in ["default", *reversed(numbers)]:
        directory.put_route(number, route())
    assert pages(directory, 3) == [numbers[:3], numbers[3:6], [numbers[6], "default"]]
    assert pages(directory, 4) == [numbers[:4], [*numbers[4:], "default"]]
    assert pages(directory, 8) == [[*numbers, "default"]]


def test_a_page_goes_on_after_a_number_that_has_gone(directory: Directory) -> None:
    numbers = [f"+131255501{nth:02}" for nth in range(4)]
    for number in numbers:
        directory.put_route(number, route())
    after = directory.routes(2, None).next_number
    assert after is not None
    directory.delete_route(after)
    assert [number for number, _ in directory.routes(2, after).routes] == numbers[2:]


def test_a_route_is_found_where_the_webhook_of_a_call_looks_for_it(
    directory: Directory, store: ConversationStore
) -> None:
    directory.put_route(SALES, route())
    wanted = [keys.route(SALES), keys.route(keys.DEFAULT_ROUTE)]
    assert set(store.find(wanted)) == {keys.route(SALES)}


def test_routes_and_conversations_are_lists_of_their_own(
    directory: Directory, store: ConversationStore
) -> None:
    given = StartConversation(
        id="request-1",
        conversation_id="c-1",
        assistant=Assistant(id="assistant-1"),
        connection_id="149",
        host=NewParticipant(id=HOST_ID, call_control_id="v3:c-1"),
    )
    store.commit(None, decide(None, given, NOW))
    directory.put_route(SALES, route())
    assert [each.id for each in store.list_newest(None, 5).conversations] == ["c-1"]
    assert pages(directory, 5) == [[SALES]]


def test_a_number_is_put_on_the_list_and_taken_off(directory: Directory) -> None:
    assert directory.do_not_call(SALES) is None
    assert directory.delete_do_not_call(SALES) is False
    entry = directory.put_do_not_call(SALES, "asked us to", NOW)
    assert entry == {"number": SALES, "reason": "asked us to", "added_at": NOW.isoformat()}
    assert directory.do_not_call(SALES) == entry
    assert directory.do_not_call(SUPPORT) is None
    assert directory.put_do_not_call(SALES, None, NOW)["reason"] is None
    assert directory.delete_do_not_call(SALES) is True
    assert directory.do_not_call(SALES) is None


def test_a_number_may_have_a_route_and_be_on_the_list(directory: Directory) -> None:
    directory.put_route(SALES, route())
    directory.put_do_not_call(SALES, None, NOW)
    assert directory.delete_do_not_call(SALES) is True
    assert directory.route(SALES) == route()
