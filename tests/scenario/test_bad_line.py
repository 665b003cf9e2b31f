"""The line to Telnyx is bad: too fast, out of order, broken, or silent after it took effect."""

import pytest

from local.simulator.delivery import DeliveryKnobs
from local.simulator.model import Person
from local.simulator.settings import Settings
from tests.scenario.people import CALLER, DANA, HOST
from tests.scenario.stage import Stage, Staged, minutes

KINDS = {
    "too fast": ("refuse", 429),
    "out of order": ("refuse", 500),
    "broken": ("drop", 0),
    "silent": ("lose_reply", 0),
}


COMMANDS = (
    "ai_assistant_start",
    "ai_assistant_join",
    "ai_assistant_add_messages",
    "gather_using_speak",
)


def break_line(at: Stage, action: str, how: str, times: int | None = 1) -> None:
    """The next requests for an action go wrong."""
    kind, status = KINDS[how]
    at.fail(action, kind, times, status)


def assert_whole(at: Stage, here: str) -> None:
    """Everybody was called, started and joined once, and the assistant knows."""
    assert at.status(here) == "active"
    assert at.dialled() == ["host", "Dana"]
    assert len(at.telnyx.conversations) == 1
    assert at.joined() == ["Dana"]
    assert at.told() == ["Dana has joined the conversation."]
    at.assert_clean()


@pytest.mark.parametrize("how", KINDS)
def test_everything_goes_wrong_once_and_is_done_once(stage: Staged, how: str) -> None:
    at = stage([Person(DANA, digits="1", digits_after_secs=4)])
    for action in ("dial", *COMMANDS):
        break_line(at, action, how)
    here = at.start()
    assert at.until(lambda: at.status(here) == "active", minutes(2))
    break_line(at, "dial", how)
    at.invite(here, DANA, name="Dana", screening={"say": "Press 1."})
    assert at.until(lambda: at.told() != [], minutes(2))
    at.run(minutes(1))
    assert_whole(at, here)


@pytest.mark.parametrize("how", KINDS)
@pytest.mark.parametrize("action", COMMANDS)
def test_what_goes_wrong_twice_is_healed_and_nothing_is_done_twice(
    stage: Staged, action: str, how: str
) -> None:
    at = stage([Person(DANA, digits="1", digits_after_secs=4)])
    break_line(at, action, how, times=2)
    here = at.start()
    assert at.until(lambda: at.status(here) == "active", minutes(2))
    at.invite(here, DANA, name="Dana", screening={"say": "Press 1."})
    assert at.until(lambda: at.told() != [], minutes(2))
    at.run(minutes(1))
    assert_whole(at, here)


@pytest.mark.parametrize("reply", ["bare", "same"])
def test_a_dial_whose_answers_are_all_lost_calls_once(stage: Staged, reply: str) -> None:
    at = stage([], Settings(accepts_conversation_keys=True, duplicate_reply=reply))  # type: ignore[arg-type]
    break_line(at, "dial", "silent", times=3)
    here = at.start()
    at.run(minutes(3))
    assert at.dialled() == ["host"]
    assert at.status(here) == "active"
    at.assert_clean()


def test_a_dial_that_took_effect_unknown_to_us_is_found_and_not_made_again(stage: Staged) -> None:
    at = stage()
    at.telnyx.deliverer.knobs["*"] = DeliveryKnobs(drop=1.0)
    break_line(at, "dial", "silent", times=20)
    here = at.start()
    assert at.until(lambda: at.status(here) == "active", minutes(5))
    assert at.dialled() == ["host"]
    assert "active_calls" in [entry.action for entry in at.telnyx.ledger]
    at.assert_clean()


@pytest.mark.parametrize("how", KINDS)
def test_an_inbound_call_is_answered_all_the_same(stage: Staged, how: str) -> None:
    at = stage()
    break_line(at, "answer", how)
    here = at.inbound()
    at.run(minutes(1))
    assert at.status(here) == "active"
    assert at.asked() == ["answer caller", "start caller"]
    assert at.leg(CALLER).state == "answered"
    at.assert_clean()


@pytest.mark.parametrize("how", KINDS)
def test_a_stop_and_a_hangup_come_through_in_the_end(stage: Staged, how: str) -> None:
    at = stage()
    here = at.start(participants=[{"to": DANA, "name": "Dana"}])
    at.run(5)
    break_line(at, "ai_assistant_stop", how, times=4)
    break_line(at, "hangup", how, times=4)
    at.ask("POST", f"/conversations/{here}/stop", {"hang_up": True})
    assert at.until(lambda: not at.up() and at.status(here) == "ended", minutes(5))
    assert at.ai().status == "ended"
    at.assert_clean()


@pytest.mark.parametrize("how", KINDS)
def test_when_telnyx_is_away_for_a_minute_the_host_is_not_forgotten(
    stage: Staged, how: str
) -> None:
    at = stage()
    here = at.start()
    break_line(at, "*", how, None)
    at.run(minutes(1))
    at.telnyx.faults.clear()
    assert at.until(lambda: at.status(here) == "active", minutes(4))
    at.run(minutes(1))
    assert len(at.telnyx.conversations) == 1
    assert at.dialled() == ["host"]
    at.assert_clean()


@pytest.mark.parametrize("how", KINDS)
def test_when_telnyx_is_away_for_long_nothing_is_left_open(stage: Staged, how: str) -> None:
    at = stage()
    here = at.start(participants=[{"to": DANA, "name": "Dana"}])
    at.run(5)
    break_line(at, "*", how, None)
    at.hang_up(HOST)
    at.run(minutes(20))
    at.telnyx.faults.clear()
    at.run(minutes(3))
    assert at.status(here) == "ended"
    at.assert_no_leg_up()
    at.assert_clean()


def test_telnyx_delivers_again_what_could_not_be_carried_out(stage: Staged) -> None:
    at = stage()
    break_line(at, "ai_assistant_start", "too fast", times=2)
    here = at.start()
    at.run(20)
    statuses = [
        each.status for each in at.telnyx.deliverer.attempts if each.event_type == "call.answered"
    ]
    assert statuses[0] == 503
    assert statuses[-1] == 200
    assert at.status(here) == "active"


def test_who_could_not_be_called_in_time_is_not_called_after_the_end(stage: Staged) -> None:
    at = stage()
    here = at.start()
    at.run(5)
    break_line(at, "dial", "too fast", times=None)
    at.invite(here, DANA, name="Dana")
    at.hang_up(HOST)
    at.run(20)
    at.telnyx.faults.clear()
    at.run(minutes(3))
    assert at.status(here) == "ended"
    assert at.person(here, "Dana")["status"] == "failed"
    assert at.dialled() == ["host"]
    at.assert_no_leg_up()
    at.assert_clean()
