"""A plan that cannot be is refused by the field that is to be mended, and nobody is called."""

from typing import Any

import pytest

from tests.support.lab import Answer, Lab, NewLab
from tests.support.people import DANA, HOST, KIM, LEE

ELEVEN = [f"+131255501{nth:02}" for nth in range(30, 41)]
SAY: dict[str, Any] = {"say": "Press a digit."}

BAD: dict[str, tuple[dict[str, Any], str]] = {
    "an empty list": ({"to": []}, "to"),
    "the same number twice": ({"to": [DANA, LEE, DANA]}, "to"),
    "a list over its bound": ({"to": ELEVEN}, "to"),
    "no number at all": ({}, "to"),
    "a number that is none": ({"to": [DANA, "555"]}, "to.1"),
    "a deadline under the ring time": (
        {"ring_timeout_secs": 30, "deadline_secs": 29},
        "deadline_secs",
    ),
    "a deadline under the default ring time": ({"deadline_secs": 20}, "deadline_secs"),
    "a letter for a digit": ({"screening": {**SAY, "accept_digit": "a"}}, "screening.accept_digit"),
    "two digits for one": ({"screening": {**SAY, "accept_digit": "12"}}, "screening.accept_digit"),
    "no digit": ({"screening": {**SAY, "accept_digit": ""}}, "screening.accept_digit"),
    "a number for a digit": ({"screening": {**SAY, "accept_digit": 1}}, "screening.accept_digit"),
    "a screening without words": ({"screening": {}}, "screening.say"),
    "a screening for too long": (
        {"screening": {**SAY, "timeout_secs": 61}},
        "screening.timeout_secs",
    ),
    "an unknown strategy": ({"strategy": "random"}, "strategy"),
    "an unknown detection": ({"machine_detection": "best"}, "machine_detection"),
    "an unknown thing to do": ({"on_machine": "talk"}, "on_machine"),
    "an unknown hangup": ({"on_hangup": "explode"}, "on_hangup"),
    "no round": ({"max_attempts": 0}, "max_attempts"),
    "too many rounds": ({"max_attempts": 4}, "max_attempts"),
    "a pause before the past": ({"pause_secs": -1}, "pause_secs"),
    "a ring too short for Telnyx": ({"ring_timeout_secs": 4}, "ring_timeout_secs"),
    "a switch that is none": ({"tell_assistant": "no"}, "tell_assistant"),
    "a field that nobody knows": ({"surprise": True}, "surprise"),
}  # fmt: skip

each_bad = pytest.mark.parametrize(("given", "field"), BAD.values(), ids=BAD)


def plan(given: dict[str, Any]) -> dict[str, Any]:
    """A plan that would be right but for what is given."""
    return given if "to" in given or not given else {"to": [KIM, LEE], **given}


def assert_names(answer: Answer, field: str) -> None:
    """It is refused, and the field is named, with a sentence."""
    assert answer.status == 422, answer.json
    assert answer.json["error"]["code"] == "invalid_request"
    details = {each["field"]: each["message"] for each in answer.json["error"]["details"]}
    assert details.get(field), answer.json


def untouched(lab: Lab) -> bool:
    """Whether nothing is stored and Telnyx was not asked."""
    return lab.table.keys() == [] and lab.telnyx.ledger == []


@each_bad
def test_an_invalid_invitation_in_a_start_is_refused_by_its_field(
    new_lab: NewLab, given: dict[str, Any], field: str
) -> None:
    lab = new_lab()
    body = {"to": HOST, "participants": [{"to": DANA}, plan(given)]}
    assert_names(lab.ask("POST", "/conversations", body), f"participants.1.{field}")
    assert untouched(lab)


@each_bad
def test_an_invalid_contact_of_a_route_is_refused_by_its_field(
    new_lab: NewLab, given: dict[str, Any], field: str
) -> None:
    lab = new_lab()
    body = {"assistant": {"id": "assistant-1"}, "contacts": {"billing": plan(given)}}
    assert_names(lab.ask("PUT", "/routes/default", body), f"contacts.billing.{field}")
    assert untouched(lab)


def test_an_invalid_invitation_into_a_conversation_is_refused_by_its_field(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.run(5)
    events = lab.event_types(conversation_id)
    for given, field in BAD.values():
        answer = lab.ask("POST", f"/conversations/{conversation_id}/participants", plan(given))
        assert_names(answer, field)
    assert lab.event_types(conversation_id) == events
    assert lab.people_dialled() == ["host"]
