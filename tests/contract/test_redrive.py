"""`partyline redrive` against the queues, the stream and the bus of the embedded AWS."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.deploy import redrive
from local.deploy.redrive import (
    FIRST_SENT,
    NoSuchStackError,
    Outputs,
    outputs_of,
    redrive_bus,
    redrive_events,
    redrive_failover,
    redrive_hooks,
    redrive_starts,
)
from local.stack.embedded_aws import EmbeddedAws, create_table
from local.stack.template import Template
from partyline.entrypoints.failover import FIRST_SENT as ATTRIBUTE
from partyline.entrypoints.failover import received_at
from partyline.store import keys

START = "arn:aws:lambda:us-east-1:000000000000:function:Start:live"
FAN_OUT = "arn:aws:lambda:us-east-1:000000000000:function:FanOutHooks:live"
START_EVENT = {"id": "e1", "detail-type": "StartConversation", "detail": {"to": "+13125550101"}}


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    services = ("cloudformation", "dynamodb", "dynamodbstreams", "events", "sqs")
    with EmbeddedAws(services) as embedded:
        yield embedded


@pytest.fixture(autouse=True)
def empty_queues_answer_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redrive, "_WAIT_SECS", 0)


@pytest.fixture
def sqs(aws: EmbeddedAws) -> Any:
    aws.reset()
    return aws.access.client("sqs")


def queue(sqs: Any, name: str) -> str:
    return str(sqs.create_queue(QueueName=name)["QueueUrl"])


def messages(sqs: Any, url: str) -> list[Any]:
    answer = sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=10,
        AttributeNames=["All"],
        MessageAttributeNames=["All"],
    )
    return list(answer.get("Messages", ()))


def test_a_webhook_keeps_its_time_of_receipt(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert FIRST_SENT == ATTRIBUTE
    dead, failover = queue(sqs, "dead"), queue(sqs, "failover")
    signature = {"telnyx-timestamp": {"DataType": "String", "StringValue": "1790000000"}}
    sqs.send_message(QueueUrl=dead, MessageBody='{"data": 1}', MessageAttributes=signature)
    sqs.send_message(
        QueueUrl=dead,
        MessageBody='{"data": 2}',
        MessageAttributes={**signature, FIRST_SENT: {"DataType": "String", "StringValue": "123"}},
    )
    assert redrive_failover(sqs, dead, failover).sent == 2
    assert messages(sqs, dead) == []
    again = {m["Body"]: m["MessageAttributes"] for m in messages(sqs, failover)}
    assert again.keys() == {'{"data": 1}', '{"data": 2}'}
    assert {a["telnyx-timestamp"]["StringValue"] for a in again.values()} == {"1790000000"}
    kept = again['{"data": 2}'][FIRST_SENT]["StringValue"]
    assert kept == "123", "the first time counts after any number of redrives"
    attributes = {"SenderId": "AIDAOPS"}
    record = {"messageAttributes": {FIRST_SENT: {"stringValue": kept}}, "attributes": attributes}
    monkeypatch.setenv("FAILOVER_ROLE_ID", "AROADOOR")
    assert received_at(record) == 0.123


def test_events_go_out_again_with_the_present_content_of_their_rows(
    aws: EmbeddedAws, sqs: Any, template: Template
) -> None:
    dynamodb, streams = aws.access.dynamodb(), aws.access.client("dynamodbstreams")
    events = aws.access.client("events")
    create_table(dynamodb, template)
    for seq in (1, 2, 3):
        put_event(dynamodb, template.table.name, seq, "conversation.started")
    put(dynamodb, template.table.name, keys.state("c1"), {"document": {"S": "{}"}})
    listener = listen(events, sqs)
    dead = queue(sqs, "dead")
    sqs.send_message(QueueUrl=dead, MessageBody=json.dumps(letter(streams, dynamodb, template)))
    # The row is repaired before the redrive.
    put_event(dynamodb, template.table.name, 2, "conversation.active")

    done = redrive_events(sqs, streams, dynamodb, events, dead, "bus")

    assert (done.sent, done.left) == (1, [])
    received = [json.loads(message["Body"]) for message in messages(sqs, listener)]
    assert sorted((event["detail"]["seq"], event["detail-type"]) for event in received) == [
        (2, "conversation.active"),
        (3, "conversation.started"),
    ]
    assert {event["source"] for event in received} == {"partyline"}
    assert messages(sqs, dead) == []


def test_a_row_that_still_cannot_be_read_stays_a_dead_letter(
    aws: EmbeddedAws, sqs: Any, template: Template
) -> None:
    dynamodb, streams = aws.access.dynamodb(), aws.access.client("dynamodbstreams")
    create_table(dynamodb, template)
    for seq in (1, 2):
        put(dynamodb, template.table.name, keys.event("c1", seq), {"event": {"S": "{"}})
    dead = queue(sqs, "dead")
    sqs.send_message(QueueUrl=dead, MessageBody=json.dumps(letter(streams, dynamodb, template)))
    done = redrive_events(sqs, streams, dynamodb, aws.access.client("events"), dead, "bus")
    assert done.sent == 0
    assert "EVENT#000002" in done.left[0]


def test_an_event_that_the_bus_does_not_accept_stays_a_dead_letter(
    aws: EmbeddedAws, sqs: Any, template: Template
) -> None:
    dynamodb, streams = aws.access.dynamodb(), aws.access.client("dynamodbstreams")
    create_table(dynamodb, template)
    for seq in (1, 2):
        put_event(dynamodb, template.table.name, seq, "message.sent", content=["x" * 999] * 300)
    dead = queue(sqs, "dead")
    sqs.send_message(QueueUrl=dead, MessageBody=json.dumps(letter(streams, dynamodb, template)))
    done = redrive_events(sqs, streams, dynamodb, aws.access.client("events"), dead, "bus")
    assert done.sent == 0
    assert "EventTooLargeError" in done.left[0]


class SlowStreams:
    """DynamoDB Streams with `empty` empty answers before each answer that holds records."""

    def __init__(self, streams: Any, empty: int) -> None:
        self._streams, self._empty = streams, empty
        self._left = empty
        self.exceptions, self.get_shard_iterator = streams.exceptions, streams.get_shard_iterator

    def get_records(self, *, ShardIterator: str) -> Any:  # noqa: N803
        self._left -= 1
        if self._left >= 0:
            return {"Records": [], "NextShardIterator": ShardIterator}
        self._left = self._empty
        return self._streams.get_records(ShardIterator=ShardIterator)


@pytest.mark.parametrize(("empty", "sent"), [(3, 1), (10_000, 0)])
def test_a_dead_letter_is_deleted_only_when_the_stream_gave_all_its_records(
    aws: EmbeddedAws, sqs: Any, template: Template, empty: int, sent: int
) -> None:
    dynamodb, streams = aws.access.dynamodb(), aws.access.client("dynamodbstreams")
    create_table(dynamodb, template)
    for seq in (1, 2, 3):
        put_event(dynamodb, template.table.name, seq, "conversation.started")
    listener, dead = listen(aws.access.client("events"), sqs), queue(sqs, "dead")
    sqs.send_message(QueueUrl=dead, MessageBody=json.dumps(letter(streams, dynamodb, template)))
    slow = SlowStreams(streams, empty)
    done = redrive_events(sqs, slow, dynamodb, aws.access.client("events"), dead, "bus")
    assert (done.sent, len(done.left)) == (sent, 1 - sent)
    assert len(messages(sqs, listener)) == 2 * sent


def test_events_that_the_stream_no_longer_holds_are_named(
    aws: EmbeddedAws, sqs: Any, template: Template
) -> None:
    dynamodb, streams = aws.access.dynamodb(), aws.access.client("dynamodbstreams")
    create_table(dynamodb, template)
    for seq in (1, 2):
        put_event(dynamodb, template.table.name, seq, "conversation.started")
    body = letter(streams, dynamodb, template)
    body["DDBStreamBatchInfo"]["streamArn"] += "-of-an-earlier-table"
    dead = queue(sqs, "dead")
    sqs.send_message(QueueUrl=dead, MessageBody=json.dumps(body))
    done = redrive_events(sqs, streams, dynamodb, aws.access.client("events"), dead, "bus")
    assert done.sent == 0
    assert body["DDBStreamBatchInfo"]["startSequenceNumber"] in done.left[0]


class Functions:
    """Lambda's client, which records the invocations."""

    def __init__(self) -> None:
        self.invoked: list[tuple[str, Any]] = []

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: Any) -> None:  # noqa: N803
        assert InvocationType == "Event", "an asynchronous invocation, which Lambda retries"
        self.invoked.append((FunctionName, json.loads(Payload)))


