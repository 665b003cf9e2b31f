"""A handover by `POST /conversations/{id}/handover`, through the real handlers to the end."""

from typing import Any

import pytest

from local.simulator.model import Person
from tests.support.lab import Lab, NewLab
from tests.support.people import CALLER, DANA, HOST, LEE

BRIEF = "The caller wants to send an order back."


def hand_over(lab: Lab, conversation_id: str, **body: Any) -> Any:
    path = f"/conversations/{conversation_id}/handover"
    answer = lab.ask("POST", path, {"to": DANA, "name": "Dana"} | body)
    assert answer.status == 202, answer.json
    return answer.json


def outcomes(lab: Lab, conversation_id: str) -> list[str | None]:
    """Return the outcomes of the handovers, which the events and the conversation agree on."""
    shown = [handover["outcome"] for handover in lab.conversation(conversation_id)["handovers"]]
    events = [e for e in lab.timeline(conversation_id) if e["type"] == "handover.ended"]
    assert [event["data"]["outcome"] for event in events] == [word for word in shown if word]
    return shown


def test_the_person_hears_the_brief_and_then_the_people_are_alone(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.inbound()
    hand_over(lab, conversation_id, brief=BRIEF, then="away")
    lab.run(3)
    assert any(BRIEF in sentence for sentence in lab.heard_by(DANA))
    lab.press(DANA, "1")
    lab.run(10)
    assert outcomes(lab, conversation_id) == ["handed_over"]
    assert lab.conversation(conversation_id)["mode"] == "away"
    assert not any(BRIEF in sentence for sentence in lab.heard_by(CALLER))
    assert sorted(lab.legs_up()) == ["Dana", "caller"]

    lab.hang_up(DANA)
    lab.run(20)
    assert lab.conversation(conversation_id)["mode"] == "speaking", "the assistant is back"
    assert outcomes(lab, conversation_id) == ["handed_over"]
    lab.hang_up(CALLER)
    lab.run(20)
    lab.assert_clean()


@pytest.mark.parametrize("action", ["ai_assistant_stop", "bridge"])
def test_a_step_back_that_fails_leaves_the_people_with_the_assistant(
    new_lab: NewLab, action: str
) -> None:
    lab = new_lab()
    conversation_id = lab.inbound()
    lab.fail(action, "refuse", times=None, status=422)
    hand_over(lab, conversation_id, then="away")
    lab.run(30)
    assert outcomes(lab, conversation_id) == ["error"]
    [handover] = lab.conversation(conversation_id)["handovers"]
    assert handover["failure"]["code"] == "10007"
    shown = lab.conversation(conversation_id)
    assert (shown["status"], shown["mode"]) == ("active", "speaking")
    assert lab.person(conversation_id, "Dana")["status"] == "joined"
    lab.assert_clean()


def test_a_hunt_ends_with_the_evidence_of_its_last_call(new_lab: NewLab) -> None:
    phones = [Person(DANA, behaviour="busy"), Person(LEE, behaviour="decline")]
    lab = new_lab(phones)
    conversation_id = lab.inbound()
    hand_over(lab, conversation_id, to=[DANA, LEE], then="silent")
    lab.run(20)
    assert outcomes(lab, conversation_id) == ["rejected"]
    events = [e for e in lab.timeline(conversation_id) if e["type"] == "handover.ended"]
    assert events[0]["data"]["leg"] == 2
    assert events[0]["data"]["sip_hangup_cause"]
    lab.assert_clean()


def test_a_host_who_is_still_called_can_be_handed_over(new_lab: NewLab) -> None:
    lab = new_lab([Person(HOST, answer_after_secs=5)])
    conversation_id = lab.start(HOST)
    hand_over(lab, conversation_id)
    lab.run(3)
    assert outcomes(lab, conversation_id) == [None]
    lab.run(10)
    assert outcomes(lab, conversation_id) == ["handed_over"]
    lab.assert_clean()


def test_a_caller_who_leaves_stops_the_calls_to_the_person(new_lab: NewLab) -> None:
    lab = new_lab([Person(DANA, behaviour="no_answer")])
    conversation_id = lab.inbound()
    hand_over(lab, conversation_id, max_attempts=3)
    lab.hang_up(CALLER)
    lab.run(120)
    assert outcomes(lab, conversation_id) == ["caller_left"]
    assert lab.people_dialled() == ["Dana"]
    lab.assert_clean()
    lab.assert_no_leg_up()
