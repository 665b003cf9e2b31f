"""What consumers of the bus get: every event once or more, in order, in plain JSON."""

import json
import re
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from local.docs.event_schemas import schema_of
from local.stack.event_bus import matches
from partyline.domain.model.conversation import Insight
from partyline.domain.model.inputs import CallRef, InsightsGenerated
from tests.scenario.bus.conftest import Behind
from tests.support.people import DANA, HOST, LEE

TRACE = "1-6921f3a6-0d4c1b6f2e9a87c35d10b4fe"
INSIGHTS = "conversation.insights_generated"

Set = Callable[..., Behind]

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
"""Patterns as consumers write them, and what of the call they are to get."""


def whole_call(behind: Set) -> tuple[Behind, str]:
    """We call somebody, Dana joins, all is told, everybody hangs up."""
    it = behind()
    conversation_id = it.lab.start(name="Robin", metadata={"ticket": "4711"})
    it.lab.run(10)
    it.lab.invite(conversation_id, DANA, name="Dana")
    it.lab.run(10)
    it.lab.message(conversation_id, f'Say "hello" to {LEE}\nand to everybody.')
    it.lab.run(10)
    it.lab.hang_up(DANA)
    it.lab.run(10)
    it.lab.hang_up(HOST)
    it.lab.run(60)
    return it, conversation_id


def test_the_bus_carries_the_timeline_in_plain_json(
    behind: Set, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={TRACE};Parent=53995c3f42cd8ad8;Sampled=1")
    it, conversation_id = whole_call(behind)
    assert len(it.got) == len(it.of(conversation_id)), "nothing comes out but events"
    assert not re.search(r'\{"[SNMLB]":', json.dumps(it.got)), "DynamoDB's own JSON"
    timeline = it.lab.timeline(conversation_id)
    got = it.of(conversation_id)
    assert [each["detail"]["seq"] for each in got] == [each["seq"] for each in timeline]
    assert [each["detail-type"] for each in got] == [each["type"] for each in timeline]
    assert {each["source"] for each in got} == {"partyline"}
    for said, kept in zip(got, timeline, strict=True):
        assert said["detail"].keys() == {"conversation_id", "trace_id", *kept.keys()}
        if kept["type"] != "message.sent":
            assert said["detail"] == {"conversation_id": conversation_id, "trace_id": TRACE, **kept}


def test_no_number_goes_out_not_even_in_what_somebody_said(behind: Set) -> None:
    it, conversation_id = whole_call(behind)
    for each in it.got:
        jsonschema.validate(each["detail"], schema_of(each["detail-type"], strict=True))
    assert re.findall(r"\+\d{7,}", json.dumps(it.got)) == []
    said = [each["detail"]["data"].get("content") for each in it.of(conversation_id)]
    assert f'Say "hello" to ***{LEE[-4:]}\nand to everybody.' in said


def test_nor_in_a_list_of_what_telnyx_names(behind: Set) -> None:
    it = behind()
    conversation_id = it.lab.start()
    it.lab.run(5)
    insights = [Insight(insight_id=each, result="Fine.") for each in ("i-1", f"of {LEE}")]
    call = CallRef(call_control_id=it.lab.leg(HOST).call_control_id)
    given = InsightsGenerated(id="e-1", call=call, occurred_at=None, insights=tuple(insights))
    it.lab.wiring.engine.ingest(lambda: it.lab.wiring.store.load(conversation_id), given)
    it.lab.run(25)
    [said] = [each for each in it.of(conversation_id) if each["detail-type"] == INSIGHTS]
    assert said["detail"]["data"]["insight_ids"] == ["i-1", f"of ***{LEE[-4:]}"]


def test_the_rules_that_consumers_write_find_their_events(behind: Set) -> None:
    it, _ = whole_call(behind)
    for pattern, expected in RULES:
        assert [each["detail-type"] for each in it.got if matches(pattern, each)] == expected


def test_one_bad_row_stands_aside_and_the_others_go_on(behind: Set) -> None:
    it = behind()
    conversation_id = it.lab.start()
    client, table = it.lab.wiring._table_client, it.lab.wiring.settings.table_name
    key = {"pk": {"S": f"CONVERSATION#{conversation_id}"}, "sk": {"S": "EVENT#999999"}}
    client.put_item(TableName=table, Item={**key, "event": {"S": "{"}})
    it.lab.run(25)
    client.delete_item(TableName=table, Key=key)
    seen = [each["detail"]["seq"] for each in it.of(conversation_id)]
    assert seen == [each["seq"] for each in it.lab.timeline(conversation_id)]
    [letter] = it.backstage.queues.waiting("OutboxDeadLetters")
    assert json.loads(letter.body)["DDBStreamBatchInfo"]["batchSize"] == 1