def test_a_failed_start_goes_to_its_function_again(sqs: Any) -> None:
    functions, dead = Functions(), queue(sqs, "dead")
    record = {"requestContext": {"functionArn": START}, "requestPayload": START_EVENT}
    sqs.send_message(QueueUrl=dead, MessageBody=json.dumps(record))
    assert redrive_starts(sqs, functions, dead).sent == 1
    assert messages(sqs, dead) == []
    assert functions.invoked == [(START, START_EVENT)]


def test_a_dead_letter_of_hooks_goes_to_its_function_or_its_queue_again(sqs: Any) -> None:
    functions, dead, deliveries = Functions(), queue(sqs, "dead"), queue(sqs, "deliveries")
    event = {"detail-type": "leg.ended", "detail": {"conversation_id": "c-1", "seq": 1}}
    record = {"requestContext": {"functionArn": FAN_OUT}, "requestPayload": event}
    attempt = json.dumps({"hook_id": "crm"})
    for body in (json.dumps(record), attempt):
        sqs.send_message(QueueUrl=dead, MessageBody=body)
    assert redrive_hooks(sqs, functions, dead, deliveries).sent == 2
    assert functions.invoked == [(FAN_OUT, event)]
    assert [message["Body"] for message in messages(sqs, deliveries)] == [attempt]
    assert messages(sqs, dead) == []


