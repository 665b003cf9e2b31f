"""A signature of Telnyx is good for its own door: a request of a tool is no webhook."""

import json
from typing import Any

import pytest

from partyline.entrypoints.tools import NO_CALL
from tests.support.lab import Lab, NewLab
from tests.support.people import DANA, HOST, OUR_NUMBER
from tests.support.security import assert_untouched, signed

CALL_HEADER = "x-telnyx-call-control-id"


def event(event_type: str, call_control_id: str, **payload: str) -> dict[str, Any]:
    """The body of a webhook."""
    payload |= {"call_control_id": call_control_id}
    return {"data": {"event_type": event_type, "id": "e-1", "payload": payload}}


def send(lab: Lab, path: str, body: dict[str, Any], **headers: str) -> int:
    """Send a signed body to a path. Returns the status of the answer."""
    raw = json.dumps(body).encode()
    signature = signed(raw, int(lab.clock.now().timestamp()))
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lab.post(path, raw, signature | named).status


@pytest.mark.parametrize("path", ["/webhooks", "/webhooks/call.hangup", "/webhooks/odd"])
def test_the_request_of_a_tool_ends_no_other_conversation(new_lab: NewLab, path: str) -> None:
    lab = new_lab()
    conversation_id = lab.inbound()
    call = lab.telnyx_conversation().starting_call
    hangup = event("call.hangup", call)
    for named_call in ("v3:the-call-of-the-tool", ""):
        assert send(lab, path, hangup, **{CALL_HEADER: named_call}) == 401
    lab.run(120)
    assert lab.status(conversation_id) == "active"
    assert send(lab, path, hangup) == 200
    lab.run(60)
    assert lab.status(conversation_id) == "ended"


def test_the_request_of_a_tool_begins_no_inbound_conversation(new_lab: NewLab) -> None:
    lab = new_lab()
    body = event("call.initiated", "v3:made-up", direction="incoming", to="+13125550100")
    assert send(lab, "/webhooks", body, **{CALL_HEADER: "v3:the-call-of-the-tool"}) == 401
    assert_untouched(lab)


@pytest.mark.parametrize("tool", ["invite", "status"])
@pytest.mark.parametrize("has_envelope", [True, False])
def test_a_webhook_uses_no_tool(new_lab: NewLab, tool: str, has_envelope: bool) -> None:
    lab = new_lab()
    lab.inbound()
    body = event("call.hangup", lab.telnyx_conversation().starting_call)
    body |= {"call_control_id": lab.telnyx_conversation().starting_call}
    assert send(lab, f"/tools/{tool}", body if has_envelope else body["data"]) == 401


@pytest.mark.parametrize("tool", ["invite", "status"])
def test_a_tool_acts_on_no_conversation_but_that_of_telnyxs_header(
    new_lab: NewLab, tool: str
) -> None:
    """The model gave the id of another conversation, in a tool without `preset_body_fields`."""
    lab = new_lab()
    lab.route(OUR_NUMBER, {"Dana": {"to": DANA}})
    lab.inbound()
    own = lab.telnyx_conversation().starting_call
    lab.run(5)
    lab.start()
    lab.run(5)
    other = lab.leg(HOST).call_control_id
    body = {"call_control_id": other, "name": "Dana"}
    raw = json.dumps(body).encode()
    headers = signed(raw, int(lab.clock.now().timestamp())) | {CALL_HEADER: own}
    answer = lab.post(f"/tools/{tool}", raw, headers)
    assert answer.json == {"message": NO_CALL}
    assert DANA not in [dial["to"] for dial in lab.commands("dial")]
    headers[CALL_HEADER] = other
    assert lab.post(f"/tools/{tool}", raw, headers).json != {"message": NO_CALL}


@pytest.mark.parametrize(("call", "statuses"), [("v3:a-call", ["active"]), ("", ["ended"])])
def test_the_failover_queue_drops_the_request_of_a_tool(
    new_lab: NewLab, call: str, statuses: list[str]
) -> None:
    lab = new_lab()
    conversation_id = lab.inbound()
    hangup = event("call.hangup", lab.telnyx_conversation().starting_call)
    headers = {CALL_HEADER: call} if call else {}
    assert send(lab, "/failover", hangup, **headers) == 200
    lab.run(60)
    assert [lab.status(conversation_id)] == statuses


def test_a_header_of_a_sender_leads_no_webhook_to_another_host(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.app.settings = lab.app.settings.model_copy(update={"public_base_url": None})
    hostile = "https://evil.example/x?"
    tool = {
        "type": "webhook",
        "webhook": {"name": "take", "url": "https://evil.example/tools/status"},
    }
    body = {"to": HOST, "assistant": {"id": "assistant-1", "tools": [tool]}}
    assert lab.ask("POST", "/conversations", body, x_forwarded_proto=hostile).status == 422
    del body["assistant"]
    assert lab.ask("POST", "/conversations", body, x_forwarded_proto=hostile).status == 202
    assert "evil.example" not in str(lab.commands("dial"))
