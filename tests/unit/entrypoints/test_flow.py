"""Whole calls through the real handlers: round trips, timeline, logs and metrics."""

import json
import re
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from partyline.entrypoints.event_relay import EventNotRelayedError
from partyline.store.events import detail_of
from partyline.telemetry import LOG_FIELDS
from tests.support.deployment import GUEST_NUMBER, HOST_NUMBER, OUR_NUMBER, Deployment

POWERTOOLS_FIELDS = {
    *("level", "location", "message", "timestamp", "service", "xray_trace_id", "cold_start"),
    *("function_name", "function_memory_size", "function_arn", "function_request_id"),
}


def first_command(deployment: Deployment, action: str) -> list[str]:
    """The requests to the table before the first command `action`; filled when it is sent."""
    before: list[str] = []

    def note(sent: object) -> None:
        if not before and deployment.telnyx.sent[-1].action == action:
            before.extend(deployment.dynamodb.calls)

    deployment.telnyx.on_request = note
    deployment.dynamodb.calls.clear()
    return before


def test_a_request_to_start_costs_four_round_trips_before_the_dial(
    deployment: Deployment,
) -> None:
    """The first reads the dials of the minute before, the last asks for a line of ours."""
    deployment.app.dialing.is_off()  # read at most twice a minute in a process
    deployment.dynamodb.calls.clear()
    before = first_command(deployment, "dial")
    deployment.start()
    assert before == ["get_item", "query", "transact_write_items", "get_item"]


def test_an_answered_call_costs_two_before_the_assistant_starts(deployment: Deployment) -> None:
    deployment.start()
    before = first_command(deployment, "ai_assistant_start")
    assert deployment.deliver_for("call.answered", deployment.dials()[0]) == (200, {"status": "ok"})
    assert before == ["get_item", "transact_write_items"]


def test_an_inbound_call_costs_two_before_it_is_answered(deployment: Deployment) -> None:
    """Two counts are read in other threads, at the same time as the call's rows."""
    before = first_command(deployment, "answer")
    status, _ = deployment.deliver(
        "call.initiated",
        call_control_id="v3:in",
        direction="incoming",
        to=OUR_NUMBER,
        **{"from": HOST_NUMBER},
    )
    assert status == 200
    assert before == ["query", "query", "batch_get_item", "transact_write_items"]


def whole_call(deployment: Deployment) -> str:
    """The host answers, a guest joins, a message is sent, both leave; the conversation's id."""
    conversation = deployment.start(name="Ada Lovelace", metadata={"note": "Secret Note"})
    assert conversation["status"] == "connecting"
    conversation_id: str = conversation["id"]
    path = f"/conversations/{conversation_id}"
    host = deployment.dials()[0]
    deployment.deliver_for("call.answered", host)
    status, _ = deployment.ask(
        "invite_participant",
        {"to": GUEST_NUMBER, "name": "Bob Boole"},
        id=conversation_id,
        path=path,
    )
    assert status == 202
    guest = deployment.dials()[1]
    deployment.deliver_for("call.answered", guest, "v3:1")
    said = {"role": "system", "content": "Whispered Words"}
    assert deployment.ask("send_message", said, id=conversation_id, path=path)[0] == 202
    deployment.deliver_for("call.hangup", host, hangup_cause="normal_clearing")
    deployment.deliver_for("call.hangup", guest, "v3:1", hangup_cause="normal_clearing")
    deployment.deliver_for("call.conversation.ended", host, conversation_id="telnyx-conversation-1")
    return conversation_id


def test_a_whole_call(deployment: Deployment) -> None:
    conversation_id = whole_call(deployment)
    conversation = deployment.conversation(conversation_id)
    assert conversation["status"] == "ended"
    assert conversation["telnyx_conversation_id"] == "telnyx-conversation-1"
    assert [person["name"] for person in conversation["participants"]] == [
        "Ada Lovelace",
        "Bob Boole",
    ]
    assert [person["status"] for person in conversation["participants"]] == ["left", "left"]
    whats = deployment.telnyx.sent_actions()
    assert whats.count("dial") == 2
    assert whats.count("ai_assistant_start") == whats.count("ai_assistant_join") == 1
    timeline = deployment.timeline(conversation_id)
    assert timeline[0] == "conversation.started"
    assert {"conversation.active", "participant.joined", "conversation.ended"} <= set(timeline)


def test_the_logs_hold_no_personal_data(deployment: Deployment, written: Callable[[], str]) -> None:
    whole_call(deployment)
    deployment.telnyx.refuse("dial", 422, "10016", f"{GUEST_NUMBER} is not a number")
    deployment.ask("start_conversation", {"to": GUEST_NUMBER, "name": "Bob Boole"})
    deployment.ask("start_conversation", {"to": "+1312555WRONG", "name": "Bob Boole"})
    deployment.deliver_raw('{"data": {"payload": {"to": "+13125550102"}}}', headers={})
    deployment.deliver_raw('not json: "+13125550102"')
    everything = written()
    assert "Logging error" not in everything, everything[-3000:]
    lines = [json.loads(line) for line in everything.splitlines()]
    assert sum("message" in line for line in lines) > 20, "too few log lines to prove it"
    assert sum("_aws" in line for line in lines) > 5
    for secret in ("3125550", "WRONG", "Ada", "Lovelace", "Boole", "Note", "Whispered", "KEY1"):
        assert not re.search(secret, everything), secret
    assert "traceback" not in everything.lower()