def test_an_undelivered_event_goes_to_its_function_again_but_not_to_a_chat(sqs: Any) -> None:
    functions, dead = Functions(), queue(sqs, "dead")
    chat = "arn:aws:events:us-east-1:000000000000:api-destination/chat/1"
    for target, code in ((START, "SDK_CLIENT_ERROR"), (chat, "CONNECTION_FAILURE")):
        attributes = {"TARGET_ARN": target, "ERROR_CODE": code}
        sqs.send_message(
            QueueUrl=dead,
            MessageBody=json.dumps(START_EVENT),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value}
                for name, value in attributes.items()
            },
        )
    done = redrive_bus(sqs, functions, dead)
    assert functions.invoked == [(START, START_EVENT)]
    assert done.sent == 1
    [left] = done.left
    assert chat in left
    assert "CONNECTION_FAILURE" in left


def test_a_missing_stack_or_output_is_named(aws: EmbeddedAws) -> None:
    with pytest.raises(NoSuchStackError, match="partyline-nowhere"):
        outputs_of(aws.access.client("cloudformation"), "partyline-nowhere")
    with pytest.raises(NoSuchStackError, match="BusName"):
        Outputs({"Another": "stack's"})["BusName"]


def put(dynamodb: Any, table: str, key: keys.Key, attributes: dict[str, Any]) -> None:
    item = {"pk": {"S": key[0]}, "sk": {"S": key[1]}, **attributes}
    dynamodb.put_item(TableName=table, Item=item)


def put_event(dynamodb: Any, table: str, seq: int, event_type: str, **data: Any) -> None:
    event = {
        "seq": seq,
        "type": event_type,
        "occurred_at": "2026-11-22T09:00:00Z",
        "cause": "e1",
        "data": data,
    }
    row = {"conversation_id": {"S": "c1"}, "event": {"S": json.dumps(event)}}
    put(dynamodb, table, keys.event("c1", seq), row)


def letter(streams: Any, dynamodb: Any, template: Template) -> dict[str, Any]:
    """Return a dead letter of the table's stream, from its second record to its last."""
    arn = dynamodb.describe_table(TableName=template.table.name)["Table"]["LatestStreamArn"]
    [shard] = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    records = streams.get_records(ShardIterator=iterator)["Records"]
    numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
    return {
        "DDBStreamBatchInfo": {
            "shardId": shard["ShardId"],
            "startSequenceNumber": numbers[1],
            "endSequenceNumber": numbers[-1],
            "streamArn": arn,
        }
    }


def listen(events: Any, sqs: Any) -> str:
    """Add a consumer to the bus; return the URL of its queue."""
    url = queue(sqs, "listener")
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    events.create_event_bus(Name="bus")
    events.put_rule(
        Name="all", EventBusName="bus", EventPattern=json.dumps({"source": ["partyline"]})
    )
    target = {"Id": "listener", "Arn": answer["Attributes"]["QueueArn"]}
    events.put_targets(Rule="all", EventBusName="bus", Targets=[target])
    return url
