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
        lambda deployment, headers: headers.clear(),
        lambda deployment, headers: headers.update({"telnyx-signature-ed25519": "AAAA"}),
        lambda deployment, headers: headers.update(deployment.signed("another body")),
        lambda deployment, headers: deployment.clock.advance(301),
        lambda deployment, headers: deployment.clock.advance(-301),
    ],
)
def test_nothing_is_read_when_the_signature_is_wrong(
    deployment: Deployment,
    monkeypatch: pytest.MonkeyPatch,
    break_it: Callable[[Deployment, dict[str, str]], None],
) -> None:
    def forbidden(body: bytes) -> None:
        raise AssertionError("an unverified body was parsed")

    monkeypatch.setattr(webhooks, "parse", forbidden)
    body = json.dumps({"data": {"event_type": "call.initiated", "id": "e", "payload": INBOUND}})
    headers = deployment.signed(body)
    break_it(deployment, headers)
    status, answer = deployment.deliver_raw(body, headers=headers)
    assert status == 401
    assert answer["error"]["code"] == "bad_signature"
    assert deployment.dynamodb.calls == []
    assert deployment.telnyx.sent == []
    assert deployment.secrets.reads == 0


def test_a_body_that_is_not_the_base64_it_claims_to_be_is_refused(deployment: Deployment) -> None:
    event = {"headers": deployment.signed("{}"), "body": "{}", "isBase64Encoded": True}
    answer = deployment.invoke("webhook_default", event)
    assert answer["statusCode"] == 401
    assert json.loads(answer["body"])["error"]["code"] == "bad_signature"


def test_the_signature_is_that_of_the_decoded_base64_body(deployment: Deployment) -> None:
    conversation = deployment.start()
    state = deployment.dials()[0].body["client_state"]
    payload = {"call_control_id": "v3:0", "client_state": state, "note": "café"}
    data = {"event_type": "call.answered", "id": "e-1", "payload": payload}
    body = json.dumps({"data": data}, ensure_ascii=False)
    assert deployment.deliver_raw(body, encoded=True)[0] == 200
    assert deployment.conversation(conversation["id"])["status"] == "active"


@pytest.mark.parametrize("body", ["", "[]", "nonsense", '"text"', "[" * 100_000])
def test_a_signed_body_that_is_not_an_event_is_refused_with_a_400(
    deployment: Deployment, body: str
) -> None:
    assert deployment.deliver_raw(body)[0] == 400
    assert deployment.dynamodb.calls == []


def test_an_unknown_event_is_answered_200_and_ignored(deployment: Deployment) -> None:
    for event_type in ("call.refer.completed", "call.recording.saved", "call.brand.new", ""):
        assert deployment.deliver(event_type, call_control_id="v3:x") == (
            200,
            {"status": "ignored"},
        )
    assert deployment.dynamodb.calls == []


@pytest.mark.parametrize(
    "event_type", ["call.answered", "call.hangup", "call.conversation.ended", "call.initiated"]
)
def test_a_webhook_of_an_unknown_call_is_ignored(deployment: Deployment, event_type: str) -> None:
    for state in (None, "g3QAAAAC", base64.b64encode(b'{"conversation":"c"}').decode()):
        answer = deployment.deliver(event_type, call_control_id="v3:x", client_state=state)
        assert answer == (200, {"status": "ignored"})
    assert deployment.item_count() == 0
    assert deployment.telnyx.sent == []


def test_an_inbound_call_is_answered_by_the_default_assistant(deployment: Deployment) -> None:
    assert deployment.deliver("call.initiated", **INBOUND, to=OUR_NUMBER)[0] == 200
    assert deployment.telnyx.only_request("answer").call == "v3:in"
    assert (
        deployment.telnyx.only_request("answer").body["webhook_url"]
        == "https://api.example.com/webhooks"
    )


