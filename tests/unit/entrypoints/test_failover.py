"""The failover function: which messages stay in the queue, and the ids in its log lines."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from partyline.entrypoints import webhook
from tests.support.deployment import Deployment
from tests.unit.entrypoints.conftest import ENVIRONMENT
from tests.unit.entrypoints.test_figures import failover_record as record
from tests.unit.entrypoints.test_figures import figures

Written = Callable[[], str]

CONNECTION = ENVIRONMENT["TELNYX_CONNECTION_ID"]
KEPT = {"batchItemFailures": [{"itemIdentifier": "m-1"}]}
DROPPED: dict[str, Any] = {"batchItemFailures": []}


def event_body(event_type: str, call_control_id: str = "v3:x") -> str:
    payload = {"call_control_id": call_control_id}
    return json.dumps({"data": {"event_type": event_type, "id": "e-1", "payload": payload}})


def deliver(deployment: Deployment, *records: dict[str, Any]) -> Any:
    return deployment.invoke("failover", {"Records": list(records)})


def test_a_message_stays_in_the_queue_when_our_own_code_fails(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, written: Written
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError

    message = record(deployment, event_body("call.answered"))
    with monkeypatch.context() as patch:
        patch.setattr(webhook, "correlate", broken)
        assert deliver(deployment, message) == KEPT
    assert figures(written) == {
        "FailoverReceived": 1,
        "FailoverPutBack": 1,
        "WebhookReceived": 1,
    }
    assert deliver(deployment, message) == DROPPED, "the next try, after the bug is mended"


def test_a_message_stays_in_the_queue_while_a_command_is_pending(deployment: Deployment) -> None:
    deployment.start()
    deployment.telnyx.refuse("ai_assistant_start", 503, "10007", times=2)
    message = record(deployment, event_body("call.answered", "v3:0"))
    assert deliver(deployment, message) == KEPT


def test_a_message_with_an_unusable_body_is_dropped_and_counted(
    deployment: Deployment, written: Written
) -> None:
    assert deliver(deployment, record(deployment, "{not JSON")) == DROPPED
    assert figures(written) == {
        "FailoverReceived": 1,
        "FailoverRefused": 1,
        "WebhookMalformed": 1,
    }


def test_each_message_is_logged_with_its_own_ids(deployment: Deployment, written: Written) -> None:
    conversation_id = deployment.start()["id"]
    written()
    deliver(
        deployment,
        record(deployment, event_body("call.answered", "v3:0"), "m-1"),
        record(deployment, event_body("call.cost"), "m-2"),
        record(deployment, json.dumps({"connection_id": CONNECTION}), "m-3", signed=False),
    )
    lines = [json.loads(line) for line in written().splitlines()]
    by_message = {
        message_id: [line for line in lines if line.get("message_id") == message_id]
        for message_id in ("m-1", "m-2", "m-3")
    }
    [refused] = by_message["m-3"]
    [ignored] = by_message["m-2"]
    assert {line["conversation_id"] for line in by_message["m-1"]} == {conversation_id}
    assert (ignored["message"], ignored["event_type"]) == ("ignored", "call.cost")
    assert "conversation_id" not in ignored
    assert refused["message"] == "signature refused"
    assert "event_id" not in refused
