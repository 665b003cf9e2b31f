"""The host hangs up while guests talk. What Telnyx itself does then is not documented."""

from typing import Any

import pytest

from local.simulator.settings import Settings
from tests.scenario.people import CALLER, DANA, HOST, KIM, LEE, OURS
from tests.scenario.stage import Stage, Staged, minutes

GOES_ON: dict[str, Any] = {"on_host_hangup": "continue_conversation"}

whatever_telnyx_does = pytest.mark.parametrize(
    ("at_telnyx", "once_per_leg"),
    [("ends", False), ("ends", True), ("continues", False), ("continues", True)],
)


def three(
    stage: Staged, at_telnyx: Any = "ends", once_per_leg: bool = False, **more: Any
) -> tuple[Stage, str]:
    """Robin, whom we called, Dana and Lee are on the line."""
    settings = Settings(host_hangup=at_telnyx, ended_once_per_leg=once_per_leg)
    settings.accepts_conversation_keys = True
    at = stage([], settings)
    guests = [{"to": DANA, "name": "Dana"}, {"to": LEE, "name": "Lee"}]
    here = at.start(name="Robin", participants=guests, **more)
    at.run(5)
    assert sorted(at.up()) == ["Dana", "Lee", "host"]
    return at, here


def with_the_assistant(at: Stage) -> list[str]:
    """Who is in the assistant's newest conversation now."""
    ai = at.ai()
    assert ai.status == "active"
    legs = {leg.call_control_id: leg for leg in at.telnyx.legs}
    inside = [leg for leg in legs.values() if leg.conversation_id == ai.conversation_id]
    return sorted(leg.to for leg in inside)


@whatever_telnyx_does
def test_it_ends_for_all_unless_it_was_said_otherwise(
    stage: Staged, at_telnyx: str, once_per_leg: bool
) -> None:
    at, here = three(stage, at_telnyx, once_per_leg)
    at.hang_up(HOST)
    at.run(minutes(2))
    assert at.status(here) == "ended"
    assert at.ai().status == "ended"
    assert at.types(here).count("conversation.ended") == 1
    assert "conversation.restarted" not in at.types(here)
    at.assert_no_leg_up()
    at.assert_clean()


@whatever_telnyx_does
def test_the_guests_talk_on_with_the_assistant_if_that_was_asked(
    stage: Staged, at_telnyx: str, once_per_leg: bool
) -> None:
    at, here = three(stage, at_telnyx, once_per_leg, **GOES_ON)
    at.hang_up(HOST)
    at.run(minutes(3))
    assert at.status(here) == "active"
    assert with_the_assistant(at) == [DANA, LEE]
    assert [at.person(here, each)["status"] for each in ("Robin", "Dana", "Lee")] == [
        "left",
        "joined",
        "joined",
    ]
    anew = 1 if at_telnyx == "ends" else 0
    assert at.types(here).count("conversation.restarted") == anew
    assert len(at.telnyx.conversations) == 1 + anew
    goes_on = "The conversation goes on without Robin. On the line: Dana, Lee."
    assert (at.told()[0] == goes_on) is bool(anew)
    assert ("Robin has left the conversation." in at.told()) is not bool(anew)

    at.hang_up(DANA)
    at.run(5)
    without = "The conversation goes on without Robin, Dana. On the line: Lee."
    assert at.told()[-1] == (without if anew else "Dana has left the conversation.")
    assert "participant.alone" in at.types(here)
    at.hang_up(LEE)
    at.run(minutes(3))
    assert at.status(here) == "ended"
    at.assert_no_leg_up()
    at.assert_clean()


def test_the_new_assistant_is_the_old_one_s_like(stage: Staged) -> None:
    at, here = three(stage, assistant={"id": "assistant-sales", "greeting": "Hello."}, **GOES_ON)
    first = at.conversation(here)["telnyx_conversation_id"]
    at.hang_up(HOST)
    at.run(10)
    old, new = at.commands("ai_assistant_start")
    assert new["assistant"] == old["assistant"]
    second = at.conversation(here)["telnyx_conversation_id"]
    assert second == at.ai().conversation_id != first
    assert at.asked()[-4:].count("start Dana") == 1
    assert "join Lee" in at.asked()[-4:]


