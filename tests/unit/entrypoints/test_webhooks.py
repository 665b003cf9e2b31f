"""The answers to webhooks, and the limits of an unverified webhook."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from partyline.entrypoints import webhook
from partyline.services.correlation import correlate
from partyline.telnyx import webhooks
from tests.support.deployment import GUEST_NUMBER, HOST_NUMBER, OUR_NUMBER, Deployment

CAPTURES = Path(__file__).parents[3] / "events"
INBOUND = {"call_control_id": "v3:in", "direction": "incoming", "from": HOST_NUMBER}


def throttled(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "ThrottlingException", "Message": "Later."}}, operation)


@pytest.mark.parametrize(
    "break_it",
    [
        lambda world, headers: headers.clear(),
        lambda world, headers: headers.update({"telnyx-signature-ed25519": "AAAA"}),
        lambda world, headers: headers.update(world.signed("another body")),
        lambda world, headers: world.clock.advance(301),
        lambda world, headers: world.clock.advance(-301),
    ],
)
def test_nothing_is_read_when_the_signature_is_wrong(
    world: Deployment,
    monkeypatch: pytest.MonkeyPatch,
    break_it: Callable[[Deployment, dict[str, str]], None],
) -> None:
    def forbidden(body: bytes) -> None:
        raise AssertionError("an unverified body was parsed")

    monkeypatch.setattr(webhooks, "parse", forbidden)
    body = json.dumps({"data": {"event_type": "call.initiated", "id": "e", "payload": INBOUND}})
    headers = world.signed(body)
    break_it(world, headers)
    status, answer = world.deliver_raw(body, headers=headers)
    assert status == 401
    assert answer["error"]["code"] == "bad_signature"
    assert world.dynamodb.calls == []
    assert world.telnyx.sent == []
    assert world.secrets.reads == 0


def test_a_body_that_is_not_the_base64_it_claims_to_be_is_refused(world: Deployment) -> None:
    event = {"headers": world.signed("{}"), "body": "{}", "isBase64Encoded": True}
    assert world.invoke("webhook_default", event)["statusCode"] == 401


def test_the_signature_is_that_of_the_decoded_base64_body(world: Deployment) -> None:
    conversation = world.start()
    state = world.dialled()[0].body["client_state"]
    payload = {"call_control_id": "v3:0", "client_state": state, "note": "café"}
    data = {"event_type": "call.answered", "id": "e-1", "payload": payload}
    body = json.dumps({"data": data}, ensure_ascii=False)
    assert world.deliver_raw(body, encoded=True)[0] == 200
    assert world.conversation(conversation["id"])["status"] == "active"


@pytest.mark.parametrize("body", ["", "[]", "nonsense", '"text"', "[" * 100_000])
def test_a_signed_body_that_is_not_an_event_is_refused_with_a_400(
    world: Deployment, body: str
) -> None:
    assert world.deliver_raw(body)[0] == 400
    assert world.dynamodb.calls == []


def test_an_unknown_event_is_answered_200_and_ignored(world: Deployment) -> None:
    for event_type in ("call.cost", "call.brand.new", ""):
        assert world.deliver(event_type, call_control_id="v3:x") == (200, {"status": "ignored"})
    assert world.dynamodb.calls == []


@pytest.mark.parametrize(
    "event_type", ["call.answered", "call.hangup", "call.conversation.ended", "call.initiated"]
)
def test_a_webhook_of_an_unknown_call_is_ignored(world: Deployment, event_type: str) -> None:
    for state in (None, "g3QAAAAC", base64.b64encode(b'{"conversation":"c"}').decode()):
        answer = world.deliver(event_type, call_control_id="v3:x", client_state=state)
        assert answer == (200, {"status": "ignored"})
    assert world.items() == 0
    assert world.telnyx.sent == []


def test_an_inbound_call_is_answered_by_the_default_assistant(world: Deployment) -> None:
    assert world.deliver("call.initiated", **INBOUND, to=OUR_NUMBER)[0] == 200
    assert world.telnyx.one("answer").call == "v3:in"
    assert world.telnyx.one("answer").body["webhook_url"] == "https://api.example.com/webhooks"


def test_without_a_route_and_a_default_assistant_an_inbound_call_is_not_answered(
    world: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEFAULT_ASSISTANT_ID", "")
    answer = world.deliver("call.initiated", **INBOUND, to=OUR_NUMBER)
    assert answer == (200, {"status": "ignored"})
    assert world.items() == 0
    assert world.telnyx.sent == []


def test_a_number_with_a_route_is_answered_by_its_own_assistant(
    world: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEFAULT_ASSISTANT_ID", "")
    route = {
        "assistant": {"id": "assistant-of-the-route"},
        "connection_id": "2",
        "on_hangup": "end_conversation",
    }
    item = {"pk": f"ROUTE#{OUR_NUMBER}", "sk": "ROUTE", "route": json.dumps(route)}
    typed = {name: {"S": value} for name, value in item.items()}
    world.dynamodb.put_item(TableName=world.table_name, Item=typed)
    world.deliver("call.initiated", **INBOUND, to=OUR_NUMBER)
    world.live_call("call.answered", world.telnyx.one("answer"), "v3:in")
    started = world.telnyx.one("ai_assistant_start").body
    assert started["assistant"]["id"] == "assistant-of-the-route"


def test_the_webhook_of_an_outgoing_call_starts_no_conversation(world: Deployment) -> None:
    outgoing = {"call_control_id": "v3:out", "direction": "outgoing", "to": OUR_NUMBER}
    assert world.deliver("call.initiated", **outgoing) == (200, {"status": "ignored"})
    assert world.items() == 0


def test_a_webhook_that_comes_twice_takes_effect_once(world: Deployment) -> None:
    conversation = world.start()
    host = world.dialled()[0]
    assert world.live_call("call.answered", host, id="e-1")[0] == 200
    timeline = world.timeline(conversation["id"])
    assert world.live_call("call.answered", host, id="e-1")[0] == 200
    assert world.live_call("call.answered", host, id="e-2")[0] == 200
    assert world.telnyx.whats().count("ai_assistant_start") == 1
    assert world.timeline(conversation["id"]) == timeline


def test_a_command_that_telnyx_cannot_take_is_sent_when_the_webhook_comes_again(
    world: Deployment,
) -> None:
    conversation = world.start()
    host = world.dialled()[0]
    world.telnyx.refuse("ai_assistant_start", 503, "10007", times=2)
    status, body = world.live_call("call.answered", host, id="e-1")
    assert (status, body["error"]["code"]) == (503, "pending")
    world.clock.advance(0.5)
    assert world.live_call("call.answered", host, id="e-1")[0] == 503
    world.clock.advance(5)
    assert world.live_call("call.answered", host, id="e-1")[0] == 200
    sent = [request for request in world.telnyx.sent if request.what == "ai_assistant_start"]
    assert len(sent) == 3
    assert len({request.body["command_id"] for request in sent}) == 1
    assert world.conversation(conversation["id"])["status"] == "active"


@pytest.mark.parametrize("failing", ["get_item", "transact_write_items"])
def test_during_an_outage_of_the_table_a_webhook_is_answered_503(
    world: Deployment, failing: str, written: Callable[[], str]
) -> None:
    world.start()
    host = world.dialled()[0]
    for error in (throttled("GetItem"), EndpointConnectionError(endpoint_url="http://x")):
        world.dynamodb.failures[failing] = [error]
        status, body = world.live_call("call.answered", host, id="e-1")
        assert (status, body["error"]["code"]) == (503, "unavailable")
        assert "ai_assistant_start" not in world.telnyx.whats()
    assert "Later" not in written()
    assert world.live_call("call.answered", host, id="e-1")[0] == 200
    assert world.telnyx.whats().count("ai_assistant_start") == 1


@pytest.mark.parametrize("failing", ["get_item", "transact_write_items"])
def test_a_request_that_the_table_refuses_is_a_bug_and_not_an_outage(
    world: Deployment, failing: str, written: Callable[[], str]
) -> None:
    world.start()
    host = world.dialled()[0]
    denied = {"Error": {"Code": "AccessDeniedException", "Message": HOST_NUMBER}}
    world.dynamodb.failures[failing] = [ClientError(denied, "AnyOperation")]  # type: ignore[arg-type]
    written()
    status, body = world.live_call("call.answered", host, id="e-1")
    assert (status, body["error"]["code"]) == (500, "internal")
    lines = [json.loads(line) for line in written().splitlines()]
    [refused] = [line for line in lines if line.get("message") == "aws request refused"]
    assert (refused["aws_operation"], refused["aws_code"]) == (failing, "AccessDeniedException")
    [counted] = [line for line in lines if "_aws" in line]
    assert (counted["AwsErrorUnexpected"], counted["WebhookFailed"]) == ([1.0], [1.0])
    assert HOST_NUMBER not in json.dumps(lines)
    assert world.live_call("call.answered", host, id="e-1")[0] == 200


def test_an_incoming_call_that_a_request_takes_at_the_same_time_has_one_conversation(
    world: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation_id = world.start()["id"]
    world.live_call("call.answered", world.dialled()[0])
    call = {"call_control_id": "v3:inbound"}

    def meanwhile(*arguments: Any) -> Any:
        monkeypatch.setattr(webhook, "correlate", correlate)
        correlation = correlate(*arguments)
        assert world.ask("invite_participant", call, id=conversation_id)[0] == 202
        return correlation

    monkeypatch.setattr(webhook, "correlate", meanwhile)
    initiated = {**INBOUND, **call, "to": OUR_NUMBER}
    assert world.deliver("call.initiated", **initiated) == (200, {"status": "ok"})
    assert "answer" not in world.telnyx.whats()
    assert world.telnyx.whats().count("ai_assistant_join") == 1
    hangup = world.deliver("call.hangup", **call, hangup_cause="normal_clearing")
    assert hangup == (200, {"status": "ok"})
    people = world.conversation(conversation_id)["participants"]
    assert people[1]["status"] == "left"


def test_a_bug_reveals_no_data_in_the_answer_or_the_log(
    world: Deployment, monkeypatch: pytest.MonkeyPatch, written: Callable[[], str]
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError(f"{HOST_NUMBER} did something odd")

    monkeypatch.setattr(webhook, "correlate", broken)
    status, body = world.deliver("call.answered", call_control_id="v3:x")
    assert status == 500
    assert body == {
        "error": {
            "code": "internal",
            "message": "Something went wrong on our side.",
            "details": [],
        }
    }
    logged = written()
    assert "RuntimeError at broken:" in logged
    assert HOST_NUMBER not in logged


def test_a_client_state_of_another_conversation_changes_neither_conversation(
    world: Deployment,
) -> None:
    conversation = world.start()
    host = world.dialled()[0]
    world.live_call("call.answered", host)
    before = world.timeline(conversation["id"])
    answer = world.live_call("call.hangup", host, "v3:somebody-else", call_leg_id="leg-9")
    assert answer == (200, {"status": "ignored"})
    assert world.timeline(conversation["id"]) == before


def test_a_call_without_a_client_state_is_found_by_its_ids(world: Deployment) -> None:
    conversation = world.start()
    world.deliver("call.answered", call_control_id="v3:0", client_state=None)
    assert world.conversation(conversation["id"])["status"] == "active"
    world.deliver("call.hangup", call_leg_id="leg-0", id="e-9", hangup_cause="normal_clearing")
    assert world.conversation(conversation["id"])["participants"][0]["status"] == "left"


def test_a_call_may_be_answered_before_the_dial_returns(world: Deployment) -> None:
    def answer_at_once(sent: Any) -> None:
        if sent.what == "dial":
            world.telnyx.on_request = lambda _: None
            assert world.live_call("call.answered", sent)[0] == 200

    world.telnyx.on_request = answer_at_once
    status, body = world.ask("start_conversation", {"to": HOST_NUMBER})
    assert status == 201
    assert body["status"] == "active"
    assert world.telnyx.whats().count("ai_assistant_start") == 1


def test_the_insight_groups_own_webhook_brings_insights(world: Deployment) -> None:
    conversation = world.start()
    world.live_call("call.answered", world.dialled()[0])
    body = {
        "event_type": "conversation_insight_result",
        "record_type": "event",
        "payload": {
            "conversation_id": "telnyx-conversation-1",
            "request_id": "0c7b1d9e-0000-4000-8000-000000000001",
            "metadata": {"call_control_id": "v3:0"},
            "results": [{"insight_id": "i-1", "result": '{"sentiment": "positive"}'}],
        },
    }
    for _ in range(2):
        assert world.deliver_raw(json.dumps(body))[0] == 200
    found = world.conversation(conversation["id"])["insights"]
    assert found == [{"insight_id": "i-1", "result": '{"sentiment": "positive"}'}]
    assert world.timeline(conversation["id"]).count("conversation.insights_generated") == 1


@pytest.mark.parametrize(
    ("event_type", "result", "person"),
    [
        ("call.machine.detection.ended", "human", True),
        ("call.machine.detection.ended", "not_sure", True),
        ("call.machine.detection.ended", "machine", False),
        ("call.machine.premium.detection.ended", "human_residence", True),
        ("call.machine.premium.detection.ended", "human_business", True),
        ("call.machine.premium.detection.ended", "silence", True),
        ("call.machine.premium.detection.ended", "fax_detected", False),
        ("call.machine.premium.detection.ended", "machine", False),
        ("call.machine.greeting.ended", "beep_detected", False),
        ("call.machine.greeting.ended", "ended", False),
        ("call.machine.premium.greeting.ended", "beep_detected", False),
        ("call.machine.greeting.ended", "not_sure", None),
        ("call.machine.detection.ended", None, True),
    ],
)
def test_the_verdict_of_machine_detection(
    world: Deployment, event_type: str, result: str | None, person: bool | None
) -> None:
    world.start(machine_detection="premium")
    host = world.dialled()[0]
    world.live_call("call.answered", host)
    assert "ai_assistant_start" not in world.telnyx.whats(), "the verdict is still to come"
    world.live_call(event_type, host, result=result)
    expected = {True: "ai_assistant_start", False: "hangup", None: None}[person]
    assert world.telnyx.whats()[1:] == ([expected] if expected else [])


@pytest.mark.parametrize(
    "function",
    [path.parent.name for path in (CAPTURES.parent / "functions").glob("call_*/app.py")],
)
def test_every_webhook_function_takes_every_type(world: Deployment, function: str) -> None:
    conversation = world.start()
    state = world.dialled()[0].body["client_state"]
    call = {"call_control_id": "v3:0", "client_state": state}
    for event_type in ("call.initiated", "call.answered", "call.hangup", "call.unheard.of"):
        assert world.deliver(event_type, function, **call, to=GUEST_NUMBER)[0] == 200
    found = world.conversation(conversation["id"])
    assert found["participants"][0]["status"] == "left"
    assert world.telnyx.whats().count("ai_assistant_start") == 1
