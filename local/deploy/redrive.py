"""`partyline redrive`: send the messages in a deployed stack's dead-letter queues again.

The AWS account is the one in the settings of the AWS SDK, as for `sam deploy`.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.deploy.aws import aws_client
from local.layer import use_layer

FIRST_SENT = "first-sent-at"
"""The attribute with the time of receipt (see `partyline.entrypoints.failover`)."""

_DEAD_LETTERS = {
    "failover": "FailoverDeadLettersUrl",
    "events": "EventRelayDeadLettersUrl",
    "bus": "BusDeadLettersUrl",
    "starts": "StartDeadLettersUrl",
    "hooks": "HookDeadLettersUrl",
}
"""The stack's output with the dead-letter queue of each kind."""

BATCH = 10
_WAIT_SECS = 1
_MAX_EMPTY_ANSWERS = 50

Message = dict[str, Any]


class NoSuchStackError(Exception):
    """The stack does not exist or lacks an output; the message names the missing part."""


class IncompleteReadError(Exception):
    """The stream did not give all records of a dead letter."""


class Outputs(dict[str, str]):
    """A stack's outputs by name. Raises NoSuchStackError for a missing output."""

    def __missing__(self, name: str) -> str:
        raise NoSuchStackError(f"the stack has no output {name}: is it Partyline's?")


@dataclass
class RedriveResult:
    """The result: how many dead letters were sent again, and why the others stay in the queue."""

    sent: int = 0
    left: list[str] = field(default_factory=list)


def redrive(kind: str, stack: str, client: Any = aws_client) -> RedriveResult:
    """Send the dead letters of a kind again: `failover`, `events`, `bus`, `starts`, `hooks`.

    `client` makes a client of an AWS service. Raises NoSuchStackError and the AWS SDK's errors.
    """
    outputs = outputs_of(client("cloudformation"), stack)
    sqs, dead_letters = client("sqs"), outputs[_DEAD_LETTERS[kind]]
    match kind:
        case "failover":
            return redrive_failover(sqs, dead_letters, outputs["FailoverQueueUrl"])
        case "events":
            streams, dynamodb, events = map(client, ("dynamodbstreams", "dynamodb", "events"))
            return redrive_events(sqs, streams, dynamodb, events, dead_letters, outputs["BusName"])
        case "bus":
            return redrive_bus(sqs, client("lambda"), dead_letters)
        case "hooks":
            functions, deliveries = client("lambda"), outputs["HookDeliveriesUrl"]
            return redrive_hooks(sqs, functions, dead_letters, deliveries)
        case _:
            return redrive_starts(sqs, client("lambda"), dead_letters)


def outputs_of(cloudformation: Any, stack: str) -> Outputs:
    """Return the outputs of a stack by name. Raises NoSuchStackError."""
    try:
        [described] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except cloudformation.exceptions.ClientError as error:
        raise NoSuchStackError(f"{stack}: {error.response['Error']['Message']}") from error
    outputs = described.get("Outputs", ())
    return Outputs({output["OutputKey"]: output["OutputValue"] for output in outputs})


def redrive_failover(sqs: Any, dead_letters: str, queue: str) -> RedriveResult:
    """Send the failover queue's dead letters again, with the time at which they were received.

    SQS has a redrive of its own, but its new messages get a new time, and a signature that was
    valid on receipt would look too old. `dead_letters` and `queue` are URLs. A crash between the
    two requests leaves a message in both queues; its event id then makes the second a duplicate.
    """
    done = RedriveResult()
    for message in _dead_letters(sqs, dead_letters):
        attributes = message.get("MessageAttributes", {})
        sent_at = message["Attributes"]["SentTimestamp"]
        first = {FIRST_SENT: {"DataType": "String", "StringValue": sent_at}}
        # A message that was sent again before keeps its first time.
        sqs.send_message(
            QueueUrl=queue, MessageBody=message["Body"], MessageAttributes=first | attributes
        )
        _delete(sqs, dead_letters, message, done)
    return done


def redrive_events(
    sqs: Any, streams: Any, dynamodb: Any, events: Any, dead_letters: str, bus: str
) -> RedriveResult:
    """Put the events that the event relay could not put on the bus there again.

    A dead letter names a piece of the table's stream and holds no records. The stream keeps its
    records for a day. Only their keys are used, and the events are read from the table: a row that
    was repaired goes out repaired. Consumers know duplicates by `conversation_id` and `seq`.
    """
    done = RedriveResult()
    for message in _dead_letters(sqs, dead_letters):
        batch = json.loads(message["Body"])["DDBStreamBatchInfo"]
        start = batch["startSequenceNumber"]
        try:
            keys = _keys_in(streams, batch)
        except (
            streams.exceptions.TrimmedDataAccessException,
            streams.exceptions.ResourceNotFoundException,
        ):
            done.left.append(f"the stream no longer holds {start}; the timeline has the events")
            continue
        except IncompleteReadError:
            done.left.append(f"the stream gave only a part of what begins at {start}; try again")
            continue
        failed = _put_again(dynamodb, events, bus, batch["streamArn"], keys)
        if failed:
            done.left.append(failed)
        else:
            _delete(sqs, dead_letters, message, done)
    return done