def test_without_a_route_and_a_default_assistant_an_inbound_call_is_not_answered(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEFAULT_ASSISTANT_ID", "")
    answer = deployment.deliver("call.initiated", **INBOUND, to=OUR_NUMBER)
    assert answer == (200, {"status": "ignored"})
    assert deployment.item_count() == 0
    assert deployment.telnyx.sent == []


def test_a_number_with_a_route_is_answered_by_its_own_assistant(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEFAULT_ASSISTANT_ID", "")
    route = {
        "assistant": {"id": "assistant-of-the-route"},
        "connection_id": "2",
        "on_hangup": "end_conversation",
    }
    item = {"pk": f"ROUTE#{OUR_NUMBER}", "sk": "ROUTE", "route": json.dumps(route)}
    typed = {name: {"S": value} for name, value in item.items()}
    deployment.dynamodb.put_item(TableName=deployment.table_name, Item=typed)
    deployment.deliver("call.initiated", **INBOUND, to=OUR_NUMBER)
    deployment.deliver_for("call.answered", deployment.telnyx.only_request("answer"), "v3:in")
    started = deployment.telnyx.only_request("ai_assistant_start").body
    assert started["assistant"]["id"] == "assistant-of-the-route"


@pytest.mark.parametrize(
    "odd",
    [
        {"connection_id": "another"},
        {"connection_id": 2811212257810187999},
        {"to": "sales@partyline.sip.telnyx.com"},
        {"to": "sip:sales@partyline.sip.telnyx.com"},
        {"to": "gencred1@sip.telnyx.com", "connection_id": None},
        *({"to": user} for user in ("gencredXyZ789", "sales", "sales-desk_2", "4711agent")),
    ],
)
def test_a_call_to_another_connection_or_to_a_sip_user_is_left_alone(
    deployment: Deployment, odd: dict[str, Any]
) -> None:
    answer = deployment.deliver("call.initiated", **{**INBOUND, "to": OUR_NUMBER, **odd})
    assert answer == (200, {"status": "ignored"})
    assert deployment.telnyx.sent == []


@pytest.mark.parametrize(
    "to", [OUR_NUMBER, f"{OUR_NUMBER}@sip.example", f"sip:{OUR_NUMBER}@x", None]
)
def test_a_call_to_a_number_in_any_form_is_answered(deployment: Deployment, to: str | None) -> None:
    called: dict[str, Any] = {**INBOUND, "to": to}
    deployment.deliver("call.initiated", **called)
    assert deployment.telnyx.only_request("answer").call == "v3:in"


@pytest.mark.parametrize("direction", ["inbound", " Incoming", "INBOUND"])
def test_a_call_to_us_is_answered_under_each_word_for_its_direction(
    deployment: Deployment, direction: str
) -> None:
    called: dict[str, Any] = {**INBOUND, "to": OUR_NUMBER, "direction": direction}
    deployment.deliver("call.initiated", **called)
    assert deployment.telnyx.only_request("answer").call == "v3:in"


def test_the_webhook_of_an_outgoing_call_starts_no_conversation(deployment: Deployment) -> None:
    outgoing = {"call_control_id": "v3:out", "direction": "outgoing", "to": OUR_NUMBER}
    assert deployment.deliver("call.initiated", **outgoing) == (200, {"status": "ignored"})
    assert deployment.item_count() == 0


def test_a_webhook_that_comes_twice_takes_effect_once(deployment: Deployment) -> None:
    conversation = deployment.start()
    host = deployment.dials()[0]
    assert deployment.deliver_for("call.answered", host, id="e-1")[0] == 200
    timeline = deployment.timeline(conversation["id"])
    assert deployment.deliver_for("call.answered", host, id="e-1")[0] == 200
    assert deployment.deliver_for("call.answered", host, id="e-2")[0] == 200
    assert deployment.telnyx.sent_actions().count("ai_assistant_start") == 1
    assert deployment.timeline(conversation["id"]) == timeline


def test_a_command_that_telnyx_cannot_take_is_sent_when_the_webhook_comes_again(
    deployment: Deployment,
) -> None:
    conversation = deployment.start()
    host = deployment.dials()[0]
    deployment.telnyx.refuse("ai_assistant_start", 503, "10007", times=2)
    status, body = deployment.deliver_for("call.answered", host, id="e-1")
    assert (status, body["error"]["code"]) == (503, "pending")
    deployment.clock.advance(0.5)
    assert deployment.deliver_for("call.answered", host, id="e-1")[0] == 503
    deployment.clock.advance(5)
    assert deployment.deliver_for("call.answered", host, id="e-1")[0] == 200
    sent = [request for request in deployment.telnyx.sent if request.action == "ai_assistant_start"]
    assert len(sent) == 3
    assert len({request.body["command_id"] for request in sent}) == 1
    assert deployment.conversation(conversation["id"])["status"] == "active"


@pytest.mark.parametrize("failing", ["get_item", "transact_write_items"])
def test_during_an_outage_of_the_table_a_webhook_is_answered_503(
    deployment: Deployment, failing: str, written: Callable[[], str]
) -> None:
    deployment.start()
    host = deployment.dials()[0]
    for error in (throttled("GetItem"), EndpointConnectionError(endpoint_url="http://x")):
        deployment.dynamodb.failures[failing] = [error]
        status, body = deployment.deliver_for("call.answered", host, id="e-1")
        assert (status, body["error"]["code"]) == (503, "unavailable")
        assert "ai_assistant_start" not in deployment.telnyx.sent_actions()
    assert "Later" not in written()
    assert deployment.deliver_for("call.answered", host, id="e-1")[0] == 200
    assert deployment.telnyx.sent_actions().count("ai_assistant_start") == 1


@pytest.mark.parametrize("failing", ["get_item", "transact_write_items"])
def test_a_request_that_the_table_refuses_is_a_bug_and_not_an_outage(
    deployment: Deployment, failing: str, written: Callable[[], str]
) -> None:
    deployment.start()
    host = deployment.dials()[0]
    denied = {"Error": {"Code": "AccessDeniedException", "Message": HOST_NUMBER}}
    deployment.dynamodb.failures[failing] = [ClientError(denied, "AnyOperation")]  # type: ignore[arg-type]
    written()
    status, body = deployment.deliver_for("call.answered", host, id="e-1")
    assert (status, body["error"]["code"]) == (500, "internal")
    lines = [json.loads(line) for line in written().splitlines()]
    [refused] = [line for line in lines if line.get("message") == "aws request refused"]
    assert (refused["aws_operation"], refused["aws_code"]) == (failing, "AccessDeniedException")
    [counted] = [line for line in lines if "_aws" in line]
    assert (counted["AwsErrorUnexpected"], counted["WebhookFailed"]) == ([1.0], [1.0])
    assert HOST_NUMBER not in json.dumps(lines)
    assert deployment.deliver_for("call.answered", host, id="e-1")[0] == 200


def test_an_incoming_call_that_a_request_takes_at_the_same_time_has_one_conversation(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation_id = deployment.start()["id"]
    deployment.deliver_for("call.answered", deployment.dials()[0])
    call = {"call_control_id": "v3:inbound"}

    def meanwhile(*arguments: Any) -> Any:
        monkeypatch.setattr(webhook, "correlate", correlate)
        correlation = correlate(*arguments)
        assert deployment.ask("invite_participant", call, id=conversation_id)[0] == 202
        return correlation

    monkeypatch.setattr(webhook, "correlate", meanwhile)
    initiated = {**INBOUND, **call, "to": OUR_NUMBER}
    assert deployment.deliver("call.initiated", **initiated) == (200, {"status": "ok"})
    assert "answer" not in deployment.telnyx.sent_actions()
    assert deployment.telnyx.sent_actions().count("ai_assistant_join") == 1
    hangup = deployment.deliver("call.hangup", **call, hangup_cause="normal_clearing")
    assert hangup == (200, {"status": "ok"})
    people = deployment.conversation(conversation_id)["participants"]
    assert people[1]["status"] == "left"


def test_a_bug_reveals_no_data_in_the_answer_or_the_log(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, written: Callable[[], str]
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError(f"{HOST_NUMBER} did something odd")

    monkeypatch.setattr(webhook, "correlate", broken)
    status, body = deployment.deliver("call.answered", call_control_id="v3:x")
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
    deployment: Deployment,
) -> None:
    conversation = deployment.start()
    host = deployment.dials()[0]
    deployment.deliver_for("call.answered", host)
    before = deployment.timeline(conversation["id"])
    deployment.telnyx.alive.add("v3:0")
    answer = deployment.deliver_for("call.hangup", host, "v3:somebody-else", call_leg_id="leg-9")
    assert answer == (200, {"status": "ok"})  # our call was polled, and is up
    assert deployment.timeline(conversation["id"]) == before


def test_a_call_without_a_client_state_is_found_by_its_ids(deployment: Deployment) -> None:
    conversation = deployment.start()
    deployment.deliver("call.answered", call_control_id="v3:0", client_state=None)
    assert deployment.conversation(conversation["id"])["status"] == "active"
    deployment.deliver("call.hangup", call_leg_id="leg-0", id="e-9", hangup_cause="normal_clearing")
    assert deployment.conversation(conversation["id"])["participants"][0]["status"] == "left"


def test_a_call_may_be_answered_before_the_dial_returns(deployment: Deployment) -> None:
    def answer_at_once(sent: Any) -> None:
        if sent.action == "dial":
            deployment.telnyx.on_request = lambda _: None
            assert deployment.deliver_for("call.answered", sent)[0] == 200

    deployment.telnyx.on_request = answer_at_once
    status, body = deployment.ask("start_conversation", {"to": HOST_NUMBER})
    assert status == 201
    assert body["status"] == "active"
    assert deployment.telnyx.sent_actions().count("ai_assistant_start") == 1


def test_the_insight_groups_own_webhook_brings_insights(deployment: Deployment) -> None:
    conversation = deployment.start()
    deployment.deliver_for("call.answered", deployment.dials()[0])
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
        assert deployment.deliver_raw(json.dumps(body))[0] == 200
    found = deployment.conversation(conversation["id"])["insights"]
    assert found == [
        {
            "insight_id": "i-1",
            "run": 0,
            "result": '{"sentiment": "positive"}',
            "cut_from_bytes": None,
        }
    ]
    assert deployment.timeline(conversation["id"]).count("conversation.insights_generated") == 1


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
        ("call.machine.premium.detection.ended", "faxDetected", False),
        ("call.machine.premium.detection.ended", " FAX.Detected", False),
        ("call.machine.greeting.ended", "beep_detected", False),
        ("call.machine.greeting.ended", "ended", False),
        ("call.machine.premium.greeting.ended", "beep_detected", False),
        ("call.machine.greeting.ended", "not_sure", None),
        ("call.machine.detection.ended", None, True),
    ],
)
def test_the_verdict_of_machine_detection(
    deployment: Deployment, event_type: str, result: str | None, person: bool | None
) -> None:
    deployment.start(machine_detection="premium")
    host = deployment.dials()[0]
    deployment.deliver_for("call.answered", host)
    assert "ai_assistant_start" not in deployment.telnyx.sent_actions(), (
        "the verdict is still to come"
    )
    deployment.deliver_for(event_type, host, result=result)
    expected = {True: "ai_assistant_start", False: "hangup", None: None}[person]
    assert deployment.telnyx.sent_actions() == [
        *("dial", "gather_using_speak"),
        *([expected] if expected else []),
    ]


@pytest.mark.parametrize(
    "function",
    [path.parent.name for path in (CAPTURES.parent / "functions").glob("call_*/app.py")],
)
def test_every_webhook_function_takes_every_type(deployment: Deployment, function: str) -> None:
    conversation = deployment.start()
    state = deployment.dials()[0].body["client_state"]
    call = {"call_control_id": "v3:0", "client_state": state}
    for event_type in ("call.initiated", "call.answered", "call.hangup", "call.unheard.of"):
        assert deployment.deliver(event_type, function, **call, to=GUEST_NUMBER)[0] == 200
    found = deployment.conversation(conversation["id"])
    assert found["participants"][0]["status"] == "left"
    assert deployment.telnyx.sent_actions().count("ai_assistant_start") == 1


def test_the_client_state_of_an_incoming_call_is_ignored(deployment: Deployment) -> None:
    deployment.telnyx.refuse("dial", 503, "10007", times=100)
    conversation_id = deployment.start()["id"]
    state = deployment.dials()[0].body["client_state"]
    deployment.deliver(
        "call.initiated",
        call_control_id="v3:stranger",
        direction="incoming",
        client_state=state,
        to="+13125550100",
    )
    [host] = deployment.conversation(conversation_id)["participants"]
    assert [leg["call_control_id"] for leg in host["legs"]] == [None]
