"""The rights behind erasures, the function of the index, and passes that are interrupted."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from partyline.domain.model.statuses import ConversationStatus
from partyline.services import eraser
from partyline.services.erasures import is_running
from partyline.store import keys
from partyline.store.erasures import Erasure
from partyline.store.people import Gained
from partyline.store.retention import LONGEST_LIFE
from partyline.store.scheduled import ScheduleStatus
from tests.contract.test_schedules import asked
from tests.support.deployment import GUEST_NUMBER, HOST_NUMBER, Deployment

AWAY = ClientError({"Error": {"Code": "InternalServerError", "Message": "away"}}, "PutItem")


def over(deployment: Deployment) -> str:
    """A conversation that never got an answer and is over."""
    conversation_id = str(deployment.start()["id"])
    before = deployment.store.load(conversation_id)
    assert before is not None
    deployment.deliver_for("call.hangup", deployment.dials()[0], hangup_cause="user_busy")
    after = deployment.store.load(conversation_id)
    assert after is not None
    assert after.status is ConversationStatus.FAILED
    return conversation_id


@pytest.mark.parametrize("may", ["control", "control read start directory"])
def test_a_key_without_the_right_erases_no_conversation(deployment: Deployment, may: str) -> None:
    conversation_id = over(deployment)
    status, answer = deployment.ask("delete_conversation", id=conversation_id, may=may)
    assert (status, answer["error"]["code"]) == (403, "forbidden")
    assert answer["error"]["details"] == [{"right": "erase"}]
    status, answer = deployment.ask("delete_conversation", id=conversation_id, may="erase")
    assert (status, answer["error"]["details"]) == (403, [{"right": "control"}])
    status, _ = deployment.ask("delete_conversation", id=conversation_id, may="control erase")
    assert status == 202
    assert deployment.app.eraser.run(lambda: True) == 1
    status, answer = deployment.ask("delete_conversation", id=conversation_id, may=may)
    assert (status, answer["error"]["details"]) == (403, [{"right": "erase"}]), "of the receipt"
    status, _ = deployment.ask("delete_conversation", id="no-such", may=may)
    assert status == 404


@pytest.mark.parametrize("operation", ["erase_person", "get_erasure"])
def test_a_key_without_the_right_erases_no_person_and_reads_no_receipt(
    deployment: Deployment, operation: str
) -> None:
    status, answer = deployment.ask(operation, may="control", number=GUEST_NUMBER, id="e-1")
    assert (status, answer["error"]["details"]) == (403, [{"right": "erase"}])


def record(place: str, *numbers: str, **more: Any) -> dict[str, Any]:
    image = {
        "pk": {"S": "CONVERSATION#c"},
        "listed_at": {"S": place},
        "new_numbers": {"S": "\n".join(numbers)},
        **more,
    }
    return {"dynamodb": {"NewImage": image}}


def test_each_number_of_a_record_is_indexed_once_whatever_its_spelling(
    deployment: Deployment,
) -> None:
    place = "2026-11-22T09:00:00.000000Z#c"
    spelled = (HOST_NUMBER, f"sip:{HOST_NUMBER}@pbx.example.com", f"{HOST_NUMBER},200")
    event = {"Records": [record(place, *spelled, GUEST_NUMBER, "anonymous", "sip:dana@x.example")]}
    assert deployment.invoke("index_numbers", event) == {"entries": 2}
    assert deployment.invoke("index_numbers", event) == {"entries": 2}
    index, hashes = deployment.app.person_index, deployment.app.number_hashes
    for number in (HOST_NUMBER, GUEST_NUMBER):
        assert list(index.places(hashes.of(number))) == [place]
    rows = deployment.dynamodb.scan(TableName=deployment.table_name)["Items"]
    assert not any(HOST_NUMBER.removeprefix("+") in str(row) for row in rows)


def test_an_entry_is_kept_as_long_as_the_rows_that_it_leads_to(deployment: Deployment) -> None:
    until = {"expires_at": {"N": "2000000000"}}  # of a booking
    events = [record("2026-11-22T09:00:00.000000Z#b", HOST_NUMBER, **until)]
    events += [record("2026-11-22T09:00:00.000000Z#c", GUEST_NUMBER)]
    deployment.invoke("index_numbers", {"Records": events})
    rows = deployment.dynamodb.scan(TableName=deployment.table_name)["Items"]
    kept = {row["sk"]["S"][-1]: int(row["expires_at"]["N"]) for row in rows}
    days_90 = deployment.clock.now + timedelta(days=90) + LONGEST_LIFE
    assert kept == {"b": 2000000000, "c": int(days_90.timestamp())}


def test_a_record_of_another_kind_fails_its_batch() -> None:
    with pytest.raises(LookupError):
        Gained.of({"pk": {"S": "CONVERSATION#c"}})


def test_an_interrupted_pass_is_counted_and_the_next_pass_goes_on(deployment: Deployment) -> None:
    conversation_id = over(deployment)
    deployment.ask("delete_conversation", id=conversation_id)
    deployment.dynamodb.failures["query"] = []
    deployment.dynamodb.failures["transact_write_items"] = [AWAY]
    assert deployment.app.eraser.run(lambda: True) == 1
    _, receipt = deployment.ask("get_erasure", id=conversation_id)
    assert receipt["status"] == "running"
    assert deployment.app.eraser.run(lambda: False) == 0
    assert deployment.app.eraser.run(lambda: True) == 1
    _, receipt = deployment.ask("get_erasure", id=conversation_id)
    assert receipt["status"] == "done"
    assert receipt["erased"]["conversations"] == 1


def test_an_erasure_that_always_fails_keeps_no_other_from_its_pass(deployment: Deployment) -> None:
    unreadable, other, at = "c-unreadable", over(deployment), deployment.clock.now
    deployment.app.erasures.add(
        Erasure(id=unreadable, kind="conversation", created_at=at, key_id="")
    )
    deployment.clock.now += timedelta(seconds=1)
    deployment.ask("delete_conversation", id=other)
    pk, sk = keys.state(unreadable)
    row = {"pk": {"S": pk}, "sk": {"S": sk}, "document": {"S": "{}"}}
    deployment.dynamodb.put_item(TableName=deployment.table_name, Item=row)
    assert deployment.app.eraser.run(lambda: True) == 2
    receipts = [deployment.ask("get_erasure", id=name)[1] for name in (unreadable, other)]
    assert [receipt["status"] for receipt in receipts] == ["running", "done"]


def test_two_passes_at_once_erase_and_count_once(deployment: Deployment) -> None:
    conversation_id = over(deployment)
    deployment.ask("delete_conversation", id=conversation_id)
    own, overtaken = deployment.app.eraser, list[bool]()
    write = deployment.app.erasures._table.write

    def overtake(writes: Any) -> None:
        if not overtaken:
            overtaken.append(True)
            own.run(lambda: True)
        write(writes)

    deployment.app.erasures._table.write = overtake  # type: ignore[method-assign]
    own.run(lambda: True)
    _, receipt = deployment.ask("get_erasure", id=conversation_id)
    assert (receipt["status"], receipt["erased"]["conversations"]) == ("done", 1)
    events = [
        row
        for row in deployment.dynamodb.scan(TableName=deployment.table_name)["Items"]
        if "conversation.erased" in str(row.get("event"))
    ]
    assert len(events) == 1


@pytest.mark.parametrize("status", ScheduleStatus)
def test_a_booking_that_starts_right_now_is_left(status: ScheduleStatus) -> None:
    booking = asked().model_copy(update={"status": status})
    assert is_running(None, booking) is (status is ScheduleStatus.STARTING)


def test_a_receipt_names_a_bounded_number_of_conversations_that_telnyx_kept(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eraser, "MAX_GIVEN_UP", 2)
    at, runs = deployment.clock() - timedelta(days=2), ["run-1", "run-2", "run-3"]
    owing = Erasure(id="e-1", kind="conversation", created_at=at, key_id="", owed=runs)
    deployment.app.erasures.add(owing)
    deployment.telnyx.answers["GET"] = [httpx.Response(503) for _ in range(12)]
    deployment.app.eraser.run(lambda: True)
    _, receipt = deployment.ask("get_erasure", id="e-1")
    assert (receipt["status"], receipt["telnyx_given_up"]) == ("done", runs[:2])
