"""Whole calls through the real handlers: round trips, timeline, logs and metrics."""

import json
import re
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from partyline.entrypoints.event_relay import detail_of
from partyline.telemetry import LOG_FIELDS
from tests.support.deployment import GUEST_NUMBER, HOST_NUMBER, OUR_NUMBER, Deployment

POWERTOOLS_FIELDS = {
    *("level", "location", "message", "timestamp", "service", "xray_trace_id", "cold_start"),
    *("function_name", "function_memory_size", "function_arn", "function_request_id"),
}


def first_command(world: Deployment, what: str) -> list[str]:
    """The requests to the table before the first command `what`; filled when it is sent."""
    before: list[str] = []

    def note(sent: object) -> None:
        if not before and world.telnyx.sent[-1].what == what:
            before.extend(world.dynamodb.calls)

    world.telnyx.on_request = note
    world.dynamodb.calls.clear()
    return before


def test_a_request_to_start_costs_two_round_trips_before_the_dial(world: Deployment) -> None:
    before = first_command(world, "dial")
    world.start()
    assert before == ["query", "transact_write_items"]


def test_an_answered_call_costs_two_before_the_assistant_starts(world: Deployment) -> None:
    world.start()
    before = first_command(world, "ai_assistant_start")
    assert world.live_call("call.answered", world.dialled()[0]) == (200, {"status": "ok"})
    assert before == ["get_item", "transact_write_items"]


def test_an_inbound_call_costs_two_before_it_is_answered(world: Deployment) -> None:
    before = first_command(world, "answer")
    status, _ = world.deliver(
        "call.initiated",
        call_control_id="v3:in",
        direction="incoming",
        to=OUR_NUMBER,
        **{"from": HOST_NUMBER},
    )
    assert status == 200
    assert before == ["batch_get_item", "transact_write_items"]


def whole_call(world: Deployment) -> str:
    """The host answers, a guest joins, a message is sent, both leave; the conversation's id."""
    conversation = world.start(name="Ada Lovelace", metadata={"note": "Secret Note"})
    assert conversation["status"] == "connecting"
    conversation_id: str = conversation["id"]
    path = f"/conversations/{conversation_id}"
    host = world.dialled()[0]
    world.live_call("call.answered", host)
    status, _ = world.ask(
        "invite_participant",
        {"to": GUEST_NUMBER, "name": "Bob Boole"},
        id=conversation_id,
        path=path,
    )
    assert status == 202
    guest = world.dialled()[1]
    world.live_call("call.answered", guest, "v3:1")
    said = {"role": "system", "content": "Whispered Words"}
    assert world.ask("send_message", said, id=conversation_id, path=path)[0] == 202
    world.live_call("call.hangup", host, hangup_cause="normal_clearing")
    world.live_call("call.hangup", guest, "v3:1", hangup_cause="normal_clearing")
    world.live_call("call.conversation.ended", host, conversation_id="telnyx-conversation-1")
    return conversation_id


def test_a_whole_call(world: Deployment) -> None:
    conversation_id = whole_call(world)
    conversation = world.conversation(conversation_id)
    assert conversation["status"] == "ended"
    assert conversation["telnyx_conversation_id"] == "telnyx-conversation-1"
    assert [person["name"] for person in conversation["participants"]] == [
        "Ada Lovelace",
        "Bob Boole",
    ]
    assert [person["status"] for person in conversation["participants"]] == ["left", "left"]
    whats = world.telnyx.whats()
    assert whats.count("dial") == 2
    assert whats.count("ai_assistant_start") == whats.count("ai_assistant_join") == 1
    timeline = world.timeline(conversation_id)
    assert timeline[0] == "conversation.started"
    assert {"conversation.active", "participant.joined", "conversation.ended"} <= set(timeline)


