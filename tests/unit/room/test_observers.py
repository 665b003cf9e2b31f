"""The facts that the observers read from a transaction and from the failover queue."""

import json
from typing import Any

import pytest

from local.room.hub import Hub
from local.room.observers import FAILOVER, QueueObserver, describe_transaction, parse_body
from local.stack.template import Function

STATE = {
    "pk": {"S": "CONVERSATION#c1"},
    "sk": {"S": "STATE"},
    "version": {"N": "7"},
    "document": {"S": json.dumps({"id": "c1", "version": 7})},
}
EVENT = {
    "pk": {"S": "CONVERSATION#c1"},
    "sk": {"S": "EVENT#000009"},
    "event": {"S": json.dumps({"seq": 9, "type": "participant.joined", "cause": "e1"})},
}
DEDUPE = {"pk": {"S": "CONVERSATION#c1"}, "sk": {"S": "DEDUPE#e1"}}

FAILOVER_FUNCTION = Function("FailoverFunction", FAILOVER, "app.handler", {}, 10, 128)
OTHER_FUNCTION = Function("SweepFunction", "sweep", "app.handler", {}, 10, 128)
QUEUE_EVENT = {
    "Records": [
        {
            "messageId": name,
            "body": json.dumps({"data": {"id": name}}),
            "attributes": {"ApproximateReceiveCount": "2"},
        }
        for name in ("first", "second")
    ]
}


def puts(*rows: Any) -> list[Any]:
    return [{"Put": {"Item": row}} for row in rows]


def test_a_transaction_has_its_state_events_and_dedupe_key() -> None:
    transaction = describe_transaction(puts(STATE, DEDUPE, EVENT))
    assert transaction["conversation"] == "c1"
    assert transaction["version"] == 7
    assert transaction["document"] == {"id": "c1", "version": 7}
    assert [event["type"] for event in transaction["events"]] == ["participant.joined"]
    assert transaction["dedupe_key"] == "e1"


def test_a_transaction_on_a_route_has_no_conversation() -> None:
    row = {"pk": {"S": "ROUTE#+13125550100"}, "sk": {"S": "ROUTE"}}
    assert describe_transaction(puts(row))["conversation"] is None


def test_a_body_that_is_not_json_is_text() -> None:
    assert parse_body(b'{"a": 1}') == {"a": 1}
    assert parse_body(b"<html>") == "<html>"
    assert parse_body(b"\xff") == "\ufffd"
    assert parse_body(b"") is None


def taken_in(hub: Hub) -> list[tuple[str, bool]]:
    facts = [json.loads(fact.text) for fact in hub.since(0)]
    assert [fact["received"] for fact in facts] == [2] * len(facts)
    return [(fact["body"]["data"]["id"], fact["taken_in"]) for fact in facts]


def test_each_webhook_of_the_queue_is_a_fact_with_its_result() -> None:
    hub = Hub()
    answer = {"batchItemFailures": [{"itemIdentifier": "second"}]}
    assert QueueObserver(lambda *_: answer, hub)(FAILOVER_FUNCTION, QUEUE_EVENT) == answer
    assert taken_in(hub) == [("first", True), ("second", False)]


def test_a_failover_function_that_raises_has_taken_in_no_webhook() -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError

    hub = Hub()
    with pytest.raises(RuntimeError):
        QueueObserver(fail, hub)(FAILOVER_FUNCTION, QUEUE_EVENT)
    assert taken_in(hub) == [("first", False), ("second", False)]


def test_the_queue_observer_ignores_other_functions() -> None:
    hub = Hub()
    observer = QueueObserver(lambda *_: "answer", hub)
    assert observer(OTHER_FUNCTION, {"Records": [{}]}) == "answer"
    assert taken_in(hub) == []
