"""The contract of erasures and of the index of people, on every engine."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from local.stack.template import Template
from partyline.domain.model.conversation import UNKNOWN_CONVERSATION_ID
from partyline.store import ConversationStore, keys
from partyline.store.erasures import Erasure, Erasures, Remains, head_deletion
from partyline.store.errors import InvalidCursorError, VersionConflictError
from partyline.store.people import Gained, PersonIndex
from partyline.store.retention import FOR_EVER
from partyline.store.table import Table, put_of
from tests.contract.test_schedules import asked
from tests.contract.test_store import NOW, begun, spoken

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def erasures(dynamodb: "DynamoDBClient", template: Template) -> Erasures:
    return Erasures(dynamodb, template.table.name, FOR_EVER)


@pytest.fixture
def index(dynamodb: "DynamoDBClient", template: Template) -> PersonIndex:
    return PersonIndex(dynamodb, template.table.name, FOR_EVER)


def an_erasure(**more: Any) -> Erasure:
    return Erasure(id="e-1", kind="conversation", created_at=NOW, key_id="ops", **more)


def test_rows_are_deleted_in_batches_and_missing_rows_are_no_error(
    dynamodb: "DynamoDBClient", template: Template
) -> None:
    table = Table(dynamodb, template.table.name)
    places = [("p", f"{nth:03d}") for nth in range(60)]
    for key in places[:-2]:
        table.put(put_of(key, {}))
    table.put(put_of(("other", "1"), {}))
    table.delete([*places, places[0]])
    assert list(table.newest("p")) == []
    assert len(list(table.newest("other"))) == 1


def test_an_index_of_people_is_paged_newest_first(index: PersonIndex) -> None:
    places = [keys.listed_at(NOW + timedelta(hours=hour), f"c-{hour}") for hour in range(5)]
    for place in places:
        for _ in range(2):
            index.add("a" * 64, Gained(place, ("+13125550112",), {}), NOW)
    index.add("b" * 64, Gained(places[0], ("+13125550113",), {}), NOW)
    first = index.page("a" * 64, 2, None)
    assert first.items == [places[4], places[3]]
    second = index.page("a" * 64, 3, first.next_cursor)
    assert (second.items, second.next_cursor) == ([places[2], places[1], places[0]], None)
    with pytest.raises(InvalidCursorError):
        index.page("b" * 64, 2, first.next_cursor)
    index.remove([("a" * 64, places[4])])
    assert next(index.places("a" * 64)) == places[3]
    assert list(index.places("b" * 64)) == [places[0]]


def test_an_erasure_is_due_until_it_is_done(erasures: Erasures) -> None:
    first = erasures.add(an_erasure())
    assert erasures.add(an_erasure(number="+13125550112")) == first, "the first request counts"
    assert [erasure.id for erasure in erasures.due(NOW)] == ["e-1"]
    later = erasures.save(first, NOW + timedelta(minutes=1))
    assert list(erasures.due(NOW)) == []
    done = later.model_copy(update={"status": "done"})
    erasures.save(done, NOW + timedelta(minutes=1))
    assert list(erasures.due(NOW + timedelta(days=1))) == []
    assert erasures.get("e-1") == done.model_copy(update={"version": 2})


def test_an_erasure_that_another_process_moved_is_not_saved(erasures: Erasures) -> None:
    first = erasures.add(an_erasure())
    erasures.save(first, NOW)
    with pytest.raises(VersionConflictError):
        erasures.save(first.counting(conversations=1), NOW)


def test_the_last_row_is_not_deleted_when_a_step_came_in_between(
    erasures: Erasures, store: ConversationStore
) -> None:
    first = store.commit(None, begun())
    erasure, remains = erasures.add(an_erasure()), erasures.remains("c-1")
    erasures.delete_body(remains)
    store.commit(first, spoken(first))
    with pytest.raises(VersionConflictError):
        erasures.save(erasure, NOW, writes=[head_deletion(remains)])
    remains = erasures.remains("c-1")
    erasures.delete_body(remains)
    erasures.save(erasure, NOW, writes=[head_deletion(remains)])
    assert erasures.remains("c-1").rows == []
    with pytest.raises(ValueError, match="nothing is left"):
        head_deletion(erasures.remains("c-1"))


def test_the_pointer_of_a_later_conversation_stays(
    erasures: Erasures, store: ConversationStore, dynamodb: "DynamoDBClient", template: Template
) -> None:
    store.commit(None, begun())
    remains = erasures.remains("c-1")
    assert keys.call("v3:c-1") in remains.pointers
    table = Table(dynamodb, template.table.name)
    taken = put_of(keys.call("v3:c-1"), {"conversation_id": {"S": "c-2"}, "leg": {"S": "host:1"}})
    table.put(taken)
    erasures.delete_pointers(remains)
    assert table.get(keys.call("v3:c-1"))
    table.put({**taken, "Item": {**taken["Item"], "conversation_id": {"S": "c-1"}}})
    erasures.delete_pointers(remains)
    assert table.get(keys.call("v3:c-1")) is None


def test_what_is_left_names_every_run_call_number_and_place_and_ends_with_the_document() -> None:
    talk = begun().conversation
    assert talk is not None
    talk.previous_telnyx_ids = ["t-1", UNKNOWN_CONVERSATION_ID, "t-1"]
    talk.telnyx_conversation_id = "t-2"
    talk.host.legs[0].from_ = "+13125550112"
    talk.host.legs[0].former_ids = ["v3:former"]
    booking = asked(to="+13125550113", at=-60)
    places = (keys.schedule("c-1"), keys.state("c-1"))
    rows = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in places]
    remains = Remains("c-1", talk, booking, rows)
    assert remains.telnyx_ids == ["t-1", "t-2"]
    named = {keys.call("v3:c-1"), keys.call("v3:former"), keys.telnyx_conversation("t-1")}
    assert named <= set(remains.pointers)
    assert remains.numbers == {"+13125550112", "+13125550113"}
    times = (talk.created_at, booking.created_at)
    assert remains.places == [keys.listed_at(at, "c-1") for at in times]
    assert remains.head == rows[1]


def test_a_done_erasure_that_the_index_still_has_is_not_due(
    erasures: Erasures, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = erasures.add(an_erasure())
    shard = {":shard": {"S": keys.ERASURES}}
    listed = list(erasures._table.index(keys.BY_DUE, "due_shard = :shard", shard))
    erasures.save(first.model_copy(update={"status": "done"}), NOW)
    monkeypatch.setattr(erasures._table, "index", lambda *_: iter(listed))
    assert len(listed) == 1
    assert list(erasures.due(NOW)) == []
