"""What is written down of whole conversations: ids and words of ours, and nobody's name."""

import json
import re

from local.simulator.model import Person
from tests.scenario.people import CALLER, DANA, HOST, KIM, LEE, OURS
from tests.scenario.stage import API_KEY, Stage
from tests.security.house import Secrets, Staged, post, signed

PRIVATE = {
    "names": ["Ada Lovelace", "Dana Scully", "Lovelace", "Billing-Desk"],
    "texts": ["The code is 4711", "Order of roses", "Say hello to Robin", "Press one, Dana"],
    "metadata": ["order-of-roses", "rosebud"],
    "keys": [API_KEY, "KEY"],
}
NUMBERS = [HOST, DANA, LEE, KIM, CALLER, OURS]


def whole_conversations(at: Stage) -> None:
    """Everything that can happen, with something private in all that can be said."""
    roles = {"assistant": {"id": "assistant-1", "instructions": "Say hello to Robin"}}
    contacts = {"Billing-Desk": {"to": KIM}}
    at.ask("PUT", f"/routes/{OURS}", {**roles, "contacts": contacts})
    at.ask("PUT", f"/do-not-call/{LEE}", {"reason": "Order of roses"})
    here = at.start(
        name="Ada Lovelace",
        metadata={"order-of-roses": "rosebud"},
        assistant={"greeting": "The code is 4711"},
    )
    at.run(5)
    at.invite(here, [LEE, DANA], name="Dana Scully", screening={"say": "Press one, Dana"})
    at.message(here, "The code is 4711")
    at.run(60)
    at.ask("POST", f"/conversations/{here}/participants", {"to": f"{DANA},4711"})
    at.ask("POST", f"/conversations/{here}/messages", b'{"role": "The code is 4711')
    at.ask("GET", f"/conversations?cursor={DANA}")
    at.stop(here, hang_up=True)
    inbound = at.inbound()
    body = json.dumps({"name": "Billing-Desk"}).encode()
    headers = signed(body, int(at.clock.now().timestamp()))
    headers["x-telnyx-call-control-id"] = at.leg(CALLER).call_control_id
    assert post(at, body, headers, "/tools/invite") == 200
    at.run(30)
    assert len(at.conversation(inbound)["participants"]) == 2
    post(at, b'{"data": {"payload": {"from": "%s"}}}' % HOST.encode(), {})
    at.fail("dial", "status", status=422)
    at.start()
    at.run(600)


def test_nobody_can_be_recognized_in_what_is_logged(stage: Staged) -> None:
    at = stage([Person(LEE, behaviour="busy")])
    whole_conversations(at)
    lines = at.logs.lines()
    assert len(lines) > 50
    assert {"conversation.ended", "participant.joined"} <= {line["message"] for line in lines}
    told = json.dumps([{**line, "timestamp": ""} for line in lines], ensure_ascii=False)
    for kind, private in PRIVATE.items():
        assert [each for each in private if each in told] == [], kind
    for number in NUMBERS:
        assert number[1:] not in told
        assert number[-7:] not in told
    assert re.findall(r"\+\d{7,}|Bearer|eyJ", told) == []


def test_a_timeline_shows_no_number(stage: Staged) -> None:
    at = stage([Person(LEE, behaviour="busy")])
    whole_conversations(at)
    told = json.dumps([at.timeline(each["id"]) for each in at.conversations()])
    assert f"***{DANA[-4:]}" in told
    assert [number for number in NUMBERS if number[1:] in told] == []


def test_no_id_can_be_turned_back_into_a_number(stage: Staged) -> None:
    at = stage()
    whole_conversations(at)
    keys = json.dumps(at.table.keys())
    edited = [f"ROUTE#{OURS}", f"DNC#{LEE}"]  # what people edit is under its number
    for each in edited:
        keys = keys.replace(each, "")
    for private in [*PRIVATE["names"], *PRIVATE["texts"], *(each[1:] for each in NUMBERS)]:
        assert private not in keys


def test_a_refusal_shows_nothing_of_what_was_sent(stage: Staged, secrets: Secrets) -> None:
    at = stage()
    body = {"to": f"{DANA},4711", "name": "Ada Lovelace" * 100, "surprise": "rosebud"}
    answer = at.ask("POST", "/conversations", body)
    assert answer.status == 422
    for private in ("4711", "Lovelace", "rosebud", DANA):
        assert private not in answer.body.decode()


def test_a_trouble_of_ours_is_logged_without_what_it_met(stage: Staged, secrets: Secrets) -> None:
    secrets.values["telnyx"] = "Ada Lovelace's key, and no JSON"
    at = stage()
    here = at.start(name="Ada Lovelace")
    assert at.conversation(here)["failure"]["code"] == "no_api_key"
    told = json.dumps(at.logs.lines())
    assert "not JSON" in told
    assert "Lovelace" not in told
