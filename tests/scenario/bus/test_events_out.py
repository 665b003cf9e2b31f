"""Consumers of the bus receive every event at least once, in order, in plain JSON."""

import json
import re
from typing import Any

import jsonschema
import pytest

from local.docs.event_schemas import schema_of
from local.stack.embedded_aws import create_table
from local.stack.event_bus import matches
from local.stack.template import Template
from partyline.domain.model.inputs import CallRef, InsightsGenerated
from partyline.domain.model.insight import Insight
from tests.scenario.bus.conftest import BusStack, NewStack
from tests.scenario.conftest import EmbeddedBackend
from tests.support.people import DANA, HOST, LEE

TRACE = "1-6921f3a6-0d4c1b6f2e9a87c35d10b4fe"
INSIGHTS = "conversation.insights_generated"


@pytest.fixture
def backend(embedded_backend: EmbeddedBackend, bus_template: Template) -> EmbeddedBackend:
    """The embedded AWS, whose stream is the subject here, with a new table.

    The stream of the old table holds the records of all tests before.
    """
    embedded_backend.dynamodb.delete_table(TableName=bus_template.table.name)
    create_table(embedded_backend.dynamodb, bus_template)
    return embedded_backend


@pytest.fixture
def stream_clients(backend: EmbeddedBackend) -> tuple[Any, Any]:
    return backend.dynamodb, backend.access.client("dynamodbstreams")


RULES: list[tuple[dict[str, Any], list[str]]] = [
    ({"source": ["partyline"], "detail-type": ["conversation.ended"]}, ["conversation.ended"]),
    (
        {"detail-type": [{"prefix": "participant.joined"}], "detail": {"data": {"leg": [1]}}},
        ["participant.joined", "participant.joined"],
    ),
    (
        {"detail": {"data": {"name": ["Dana"]}, "type": [{"prefix": "participant."}]}},
        [
            "participant.invited",
            "participant.waiting",
            "participant.joining",
            "participant.joined",
            "participant.left",
        ],
    ),
    (
        {"detail-type": ["leg.ended"], "detail": {"data": {"outcome": ["human"]}}},
        ["leg.ended", "leg.ended"],
    ),
    ({"detail": {"seq": [{"numeric": ["<=", 2]}]}}, ["conversation.started", "leg.dialing"]),
    ({"detail-type": [{"prefix": "message."}], "source": [{"anything-but": "partyline"}]}, []),
]
"""Event patterns of consumers, and the event types of the call that match."""


def whole_call(new_stack: NewStack) -> tuple[BusStack, str]:
    """Call the host, add Dana, send a message, and let both hang up."""
    stack = new_stack()
    conversation_id = stack.lab.start(name="Robin", metadata={"ticket": "4711"})
    stack.lab.run(10)
    stack.lab.invite(conversation_id, DANA, name="Dana")
    stack.lab.run(10)
    stack.lab.message(conversation_id, f'Say "hello" to {LEE}\nand to everybody.')
    stack.lab.run(10)
    stack.lab.hang_up(DANA)
    stack.lab.run(10)
    stack.lab.hang_up(HOST)
    stack.lab.run(60)
    return stack, conversation_id


def test_the_bus_carries_the_timeline_in_plain_json(
    new_stack: NewStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={TRACE};Parent=53995c3f42cd8ad8;Sampled=1")
    stack, conversation_id = whole_call(new_stack)
    assert len(stack.received) == len(stack.events_of(conversation_id)), "only events go out"
    assert not re.search(r'\{"[SNMLB]":', json.dumps(stack.received)), "DynamoDB's own JSON"
    timeline = stack.lab.timeline(conversation_id)
    received = stack.events_of(conversation_id)
    assert [event["detail"]["seq"] for event in received] == [event["seq"] for event in timeline]
    assert [event["detail-type"] for event in received] == [event["type"] for event in timeline]
    assert {event["source"] for event in received} == {"partyline"}
    for event, stored in zip(received, timeline, strict=True):
        assert event["detail"].keys() == {"version", "conversation_id", "trace_id", *stored.keys()}
        if stored["type"] != "message.sent":
            expected = {
                "version": 1,
                "conversation_id": conversation_id,
                "trace_id": TRACE,
            } | stored
            assert event["detail"] == expected


def test_events_hold_no_phone_number_also_not_in_messages(new_stack: NewStack) -> None:
    stack, conversation_id = whole_call(new_stack)
    for event in stack.received:
        jsonschema.validate(event["detail"], schema_of(event["detail-type"], strict=True))
    assert re.findall(r"\+\d{7,}", json.dumps(stack.received)) == []
    contents = [e["detail"]["data"].get("content") for e in stack.events_of(conversation_id)]
    assert f'Say "hello" to ***{LEE[-4:]}\nand to everybody.' in contents


def test_events_hold_no_phone_number_in_a_list_of_ids(new_stack: NewStack) -> None:
    stack = new_stack()
    conversation_id = stack.lab.start()
    stack.lab.run(5)
    insights = [
        Insight(insight_id=insight_id, result="Fine.") for insight_id in ("i-1", f"of {LEE}")
    ]
    call = CallRef(call_control_id=stack.lab.leg(HOST).call_control_id)
    generated = InsightsGenerated(id="e-1", call=call, occurred_at=None, insights=tuple(insights))
    stack.lab.app.engine.ingest(lambda: stack.lab.app.store.load(conversation_id), generated)
    stack.lab.run(25)
    [event] = [e for e in stack.events_of(conversation_id) if e["detail-type"] == INSIGHTS]
    assert event["detail"]["data"]["insight_ids"] == ["i-1", f"of ***{LEE[-4:]}"]


def test_the_rules_of_consumers_match_their_events(new_stack: NewStack) -> None:
    stack, _ = whole_call(new_stack)
    for pattern, expected in RULES:
        assert [e["detail-type"] for e in stack.received if matches(pattern, e)] == expected


def test_a_bad_row_goes_to_the_dead_letters_alone(new_stack: NewStack) -> None:
    stack = new_stack()
    conversation_id = stack.lab.start()
    client, table = stack.lab.app._table_client, stack.lab.app.settings.table_name
    key = {"pk": {"S": f"CONVERSATION#{conversation_id}"}, "sk": {"S": "EVENT#999999"}}
    client.put_item(TableName=table, Item={**key, "event": {"S": "{"}})
    stack.lab.run(25)
    client.delete_item(TableName=table, Key=key)
    received = [event["detail"]["seq"] for event in stack.events_of(conversation_id)]
    assert received == [event["seq"] for event in stack.lab.timeline(conversation_id)]
    [letter] = stack.background.queues.waiting("EventRelayDeadLetters")
    assert json.loads(letter.body)["DDBStreamBatchInfo"]["batchSize"] == 1
