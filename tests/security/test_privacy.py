"""Logs, timelines and keys contain ids and our own words, but no names, numbers or texts."""

import json
import re

import pytest

from local.simulator.model import Person, SimulatedLeg
from tests.support.backend import Secrets
from tests.support.lab import API_KEY, Lab, NewLab
from tests.support.people import CALLER, DANA, HOST, KIM, LEE, OUR_NUMBER
from tests.support.security import post, signed

PRIVATE = {
    "names": ["Ada Lovelace", "Dana Scully", "Lovelace", "Billing-Desk"],
    "texts": ["The code is 4711", "Order of roses", "Say hello to Robin", "Press one, Dana"],
    "metadata": ["order-of-roses", "rosebud"],
    "keys": [API_KEY, "KEY"],
}
NUMBERS = [HOST, DANA, LEE, KIM, CALLER, OUR_NUMBER]


def run_private_conversations(lab: Lab) -> None:
    """Run conversations that put private data into every text field."""
    roles = {"assistant": {"id": "assistant-1", "instructions": "Say hello to Robin"}}
    contacts = {"Billing-Desk": {"to": KIM}}
    lab.ask("PUT", f"/routes/{OUR_NUMBER}", {**roles, "contacts": contacts})
    lab.ask("PUT", f"/do-not-call/{LEE}", {"reason": "Order of roses"})
    conversation_id = lab.start(
        name="Ada Lovelace",
        metadata={"order-of-roses": "rosebud"},
        assistant={"greeting": "The code is 4711"},
    )
    lab.run(5)
    lab.invite(
        conversation_id, [LEE, DANA], name="Dana Scully", screening={"say": "Press one, Dana"}
    )
    lab.message(conversation_id, "The code is 4711")
    lab.run(60)
    lab.ask("POST", f"/conversations/{conversation_id}/participants", {"to": f"{DANA},4711"})
    lab.ask("POST", f"/conversations/{conversation_id}/messages", b'{"role": "The code is 4711')
    lab.ask("GET", f"/conversations?cursor={DANA}")
    lab.stop(conversation_id, hang_up=True)
    inbound = lab.inbound()
    body = json.dumps({"name": "Billing-Desk"}).encode()
    headers = signed(body, int(lab.clock.now().timestamp()))
    headers["x-telnyx-call-control-id"] = lab.leg(CALLER).call_control_id
    assert post(lab, body, headers, "/tools/invite") == 200
    lab.run(30)
    assert len(lab.conversation(inbound)["participants"]) == 2
    post(lab, b'{"data": {"payload": {"from": "%s"}}}' % HOST.encode(), {})
    lab.fail("dial", "refuse", status=403)
    lab.start()
    lab.run(600)


def test_the_logs_contain_no_personal_data(new_lab: NewLab) -> None:
    lab = new_lab([Person(LEE, behaviour="busy")])
    run_private_conversations(lab)
    lines = lab.logs.lines()
    assert len(lines) > 50
    assert {"conversation.ended", "participant.joined"} <= {line["message"] for line in lines}
    logged = json.dumps([{**line, "timestamp": ""} for line in lines], ensure_ascii=False)
    for kind, private in PRIVATE.items():
        assert [text for text in private if text in logged] == [], kind
    for number in NUMBERS:
        assert number[1:] not in logged
        assert number[-7:] not in logged
    assert re.findall(r"\+\d{7,}|Bearer|eyJ", logged) == []


FREE_TEXTS = [
    "+13125550111 Ada",
    "Ada Lovelace",
    "1.312.555.0111",
    "3125550111",
    "x" * 65,
    "caf\u00e9",
]


def deliver_event(
    lab: Lab, leg: SimulatedLeg, event_type: str = "call.hangup", **more: str
) -> None:
    payload = {"call_control_id": leg.call_control_id, "client_state": leg.client_state, **more}
    body = json.dumps({"data": {"event_type": event_type, "id": "e-1", "payload": payload}})
    headers = signed(body.encode(), int(lab.clock.now().timestamp()))
    assert post(lab, body.encode(), headers) == 200