def test_a_caller_leaves_a_route_that_goes_on(stage: Staged) -> None:
    at = stage([], Settings(accepts_conversation_keys=True))
    at.route(OURS, {"Dana": {"to": DANA}, "Lee": {"to": LEE}}, **GOES_ON)
    here = at.inbound()
    for name in ("Dana", "Lee"):
        at.use_tool("invite", name=name)
    at.run(5)
    at.hang_up(CALLER)
    at.run(minutes(1))
    assert at.status(here) == "active"
    assert with_the_assistant(at) == [DANA, LEE]
    assert at.use_tool("status") == "On the line: Dana, Lee."
    at.route(OURS, {"Kim": {"to": KIM}})
    assert at.use_tool("invite", name="Kim") == "Calling Kim now."
    at.run(5)
    assert with_the_assistant(at) == [DANA, LEE, KIM]
    at.assert_clean()


def test_who_is_being_called_as_the_host_leaves_comes_into_what_goes_on(stage: Staged) -> None:
    at, here = three(stage, **GOES_ON)
    at.invite(here, KIM, name="Kim")
    at.hang_up(HOST)
    at.run(minutes(1))
    assert with_the_assistant(at) == [DANA, LEE, KIM]
    assert at.told()[-1] == "Kim has joined the conversation."
    at.assert_clean()


def test_nobody_is_joined_to_nothing_if_the_only_guest_has_not_answered(stage: Staged) -> None:
    at = stage([], Settings(accepts_conversation_keys=True))
    here = at.start(**GOES_ON)
    at.run(5)
    at.invite(here, KIM, name="Kim")
    at.hang_up(HOST)
    at.run(minutes(2))
    assert at.status(here) == "ended"
    assert at.joined() == []
    at.assert_no_leg_up()
    at.assert_clean()


@pytest.mark.parametrize("ended_first", [True, False])
def test_the_hangup_and_the_end_come_in_either_order(stage: Staged, ended_first: bool) -> None:
    at, here = three(stage, **GOES_ON)
    at.hold()
    at.hang_up(HOST)
    at.run(1)
    webhooks = at.release()
    at.arrive(webhooks[::-1] if ended_first else webhooks)
    at.run(minutes(1))
    assert at.status(here) == "active"
    assert with_the_assistant(at) == [DANA, LEE]
    assert at.types(here).count("conversation.restarted") == 1
    at.assert_clean()


def test_the_hangup_and_the_end_come_together(stage: Staged) -> None:
    at, here = three(stage, once_per_leg=True, **GOES_ON)
    at.hold()
    at.hang_up(HOST)
    at.run(1)
    webhooks = at.release()
    statuses = at.arrive_together(webhooks)
    at.arrive([each for each, status in zip(webhooks, statuses, strict=True) if status == 503])
    at.run(minutes(2))
    assert at.status(here) == "active"
    assert with_the_assistant(at) == [DANA, LEE]
    at.assert_clean()


def test_an_assistant_that_ends_by_itself_has_the_host_looked_at_once(stage: Staged) -> None:
    at = stage()
    people = [{"to": DANA, "name": "Dana"}, {"to": LEE, "name": "Lee"}]
    here = at.start(on_host_hangup="continue_conversation", participants=people)
    at.run(10)
    before = len(at.telnyx.ledger)
    at.telnyx.end_assistant(at.leg(HOST).call_control_id)
    at.run(minutes(5))
    looks = [each for each in at.telnyx.ledger[before:] if each.action == "retrieve"]
    assert len(looks) == 1
    assert at.status(here) == "ended"
    at.assert_no_leg_up()
    at.assert_clean()


def test_the_hosts_hangup_is_lost_and_the_sweep_finds_it(stage: Staged) -> None:
    at, here = three(stage, "continues")
    at.hold()
    at.hang_up(HOST)
    at.run(1)
    at.release()  # and lost
    at.run(minutes(5))
    assert at.status(here) == "ended"
    at.assert_no_leg_up()


def test_a_start_that_telnyx_refuses_ends_it_and_nobody_waits_on_a_dead_line(
    stage: Staged,
) -> None:
    at, here = three(stage, **GOES_ON)
    at.hang_up(LEE)
    at.run(2)
    at.line.refuse("ai_assistant_start", 422, "10015", "Not now.")
    at.hang_up(HOST)
    at.run(minutes(2))
    assert at.status(here) == "ended"
    at.assert_no_leg_up()