def redrive_hooks(sqs: Any, functions: Any, dead_letters: str, deliveries: str) -> RedriveResult:
    """Send the dead letters of hooks again: events to their function, deliveries to their queue.

    The dead letter of an event is Lambda's own record, as for `starts`.
    A delivery that failed for a day gets another attempt, and is a dead letter again if that fails.
    A hook that was switched off has to be put with `enabled` before.
    """
    done = RedriveResult()
    for message in _dead_letters(sqs, dead_letters):
        content = json.loads(message["Body"])
        if "requestPayload" in content:
            _invoke_again(functions, content)
        else:
            sqs.send_message(QueueUrl=deliveries, MessageBody=message["Body"])
        _delete(sqs, dead_letters, message, done)
    return done


def redrive_bus(sqs: Any, functions: Any, dead_letters: str) -> RedriveResult:
    """Give functions the events that a rule of the bus could not deliver to them.

    The event keeps its id, so repeated deliveries start one conversation. Events for a chat stay in
    the queue: they are outdated. The attributes are EventBridge's own (AWS docs, "Using dead-letter
    queues to process undelivered events").
    """
    done = RedriveResult()
    for message in _dead_letters(sqs, dead_letters):
        attributes = message.get("MessageAttributes", {})
        target = attributes.get("TARGET_ARN", {}).get("StringValue", "")
        if ":function:" in target:
            functions.invoke(
                FunctionName=target, InvocationType="Event", Payload=message["Body"].encode()
            )
            _delete(sqs, dead_letters, message, done)
        else:
            code = attributes.get("ERROR_CODE", {}).get("StringValue", "no code")
            done.left.append(f"for {target or 'no target'}, {code}: {message['Body'][:200]}")
    return done


def redrive_starts(sqs: Any, functions: Any, dead_letters: str) -> RedriveResult:
    """Invoke the functions that start conversations with the events in their dead letters.

    A dead letter is Lambda's own record of an event that a function failed at.
    """
    done = RedriveResult()
    for message in _dead_letters(sqs, dead_letters):
        _invoke_again(functions, json.loads(message["Body"]))
        _delete(sqs, dead_letters, message, done)
    return done


def _invoke_again(functions: Any, record: Mapping[str, Any]) -> None:
    """Invoke a function with the event in Lambda's record of a failed invocation."""
    functions.invoke(
        FunctionName=record["requestContext"]["functionArn"],
        InvocationType="Event",
        Payload=json.dumps(record["requestPayload"]),
    )


def _dead_letters(sqs: Any, url: str) -> Iterator[Message]:
    """Yield the messages of a queue, each once, even if SQS delivers a message again meanwhile."""
    seen: set[str] = set()
    while True:
        answer = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=BATCH,
            AttributeNames=["SentTimestamp"],
            MessageAttributeNames=["All"],
            WaitTimeSeconds=_WAIT_SECS,
        )
        new = [
            message for message in answer.get("Messages", ()) if message["MessageId"] not in seen
        ]
        if not new:
            return
        seen.update(message["MessageId"] for message in new)
        yield from new


def _delete(sqs: Any, url: str, message: Message, done: RedriveResult) -> None:
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    done.sent += 1


def _keys_in(streams: Any, batch: Mapping[str, Any]) -> list[Any]:
    """Return the keys of the event rows in a piece of the stream, in their order.

    Raises IncompleteReadError when the stream does not give the piece up to its last record.
    """
    last = int(batch["endSequenceNumber"])
    iterator = streams.get_shard_iterator(
        StreamArn=batch["streamArn"],
        ShardId=batch["shardId"],
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        SequenceNumber=batch["startSequenceNumber"],
    )["ShardIterator"]
    keys: list[Any] = []
    # An answer may be empty although more records follow (AWS: GetRecords of DynamoDB Streams).
    empty = 0
    while iterator and empty < _MAX_EMPTY_ANSWERS:
        answer = streams.get_records(ShardIterator=iterator)
        for record in answer["Records"]:
            change = record["dynamodb"]
            number = int(change["SequenceNumber"])
            if number <= last and change["Keys"]["sk"]["S"].startswith("EVENT#"):
                keys.append(change["Keys"])
            if number >= last:
                return keys
        iterator = answer.get("NextShardIterator")
        empty = 0 if answer["Records"] else empty + 1
    raise IncompleteReadError


def _put_again(
    dynamodb: Any, events: Any, bus: str, stream_arn: str, keys: list[Any]
) -> str | None:
    """Put the events of these rows on the bus; return None, or the reason for a failure."""
    use_layer()
    from partyline.entrypoints.event_relay import relay  # noqa: PLC0415 - on the path only now

    table = stream_arn.partition(":table/")[2].partition("/")[0]
    for key in keys:
        row = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
        if row is None:
            continue  # the conversation has been deleted
        _, reason = relay(events, bus, [row])
        if reason:
            return f"{key['pk']['S']} {key['sk']['S']} cannot be put on the bus: {reason}"
    return None