@pytest.mark.parametrize("text", FREE_TEXTS)
def test_free_text_from_telnyx_is_not_logged(new_lab: NewLab, text: str) -> None:
    lab = new_lab()
    lab.start()
    lab.run(5)
    deliver_event(lab, lab.leg(HOST), text)
    deliver_event(lab, lab.leg(HOST), hangup_cause=text)
    lines = lab.logs.lines()
    assert [line["hangup_cause"] for line in lines if "hangup_cause" in line] == ["(unreadable)"]
    ignored = [line for line in lines if line["message"].startswith("ignored")]
    assert [line["event_type"] for line in ignored] == ["(unreadable)"]
    assert text[:64] not in json.dumps(lines, ensure_ascii=False)


def test_free_text_in_the_reason_of_an_ended_conversation_is_not_logged(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.run(5)
    deliver_event(lab, lab.leg(HOST), "call.conversation.ended", reason="Ada Lovelace left")
    assert lab.run_until(lambda: lab.status(conversation_id) == "ended", 300)
    ended = [line for line in lab.logs.lines() if line["message"] == "conversation.ended"]
    assert [line["reason"] for line in ended] == ["(unreadable)"]
    assert "Lovelace" not in json.dumps(lab.logs.lines())


def test_free_text_in_the_code_of_a_refusal_is_not_logged(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.transport.refuse("dial", 422, "+13125550111", "No.")
    lab.start()
    [line] = [line for line in lab.logs.lines() if line["message"] == "command"]
    assert line["code"] == "(unreadable)"


@pytest.mark.parametrize("word", ["normal_clearing", "user_busy", "Q.850:16", "time-limit"])
def test_a_plain_word_from_telnyx_is_logged(new_lab: NewLab, word: str) -> None:
    lab = new_lab()
    lab.start()
    lab.run(5)
    deliver_event(lab, lab.leg(HOST), hangup_cause=word)
    ended = [line for line in lab.logs.lines() if line["message"] == "leg.ended"]
    assert [(line["hangup_cause"], line["event_type"]) for line in ended] == [(word, "call.hangup")]


def test_a_timeline_shows_no_whole_number(new_lab: NewLab) -> None:
    lab = new_lab([Person(LEE, behaviour="busy")])
    run_private_conversations(lab)
    timelines = json.dumps(
        [lab.timeline(conversation["id"]) for conversation in lab.conversations()]
    )
    assert f"***{DANA[-4:]}" in timelines
    assert [number for number in NUMBERS if number[1:] in timelines] == []


def test_stored_keys_contain_no_personal_data_but_the_numbers_of_routes_and_lists(
    new_lab: NewLab,
) -> None:
    lab = new_lab()
    run_private_conversations(lab)
    keys = json.dumps(lab.table.keys())
    edited = [
        f"ROUTE#{OUR_NUMBER}",
        f"DNC#{LEE}",
    ]  # the items that an operator edits have the number as key
    for key in edited:
        keys = keys.replace(key, "")
    for private in [*PRIVATE["names"], *PRIVATE["texts"], *(number[1:] for number in NUMBERS)]:
        assert private not in keys


def test_a_refusal_repeats_no_value_of_the_request(new_lab: NewLab, secrets: Secrets) -> None:
    lab = new_lab()
    body = {"to": f"{DANA},4711", "name": "Ada Lovelace" * 100, "surprise": "rosebud"}
    answer = lab.ask("POST", "/conversations", body)
    assert answer.status == 422
    for private in ("4711", "Lovelace", "rosebud", DANA):
        assert private not in answer.body.decode()


def test_an_unreadable_secret_is_logged_without_its_value(
    new_lab: NewLab, secrets: Secrets
) -> None:
    secrets.values["telnyx"] = "Ada Lovelace's key, and no JSON"
    lab = new_lab()
    conversation_id = lab.start(name="Ada Lovelace")
    assert lab.conversation(conversation_id)["failure"]["code"] == "no_api_key"
    logged = json.dumps(lab.logs.lines())
    assert "not JSON" in logged
    assert "Lovelace" not in logged
