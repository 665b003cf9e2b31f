"""Webhooks of each kind: large, without an event, with underscores, of version 1, and analyses."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.deployment import Deployment
from tests.unit.entrypoints.test_figures import failover_record, figures

Written = Callable[[], str]

VERSION_1 = {"event_type": "call_answered", "id": "e", "payload": {"call_control_id": "v3:0"}}
NO_DATA = {"meta": {"attempt": 1}}


def active_conversation(deployment: Deployment) -> str:
    conversation_id: str = deployment.start()["id"]
    deployment.deliver_for("call.answered", deployment.dials()[0])
    return conversation_id


def long_end(messages: int, call: str = "v3:0") -> str:
    """An end with the whole transcript, 500 characters a message."""
    payload = {
        "call_control_id": call,
        "conversation_id": "telnyx-conversation-1",
        "messages": [{"role": "user", "content": "my secret " * 50}] * messages,
    }
    data = {"event_type": "call.conversation.ended", "id": "e-end", "payload": payload}
    return json.dumps({"data": data})


@pytest.mark.parametrize("messages", [600, 9_500])
def test_an_end_of_any_size_ends_the_conversation(
    deployment: Deployment, written: Written, messages: int
) -> None:
    conversation_id = active_conversation(deployment)
    body = long_end(messages)
    assert len(body) > messages * 500
    assert deployment.deliver_raw(body) == (200, {"status": "ok"})
    assert deployment.conversation(conversation_id)["status"] == "ended"
    assert "my secret" not in written()
    rows = deployment.dynamodb.scan(TableName=deployment.table_name)["Items"]
    secret = {row["sk"]["S"].partition("#")[0] for row in rows if "my secret" in json.dumps(row)}
    assert secret <= {"TRANSCRIPT", "STEP"}, "the words are in the transcript, and in its record"


def test_an_end_of_half_a_megabyte_is_taken_from_the_failover_queue(
    deployment: Deployment,
) -> None:
    conversation_id = active_conversation(deployment)
    record = failover_record(deployment, long_end(1_000))
    assert deployment.invoke("failover", {"Records": [record]}) == {"batchItemFailures": []}
    assert deployment.conversation(conversation_id)["status"] == "ended"


@pytest.mark.parametrize(
    ("body", "metric"),
    [
        (VERSION_1, "WebhookVersionOne"),
        (NO_DATA, "WebhookWithoutType"),
        ({"data": {"event_type": "ai.conversation.ended"}}, "WebhookAi"),
        ({"data": {"event_type": "call.conversation.messages_added"}}, "WebhookTranscript"),
        ({"data": {"event_type": "call.ai_gather.message_history_updated"}}, "WebhookTranscript"),
        ({"data": {"event_type": "call.recording.saved"}}, "WebhookIgnored"),
        ({"data": {"event_type": "call.new", "payload": {}}}, "WebhookUnknownType"),
        ({"data": {"event_type": "call_answered", "call_control_id": "v3:0"}}, "WebhookVersionOne"),
        ({"data": {"event_type": "call_answered", "payload": None}}, "WebhookVersionOne"),
    ],
)
def test_an_ignored_webhook_is_counted_by_its_kind(
    deployment: Deployment, written: Written, body: dict[str, Any], metric: str
) -> None:
    deployment.start()
    written()
    assert deployment.deliver_raw(json.dumps(body)) == (200, {"status": "ignored"})
    expected = {"WebhookReceived": 1, metric: 1}
    if metric in ("WebhookVersionOne", "WebhookUnknownType"):
        expected["WebhookNotUnderstood"] = 1
    assert figures(written) == expected


def test_a_webhook_of_version_1_names_the_setting_in_the_log(
    deployment: Deployment, written: Written
) -> None:
    deployment.deliver_raw(json.dumps(VERSION_1))
    lines = [json.loads(line) for line in written().splitlines() if "_aws" not in line]
    [line] = [line for line in lines if line.get("reason") == "webhook_api_version"]
    assert line["level"] == "WARNING"
    assert line["event_type"] == "call.answered"


def test_a_webhook_of_an_unknown_type_is_named_in_the_log(
    deployment: Deployment, written: Written
) -> None:
    deployment.deliver("call.new")
    lines = [json.loads(line) for line in written().splitlines() if "_aws" not in line]
    [line] = [line for line in lines if line.get("reason") == "unknown_type"]
    assert (line["level"], line["event_type"]) == ("WARNING", "call.new")


def test_a_type_with_underscores_is_processed_and_counted(
    deployment: Deployment, written: Written
) -> None:
    conversation_id = deployment.start()["id"]
    written()
    assert deployment.deliver_for("call_answered", deployment.dials()[0])[0] == 200
    assert figures(written)["WebhookUnderscored"] == 1
    assert deployment.conversation(conversation_id)["status"] == "active"


def analyzed(deployment: Deployment, **payload: Any) -> tuple[int, Any]:
    insight = {"insight_id": "i-1", "result": "All well."}
    return deployment.deliver(
        "call.analyzed",
        **{
            "call_control_id": "v3:0",
            "conversation_id": "telnyx-conversation-1",
            "conversation_insights": [{"conversation_insights": [insight]}],
            "cost": {"total": "0.08", "currency": "USD", "breakdown": [{"product": "inference"}]},
            "recordings": [{"id": "r-1", "format": "mp3", "download_urls": {"mp3": "https://x"}}],
            "duration_sec": 12,
            **payload,
        },
    )


def test_an_analysis_brings_insights_cost_and_recordings(deployment: Deployment) -> None:
    conversation_id = active_conversation(deployment)
    assert analyzed(deployment) == (200, {"status": "ok"})
    events = deployment.ask("get_timeline", id=conversation_id)[1]["events"]
    [event] = [event for event in events if event["type"] == "conversation.analyzed"]
    assert event["data"] == {
        "telnyx_conversation_id": "telnyx-conversation-1",
        "duration_secs": 12,
        "cost": {"total": "0.08", "currency": "USD", "breakdown": [{"product": "inference"}]},
        "recordings": [{"id": "r-1", "format": "mp3"}],
    }
    insights = deployment.conversation(conversation_id)["insights"]
    assert [insight["insight_id"] for insight in insights] == ["i-1"]


def test_an_analysis_without_cost_and_recordings_is_an_event(deployment: Deployment) -> None:
    conversation_id = active_conversation(deployment)
    analyzed(deployment, cost="No cost data available.", recordings=None)
    events = deployment.ask("get_timeline", id=conversation_id)[1]["events"]
    [event] = [event for event in events if event["type"] == "conversation.analyzed"]
    assert event["data"].keys() == {"telnyx_conversation_id", "duration_secs"}


def test_the_client_state_of_an_analysis_names_no_conversation(deployment: Deployment) -> None:
    conversation_id = active_conversation(deployment)
    ours = deployment.dials()[0].body["client_state"]
    for call in ({"call_control_id": "v3:another"}, {"call_control_id": None}):
        run = {"conversation_id": "another-run"}
        answer = analyzed(deployment, client_state=ours, id=str(call), **call, **run)
        assert answer == (200, {"status": "ignored"})
    assert "conversation.analyzed" not in deployment.timeline(conversation_id)


@pytest.mark.parametrize("call", ["v3:another", None])
def test_an_analysis_of_an_unknown_call_is_known_by_its_conversation(
    deployment: Deployment, call: str | None
) -> None:
    conversation_id = active_conversation(deployment)
    assert analyzed(deployment, call_control_id=call) == (200, {"status": "ok"})
    assert "conversation.analyzed" in deployment.timeline(conversation_id)
    insights = deployment.conversation(conversation_id)["insights"]
    assert [insight["insight_id"] for insight in insights] == ["i-1"]


def test_the_quality_of_a_call_is_in_the_event_of_its_end(deployment: Deployment) -> None:
    conversation_id = active_conversation(deployment)
    stats = {"inbound": {"mos": "4.50", "packet_count": "3601"}, "outbound": None}
    deployment.deliver_for("call.hangup", deployment.dials()[0], call_quality_stats=stats)
    events = deployment.ask("get_timeline", id=conversation_id)[1]["events"]
    [ended] = [event for event in events if event["type"] == "leg.ended"]
    assert ended["data"]["quality"] == {"mos": 4.5, "inbound_packets": 3601}


@pytest.mark.parametrize("order", [("ended", "bridged"), ("bridged", "ended"), ("bridged",)])
def test_a_transferred_caller_is_not_hung_up(
    deployment: Deployment, order: tuple[str, ...]
) -> None:
    conversation_id = active_conversation(deployment)
    session = {"call_session_id": "s-1"}
    deployment.telnyx.answers["GET"] = []
    for what in order:
        if what == "ended":
            deployment.telnyx.alive.add("v3:0")
            deployment.deliver_for("call.conversation.ended", deployment.dials()[0], **session)
        else:
            deployment.deliver_for("call.bridged", deployment.dials()[0], **session)
    deployment.clock.advance(600)
    deployment.invoke("sweep", {})
    assert "hangup" not in deployment.telnyx.sent_actions()
    conversation = deployment.conversation(conversation_id)
    assert conversation["status"] == "ended"
    assert "leg.transferred" in deployment.timeline(conversation_id)
