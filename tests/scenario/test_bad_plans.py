"""An invalid plan is refused by the name of the invalid field, and no call is made."""

from typing import Any

import pytest

from tests.support.lab import Answer, Lab, NewLab
from tests.support.people import DANA, HOST, KIM, LEE

ELEVEN = [f"+131255501{nth:02}" for nth in range(30, 41)]
SAY: dict[str, Any] = {"say": "Press a digit."}

BAD: dict[str, tuple[dict[str, Any], str]] = {
    "an empty list": ({"to": []}, "to"),
    "the same number twice": ({"to": [DANA, LEE, DANA]}, "to"),
    "a list above its limit": ({"to": ELEVEN}, "to"),
    "no number": ({}, "to"),
    "an invalid number": ({"to": [DANA, "555"]}, "to.1"),
    "a deadline under the ring time": (
        {"ring_timeout_secs": 30, "deadline_secs": 29},
        "deadline_secs",
    ),
    "a deadline under the default ring time": ({"deadline_secs": 20}, "deadline_secs"),
    "a letter for a digit": ({"screening": {**SAY, "accept_digit": "a"}}, "screening.accept_digit"),
    "two digits for one": ({"screening": {**SAY, "accept_digit": "12"}}, "screening.accept_digit"),
    "no digit": ({"screening": {**SAY, "accept_digit": ""}}, "screening.accept_digit"),
    "a number for a digit": ({"screening": {**SAY, "accept_digit": 1}}, "screening.accept_digit"),
    "a screening without a text": ({"screening": {}}, "screening.say"),
    "a screening for too long": (
        {"screening": {**SAY, "timeout_secs": 61}},
        "screening.timeout_secs",
    ),
    "an unknown strategy": ({"strategy": "random"}, "strategy"),
    "an unknown detection": ({"machine_detection": "best"}, "machine_detection"),
    "an unknown machine action": ({"on_machine": "talk"}, "on_machine"),
    "an unknown hangup": ({"on_hangup": "explode"}, "on_hangup"),
    "no round": ({"max_attempts": 0}, "max_attempts"),
    "too many rounds": ({"max_attempts": 4}, "max_attempts"),
    "a negative pause": ({"pause_secs": -1}, "pause_secs"),
    "a ring too short for Telnyx": ({"ring_timeout_secs": 4}, "ring_timeout_secs"),
    "a string for a boolean": ({"tell_assistant": "no"}, "tell_assistant"),
    "an unknown field": ({"surprise": True}, "surprise"),
}  # fmt: skip

each_invalid_plan = pytest.mark.parametrize(("changes", "field"), BAD.values(), ids=BAD)


def plan(changes: dict[str, Any]) -> dict[str, Any]:
    """A valid plan with these changed fields."""
    return changes if "to" in changes or not changes else {"to": [KIM, LEE], **changes}


def assert_names(answer: Answer, field: str) -> None:
    """Check that the request was refused with a message for this field."""
    assert answer.status == 422, answer.json
    assert answer.json["error"]["code"] == "invalid_request"
    details = {detail["field"]: detail["message"] for detail in answer.json["error"]["details"]}
    assert details.get(field), answer.json


def untouched(lab: Lab) -> bool:
    """Whether the table is empty and Telnyx got no request."""
    return lab.table.keys() == [] and lab.telnyx.ledger == []


@each_invalid_plan
def test_an_invalid_invitation_in_a_start_is_refused_by_its_field(
    new_lab: NewLab, changes: dict[str, Any], field: str
) -> None:
    lab = new_lab()
    body = {"to": HOST, "participants": [{"to": DANA}, plan(changes)]}
    assert_names(lab.ask("POST", "/conversations", body), f"participants.1.{field}")
    assert untouched(lab)


@each_invalid_plan
def test_an_invalid_contact_of_a_route_is_refused_by_its_field(
    new_lab: NewLab, changes: dict[str, Any], field: str
) -> None:
    lab = new_lab()
    body = {"assistant": {"id": "assistant-1"}, "contacts": {"billing": plan(changes)}}
    assert_names(lab.ask("PUT", "/routes/default", body), f"contacts.billing.{field}")
    assert untouched(lab)


def test_an_invalid_invitation_into_a_conversation_is_refused_by_its_field(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.run(5)
    events = lab.event_types(conversation_id)
    for changes, field in BAD.values():
        answer = lab.ask("POST", f"/conversations/{conversation_id}/participants", plan(changes))
        assert_names(answer, field)
    assert lab.event_types(conversation_id) == events
    assert lab.people_dialled() == ["host"]