def test_the_logs_hold_no_personal_data(world: Deployment, written: Callable[[], str]) -> None:
    whole_call(world)
    world.telnyx.refuse("dial", 422, "10016", f"{GUEST_NUMBER} is not a number")
    world.ask("start_conversation", {"to": GUEST_NUMBER, "name": "Bob Boole"})
    world.ask("start_conversation", {"to": "+1312555WRONG", "name": "Bob Boole"})
    world.deliver_raw('{"data": {"payload": {"to": "+13125550102"}}}', headers={})
    world.deliver_raw('not json: "+13125550102"')
    everything = written()
    assert "Logging error" not in everything, everything[-3000:]
    lines = [json.loads(line) for line in everything.splitlines()]
    assert sum("message" in line for line in lines) > 20, "too few log lines to prove it"
    assert sum("_aws" in line for line in lines) > 5
    for secret in ("3125550", "WRONG", "Ada", "Lovelace", "Boole", "Note", "Whispered", "KEY1"):
        assert not re.search(secret, everything), secret
    assert "traceback" not in everything.lower()


def test_log_lines_have_the_fields_of_the_table_and_no_others(
    world: Deployment, written: Callable[[], str]
) -> None:
    """A run that writes every field: whole calls, refusals, an outage, a bug and the sweep."""
    whole_call(world)
    world.ask("start_conversation", {"to": HOST_NUMBER}, key="key-1")
    world.live_call("call.hangup", world.dialled()[-1], "v3:2", hangup_cause="user_busy")
    world.deliver("call.cost", call_control_id="v3:x")
    world.deliver_raw("{}", headers={})
    world.telnyx.refuse("dial", 422, "10016")
    world.start()
    world.start()
    world.clock.advance(70)
    throttled, denied = (
        ClientError({"Error": {"Code": code, "Message": ""}}, "Query")
        for code in ("ThrottlingException", "AccessDeniedException")
    )
    world.dynamodb.failures["query"] = [throttled, denied]
    world.invoke("sweep", {})
    attributes = {"SentTimestamp": "0"}
    record = {"messageId": "m-1", "body": "{}", "attributes": attributes, "messageAttributes": {}}
    world.invoke("failover", {"Records": [record]})
    lines = [json.loads(line) for line in written().splitlines()]
    fields = {name for line in lines if "message" in line for name in line} - POWERTOOLS_FIELDS
    assert fields == LOG_FIELDS


def test_each_log_line_has_the_ids_that_it_belongs_to(
    world: Deployment, written: Callable[[], str]
) -> None:
    conversation_id = world.start()["id"]
    world.live_call("call.answered", world.dialled()[0], id="event-1")
    lines = [json.loads(line) for line in written().splitlines()]
    [sent] = [line for line in lines if line.get("action") == "start"]
    assert sent["conversation_id"] == conversation_id
    assert sent["cause"] == sent["event_id"] == "event-1"
    assert sent["event_type"] == "call.answered"
    assert sent["command_id"] == world.telnyx.one("ai_assistant_start").body["command_id"]
    counted = {name for line in lines if "_aws" in line for name in line}
    assert {"WebhookReceived", "CommandSucceeded", "ConversationStarted"} <= counted


def test_each_log_line_and_each_event_has_the_trace_of_its_invocation(
    world: Deployment, written: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, answer = (f"1-6921f3a6-{nth:024}" for nth in (1, 2))
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={begin};Parent=53995c3f42cd8ad8;Sampled=1")
    world.start()
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={answer};Parent=53995c3f42cd8ad8;Sampled=0")
    world.live_call("call.answered", world.dialled()[0])

    lines = [json.loads(line) for line in written().splitlines()]
    traces = {line["message"]: line["xray_trace_id"] for line in lines if "message" in line}
    assert traces["leg.dialing"] == begin
    assert traces["leg.answered"] == answer
    rows = world.dynamodb.scan(TableName=world.table_name)["Items"]
    details = [detail_of(row) for row in rows if row["sk"]["S"].startswith("EVENT#")]
    assert {detail["type"]: detail["trace_id"] for detail in details}.items() <= traces.items()


def test_a_refused_dial_reaches_the_caller_as_the_conversations_failure(world: Deployment) -> None:
    world.telnyx.refuse("dial", 422, "10016", "The number is not in E.164.")
    status, body = world.ask("start_conversation", {"to": HOST_NUMBER})
    assert status == 202
    assert body["status"] == "failed"
    assert body["failure"] == {"code": "10016", "message": "The number is not in E.164."}
