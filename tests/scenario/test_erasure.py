"""After an erasure nothing of a conversation or a person is left, and a receipt says so."""

import base64
import json
from typing import Any

import pytest

from local.stack.http_api import HttpRequest
from partyline.services import eraser
from partyline.store.erasures import Erasure
from partyline.telemetry import Metric
from tests.support.erasing import DEAD_LETTERS, ErasureLab, forms
from tests.support.lab import Lab, NewLab, event_type, minutes
from tests.support.people import CALLER, DANA, HOST, LEE, OUR_NUMBER
from tests.support.person_story import ERASED, book, talked, whole_person


@pytest.fixture
def lab(new_lab: NewLab) -> Lab:
    return new_lab()


@pytest.fixture
def erasing(lab: Lab) -> ErasureLab:
    return ErasureLab(lab)


def keys_of(lab: Lab) -> list[tuple[str, str]]:
    """The keys of all rows."""
    return lab.table.keys()


def rows_of(lab: Lab, conversation_id: str) -> list[str]:
    """The sort keys of a conversation's rows, but for the dedupe records of webhooks."""
    keys = [sk for pk, sk in keys_of(lab) if pk == f"CONVERSATION#{conversation_id}"]
    return [sk for sk in keys if not sk.startswith("DEDUPE#")]


def pointers(lab: Lab) -> list[str]:
    return [pk for pk, sk in keys_of(lab) if sk == "POINTER"]


def events(lab: Lab, kind: str) -> list[Any]:
    return [event for event in lab.table.events() if event["type"] == kind]


def test_an_erased_conversation_leaves_no_row_and_no_pointer(lab: Lab, erasing: ErasureLab) -> None:
    conversation_id = talked(lab, erasing, DANA)
    assert rows_of(lab, conversation_id)
    assert pointers(lab)
    answer = lab.ask("DELETE", f"/conversations/{conversation_id}")
    assert (answer.status, answer.json["id"]) == (202, conversation_id)
    assert answer.json["status"] == "running"
    receipt = erasing.settle(conversation_id)
    assert receipt["erased"]["conversations"] == 1
    assert receipt["erased"]["telnyx_conversations"] == 1
    assert rows_of(lab, conversation_id) == pointers(lab) == []
    assert lab.ask("GET", f"/conversations/{conversation_id}").status == 404
    assert lab.telnyx_conversation().deleted
    for number in (HOST, DANA):
        assert erasing.places_of(number) == {}
    assert not [pk for pk, _ in keys_of(lab) if pk.startswith("PERSON#")]


def test_the_event_of_an_erased_conversation_tells_consumers_to_delete_theirs(
    lab: Lab, erasing: ErasureLab
) -> None:
    conversation_id = talked(lab, erasing)
    seq = lab.timeline(conversation_id)[-1]["seq"]
    lab.ask("DELETE", f"/conversations/{conversation_id}")
    erasing.settle(conversation_id)
    [event] = events(lab, "conversation.erased")
    assert (event["conversation_id"], event["seq"]) == (conversation_id, seq + 1)
    assert event["data"] == {"erasure_id": conversation_id}


def test_a_conversation_that_runs_is_not_erased(lab: Lab, erasing: ErasureLab) -> None:
    conversation_id = lab.start()
    lab.run(10)
    answer = lab.ask("DELETE", f"/conversations/{conversation_id}")
    assert (answer.status, answer.json["error"]["code"]) == (409, "conversation_running")
    erasing.index()
    answer = erasing.delete_person(HOST)
    assert (answer.status, answer.json["error"]["code"]) == (409, "conversation_running")
    assert answer.json["error"]["details"] == [{"running": 1}]
    assert erasing.erase() == 0
    assert lab.status(conversation_id) == "active"


def test_a_repeated_request_gives_the_same_erasure(lab: Lab, erasing: ErasureLab) -> None:
    conversation_id = talked(lab, erasing)
    first = lab.ask("DELETE", f"/conversations/{conversation_id}")
    assert lab.ask("DELETE", f"/conversations/{conversation_id}").json == first.json
    erasing.settle(conversation_id)
    again = lab.ask("DELETE", f"/conversations/{conversation_id}")
    assert (again.status, again.json["status"]) == (202, "done")
    assert len(events(lab, "conversation.erased")) == 1


