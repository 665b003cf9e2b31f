"""The host's plan: numbers in order or at once, rounds, a deadline, and guests who wait for it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from partyline.domain.model.conversation import Limits
from partyline.domain.model.inputs import NewParticipant
from partyline.domain.model.timeouts import GUESTS_WAIT_FOR_HOST
from tests.support.domain_story import (
    FIRST,
    HOST_NUMBER,
    SECOND,
    THIRD,
    Story,
    guest,
    plan,
    start_request,
)

DAY = timedelta(days=1).total_seconds()


def calling_host(*numbers: str, dialled: int = 1, guests: int = 0, **settings: object) -> Story:
    """The numbers of the host are being called; a guest is invited too, if asked for."""
    story = Story()
    story.start(*[guest()] * guests, to=plan(*numbers, **settings))
    story.succeed(*(f"dial:host:{number}" for number in range(1, dialled + 1)))
    return story


def test_the_next_number_of_the_host_is_called_until_a_person_answers() -> None:
    story = calling_host(FIRST, SECOND)

    assert story.hang_up(cause="user_busy") == ["dial:host:2"]
    story.succeed("dial:host:2")
    assert story.answer(leg=2) == ["start:host:2"]
    story.succeed("start:host:2")
    assert story.status == "active"
    assert story.participant().accepted_leg == 2


def test_the_first_of_two_answers_at_once_is_the_host() -> None:
    story = calling_host(FIRST, SECOND, THIRD, dialled=3, strategy="at_once")
    story.answer(leg=2)

    assert story.answer(leg=3) == ["hang_up:host:3"] or story.leg(number=3).outcome == "cancelled"
    assert story.participant().accepted_leg == 2
    assert [leg.outcome for leg in story.participant().legs] == ["cancelled", "human", "cancelled"]
    assert [command.key for command in story.sent if command.action == "start"] == ["start:host:2"]


def test_a_host_who_was_not_reached_fails_the_conversation_with_each_outcome() -> None:
    story = calling_host(FIRST, SECOND, THIRD)
    for number, cause in enumerate(("user_busy", "timeout", "call_rejected"), 1):
        story.hang_up(leg=number, cause=cause)
        if number < 3:
            story.succeed(f"dial:host:{number + 1}")

    assert story.status == "failed"
    failure = story.state.failure
    assert failure
    assert failure.code == "rejected"
    assert failure.message == "The host was not reached: busy, no_answer, rejected."


def test_a_late_webhook_corrects_the_failure_of_a_host_with_several_numbers() -> None:
    story = calling_host(FIRST, SECOND)
    story.hang_up(cause="normal_clearing")
    story.succeed("dial:host:2")
    story.hang_up(leg=2, cause="user_busy")
    assert story.state.failure
    assert story.state.failure.message == "The host was not reached: no_answer, busy."

    story.answer(leg=1)
    assert story.state.failure.message == "The host was not reached: hung_up, busy."


def test_the_host_is_called_again_after_a_pause_of_a_day() -> None:
    story = calling_host(FIRST, max_attempts=2, pause_secs=int(DAY))

    assert story.hang_up(cause="timeout") == []
    assert story.state.due_at == story.now + timedelta(days=1)
    assert story.advance(DAY - 1) == []
    assert story.advance(1) == ["dial:host:2"]
    assert story.status == "connecting"
    story.succeed("dial:host:2")
    assert story.answer(leg=2) == ["start:host:2"]


def test_the_deadline_ends_the_plan_of_the_host() -> None:
    story = calling_host(FIRST, max_attempts=3, pause_secs=60, deadline_secs=100)
    story.hang_up(cause="timeout")

    story.advance(100)
    assert story.status == "failed"
    assert story.participant().outcome == "no_answer"


def test_a_machine_and_a_host_who_declines_the_screening_lead_to_the_next_number() -> None:
    screening = {"say": "The bank is calling. Press 1.", "timeout_secs": 10}
    story = calling_host(FIRST, SECOND, THIRD, machine_detection="standard", screening=screening)
    story.answer()
    assert "dial:host:2" in story.machine_verdict("host", machine=True)
    story.succeed("dial:host:2")
    story.answer(leg=2)
    assert story.machine_verdict("host", 2, machine=False) == ["screen:host:2"]
    story.succeed("screen:host:2")
    assert "dial:host:3" in story.press("", "host", 2, status="timeout")
    story.succeed("dial:host:3")
    story.answer(leg=3)
    story.machine_verdict("host", 3, machine=False)
    story.succeed("screen:host:3")

    assert "start:host:3" in story.press("1", "host", 3)
    assert [leg.outcome for leg in story.participant().legs] == ["machine", "no_answer", "human"]


def test_a_guest_is_called_when_a_host_with_several_numbers_is_reached() -> None:
    story = calling_host(HOST_NUMBER, SECOND, guests=1)
    assert story.participant("dana").legs == []
    story.hang_up(cause="user_busy")
    story.succeed("dial:host:2")

    assert story.answer(leg=2) == ["dial:dana:1", "start:host:2"]


def test_a_guest_is_called_together_with_a_host_who_is_called_once() -> None:
    for host_plan in (plan(SECOND), plan(SECOND, THIRD, strategy="at_once")):
        story = Story()
        assert "dial:dana:1" in story.start(guest(), to=host_plan)


def test_the_deadline_of_a_guest_begins_with_the_first_call_to_the_guest() -> None:
    story = Story()
    dana = guest(to=plan(FIRST, deadline_secs=60))
    story.start(dana, to=plan(SECOND, max_attempts=2, pause_secs=int(DAY)))
    story.succeed("dial:host:1")
    story.hang_up(cause="timeout")
    story.advance(DAY)
    story.succeed("dial:host:2")

    story.answer(leg=2)
    assert story.participant("dana").status == "dialing"
    story.succeed("dial:dana:1", "start:host:2")
    story.advance(60)
    assert story.participant("dana").outcome == "no_answer"


@pytest.mark.parametrize(
    ("pause", "status"), [(GUESTS_WAIT_FOR_HOST, "waiting"), (timedelta(days=1), "failed")]
)
def test_a_guest_waits_through_a_short_pause_of_the_host_only(
    pause: timedelta, status: str
) -> None:
    secs = int(pause.total_seconds())
    story = calling_host(SECOND, guests=1, max_attempts=2, pause_secs=secs)
    story.answer()
    story.succeed("dial:dana:1")
    story.no_response("start:host:1", had_no_effect=True)
    story.answer("dana")

    left = story.hang_up()
    assert story.participant().status == "dialing"
    assert story.participant("dana").status == status
    assert ("hang_up:dana:1" in left) is (status == "failed")


def test_a_stop_during_the_pause_ends_the_plan() -> None:
    story = calling_host(FIRST, guests=1, max_attempts=2, pause_secs=int(DAY))
    story.hang_up(cause="timeout")

    story.stop(hang_up=True)
    assert story.status == "ended"
    assert story.state.due_at is None
    assert story.advance(DAY) == []


def test_numbers_at_once_of_the_host_and_of_guests_share_the_limit_of_calls() -> None:
    story = Story()
    dana = guest(to=plan(THIRD))
    limits = Limits(legs_at_once=2)
    host = NewParticipant(id="host", plan=plan(FIRST, SECOND, strategy="at_once"))
    story.receive(replace(start_request(host, (dana,)), limits=limits))
    assert story.participant("dana").legs == []
    story.succeed("dial:host:1", "dial:host:2")

    story.hang_up(leg=2, cause="user_busy")
    assert [leg.to for leg in story.participant("dana").legs] == [THIRD]
