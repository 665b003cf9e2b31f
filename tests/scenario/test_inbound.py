"""Inbound calls to the deployment's numbers."""

import pytest

from local.simulator.model import Person
from local.simulator.settings import Settings
from local.stack.template import Template
from tests.support.lab import NewLab, minutes
from tests.support.people import CALLER, DANA, OUR_NUMBER


def test_an_inbound_call_is_answered_with_the_default_assistant(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.inbound()
    conversation = lab.conversation(conversation_id)
    assert (conversation["status"], conversation["direction"]) == ("active", "inbound")
    assert (
        conversation["assistant"]["id"]
        == lab.telnyx_conversation().assistant_id
        == "assistant-default"
    )
    (host,) = conversation["participants"]
    assert (host["host"], host["status"]) == (True, "joined")
    assert (host["legs"][0]["from"], host["legs"][0]["to"]) == (CALLER, OUR_NUMBER)
    assert lab.commands_in_words() == ["answer caller", "start caller"]
    lab.assert_clean()


def test_after_the_callers_hangup_the_insights_are_stored(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.inbound()
    lab.hang_up(CALLER)
    lab.run(10)
    conversation = lab.conversation(conversation_id)
    assert conversation["status"] == "ended"
    results = [insight["result"] for insight in conversation["insights"]]
    assert all(result in results for result in lab.settings.insight_results)
    assert conversation["participants"][0]["status"] == "left"
    assert lab.commands_in_words() == ["answer caller", "start caller"]
    lab.assert_no_leg_up()
    lab.assert_clean()


def test_a_guest_joins_the_caller(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.inbound()
    lab.invite(conversation_id, DANA, name="Dana")
    lab.run(5)
    assert lab.people_joined() == ["Dana"]
    assert "Dana joined" in lab.heard_by(CALLER)
    assert lab.commands("dial")[0]["from"] == OUR_NUMBER
    lab.assert_clean()


@pytest.mark.parametrize("user", ["sales", "4711agent", "2fa-bot", "sip:4711agent"])
def test_a_call_to_a_sip_user_is_left_to_the_user(new_lab: NewLab, user: str) -> None:
    lab = new_lab()
    lab.ring_in(to=f"{user}@partyline-demo.sip.telnyx.com")
    lab.run(5)
    assert lab.conversations() == []
    assert lab.commands_in_words() == []


def test_a_caller_who_hangs_up_before_the_answer_leaves_no_call_and_no_assistant(
    new_lab: NewLab,
) -> None:
    lab = new_lab()
    lab.hold()
    leg = lab.ring_in()
    lab.telnyx.hang_up(leg.call_control_id)
    lab.deliver(lab.release())
    lab.run(5)
    (conversation,) = lab.conversations()
    assert conversation["status"] == "failed"
    assert lab.telnyx.conversations == []
    lab.assert_no_leg_up()


def test_a_caller_who_hangs_up_during_the_assistants_start_ends_the_conversation(
    new_lab: NewLab,
) -> None:
    lab = new_lab([Person(CALLER, hangs_up_after_secs=0.0)])
    lab.ring_in()
    lab.run(minutes(2))
    (conversation,) = lab.conversations()
    assert conversation["status"] in ("ended", "failed")
    lab.assert_no_leg_up()
    lab.assert_clean()


def test_a_call_to_a_number_without_a_route_is_not_answered(
    new_lab: NewLab, without_assistant: Template
) -> None:
    lab = new_lab(template=without_assistant)
    lab.ring_in()
    lab.run(5)
    assert [attempt.status for attempt in lab.telnyx.deliverer.attempts] == [200]
    assert lab.table.keys() == []
    assert lab.telnyx.ledger == []
    assert lab.leg(CALLER).state == "parked"
    lab.hang_up(CALLER)
    lab.run(minutes(2))
    assert {attempt.status for attempt in lab.telnyx.deliverer.attempts} == {200}
    assert lab.table.keys() == []


def test_the_webhooks_of_our_own_dial_are_never_answered_as_a_call(new_lab: NewLab) -> None:
    lab = new_lab([], Settings(accepts_conversation_keys=True))
    lab.start()
    lab.run(5)
    assert lab.commands("answer") == []
    assert len(lab.conversations()) == 1


def test_two_callers_have_separate_conversations(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.ring_in(CALLER)
    lab.ring_in(DANA)
    lab.run(5)
    assert [conversation["status"] for conversation in lab.conversations()] == ["active", "active"]
    assert len({conversation.conversation_id for conversation in lab.telnyx.conversations}) == 2
    lab.hang_up(DANA)
    lab.run(5)
    assert sorted(conversation["status"] for conversation in lab.conversations()) == [
        "active",
        "ended",
    ]
    assert lab.legs_up() == ["caller"]
    lab.assert_clean()