def test_log_lines_have_the_fields_of_the_table_and_no_others(
    deployment: Deployment, written: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that writes every field: calls, refusals, an outage, a bug, the sweep, the relay."""
    whole_call(deployment)
    deployment.ask("start_conversation", {"to": HOST_NUMBER}, key="key-1")
    deployment.deliver_for("call.hangup", deployment.dials()[-1], "v3:2", hangup_cause="user_busy")
    deployment.deliver("call.cost", call_control_id="v3:x")
    deployment.deliver_raw("{}", headers={})
    deployment.telnyx.refuse("dial", 422, "10016")
    deployment.start()
    with monkeypatch.context() as patch:
        patch.setattr("partyline.domain.dial_policy.DialPolicy._rings_own_line", None)
        deployment.start()
    deployment.start()
    deployment.clock.advance(70)
    throttled, denied = (
        ClientError({"Error": {"Code": code, "Message": ""}}, "Query")
        for code in ("ThrottlingException", "AccessDeniedException")
    )
    deployment.dynamodb.failures["query"] = [throttled, denied]
    deployment.invoke("sweep", {})
    attributes = {"SentTimestamp": "0"}
    ours = json.dumps({"connection_id": "1494404757140276705"})
    record = {"messageId": "m-1", "body": ours, "attributes": attributes, "messageAttributes": {}}
    deployment.invoke("failover", {"Records": [record]})
    monkeypatch.setenv("EVENT_BUS_NAME", "bus")
    deployment.app.events_client = None  # the row is unreadable, so no request is made
    unreadable = {"dynamodb": {"SequenceNumber": "1", "NewImage": {}}}
    with pytest.raises(EventNotRelayedError):
        deployment.invoke("event_relay", {"Records": [unreadable]})
    lines = [json.loads(line) for line in written().splitlines()]
    fields = {name for line in lines if "message" in line for name in line} - POWERTOOLS_FIELDS
    assert fields == LOG_FIELDS


def test_each_log_line_has_the_ids_that_it_belongs_to(
    deployment: Deployment, written: Callable[[], str]
) -> None:
    conversation_id = deployment.start()["id"]
    deployment.deliver_for("call.answered", deployment.dials()[0], id="event-1")
    lines = [json.loads(line) for line in written().splitlines()]
    [sent] = [line for line in lines if line.get("action") == "start"]
    assert sent["conversation_id"] == conversation_id
    assert sent["cause"] == sent["event_id"] == "event-1"
    assert sent["event_type"] == "call.answered"
    assert (
        sent["command_id"]
        == deployment.telnyx.only_request("ai_assistant_start").body["command_id"]
    )
    counted = {name for line in lines if "_aws" in line for name in line}
    assert {"WebhookReceived", "CommandSucceeded", "ConversationStarted"} <= counted


def test_each_log_line_of_a_request_has_the_ids_of_the_request(
    deployment: Deployment, written: Callable[[], str]
) -> None:
    deployment.start()
    lines = [json.loads(line) for line in written().splitlines()]
    ids = {(line["request_id"], line["key_id"]) for line in lines if "message" in line}
    assert ids == {("request-0", "ops")}


def test_the_log_line_of_a_failed_webhook_has_the_id_of_the_conversation(
    deployment: Deployment, written: Callable[[], str]
) -> None:
    conversation_id = deployment.start()["id"]
    deployment.telnyx.refuse("ai_assistant_start", 503, "10007", times=2)
    written()
    assert deployment.deliver_for("call.answered", deployment.dials()[0])[0] == 503
    lines = [json.loads(line) for line in written().splitlines()]
    [failed] = [line for line in lines if line.get("message") == "pending"]
    assert failed["conversation_id"] == conversation_id


def test_each_log_line_and_each_event_has_the_trace_of_its_invocation(
    deployment: Deployment, written: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, answer = (f"1-6921f3a6-{nth:024}" for nth in (1, 2))
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={begin};Parent=53995c3f42cd8ad8;Sampled=1")
    deployment.start()
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={answer};Parent=53995c3f42cd8ad8;Sampled=0")
    deployment.deliver_for("call.answered", deployment.dials()[0])

    lines = [json.loads(line) for line in written().splitlines()]
    traces = {line["message"]: line["xray_trace_id"] for line in lines if "message" in line}
    assert traces["leg.dialing"] == begin
    assert traces["leg.answered"] == answer
    rows = deployment.dynamodb.scan(TableName=deployment.table_name)["Items"]
    details = [detail_of(row) for row in rows if row["sk"]["S"].startswith("EVENT#")]
    assert {detail["type"]: detail["trace_id"] for detail in details}.items() <= traces.items()


def test_a_refused_dial_is_the_conversations_failure(
    deployment: Deployment,
) -> None:
    deployment.telnyx.refuse("dial", 422, "10016", "The number is not in E.164.")
    status, body = deployment.ask("start_conversation", {"to": HOST_NUMBER})
    assert status == 202
    assert body["status"] == "failed"
    assert body["failure"] == {"code": "10016", "message": "The number is not in E.164."}
