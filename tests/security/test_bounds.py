"""What a bearer key can cost at most: conversations at once, and dials a minute."""

import json
from functools import partial
from hashlib import sha256
from typing import Any

import pytest

from local.simulator.model import Person
from partyline.store import keys
from tests.scenario.people import CALLER, DANA, HOST, KIM, LEE, OURS
from tests.scenario.stage import Answer, Stage
from tests.security.house import Secrets, Staged, assert_untouched


def start(at: Stage, body: dict[str, Any] | None = None, **headers: str) -> Answer:
    return at.ask("POST", "/conversations", {"to": HOST} | (body or {}), **headers)


def assert_refused(answer: Answer, code: str, limit: int) -> None:
    assert answer.status == 429
    error = answer.json["error"]
    assert (error["code"], error["details"]) == (code, [{"limit": limit}])
    assert str(limit) in error["message"]


def test_a_key_dials_as_often_as_it_may_in_a_minute(stage: Staged) -> None:
    at = stage(MaxDialsPerMinute="3")
    at.run(60 - at.clock.now().second)
    assert [start(at).status for _ in range(3)] == [202] * 3
    stored = at.table.keys()
    assert_refused(start(at), "too_many_dials", 3)
    assert at.table.keys() == stored
    assert at.dialled() == ["host"] * 3
    at.run(60)
    assert start(at).status == 202


def test_a_minute_is_one_keys_own(stage: Staged, secrets: Secrets) -> None:
    keys = [{"id": key, "sha256": sha256(key.encode()).hexdigest()} for key in ("one", "other")]
    secrets.values["bearer"] = json.dumps({"keys": keys})
    at = stage(MaxDialsPerMinute="1")
    asked = [start(at, authorization=f"Bearer {key}").status for key in ("one", "one", "other")]
    assert asked == [202, 429, 202]


def test_every_call_that_may_come_of_a_request_is_a_dial(stage: Staged) -> None:
    at = stage(MaxDialsPerMinute="6")
    guests = [{"to": [DANA, LEE], "max_attempts": 2}, {"to": KIM}]
    assert start(at, {"participants": guests}).status == 202  # 1 + 2 x 2 + 1: all six of them
    assert_refused(start(at), "too_many_dials", 6)


def test_a_request_larger_than_any_minute_is_refused_without_a_look(stage: Staged) -> None:
    at = stage(MaxDialsPerMinute="2")
    guests = [{"to": DANA, "max_attempts": 2}]
    assert_refused(start(at, {"participants": guests}), "too_many_dials", 2)
    assert_untouched(at)


def test_invitations_are_charged_too(stage: Staged) -> None:
    at = stage(MaxDialsPerMinute="3")
    path = f"/conversations/{at.start()}/participants"
    assert at.ask("POST", path, {"to": [DANA, LEE]}).status == 202
    assert_refused(at.ask("POST", path, {"to": KIM}), "too_many_dials", 3)
    assert "Kim" not in at.dialled()


def test_a_live_call_is_no_dial(stage: Staged) -> None:
    at = stage(MaxDialsPerMinute="1")
    at.start()
    at.attach(at.telnyx.outside_call(CALLER, OURS))


def test_what_was_done_once_is_neither_refused_nor_charged_again(stage: Staged) -> None:
    at = stage(MaxDialsPerMinute="2", MaxConversations="1")
    first = start(at, idempotency_key="k-1")
    assert [start(at, idempotency_key="k-1").status for _ in range(3)] == [200] * 3
    path = f"/conversations/{first.json['id']}/participants"
    invite = partial(at.ask, "POST", path, {"to": DANA}, idempotency_key="k-2")
    assert [invite().status for _ in range(3)] == [202] * 3
    assert_refused(at.ask("POST", path, {"to": LEE}), "too_many_dials", 2)


def test_what_is_refused_is_not_charged(stage: Staged) -> None:
    at = stage(MaxDialsPerMinute="2")
    here = at.start()
    at.stop(here, hang_up=True)
    path = f"/conversations/{here}/participants"
    assert [at.ask("POST", path, {"to": DANA}).status for _ in range(3)] == [409] * 3
    assert start(at).status == 202


def test_a_refusal_by_which_time_catches_up_is_not_charged_either(stage: Staged) -> None:
    at = stage(MaxDialsPerMinute="2")
    here = at.start()
    at.run(30)
    at.hold()
    at.stop(here)
    at.run(65)  # nobody has said that it ended, and no sweep has come by since it had to
    assert at.status(here) == "stopping"
    assert at.ask("POST", f"/conversations/{here}/participants", {"to": DANA}).status == 409
    assert at.status(here) == "ended"
    assert [start(at).status for _ in range(2)] == [202, 202]


def test_of_many_at_once_as_many_dial_as_may(stage: Staged) -> None:
    at = stage(MaxDialsPerMinute="3")
    asked = at.at_once([partial(start, at)] * 8)
    assert sorted(each.status for each in asked) == [202] * 3 + [429] * 5
    assert at.dialled() == ["host"] * 3


def test_a_minutes_count_is_forgotten_some_day(stage: Staged) -> None:
    at = stage()
    at.start()
    key = keys.dials("scenario", at.clock.now())
    row = at.wiring.store.find([key])[key]
    age = int(row["expires_at"]["N"]) - at.clock.now().timestamp()
    assert 60 < age <= 3600


def test_only_so_many_conversations_go_on_at_once(stage: Staged) -> None:
    at = stage(MaxConversations="2")
    first, second = at.start(), at.start()
    at.run(5)
    stored = at.table.keys()
    assert_refused(start(at), "too_many_conversations", 2)
    assert at.table.keys() == stored
    at.stop(first)
    assert_refused(start(at), "too_many_conversations", 2)  # it is stopping, and has not ended
    at.run(120)
    assert at.status(first) == "ended"
    assert start(at).status == 202
    assert at.status(second) == "active"


def test_a_conversation_that_failed_makes_room(stage: Staged) -> None:
    at = stage([Person(HOST, behaviour="busy")], MaxConversations="1")
    here = at.start()
    at.run(30)
    assert at.status(here) == "failed"
    assert start(at).status == 202


def test_calls_to_our_numbers_count_and_are_answered_all_the_same(stage: Staged) -> None:
    at = stage(MaxConversations="1")
    for _ in range(2):
        at.ring_in()
        at.run(5)
    assert [each["status"] for each in at.conversations()] == ["active"] * 2
    assert_refused(start(at), "too_many_conversations", 1)


@pytest.mark.parametrize("body", [{"to": HOST}, {"call_control_id": "v3:somebodys-live-call"}])
def test_without_room_a_live_call_gets_no_assistant_either(
    stage: Staged, body: dict[str, str]
) -> None:
    at = stage(MaxConversations="1")
    at.start()
    answer = at.ask("POST", "/conversations", body)
    assert_refused(answer, "too_many_conversations", 1)
    assert at.telnyx.conversations == []
