"""The contract of routes and the do-not-call list, on every engine."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from local.stack.template import Template
from partyline.domain.decide import decide
from partyline.domain.model.assistant import Assistant
from partyline.domain.model.inputs import NewParticipant, StartConversation
from partyline.domain.model.participant import HOST_ID
from partyline.domain.model.routes import StoredRoute
from partyline.store import ConversationStore, keys
from partyline.store.directory import Directory
from partyline.store.keys import Key
from partyline.store.table import Row, Table, TransactionCancelledError
from tests.support.changes import CHANGE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NOW = datetime(2036, 11, 22, 9, 0, tzinfo=UTC)
SALES, SUPPORT = "+13125550101", "+13125550102"


@pytest.fixture
def directory(dynamodb: "DynamoDBClient", template: Template) -> Directory:
    return Directory(dynamodb, template.table.name)


PUT = {"assistant": {"id": "assistant-1"}, "contacts": {"Zoë \U0001f600": {"to": [SUPPORT]}}}


def route(name: str = "assistant-1") -> StoredRoute:
    return StoredRoute.model_validate({**PUT, "assistant": {"id": name}})


def put(name: str = "assistant-1") -> StoredRoute:
    """The route as it is read after a put."""
    changed = {"changed_at": CHANGE.at, "changed_by": CHANGE.key_id}
    return route(name).model_copy(update=changed)


def pages(directory: Directory, limit: int) -> list[list[str]]:
    found, after = [], None
    while True:
        page = directory.routes(limit, after)
        found.append([number for number, _ in page.items])
        after = page.next_cursor
        if after is None:
            return found


def test_a_number_without_a_route_has_none(directory: Directory) -> None:
    assert directory.route(SALES) is None
    assert directory.delete_route(SALES, CHANGE) is False
    assert pages(directory, 5) == [[]]


def test_a_route_is_read_as_it_was_put_and_a_later_put_replaces_it(directory: Directory) -> None:
    directory.put_route(SALES, route("assistant-1"), CHANGE)
    directory.put_route(SALES, route("assistant-2"), CHANGE)
    assert directory.route(SALES) == put("assistant-2")
    assert directory.routes(5, None).items == [(SALES, put("assistant-2"))]
    assert directory.route(SUPPORT) is None


def test_a_route_is_dumped_without_the_fields_that_were_not_put(directory: Directory) -> None:
    directory.put_route(SALES, route(), CHANGE)
    stored = directory.route(SALES)
    assert stored is not None
    changed = {"changed_at": CHANGE.at, "changed_by": CHANGE.key_id}
    assert stored.model_dump(exclude_unset=True) == PUT | changed


def test_a_deleted_route_is_neither_read_nor_listed(directory: Directory) -> None:
    for number in (SALES, SUPPORT):
        directory.put_route(number, route(), CHANGE)
    assert directory.delete_route(SALES, CHANGE) is True
    assert directory.delete_route(SALES, CHANGE) is False
    assert directory.route(SALES) is None
    assert pages(directory, 5) == [[SUPPORT]]


def test_routes_are_listed_in_the_order_of_their_numbers(directory: Directory) -> None:
    numbers = [f"+131255501{nth:02}" for nth in range(7)]
    for number in ["default", *reversed(numbers)]:
        directory.put_route(number, route(), CHANGE)
    assert pages(directory, 3) == [numbers[:3], numbers[3:6], [numbers[6], "default"]]
    assert pages(directory, 4) == [numbers[:4], [*numbers[4:], "default"]]
    assert pages(directory, 8) == [[*numbers, "default"]]


def test_the_next_page_begins_after_a_number_whose_route_was_deleted(directory: Directory) -> None:
    numbers = [f"+131255501{nth:02}" for nth in range(4)]
    for number in numbers:
        directory.put_route(number, route(), CHANGE)
    after = directory.routes(2, None).next_cursor
    assert after is not None
    directory.delete_route(after, CHANGE)
    assert [number for number, _ in directory.routes(2, after).items] == numbers[2:]


def test_a_page_leaves_out_a_route_that_is_deleted_while_the_page_is_read(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index gives the numbers of a page, and the routes are read after that."""
    numbers = [f"+131255501{nth:02}" for nth in range(4)]
    for number in numbers:
        directory.put_route(number, route(), CHANGE)
    find = Table.find

    def find_after_deletion(table: Table, wanted: Iterable[Key]) -> dict[Key, Row]:
        directory.delete_route(numbers[1], CHANGE)
        return find(table, wanted)

    monkeypatch.setattr(Table, "find", find_after_deletion)
    page = directory.routes(2, None)
    assert [number for number, _ in page.items] == numbers[:1]
    assert page.next_cursor == numbers[1], "the next page still begins after this number"
    assert pages(directory, 2) == [[numbers[0], numbers[2]], [numbers[3]]]


