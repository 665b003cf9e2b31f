"""Somebody calls one of our numbers."""

from local.simulator.model import Person
from local.simulator.settings import Settings
from local.template import Template
from tests.scenario.people import CALLER, DANA, OURS
from tests.scenario.stage import Staged, minutes


def test_an_inbound_call_is_answered_with_the_default_assistant(stage: Staged) -> None:
    at = stage()
    here = at.inbound()
    seen = at.conversation(here)
    assert (seen["status"], seen["direction"]) == ("active", "inbound")
    assert seen["assistant"]["id"] == at.ai().assistant_id == "assistant-default"
    (host,) = seen["participants"]
    assert (host["host"], host["status"]) == (True, "joined")
    assert (host["legs"][0]["from"], host["legs"][0]["to"]) == (CALLER, OURS)
    assert at.asked() == ["answer caller", "start caller"]
    at.assert_clean()


def test_the_caller_hangs_up_and_the_insights_come(stage: Staged) -> None:
    at = stage()
    here = at.inbound()
    at.hang_up(CALLER)
    at.run(10)
    seen = at.conversation(here)
    assert seen["status"] == "ended"
    results = [each["result"] for each in seen["insights"]]
    assert all(each in results for each in at.settings.insight_results)
    assert seen["participants"][0]["status"] == "left"
    assert at.asked() == ["answer caller", "start caller"]
    at.assert_no_leg_up()
    at.assert_clean()


def test_the_caller_is_joined_by_a_guest(stage: Staged) -> None:
    at = stage()
    here = at.inbound()
    at.invite(here, DANA, name="Dana")
    at.run(5)
    assert at.joined() == ["Dana"]
    assert "Dana joined" in at.heard(CALLER)
    assert at.commands("dial")[0]["from"] == OURS
    at.assert_clean()


def test_who_calls_a_sip_address_of_ours_can_be_joined_by_a_guest(stage: Staged) -> None:
    at = stage()
    here = at.inbound(to="sales@partyline-demo.sip.telnyx.com")
    at.invite(here, DANA, name="Dana")
    at.run(5)
    assert at.joined() == ["Dana"]
    assert at.commands("dial")[0]["from"] == OURS  # the deployment's own
    at.assert_clean()


def test_a_caller_who_gives_up_before_the_answer_leaves_nothing_running(stage: Staged) -> None:
    at = stage()
    at.hold()
    leg = at.ring_in()
    at.telnyx.hang_up(leg.call_control_id)
    at.arrive(at.release())
    at.run(5)
    (seen,) = at.conversations()
    assert seen["status"] == "failed"
    assert at.telnyx.conversations == []
    at.assert_no_leg_up()


def test_a_caller_who_hangs_up_as_the_assistant_starts_ends_it(stage: Staged) -> None:
    at = stage([Person(CALLER, hangs_up_after_secs=0.0)])
    at.ring_in()
    at.run(minutes(2))
    (seen,) = at.conversations()
    assert seen["status"] in ("ended", "failed")
    at.assert_no_leg_up()
    at.assert_clean()


def test_a_call_to_a_number_without_a_route_is_left_alone(
    stage: Staged, without_assistant: Template
) -> None:
    at = stage(template=without_assistant)
    at.ring_in()
    at.run(5)
    assert [each.status for each in at.telnyx.deliverer.attempts] == [200]
    assert at.table.keys() == []
    assert at.telnyx.ledger == []
    assert at.leg(CALLER).state == "parked"
    at.hang_up(CALLER)
    at.run(minutes(2))
    assert {each.status for each in at.telnyx.deliverer.attempts} == {200}
    assert at.table.keys() == []


def test_what_our_own_dial_causes_is_never_answered(stage: Staged) -> None:
    at = stage([], Settings(accepts_conversation_keys=True))
    at.start()
    at.run(5)
    assert at.commands("answer") == []
    assert len(at.conversations()) == 1


def test_two_callers_have_a_conversation_each(stage: Staged) -> None:
    at = stage()
    at.ring_in(CALLER)
    at.ring_in(DANA)
    at.run(5)
    assert [each["status"] for each in at.conversations()] == ["active", "active"]
    assert len({each.conversation_id for each in at.telnyx.conversations}) == 2
    at.hang_up(DANA)
    at.run(5)
    assert sorted(each["status"] for each in at.conversations()) == ["active", "ended"]
    assert at.up() == ["caller"]
    at.assert_clean()
