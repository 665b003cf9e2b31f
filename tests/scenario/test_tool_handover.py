"""The assistant's own tool `handover`, with repeated and invalid requests."""

from typing import Any

import pytest

from local.simulator.model import Person
from tests.scenario.test_tools import CALLING, lab_with_caller, message_in
from tests.support.lab import URL, Lab, NewLab
from tests.support.people import CALLER, DANA, LEE

HANDING_OVER = "Calling “Dana” now. Stay with the caller until “Dana” takes over."
BRIEF = "The caller wants to send an order back."


def handovers(lab: Lab, conversation_id: str) -> list[tuple[str, str | None]]:
    """Return the part of the assistant and the outcome of each handover."""
    shown = lab.conversation(conversation_id)["handovers"]
    return [(handover["then"], handover["outcome"]) for handover in shown]


def events(lab: Lab, conversation_id: str) -> list[Any]:
    """Return the outcomes of the events `handover.ended`."""
    timeline = lab.timeline(conversation_id)
    ended = [event["data"] for event in timeline if event["type"] == "handover.ended"]
    return [data["outcome"] for data in ended]


def test_a_contact_takes_over_and_the_assistant_is_told(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_caller(new_lab)
    assert lab.use_tool("handover", name="Dana") == HANDING_OVER
    assert handovers(lab, conversation_id) == [("stay", None)]
    lab.run(5)
    assert lab.messages_to_assistant() == ["“Dana” is on the line and takes over."]
    assert handovers(lab, conversation_id) == [("stay", "handed_over")]
    assert events(lab, conversation_id) == ["handed_over"]
    lab.assert_clean()


def test_the_assistant_is_silent_when_the_person_has_joined(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_caller(new_lab)
    lab.use_tool("handover", name="Dana", then="silent")
    lab.run(10)
    assert handovers(lab, conversation_id) == [("silent", "handed_over")]
    assert lab.conversation(conversation_id)["mode"] == "silent"
    lab.assert_clean()


def test_the_person_hears_the_brief_and_the_caller_does_not(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_caller(new_lab)
    lab.use_tool("handover", name="Dana", brief=BRIEF)
    lab.run(5)
    asked = [entry for entry in lab.telnyx.ledger if BRIEF in str(entry.body)]
    assert {entry.action for entry in asked} == {"gather_using_speak"}
    assert not any(BRIEF in message for message in lab.messages_to_assistant())
    assert BRIEF not in str(lab.timeline(conversation_id))


def test_a_person_who_was_not_reached_is_told_once(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_caller(new_lab, Person(DANA, behaviour="busy"))
    lab.use_tool("handover", name="Dana", then="away")
    lab.run(10)
    assert lab.messages_to_assistant() == ["“Dana” could not be reached: the line is busy."]
    assert events(lab, conversation_id) == ["busy"]
    assert lab.conversation(conversation_id)["mode"] == "speaking"


@pytest.mark.parametrize("then", [None, 1, "leave", ["away"], {"away": True}])
def test_an_unusable_part_of_the_assistant_is_read_as_stay(new_lab: NewLab, then: Any) -> None:
    lab, conversation_id = lab_with_caller(new_lab)
    lab.use_tool("handover", name="Dana", then=then)
    assert handovers(lab, conversation_id) == [("stay", None)]


def test_the_same_request_delivered_again_is_a_single_handover(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_caller(new_lab)
    call = lab.leg(CALLER).call_control_id
    first = lab.telnyx.use_tool(call, f"{URL}/tools/handover", {"name": "Dana"})
    words = [message_in(lab.post("/tools/handover", first.body, first.headers)) for _ in range(2)]
    assert words == [HANDING_OVER, "“Dana” is being called."]
    lab.run(5)
    assert lab.people_dialled() == ["Dana"]
    assert handovers(lab, conversation_id) == [("stay", "handed_over")]
    lab.assert_clean()


def test_a_second_handover_is_refused_while_the_first_is_open(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_caller(new_lab, Person(DANA, behaviour="no_answer"))
    lab.use_tool("handover", name="Dana")
    words = lab.use_tool("handover", name="Night Shift")
    assert words == "Another handover of this conversation has not ended yet."
    assert lab.people_dialled() == ["Dana"]
    assert len(handovers(lab, conversation_id)) == 1


def test_a_person_whom_the_assistant_has_invited_takes_over_without_a_call(
    new_lab: NewLab,
) -> None:
    lab, conversation_id = lab_with_caller(new_lab)
    assert lab.use_tool("invite", name="Dana") == CALLING
    lab.run(5)
    assert lab.use_tool("handover", name="Dana", then="silent") == "“Dana” is here and takes over."
    lab.run(5)
    assert lab.people_dialled() == ["Dana"]
    assert handovers(lab, conversation_id) == [("silent", "handed_over")]
    told = [message for message in lab.messages_to_assistant() if "takes over" in message]
    assert told == [], "the answer of the tool has told the assistant"


def test_a_person_whom_a_request_has_invited_takes_over_without_a_call(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_caller(new_lab)
    lab.invite(conversation_id, [LEE, DANA], name="The shop", strategy="at_once")
    lab.run(5)
    shop = lab.person(conversation_id, "The shop")
    name = "Dana" if shop["legs"][1]["outcome"] == "human" else "Night Shift"
    assert lab.use_tool("handover", name=name).endswith("is here and takes over.")
    lab.run(5)
    assert handovers(lab, conversation_id) == [("stay", "handed_over")]


def test_an_invitation_under_way_becomes_a_handover(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_caller(new_lab)
    lab.use_tool("invite", name="Dana")
    assert lab.use_tool("handover", name="Dana") == HANDING_OVER
    lab.run(5)
    assert lab.people_dialled() == ["Dana"]
    assert events(lab, conversation_id) == ["handed_over"]
