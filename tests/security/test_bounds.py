"""What a bearer key can cost at most: conversations at once, and dials a minute."""

import json
from functools import partial
from hashlib import sha256
from typing import Any

import pytest

from local.simulator.model import Person
from partyline.store import keys
from tests.support.lab import Answer, Lab
from tests.support.people import CALLER, DANA, HOST, KIM, LEE, OURS
from tests.support.security import NewLab, Secrets, assert_untouched


def start(lab: Lab, body: dict[str, Any] | None = None, **headers: str) -> Answer:
    return lab.ask("POST", "/conversations", {"to": HOST} | (body or {}), **headers)


def assert_refused(answer: Answer, code: str, limit: int) -> None:
    assert answer.status == 429
    error = answer.json["error"]
    assert (error["code"], error["details"]) == (code, [{"limit": limit}])
    assert str(limit) in error["message"]


def test_a_key_dials_as_often_as_it_may_in_a_minute(new_lab: NewLab) -> None:
    lab = new_lab(MaxDialsPerMinute="3")
    lab.run(60 - lab.clock.now().second)
    assert [start(lab).status for _ in range(3)] == [202] * 3
    stored = lab.table.keys()
    assert_refused(start(lab), "too_many_dials", 3)
    assert lab.table.keys() == stored
    assert lab.dialled() == ["host"] * 3
    lab.run(60)
    assert start(lab).status == 202


def test_a_minute_is_one_keys_own(new_lab: NewLab, secrets: Secrets) -> None:
    keys = [{"id": key, "sha256": sha256(key.encode()).hexdigest()} for key in ("one", "other")]
    secrets.values["bearer"] = json.dumps({"keys": keys})
    lab = new_lab(MaxDialsPerMinute="1")
    asked = [start(lab, authorization=f"Bearer {key}").status for key in ("one", "one", "other")]
    assert asked == [202, 429, 202]


def test_every_call_that_may_come_of_a_request_is_a_dial(new_lab: NewLab) -> None:
    lab = new_lab(MaxDialsPerMinute="6")
    guests = [{"to": [DANA, LEE], "max_attempts": 2}, {"to": KIM}]
    assert start(lab, {"participants": guests}).status == 202  # 1 + 2 x 2 + 1: all six of them
    assert_refused(start(lab), "too_many_dials", 6)


def test_a_request_larger_than_any_minute_is_refused_without_a_look(new_lab: NewLab) -> None:
    lab = new_lab(MaxDialsPerMinute="2")
    guests = [{"to": DANA, "max_attempts": 2}]
    assert_refused(start(lab, {"participants": guests}), "too_many_dials", 2)
    assert_untouched(lab)


def test_invitations_are_charged_too(new_lab: NewLab) -> None:
    lab = new_lab(MaxDialsPerMinute="3")
    path = f"/conversations/{lab.start()}/participants"
    assert lab.ask("POST", path, {"to": [DANA, LEE]}).status == 202
    assert_refused(lab.ask("POST", path, {"to": KIM}), "too_many_dials", 3)
    assert "Kim" not in lab.dialled()


def test_a_live_call_is_no_dial(new_lab: NewLab) -> None:
    lab = new_lab(MaxDialsPerMinute="1")
    lab.start()
    lab.attach(lab.telnyx.outside_call(CALLER, OURS))


def test_what_was_done_once_is_neither_refused_nor_charged_again(new_lab: NewLab) -> None:
    lab = new_lab(MaxDialsPerMinute="2", MaxConversations="1")
    first = start(lab, idempotency_key="k-1")
    assert [start(lab, idempotency_key="k-1").status for _ in range(3)] == [200] * 3
    path = f"/conversations/{first.json['id']}/participants"
    invite = partial(lab.ask, "POST", path, {"to": DANA}, idempotency_key="k-2")
    assert [invite().status for _ in range(3)] == [202] * 3
    assert_refused(lab.ask("POST", path, {"to": LEE}), "too_many_dials", 2)


def test_what_is_refused_is_not_charged(new_lab: NewLab) -> None:
    lab = new_lab(MaxDialsPerMinute="2")
    conversation_id = lab.start()
    lab.stop(conversation_id, hang_up=True)
    path = f"/conversations/{conversation_id}/participants"
    assert [lab.ask("POST", path, {"to": DANA}).status for _ in range(3)] == [409] * 3
    assert start(lab).status == 202


def test_a_refusal_by_which_time_catches_up_is_not_charged_either(new_lab: NewLab) -> None:
    lab = new_lab(MaxDialsPerMinute="2")
    conversation_id = lab.start()
    lab.run(30)
    lab.hold()
    lab.stop(conversation_id)
    lab.run(65)  # nobody has said that it ended, and no sweep has come by since it had to
    assert lab.status(conversation_id) == "stopping"
    assert (
        lab.ask("POST", f"/conversations/{conversation_id}/participants", {"to": DANA}).status
        == 409
    )
    assert lab.status(conversation_id) == "ended"
    assert [start(lab).status for _ in range(2)] == [202, 202]


def test_of_many_at_once_as_many_dial_as_may(new_lab: NewLab) -> None:
    lab = new_lab(MaxDialsPerMinute="3")
    asked = lab.at_once([partial(start, lab)] * 8)
    assert sorted(each.status for each in asked) == [202] * 3 + [429] * 5
    assert lab.dialled() == ["host"] * 3


def test_a_minutes_count_is_forgotten_some_day(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.start()
    key = keys.dials("scenario", lab.clock.now())
    row = lab.wiring.store.table.find([key])[key]
    age = int(row["expires_at"]["N"]) - lab.clock.now().timestamp()
    assert 60 < age <= 3600


def test_only_so_many_conversations_go_on_at_once(new_lab: NewLab) -> None:
    lab = new_lab(MaxConversations="2")
    first, second = lab.start(), lab.start()
    lab.run(5)
    stored = lab.table.keys()
    assert_refused(start(lab), "too_many_conversations", 2)
    assert lab.table.keys() == stored
    lab.stop(first)
    assert_refused(start(lab), "too_many_conversations", 2)  # it is stopping, and has not ended
    lab.run(120)
    assert lab.status(first) == "ended"
    assert start(lab).status == 202
    assert lab.status(second) == "active"


def test_a_conversation_that_failed_makes_room(new_lab: NewLab) -> None:
    lab = new_lab([Person(HOST, behaviour="busy")], MaxConversations="1")
    conversation_id = lab.start()
    lab.run(30)
    assert lab.status(conversation_id) == "failed"
    assert start(lab).status == 202


def test_calls_to_our_numbers_count_and_are_answered_all_the_same(new_lab: NewLab) -> None:
    lab = new_lab(MaxConversations="1")
    for _ in range(2):
        lab.ring_in()
        lab.run(5)
    assert [each["status"] for each in lab.conversations()] == ["active"] * 2
    assert_refused(start(lab), "too_many_conversations", 1)


@pytest.mark.parametrize("body", [{"to": HOST}, {"call_control_id": "v3:somebodys-live-call"}])
def test_without_room_a_live_call_gets_no_assistant_either(
    new_lab: NewLab, body: dict[str, str]
) -> None:
    lab = new_lab(MaxConversations="1")
    lab.start()
    answer = lab.ask("POST", "/conversations", body)
    assert_refused(answer, "too_many_conversations", 1)
    assert lab.telnyx.conversations == []
