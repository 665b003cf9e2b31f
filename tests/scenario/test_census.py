"""A lost hangup is known within three minutes, and a healthy call costs no request of its own."""

from typing import Any

import pytest

from local.simulator.delivery import DeliverySettings
from tests.support.lab import TIMERS, Lab, NewLab, minutes
from tests.support.people import CALLER, DANA, HOST, OUR_NUMBER

KNOWN_SECS = minutes(3)
"""How soon a lost hangup is known."""


def talking(lab: Lab) -> str:
    conversation_id = lab.start(participants=[{"to": DANA, "name": "Dana"}])
    lab.run(20)
    assert lab.people_joined() == ["Dana"]
    return conversation_id


def requests(lab: Lab, action: str) -> int:
    return sum(entry.action == action for entry in lab.telnyx.ledger)


def lose_hangup(lab: Lab, number: str) -> None:
    lab.telnyx.deliverer.settings["call.hangup"] = DeliverySettings(drop=1.0)
    lab.hang_up(number)


def has_left(lab: Lab, conversation_id: str) -> bool:
    return bool(lab.person(conversation_id, "Dana")["status"] == "left")


def test_an_hour_of_a_healthy_conversation_has_no_poll_and_no_write(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = talking(lab)
    lab.run(minutes(1))
    before, polls = lab.app.store.load(conversation_id), requests(lab, "retrieve")
    sent = len(lab.telnyx.ledger)
    lab.run(minutes(60))
    assert lab.app.store.load(conversation_id) == before
    assert requests(lab, "retrieve") == polls
    assert len(lab.telnyx.ledger) - sent == 60, "a census each minute"
    lab.assert_clean()


@pytest.mark.parametrize("answered_secs_ago", [1, 30, 59, 61, 119])
def test_a_lost_hangup_is_known_within_three_minutes(
    new_lab: NewLab, answered_secs_ago: int
) -> None:
    lab = new_lab()
    conversation_id = talking(lab)
    lab.run(answered_secs_ago)
    lose_hangup(lab, DANA)
    assert lab.run_until(lambda: has_left(lab, conversation_id), KNOWN_SECS)
    lab.assert_clean()


def lag(lab: Lab) -> None:
    """A list that is 90 s late with new calls, and half a minute late with ends."""
    lab.settings.active_listed_after_secs = 90.0
    lab.settings.active_kept_after_secs = 30.0


def test_a_list_that_is_late_takes_no_person_off_the_line(new_lab: NewLab) -> None:
    lab = new_lab()
    lag(lab)
    conversation_id = talking(lab)
    lab.run(minutes(10))
    assert sorted(lab.legs_up()) == ["Dana", "host"]
    assert lab.status(conversation_id) == "active"
    assert requests(lab, "retrieve") <= 10, "the pauses grow"
    lose_hangup(lab, DANA)
    assert lab.run_until(lambda: has_left(lab, conversation_id), minutes(20))
    lab.assert_clean()


FAILURES: dict[str, dict[str, Any]] = {
    "refused": {"kind": "refuse", "status": 503},
    "without an answer": {"kind": "drop"},
    "unreadable": {"kind": "garble"},
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_nothing_is_concluded_from_a_census_that_fails_and_the_next_one_finds_the_hangup(
    new_lab: NewLab, failure: dict[str, Any]
) -> None:
    lab = new_lab()
    conversation_id = talking(lab)
    lab.run(minutes(2))
    lab.fail("active_calls", times=3, **failure)
    lose_hangup(lab, DANA)
    lab.run(minutes(1))
    assert sorted(lab.legs_up()) == ["host"]
    assert lab.person(conversation_id, "Dana")["status"] == "joined"
    assert lab.run_until(lambda: has_left(lab, conversation_id), minutes(5))
    lab.assert_clean()


def test_a_lost_hangup_is_known_although_no_census_is_ever_complete(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = talking(lab)
    lab.fail("active_calls", "refuse", times=None, status=503)
    lose_hangup(lab, DANA)
    assert lab.run_until(lambda: has_left(lab, conversation_id), minutes(12))
    polls = requests(lab, "retrieve")
    lab.run(minutes(60))
    assert requests(lab, "retrieve") - polls <= 8, "once a round of eight minutes"
    lab.assert_clean()


def test_without_the_timers_queue_every_call_still_ends(
    new_lab: NewLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = new_lab()
    conversation_id = talking(lab)
    monkeypatch.setattr(lab.app.timers, "hand_out", lambda messages, _delay=None: list(messages))
    monkeypatch.setattr(lab.app.timers, "start", lambda *_: None)
    lab.gateway.queues.take(TIMERS)
    lose_hangup(lab, DANA)
    assert lab.run_until(lambda: has_left(lab, conversation_id), KNOWN_SECS)
    lose_hangup(lab, HOST)
    assert lab.run_until(lambda: lab.status(conversation_id) == "ended", minutes(5))
    lab.assert_no_leg_up()
    lab.assert_clean()


def test_a_call_of_another_application_is_polled_with_growing_pauses(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.attach(lab.telnyx.outside_call(CALLER, OUR_NUMBER))
    lab.run(minutes(60))
    assert lab.status(conversation_id) == "active"
    assert requests(lab, "retrieve") == 9, "after 2, 4 and 8 minutes, then every 8 minutes"
    assert requests(lab, "active_calls") == 0


def test_more_calls_than_a_page_holds_are_all_found(
    new_lab: NewLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = new_lab()
    monkeypatch.setattr("partyline.telnyx.call_control.PAGE_SIZE", "2")
    conversations = [talking(lab) for _ in range(3)]
    lab.run(minutes(3))
    assert requests(lab, "retrieve") == 0
    assert requests(lab, "active_calls") > 3, "three pages a census"
    assert all(lab.status(conversation_id) == "active" for conversation_id in conversations)
