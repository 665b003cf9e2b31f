"""The assistant is stopped: the calls stay, or go if that was asked."""

import pytest

from local.simulator.model import Person
from tests.scenario.people import DANA, HOST, LEE
from tests.scenario.stage import Stage, Staged, minutes


def with_guest(stage: Staged) -> tuple[Stage, str]:
    at = stage([Person(LEE, behaviour="manual")])
    here = at.start(participants=[{"to": DANA, "name": "Dana"}])
    at.run(5)
    return at, here


def test_the_calls_stay_up(stage: Staged) -> None:
    at, here = with_guest(stage)
    assert at.stop(here)["status"] == "stopping"
    at.run(5)
    assert at.status(here) == "ended"
    assert at.asked()[-1] == "stop host"
    assert sorted(at.up()) == ["Dana", "host"]
    assert at.ai().status == "ended"
    at.run(minutes(10))
    assert sorted(at.up()) == ["Dana", "host"]
    at.assert_clean()


def test_or_are_hung_up_if_that_is_asked(stage: Staged) -> None:
    at, here = with_guest(stage)
    at.stop(here, hang_up=True)
    at.run(5)
    seen = at.conversation(here)
    assert seen["status"] == "ended"
    assert [each["status"] for each in seen["participants"]] == ["left", "left"]
    at.assert_no_leg_up()
    at.assert_clean()


def test_whoever_is_still_being_called_is_let_go(stage: Staged) -> None:
    at, here = with_guest(stage)
    at.invite(here, LEE, name="Lee")
    at.run(2)
    at.stop(here)
    at.run(5)
    assert sorted(at.up()) == ["Dana", "host"]
    assert at.person(here, "Lee")["status"] == "failed"
    assert at.person(here, "Lee")["outcome"] == "cancelled"
    assert at.joined() == ["Dana"]


def test_twice_is_as_good_as_once(stage: Staged) -> None:
    at, here = with_guest(stage)
    at.stop(here)
    at.stop(here)
    at.run(5)
    assert at.asked().count("stop host") == 1
    assert at.status(here) == "ended"
    at.assert_clean()


def test_a_stop_that_is_followed_by_one_that_hangs_up_hangs_up(stage: Staged) -> None:
    at, here = with_guest(stage)
    at.stop(here)
    at.stop(here, hang_up=True)
    at.run(10)
    at.assert_no_leg_up()
    at.assert_clean()


@pytest.mark.parametrize("hang_up", [False, True])
def test_before_the_host_answers_the_call_is_dropped(stage: Staged, hang_up: bool) -> None:
    at = stage([Person(HOST, behaviour="manual")])
    here = at.start()
    at.run(2)
    at.stop(here, hang_up=hang_up)
    at.run(5)
    assert at.status(here) == "ended"
    assert at.telnyx.conversations == []
    at.assert_no_leg_up()
    at.assert_clean()


def test_while_the_assistant_is_starting_it_is_stopped_all_the_same(stage: Staged) -> None:
    at = stage()
    at.fail("ai_assistant_start", "slow")
    here = at.start()

    def stop() -> None:
        at.stop(here)

    at.clock.call_later(2, stop)
    at.run(minutes(3))
    assert at.status(here) == "ended"
    assert {each.status for each in at.telnyx.conversations} <= {"ended"}
    at.assert_clean()


def test_nothing_can_be_asked_of_it_any_more(stage: Staged) -> None:
    at, here = with_guest(stage)
    at.stop(here)
    at.run(5)
    before = len(at.telnyx.ledger)
    invited = at.ask("POST", f"/conversations/{here}/participants", {"to": LEE})
    assert (invited.status, invited.json["error"]["code"]) == (409, "conversation_over")
    assert "ended" in invited.json["error"]["message"]
    assert at.message(here, "Hello?").status == 409
    assert at.ask("POST", f"/conversations/{here}/stop", {}).status == 409
    assert len(at.telnyx.ledger) == before