def test_a_call_is_answered_by_its_own_route_before_the_default_route(
    directory: Directory, store: ConversationStore
) -> None:
    def applied(number: str) -> list[StoredRoute]:
        return [directory.route_for(number), store.look_up_call(None, "v3:1", None, number).route]

    assert applied(SALES) == [StoredRoute()] * 2
    directory.put_route(keys.DEFAULT_ROUTE, route("assistant-2"), CHANGE)
    directory.put_route(SALES, route(), CHANGE)
    assert applied(SALES) == [put()] * 2
    assert applied(SUPPORT) == applied("") == [put("assistant-2")] * 2


def test_routes_and_conversations_are_separate_lists(
    directory: Directory, store: ConversationStore
) -> None:
    start = StartConversation(
        id="request-1",
        conversation_id="c-1",
        assistant=Assistant(id="assistant-1"),
        connection_id="149",
        host=NewParticipant(id=HOST_ID, call_control_id="v3:c-1"),
    )
    store.commit(None, decide(None, start, NOW))
    directory.put_route(SALES, route(), CHANGE)
    assert [item.id for item in store.list_newest(None, 5).items] == ["c-1"]
    assert pages(directory, 5) == [[SALES]]


def test_a_number_is_added_to_the_do_not_call_list_and_taken_off(directory: Directory) -> None:
    assert directory.do_not_call(SALES) is None
    assert directory.delete_do_not_call(SALES, CHANGE) is False
    entry = directory.put_do_not_call(SALES, "asked us to", CHANGE)
    dumped = {"number": SALES, "reason": "asked us to", "added_at": CHANGE.at.isoformat()}
    dumped["changed_by"] = CHANGE.key_id
    assert entry.model_dump() == dumped
    assert directory.do_not_call(SALES) == entry
    assert directory.do_not_call(SUPPORT) is None
    assert directory.put_do_not_call(SALES, None, CHANGE).reason is None
    assert directory.delete_do_not_call(SALES, CHANGE) is True
    assert directory.do_not_call(SALES) is None


def test_an_entry_that_has_changed_is_not_deleted(
    directory: Directory, dynamodb: "DynamoDBClient", template: Template
) -> None:
    before = directory.put_do_not_call(SALES, "asked us to", CHANGE)
    after = directory.put_do_not_call(SALES, "asked us again", CHANGE)
    table = Table(dynamodb, template.table.name)
    with pytest.raises(TransactionCancelledError):
        table.write([directory.do_not_call_deletion(before)])
    table.write([directory.do_not_call_deletion(after)])
    assert directory.do_not_call(SALES) is None


def test_a_number_may_have_a_route_and_a_do_not_call_entry(directory: Directory) -> None:
    directory.put_route(SALES, route(), CHANGE)
    directory.put_do_not_call(SALES, None, CHANGE)
    assert directory.delete_do_not_call(SALES, CHANGE) is True
    assert directory.route(SALES) == put()