def test_an_erased_conversation_does_not_come_back_with_webhooks_that_come_again(
    lab: Lab, erasing: ErasureLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhooks, handle = list[HttpRequest](), lab._handle

    def noting(webhook: HttpRequest) -> int:
        webhooks.append(webhook)
        return handle(webhook)

    monkeypatch.setattr(lab, "_handle", noting)
    conversation_id = lab.inbound()
    lab.run(20)
    lab.hang_up(CALLER)
    lab.run(minutes(1))
    lab.ask("DELETE", f"/conversations/{conversation_id}")
    erasing.settle(conversation_id)
    kinds = {event_type(webhook) for webhook in webhooks}
    assert {"call.initiated", "call.hangup", "call.conversation.ended"} <= kinds
    assert set(map(handle, webhooks)) == {200}
    assert rows_of(lab, conversation_id) == pointers(lab) == []
    assert len(lab.commands("answer")) == 1


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_scheduled_start_is_erased_if_so_asked(
    lab: Lab, erasing: ErasureLab, cancelled: bool
) -> None:
    booking = book(lab, DANA)
    if cancelled:
        for _ in range(2):  # a repeated cancellation erases nothing
            assert lab.ask("DELETE", f"/conversations/{booking}").status == 200
    assert rows_of(lab, booking)
    answer = lab.ask("DELETE", f"/conversations/{booking}?scheduled=erase")
    assert answer.status == 202, answer.json
    erasing.index()
    erasing.erase()
    assert erasing.receipt(booking)["erased"]["bookings"] == 1
    assert rows_of(lab, booking) == []
    assert erasing.places_of(DANA) == {}
    answer = lab.ask("DELETE", f"/conversations/{booking}?scheduled=erased")
    assert answer.status == 422
    assert "scheduled" in answer.json["error"]["message"]


def test_an_unknown_conversation_and_an_unknown_erasure_are_not_found(
    lab: Lab, erasing: ErasureLab
) -> None:
    answer = lab.ask("DELETE", "/conversations/no-such")
    assert (answer.status, answer.json["error"]["code"]) == (404, "unknown_conversation")
    answer = lab.ask("GET", "/erasures/no-such")
    assert (answer.status, answer.json["error"]["code"]) == (404, "unknown_erasure")


def test_an_erased_person_is_left_in_no_form_in_table_queues_and_logs(
    lab: Lab, erasing: ErasureLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = list[Metric]()
    monkeypatch.setattr(eraser, "count", lambda metric, *_: counted.append(metric))
    *erased, other = whole_person(lab, erasing)
    assert {"table", "queues"} <= erasing.places_of(DANA).keys()
    answer = erasing.delete_person(DANA, "?do_not_call=delete")
    assert (answer.status, answer.json["kind"]) == (202, "person"), answer.json
    receipt = erasing.settle(answer.json["id"])
    assert counted.count(Metric.PERSON_ERASED) == 1
    assert erasing.places_of(DANA) == {}
    assert receipt["status"] == "done"
    assert receipt["erased"] == ERASED
    assert all(rows_of(lab, conversation_id) == [] for conversation_id in erased)
    assert list(lab.app.person_index.places(lab.app.number_hashes.of(DANA))) == []
    assert len(erasing.scheduler.cancelled) == 2
    # Other people keep theirs.
    assert rows_of(lab, other)
    route = lab.ask("GET", f"/routes/{OUR_NUMBER}").json
    assert {name: contact["to"] for name, contact in route["contacts"].items()} == {
        "Desk": [LEE],
        "Lee": [LEE],
    }
    left = [len(lab.gateway.queues.waiting(name)) for name in DEAD_LETTERS]
    assert left == [1, 1, 1]
    [event] = events(lab, "person.erased")
    assert event["data"] == {"erasure_id": receipt["id"], **receipt["erased"]}
    assert len(events(lab, "conversation.erased")) == 4


def test_the_booked_counter_is_right_after_the_erasure_of_bookings(
    lab: Lab, erasing: ErasureLab
) -> None:
    whole_person(lab, erasing)
    answer = erasing.delete_person(DANA)
    erasing.settle(answer.json["id"])
    [units] = [row["units"]["N"] for row in lab.table.items() if row["sk"]["S"] == "BOOKINGS"]
    assert units == "0"


def test_the_do_not_call_entry_stays_unless_its_erasure_is_asked_for(
    lab: Lab, erasing: ErasureLab
) -> None:
    lab.ask("PUT", f"/do-not-call/{DANA}", {})
    receipt = erasing.settle(erasing.delete_person(DANA).json["id"])
    assert receipt["erased"]["do_not_call"] == 0
    assert lab.ask("GET", f"/do-not-call/{DANA}").status == 200
    answer = erasing.delete_person(DANA, "?do_not_call=never")
    assert (answer.status, answer.json["error"]["code"]) == (422, "invalid_request")


def test_a_do_not_call_entry_that_is_added_after_the_request_stays(
    lab: Lab, erasing: ErasureLab
) -> None:
    lab.ask("PUT", f"/do-not-call/{DANA}", {})
    erasure_id = erasing.delete_person(DANA, "?do_not_call=delete").json["id"]
    erasing.erase()
    assert lab.ask("GET", f"/do-not-call/{DANA}").status == 404
    lab.run(minutes(2))
    lab.ask("PUT", f"/do-not-call/{DANA}", {})
    assert erasing.settle(erasure_id)["erased"]["do_not_call"] == 1
    assert lab.ask("GET", f"/do-not-call/{DANA}").status == 200


def test_a_conversation_that_begins_after_the_request_is_left(
    lab: Lab, erasing: ErasureLab
) -> None:
    erasure_id = erasing.delete_person(DANA).json["id"]
    lab.run(1)
    conversation_id = lab.start(participants=[{"to": DANA}])
    lab.run(20)
    receipt = erasing.settle(erasure_id)
    assert (receipt["status"], receipt["erased"]["conversations"]) == ("done", 0)
    assert lab.status(conversation_id) == "active"


def test_a_conversation_that_ran_unseen_at_the_request_is_erased_after_its_end(
    lab: Lab, erasing: ErasureLab
) -> None:
    conversation_id = lab.start(participants=[{"to": DANA}])
    lab.run(20)
    answer = erasing.delete_person(DANA)  # the index does not have the conversation yet
    assert answer.status == 202
    assert erasing.settle(answer.json["id"])["status"] == "running"
    assert lab.status(conversation_id) == "active"
    lab.stop(conversation_id, hang_up=True)
    assert erasing.settle(answer.json["id"])["erased"]["conversations"] == 1
    assert rows_of(lab, conversation_id) == []


def test_the_erasure_of_a_person_looks_again_after_ten_minutes(
    lab: Lab, erasing: ErasureLab
) -> None:
    answer = erasing.delete_person(DANA)
    erasing.erase()
    assert erasing.receipt(answer.json["id"])["status"] == "running"
    queues = lab.gateway.queues  # a webhook of the failover queue becomes a dead letter
    queues.send(queues.arn("FailoverDeadLetters"), json.dumps({"from": DANA}))
    receipt = erasing.settle(answer.json["id"])
    assert receipt["erased"]["queue_messages"] == 1
    assert queues.waiting("FailoverDeadLetters") == []


@pytest.mark.parametrize("number", ["3125550112", "+1", "anonymous", "+1312555011x", "sip:a@b.c"])
def test_a_text_that_is_no_number_is_refused_by_name(
    lab: Lab, erasing: ErasureLab, number: str
) -> None:
    answer = erasing.delete_person(number)
    assert (answer.status, answer.json["error"]["code"]) == (422, "invalid_request")
    assert "number" in answer.json["error"]["message"]
    answer = lab.ask("GET", f"/conversations?number={number.replace('+', '%2B')}")
    assert answer.status == 422
    assert "number" in answer.json["error"]["message"]


def test_conversations_are_found_by_a_number_newest_first(lab: Lab, erasing: ErasureLab) -> None:
    first, second = talked(lab, erasing, DANA), talked(lab, erasing, LEE, DANA)
    talked(lab, erasing, LEE)
    book(lab, DANA)
    erasing.index()
    path = f"/conversations?number={DANA.replace('+', '%2B')}"
    answer = lab.ask("GET", path)
    assert [shown["id"] for shown in answer.json["conversations"]] == [second, first]
    assert answer.json["next_cursor"] is None
    ended = lab.ask("GET", f"{path}&status=active")
    assert ended.json["conversations"] == []
    ids, cursor = list[str](), ""
    while cursor is not None:
        page = lab.ask("GET", f"{path}&limit=1" + (f"&cursor={cursor}" if cursor else "")).json
        ids += [shown["id"] for shown in page["conversations"]]
        cursor = page["next_cursor"]
    assert ids == [second, first]
    refused = lab.ask("GET", f"{path}&status=scheduled")
    assert (refused.status, refused.json["error"]["details"][0]["field"]) == (422, "status")


def test_the_caller_of_an_inbound_conversation_is_found_and_our_number_is_not(
    lab: Lab, erasing: ErasureLab
) -> None:
    conversation_id = lab.inbound()
    lab.run(10)
    erasing.index()
    shown = lab.ask("GET", f"/conversations?number={CALLER.replace('+', '%2B')}").json
    assert [item["id"] for item in shown["conversations"]] == [conversation_id]
    ours = lab.ask("GET", f"/conversations?number={OUR_NUMBER.replace('+', '%2B')}").json
    assert ours["conversations"] == []


def test_a_step_without_a_new_number_is_no_work_for_the_index(
    lab: Lab, erasing: ErasureLab
) -> None:
    conversation_id = lab.start(participants=[{"to": DANA}])
    lab.run(20)
    assert erasing.index() == 1
    lab.stop(conversation_id, hang_up=True)
    lab.run(minutes(10))
    assert erasing.index() == 0


def test_deletions_that_telnyx_refuses_are_repeated_and_given_up_after_a_day(
    lab: Lab, erasing: ErasureLab
) -> None:
    conversation_id = talked(lab, erasing)
    lab.fail("conversation_delete", "refuse", times=None, status=503)
    lab.ask("DELETE", f"/conversations/{conversation_id}")
    erasing.erase()
    assert erasing.receipt(conversation_id)["telnyx_owed"] == 1
    assert rows_of(lab, conversation_id) == []
    receipt = erasing.settle(conversation_id, hours=26)
    assert receipt["telnyx_given_up"] == [lab.telnyx_conversation().conversation_id]
    assert receipt["erased"]["telnyx_conversations"] == receipt["telnyx_owed"] == 0


def test_a_pass_without_time_left_deletes_nothing_at_telnyx_and_owes_the_rest(
    lab: Lab, erasing: ErasureLab
) -> None:
    conversation_id = talked(lab, erasing)
    lab.ask("DELETE", f"/conversations/{conversation_id}")
    lab.app.eraser.run(iter([True, False]).__next__)
    assert erasing.receipt(conversation_id)["telnyx_owed"] == 1
    assert not lab.telnyx_conversation().deleted
    assert erasing.settle(conversation_id)["erased"]["telnyx_conversations"] == 1


def test_a_pass_without_time_left_goes_on_with_the_next_conversation_in_the_next_pass(
    lab: Lab, erasing: ErasureLab
) -> None:
    for _ in range(2):
        talked(lab, erasing, DANA)
    erasure_id = erasing.delete_person(DANA).json["id"]
    lab.app.eraser.run(iter([True, True, *[False] * 9]).__next__)
    assert erasing.receipt(erasure_id)["erased"]["conversations"] == 1
    assert erasing.settle(erasure_id)["erased"]["conversations"] == 2


def test_an_erasure_is_not_done_before_the_last_pass_has_searched_all_queues(
    lab: Lab, erasing: ErasureLab
) -> None:
    erasure_id = erasing.delete_person(DANA).json["id"]
    lab.run(minutes(11))
    lab.app.eraser.run(iter([True, False]).__next__)
    assert erasing.receipt(erasure_id)["status"] == "running"
    assert erasing.settle(erasure_id)["status"] == "done"


def test_an_erasure_deletes_at_telnyx_before_its_row_owes_too_much(
    lab: Lab, erasing: ErasureLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eraser, "MAX_OWED", 1)
    for _ in range(2):
        talked(lab, erasing, DANA)
    owed, save = list[int](), lab.app.erasures.save

    def noting(erasure: Erasure, *more: Any) -> Erasure:
        owed.append(len(erasure.owed))
        return save(erasure, *more)

    monkeypatch.setattr(lab.app.erasures, "save", noting)
    erasure_id = erasing.delete_person(DANA).json["id"]
    assert erasing.settle(erasure_id)["erased"]["telnyx_conversations"] == 2
    assert max(owed) == 1


def test_the_forms_of_a_number_are_found_in_base64() -> None:
    for prefix in ("", "a", "ab", "abc", '{"from":"'):
        text = base64.b64encode(f'{prefix}{DANA}","to":"x"}}'.encode()).decode()
        assert any(form in text.encode() for form in forms(DANA)), prefix
