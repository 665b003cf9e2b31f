"""The host's plan against the simulated Telnyx: numbers, rounds, pauses, quotas."""

from datetime import datetime, timedelta

import pytest

from local.simulator.model import Person
from partyline.domain.model.timeouts import OPEN_LONG
from partyline.services.requests import MAX_PAUSE_SECS
from partyline.store import keys
from partyline.store.open_counts import OPEN_API
from tests.support.lab import Lab, NewLab, minutes
from tests.support.people import DANA, HOST, KIM, LEE

DAY = minutes(24 * 60)


def test_the_host_is_the_first_person_who_accepts(new_lab: NewLab) -> None:
    lab = new_lab(
        [
            Person(LEE, behaviour="busy"),
            Person(KIM, behaviour="machine"),
            Person(HOST, digits="1"),
            Person(DANA),
        ]
    )
    screening = {"say": "The bank is calling. Press 1."}
    conversation_id = lab.start(
        [LEE, KIM, HOST],
        machine_detection="standard",
        screening=screening,
        participants=[{"to": DANA, "name": "Dana"}],
    )
    lab.run(60)
    assert lab.people_dialled() == ["Lee", "Kim", "host", "Dana"]
    assert lab.outcomes(conversation_id, "host") == ["busy", "machine", "human"]
    assert lab.status(conversation_id) == "active"
    assert sorted(lab.legs_up()) == ["Dana", "host"]
    lab.assert_clean()


def test_two_hosts_who_answer_at_the_same_moment_make_one_conversation(new_lab: NewLab) -> None:
    lab = new_lab([Person(number, behaviour="manual") for number in (HOST, LEE)])
    conversation_id = lab.start([HOST, LEE], strategy="at_once")
    lab.run(2)
    lab.hold()
    lab.pick_up(HOST, LEE)
    answers = lab.release()
    lab.deliver_together([*answers, *answers])
    lab.run(20)
    assert lab.status(conversation_id) == "active"
    assert len(lab.commands("ai_assistant_start")) == 1
    [up] = lab.legs_up()
    accepted = lab.telnyx.world.legs[lab.telnyx_conversation().starting_call]
    assert accepted.state != "ended", up
    lab.assert_clean()


def test_the_timeline_and_the_failure_name_the_outcome_of_each_number(new_lab: NewLab) -> None:
    lab = new_lab([Person(LEE, behaviour="busy"), Person(KIM, behaviour="no_answer")])
    conversation_id = lab.start([LEE, KIM], ring_timeout_secs=10)
    lab.run(40)
    shown = lab.conversation(conversation_id)
    assert (shown["status"], shown["failure"]) == (
        "failed",
        {"code": "no_answer", "message": "The host was not reached: busy, no_answer."},
    )
    ended = [event for event in lab.timeline(conversation_id) if event["type"] == "leg.ended"]
    assert [event["data"]["outcome"] for event in ended] == ["busy", "no_answer"]
    lab.assert_clean()


def open_long(lab: Lab, at: datetime) -> int:
    """Count the conversations that the alarm takes for stuck at a time."""
    long_ago = keys.moment(at - OPEN_LONG)
    return lab.app.store.open_counts.count_in_index(OPEN_API, long_ago)


def test_a_pause_of_a_day_ends_with_another_round_and_raises_no_alarm(new_lab: NewLab) -> None:
    lab = new_lab([Person(HOST, behaviour="no_answer")])
    conversation_id = lab.start(ring_timeout_secs=10, max_attempts=2, pause_secs=MAX_PAUSE_SECS)
    lab.run(60)
    host = lab.person(conversation_id, "host")
    assert (lab.status(conversation_id), host["status"]) == ("connecting", "dialing")
    assert host["next_round_at"] is not None
    lab.run(DAY - 120)
    assert lab.people_dialled() == ["host"]
    assert open_long(lab, lab.clock.now()) == 0
    lab.telnyx.world.people[HOST] = Person(HOST)
    lab.run(120)
    assert lab.people_dialled() == ["host", "host"]
    assert lab.status(conversation_id) == "active"
    assert lab.person(conversation_id, "host")["next_round_at"] is None
    assert open_long(lab, lab.clock.now()) == 0
    assert open_long(lab, lab.clock.now() + OPEN_LONG) == 1, "counted from the newest call"
    lab.assert_clean()


def limit_dials(lab: Lab, most: int) -> None:
    lab.app.settings = lab.app.settings.model_copy(update={"max_dials_per_minute": most})


def test_each_call_of_the_plan_is_charged_before_the_first_call(new_lab: NewLab) -> None:
    lab = new_lab([Person(HOST)])
    limit_dials(lab, 9)
    body = {"to": [HOST, LEE], "max_attempts": 2, "participants": [{"to": DANA}]}
    answers = [lab.ask("POST", "/conversations", body).status for _ in range(2)]
    assert answers == [202, 429]


@pytest.mark.parametrize("hours", [None, 1])
def test_a_plan_with_more_calls_than_a_minute_allows_is_refused_now_and_later(
    new_lab: NewLab, hours: int | None
) -> None:
    lab = new_lab([Person(HOST)])
    limit_dials(lab, 5)
    start_at = (lab.clock.now() + timedelta(hours=hours)).isoformat() if hours else None
    body = {"to": [HOST, LEE], "max_attempts": 3, "start_at": start_at}
    answer = lab.ask("POST", "/conversations", body)
    assert (answer.status, answer.json["error"]["code"]) == (429, "too_many_dials")
    assert lab.people_dialled() == []
