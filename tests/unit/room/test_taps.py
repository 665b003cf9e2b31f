"""What a tap reads off a transaction."""

import json
from typing import Any

from local.room.observers import describe_transaction, parse_body

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


def puts(*rows: Any) -> list[Any]:
    return [{"Put": {"Item": row}} for row in rows]


def test_a_step_is_read_with_its_state_its_events_and_its_mark() -> None:
    found = describe_transaction(puts(STATE, DEDUPE, EVENT))
    assert found["conversation"] == "c1"
    assert found["version"] == 7
    assert found["document"] == {"id": "c1", "version": 7}
    assert [event["type"] for event in found["events"]] == ["participant.joined"]
    assert found["inbox"] == "e1"


def test_a_transaction_of_something_else_is_no_conversation_s() -> None:
    row = {"pk": {"S": "ROUTE#+13125550100"}, "sk": {"S": "ROUTE"}}
    assert describe_transaction(puts(row))["conversation"] is None


def test_a_body_that_is_not_json_is_the_text_that_it_is() -> None:
    assert parse_body(b'{"a": 1}') == {"a": 1}
    assert parse_body(b"<html>") == "<html>"
    assert parse_body(b"\xff") == "\ufffd"
    assert parse_body(b"") is None
