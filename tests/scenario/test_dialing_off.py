"""The emergency stop: no way to dial rings a phone while an operator has switched dials off."""

from collections.abc import Callable

import pytest

from local.simulator.model import Person
from partyline.store import keys
from partyline.store.dialing import SEEN_WITHIN
from tests.support.lab import Lab, NewLab, minutes
from tests.support.people import DANA, HOST, LEE, OUR_NUMBER

OFF = {"pk": {"S": keys.DIALING_OFF[0]}, "sk": {"S": keys.DIALING_OFF[1]}}


def switch_off(lab: Lab) -> None:
    lab.table.put(OFF)
    lab.run(SEEN_WITHIN.total_seconds() + 1)


def switch_on(lab: Lab) -> None:
    lab.table.delete(OFF)
    lab.run(SEEN_WITHIN.total_seconds() + 1)


def active(new_lab: NewLab, *people: Person) -> tuple[Lab, str]:
    lab = new_lab(people)
    lab.route(OUR_NUMBER, contacts={"Lee": {"to": LEE}})
    return lab, lab.inbound()


def start(lab: Lab, _: str) -> str:
    answer = lab.ask("POST", "/conversations", {"to": HOST})
    assert answer.status == 409
    return str(answer.json["error"]["code"])


def start_with_a_guest(lab: Lab, _: str) -> str:
    leg = lab.telnyx.outside_call("+13125550121", "+13125550122")
    body = {"call_control_id": leg.call_control_id, "participants": [{"to": DANA}]}
    answer = lab.ask("POST", "/conversations", body)
    assert answer.status == 409
    return str(answer.json["error"]["code"])


def invite(lab: Lab, conversation_id: str) -> str:
    path = f"/conversations/{conversation_id}/participants"
    answer = lab.ask("POST", path, {"to": DANA})
    assert answer.status == 409
    return str(answer.json["error"]["code"])


def use_tool(lab: Lab, conversation_id: str) -> str:
    lab.use_tool("invite", name="Lee")
    lab.run(5)
    [leg] = lab.person(conversation_id, "Lee")["legs"]
    assert "switched off" in lab.messages_to_assistant()[-1]
    return str(leg["failure"]["code"])


@pytest.mark.parametrize("dial", [start, start_with_a_guest, invite, use_tool])
def test_no_way_to_dial_rings_a_phone_while_dials_are_off(
    new_lab: NewLab, dial: Callable[[Lab, str], str]
) -> None:
    lab, conversation_id = active(new_lab)
    switch_off(lab)
    assert dial(lab, conversation_id) == "dialing_off"
    lab.run(minutes(3))
    assert lab.people_dialled() == []
    assert lab.commands("dial") == []


def test_a_hunt_that_has_begun_stops_at_its_next_number_while_dials_are_off(
    new_lab: NewLab,
) -> None:
    lab, conversation_id = active(new_lab, Person(DANA, behaviour="manual"))
    lab.invite(conversation_id, [DANA, LEE], name="Dana", ring_timeout_secs=60)
    lab.run(2)
    switch_off(lab)
    lab.run(minutes(3))
    assert lab.people_dialled() == ["Dana"]
    legs = lab.person(conversation_id, "Dana")["legs"]
    assert legs[-1]["failure"]["code"] == "dialing_off"


def test_calls_that_are_up_go_on_and_inbound_calls_are_answered(new_lab: NewLab) -> None:
    lab, conversation_id = active(new_lab)
    switch_off(lab)
    other = lab.inbound("+13125550177")
    lab.run(5)
    assert lab.status(conversation_id) == lab.status(other) == "active"


def test_a_stop_is_seen_within_a_minute_and_so_is_its_end(new_lab: NewLab) -> None:
    assert SEEN_WITHIN.total_seconds() < 60
    lab, conversation_id = active(new_lab)
    lab.invite(conversation_id, DANA, name="Dana")
    lab.run(5)
    switch_off(lab)
    assert invite(lab, conversation_id) == "dialing_off"
    switch_on(lab)
    lab.invite(conversation_id, LEE)
    lab.run(5)
    assert lab.people_dialled() == ["Dana", "Lee"]
