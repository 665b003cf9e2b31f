"""Quotas of a bearer key: open conversations, and dials per minute."""

import json
from functools import partial
from hashlib import sha256
from typing import Any

import pytest

from local.simulator.delivery import DeliverySettings
from local.simulator.model import Person
from partyline.store import keys
from partyline.store.errors import QuotaExceededError
from tests.support.backend import Secrets
from tests.support.lab import Answer, Lab, NewLab
from tests.support.people import CALLER, DANA, HOST, KIM, LEE, OUR_NUMBER
from tests.support.security import assert_untouched


def start(lab: Lab, body: dict[str, Any] | None = None, **headers: str) -> Answer:
    return lab.ask("POST", "/conversations", {"to": HOST} | (body or {}), **headers)


def assert_refused(answer: Answer, code: str, limit: int) -> None:
    assert answer.status == 429
    error = answer.json["error"]
    assert (error["code"], error["details"]) == (code, [{"limit": limit}])
    assert str(limit) in error["message"]


def test_a_key_may_dial_up_to_its_limit_in_a_minute(new_lab: NewLab) -> None:
    lab = new_lab(MaxDialsPerMinute="3")
    lab.run(60 - lab.clock.now().second)
    assert [start(lab).status for _ in range(3)] == [202] * 3
    stored = lab.table.keys()
    assert_refused(start(lab), "too_many_dials", 3)
    assert lab.table.keys() == stored
    assert lab.people_dialled() == ["host"] * 3
    lab.run(61)
    assert start(lab).status == 202


def test_two_minutes_that_meet_do_not_add_up_to_twice_the_limit(new_lab: NewLab) -> None:
    lab = new_lab(MaxDialsPerMinute="3")
    lab.run(110 - lab.clock.now().second)
    assert start(lab).status == 202
    lab.run(8)
    assert [start(lab).status for _ in range(2)] == [202] * 2
    lab.run(5)  # the next calendar minute
    assert_refused(start(lab), "too_many_dials", 3)
    lab.run(48)  # the first dial is older than a minute, the others are not
    assert [start(lab).status for _ in range(2)] == [202, 429]


def test_the_tools_dials_of_two_minutes_that_meet_count_together(new_lab: NewLab) -> None:
    lab = new_lab(MaxToolDialsPerMinute="3")
    lab.run(118 - lab.clock.now().second)
    quotas, now = lab.app.conversations.quotas, lab.clock.now
    lab.app.store.charge(quotas.tool_charges("c-1", OUR_NUMBER, 2))
    lab.run(5)
    assert now().second < 10
    with pytest.raises(QuotaExceededError):
        lab.app.store.charge(quotas.tool_charges("c-2", OUR_NUMBER, 2))
    lab.app.store.charge(quotas.tool_charges("c-2", OUR_NUMBER, 1))


def test_the_dials_per_minute_are_counted_for_each_key(new_lab: NewLab, secrets: Secrets) -> None:
    keys = [{"id": key, "sha256": sha256(key.encode()).hexdigest()} for key in ("first", "other")]
    secrets.values["bearer"] = json.dumps({"keys": keys})
    lab = new_lab(MaxDialsPerMinute="1")
    statuses = [
        start(lab, authorization=f"Bearer {key}").status for key in ("first", "first", "other")
    ]
    assert statuses == [202, 429, 202]


def test_every_possible_call_of_a_request_counts_as_a_dial(new_lab: NewLab) -> None:
    lab = new_lab(MaxDialsPerMinute="6")
    guests = [{"to": [DANA, LEE], "max_attempts": 2}, {"to": KIM}]
    assert start(lab, {"participants": guests}).status == 202  # 1 + 2 x 2 + 1 = 6 dials
    assert_refused(start(lab), "too_many_dials", 6)


def test_a_request_above_the_limit_is_refused_without_a_read(new_lab: NewLab) -> None:
    lab = new_lab(MaxDialsPerMinute="2")
    guests = [{"to": DANA, "max_attempts": 2}]
    assert_refused(start(lab, {"participants": guests}), "too_many_dials", 2)
    assert_untouched(lab)


def test_an_invitation_counts_as_dials(new_lab: NewLab) -> None:
    lab = new_lab(MaxDialsPerMinute="3")
    path = f"/conversations/{lab.start()}/participants"
    assert lab.ask("POST", path, {"to": [DANA, LEE]}).status == 202
    assert_refused(lab.ask("POST", path, {"to": KIM}), "too_many_dials", 3)
    assert "Kim" not in lab.people_dialled()


def test_attaching_a_live_call_does_not_count_as_a_dial(new_lab: NewLab) -> None:
    lab = new_lab(MaxDialsPerMinute="1")
    lab.start()
    lab.attach(lab.telnyx.outside_call(CALLER, OUR_NUMBER))


