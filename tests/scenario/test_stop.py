"""Stopping the assistant: the calls stay up, or are hung up on request."""

from datetime import datetime, timedelta

import pytest

from local.simulator.model import Person
from partyline.domain.model.timeouts import CALL_LIMIT_GRACE
from tests.support.lab import Lab, NewLab, minutes
from tests.support.people import DANA, HOST, LEE


def with_guest(new_lab: NewLab) -> tuple[Lab, str]:
    lab = new_lab([Person(LEE, behaviour="manual")])
    conversation_id = lab.start(participants=[{"to": DANA, "name": "Dana"}])
    lab.run(5)
    return lab, conversation_id


def at(moment: str) -> datetime:
    return datetime.fromisoformat(moment)


def participant_ids(lab: Lab, conversation_id: str) -> list[str]:
    return [person["id"] for person in lab.conversation(conversation_id)["participants"]]


def test_after_a_stop_the_calls_stay_up(new_lab: NewLab) -> None:
    lab, conversation_id = with_guest(new_lab)
    assert lab.stop(conversation_id)["status"] == "stopping"
    lab.run(5)
    assert lab.status(conversation_id) == "ended"
    assert lab.commands_in_words()[-1] == "stop host"
    assert sorted(lab.legs_up()) == ["Dana", "host"]
    assert lab.telnyx_conversation().status == "ended"
    lab.run(minutes(10))
    assert sorted(lab.legs_up()) == ["Dana", "host"]
    lab.assert_clean()


def test_the_answer_to_a_stop_names_the_calls_that_stay_up_and_their_end(new_lab: NewLab) -> None:
    lab, conversation_id = with_guest(new_lab)
    over_at = at(lab.conversation(conversation_id)["active_at"]) + timedelta(minutes=120)
    staying = lab.stop(conversation_id)["staying_up"]
    assert [call["participant_id"] for call in staying] == participant_ids(lab, conversation_id)
    assert {at(call["hung_up_at"]) for call in staying} == {over_at}
    assert lab.stop(conversation_id, hang_up=True)["staying_up"] == []


def test_the_answer_to_a_stop_does_not_name_a_call_that_is_cancelled(new_lab: NewLab) -> None:
    lab, conversation_id = with_guest(new_lab)
    lab.invite(conversation_id, LEE, name="Lee")
    lab.run(2)
    staying = lab.stop(conversation_id)["staying_up"]
    assert len(staying) == 2


@pytest.mark.parametrize("inbound", [False, True])
def test_calls_that_stay_up_after_a_stop_end_at_the_time_limit(
    new_lab: NewLab, inbound: bool
) -> None:
    lab = new_lab()
    if inbound:
        lab.ring_in()
    else:
        lab.start()
    lab.run(5)
    [conversation] = lab.conversations()
    lab.stop(conversation["id"])
    lab.run(minutes(118))
    assert len(lab.legs_up()) == 1
    lab.run(minutes(4))
    lab.assert_no_leg_up()
    lab.assert_clean()


def test_telnyx_gets_a_time_limit_for_each_call_that_we_dial(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.run(minutes(30))
    lab.invite(conversation_id, DANA)
    lab.invite(conversation_id, LEE, time_limit_secs=600)
    limits = [command["time_limit_secs"] for command in lab.commands("dial")]
    grace = CALL_LIMIT_GRACE.total_seconds()
    # The guest's call may last as long as the conversation, which began with the host's answer.
    assert limits[0] == minutes(120) + grace
    assert minutes(90) + grace - 1 <= limits[1] <= minutes(90) + grace + 30
    assert limits[2] == 600


def test_a_stop_with_hang_up_hangs_up_every_call(new_lab: NewLab) -> None:
    lab, conversation_id = with_guest(new_lab)
    lab.stop(conversation_id, hang_up=True)
    lab.run(5)
    conversation = lab.conversation(conversation_id)
    assert conversation["status"] == "ended"
    assert [participant["status"] for participant in conversation["participants"]] == [
        "left",
        "left",
    ]
    lab.assert_no_leg_up()
    lab.assert_clean()


def test_a_stop_cancels_the_call_to_a_guest_whose_phone_rings(new_lab: NewLab) -> None:
    lab, conversation_id = with_guest(new_lab)
    lab.invite(conversation_id, LEE, name="Lee")
    lab.run(2)
    lab.stop(conversation_id)
    lab.run(5)
    assert sorted(lab.legs_up()) == ["Dana", "host"]
    assert lab.person(conversation_id, "Lee")["status"] == "failed"
    assert lab.person(conversation_id, "Lee")["outcome"] == "cancelled"
    assert lab.people_joined() == ["Dana"]


def test_a_second_stop_changes_nothing(new_lab: NewLab) -> None:
    lab, conversation_id = with_guest(new_lab)
    lab.stop(conversation_id)
    lab.stop(conversation_id)
    lab.run(5)
    assert lab.commands_in_words().count("stop host") == 1
    assert lab.status(conversation_id) == "ended"
    lab.assert_clean()


def test_a_stop_with_hang_up_after_a_plain_stop_hangs_up_every_call(new_lab: NewLab) -> None:
    lab, conversation_id = with_guest(new_lab)
    lab.stop(conversation_id)
    lab.stop(conversation_id, hang_up=True)
    lab.run(10)
    lab.assert_no_leg_up()
    lab.assert_clean()


@pytest.mark.parametrize("hang_up", [False, True])
def test_a_stop_before_the_host_answers_cancels_the_call(new_lab: NewLab, hang_up: bool) -> None:
    lab = new_lab([Person(HOST, behaviour="manual")])
    conversation_id = lab.start()
    lab.run(2)
    lab.stop(conversation_id, hang_up=hang_up)
    lab.run(5)
    assert lab.status(conversation_id) == "ended"
    assert lab.telnyx.conversations == []
    lab.assert_no_leg_up()
    lab.assert_clean()


def test_a_stop_during_the_assistants_start_stops_the_assistant(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.fail("ai_assistant_start", "slow")
    conversation_id = lab.start()

    def stop() -> None:
        lab.stop(conversation_id)

    lab.clock.call_later(2, stop)
    lab.run(minutes(3))
    assert lab.status(conversation_id) == "ended"
    assert {conversation.status for conversation in lab.telnyx.conversations} <= {"ended"}
    lab.assert_clean()


def test_after_the_end_requests_are_refused(new_lab: NewLab) -> None:
    lab, conversation_id = with_guest(new_lab)
    lab.stop(conversation_id)
    lab.run(5)
    before = len(lab.telnyx.ledger)
    invited = lab.ask("POST", f"/conversations/{conversation_id}/participants", {"to": LEE})
    assert (invited.status, invited.json["error"]["code"]) == (409, "conversation_over")
    assert "ended" in invited.json["error"]["message"]
    assert lab.message(conversation_id, "Hello?").status == 409
    assert lab.ask("POST", f"/conversations/{conversation_id}/stop", {}).status == 409
    assert len(lab.telnyx.ledger) == before