def test_a_repeated_request_is_neither_refused_nor_counted_again(new_lab: NewLab) -> None:
    lab = new_lab(MaxDialsPerMinute="2", MaxConversations="1")
    first = start(lab, idempotency_key="k-1")
    assert [start(lab, idempotency_key="k-1").status for _ in range(3)] == [200] * 3
    path = f"/conversations/{first.json['id']}/participants"
    invite = partial(lab.ask, "POST", path, {"to": DANA}, idempotency_key="k-2")
    assert [invite().status for _ in range(3)] == [202] * 3
    assert_refused(lab.ask("POST", path, {"to": LEE}), "too_many_dials", 2)


def test_a_refused_request_is_not_counted(new_lab: NewLab) -> None:
    lab = new_lab(MaxDialsPerMinute="2")
    conversation_id = lab.start()
    lab.stop(conversation_id, hang_up=True)
    path = f"/conversations/{conversation_id}/participants"
    assert [lab.ask("POST", path, {"to": DANA}).status for _ in range(3)] == [409] * 3
    assert start(lab).status == 202


def test_an_invitation_refused_because_an_overdue_timer_ended_the_conversation_is_not_counted(
    new_lab: NewLab,
) -> None:
    lab = new_lab(MaxDialsPerMinute="2")
    conversation_id = lab.start()
    lab.run(30)
    lab.hold()
    lab.stop(conversation_id)
    lab.run(65)  # no webhook and no sweep since the stop is overdue
    assert lab.status(conversation_id) == "stopping"
    assert (
        lab.ask("POST", f"/conversations/{conversation_id}/participants", {"to": DANA}).status
        == 409
    )
    assert lab.status(conversation_id) == "ended"
    assert [start(lab).status for _ in range(2)] == [202, 202]


def test_of_eight_starts_at_the_same_time_only_three_dial_with_a_limit_of_three(
    new_lab: NewLab,
) -> None:
    lab = new_lab(MaxDialsPerMinute="3")
    answers = lab.run_together([partial(start, lab)] * 8)
    assert sorted(answer.status for answer in answers) == [202] * 3 + [429] * 5
    assert lab.people_dialled() == ["host"] * 3


def test_a_minutes_count_expires(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.start()
    key = keys.dials("scenario", lab.clock.now())
    row = lab.app.store.table.find([key])[key]
    age = int(row["expires_at"]["N"]) - lab.clock.now().timestamp()
    assert 60 < age <= 3600


def test_a_start_above_the_limit_of_open_conversations_is_refused(new_lab: NewLab) -> None:
    lab = new_lab(MaxConversations="2", InboundShare="0")
    first, second = lab.start(), lab.start()
    lab.run(5)
    stored = lab.table.keys()
    assert_refused(start(lab), "too_many_conversations", 2)
    assert lab.table.keys() == stored
    lab.stop(first, hang_up=True)
    assert_refused(
        start(lab), "too_many_conversations", 2
    )  # a stopping conversation counts as open
    lab.run(120)
    assert lab.status(first) == "ended"
    assert start(lab).status == 202
    assert lab.status(second) == "active"


def test_a_stopped_conversation_counts_as_open_until_its_calls_are_down(new_lab: NewLab) -> None:
    lab = new_lab(MaxConversations="1")
    first = lab.start()
    lab.run(5)
    lab.stop(first)
    lab.run(300)
    assert (lab.status(first), lab.legs_up()) == ("ended", ["host"])
    assert_refused(start(lab), "too_many_conversations", 1)
    lab.hang_up(HOST)
    lab.run(5)
    assert start(lab).status == 202


def test_a_stopped_conversation_whose_hangup_was_lost_does_not_count_for_long(
    new_lab: NewLab,
) -> None:
    lab = new_lab(MaxConversations="1")
    first = lab.start()
    lab.run(5)
    lab.stop(first)
    lab.run(5)
    lab.telnyx.deliverer.settings["call.hangup"] = DeliverySettings(drop=1.0)
    lab.hang_up(HOST)
    lab.run(300)
    assert start(lab).status == 202


def test_a_failed_conversation_does_not_count_as_open(new_lab: NewLab) -> None:
    lab = new_lab([Person(HOST, behaviour="busy")], MaxConversations="1")
    conversation_id = lab.start()
    lab.run(30)
    assert lab.status(conversation_id) == "failed"
    assert start(lab).status == 202


@pytest.mark.parametrize("body", [{"to": HOST}, {"call_control_id": "v3:a-live-call"}])
def test_above_the_limit_of_open_conversations_a_live_call_gets_no_assistant(
    new_lab: NewLab, body: dict[str, str]
) -> None:
    lab = new_lab(MaxConversations="1")
    lab.start()
    answer = lab.ask("POST", "/conversations", body)
    assert_refused(answer, "too_many_conversations", 1)
    assert lab.telnyx.conversations == []
