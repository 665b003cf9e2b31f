"""`partyline redrive`: put what ended among a deployed stack's dead letters on its way again.

It works in the account that the AWS SDK's own settings name, as `sam deploy` does.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3

from local.stack.handlers import LAYER

FIRST_SENT = "first-sent-at"
"""What the failover function looks for (see `partyline.entrypoints.failover`)."""

BATCH = 10
_WAIT_SECS = 1

Message = dict[str, Any]


class NoSuchStackError(Exception):
    """The stack isn't there, or has no such output; says which."""


class Outputs(dict[str, str]):
    """A stack's outputs by name. Raises NoSuchStackError for one that isn't there."""

    def __missing__(self, name: str) -> str:
        raise NoSuchStackError(f"the stack has no output {name}: is it Partyline's?")


@dataclass
class Redriven:
    """How many dead letters were sent again, and why others stay where they are."""

    sent: int = 0
    left: list[str] = field(default_factory=list)


def _client(service: str) -> Any:
    return boto3.client(service)  # type: ignore[call-overload]


def redrive(what: str, stack: str, client: Callable[[str], Any] = _client) -> Redriven:
    """Send the dead letters of one kind again: `failover`, `events`, `bus` or `starts`.

    `client` makes a client of an AWS service. Raises NoSuchStackError, and what the AWS SDK raises.
    """
    outputs = outputs_of(client("cloudformation"), stack)
    sqs = client("sqs")
    match what:
        case "failover":
            return redrive_failover(
                sqs, outputs["FailoverDeadLettersUrl"], outputs["FailoverQueueUrl"]
            )
        case "events":
            return redrive_events(
                sqs,
                client("dynamodbstreams"),
                client("dynamodb"),
                client("events"),
                outputs["OutboxDeadLettersUrl"],
                outputs["BusName"],
            )
        case "bus":
            return redrive_bus(sqs, client("lambda"), outputs["BusDeadLettersUrl"])
        case _:
            return redrive_starts(sqs, client("lambda"), outputs["StartDeadLettersUrl"])


def outputs_of(cloudformation: Any, stack: str) -> Outputs:
    """The outputs of a stack by name. Raises NoSuchStackError."""
    try:
        [found] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except cloudformation.exceptions.ClientError as error:
        raise NoSuchStackError(f"{stack}: {error.response['Error']['Message']}") from error
    return Outputs({each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", ())})


def redrive_failover(sqs: Any, dead_letters: str, queue: str) -> Redriven:
    """Send the failover door's dead letters again, with the time at which they were received.

    SQS has a redrive of its own, but it makes new messages of them, and a signature that was good
    when it came would look too old. Takes the URLs of the two queues. Dying half-way leaves a
    message in both; its event id makes it be taken in once.
    """
    done = Redriven()
    for message in _letters(sqs, dead_letters):
        given = message.get("MessageAttributes", {})
        at = message["Attributes"]["SentTimestamp"]
        first = {FIRST_SENT: {"DataType": "String", "StringValue": at}}
        # It may have been here before: then it knows better.
        sqs.send_message(
            QueueUrl=queue, MessageBody=message["Body"], MessageAttributes=first | given
        )
        _done(sqs, dead_letters, message, done)
    return done


def redrive_events(
    sqs: Any, streams: Any, dynamodb: Any, events: Any, dead_letters: str, bus: str
) -> Redriven:
    """Put the events behind the pipe's dead letters on the bus again.

    A dead letter says where in the table's stream its records are. The stream forgets after a day;
    the rows themselves are read again, so what was mended in the table goes out mended. Consumers
    tell doubles by `conversation_id` and `seq`.
    """
    done = Redriven()
    for message in _letters(sqs, dead_letters):
        where = json.loads(message["Body"])["DDBStreamBatchInfo"]
        try:
            keys = _keys_behind(streams, where)
        except streams.exceptions.TrimmedDataAccessException:
            done.left.append(
                f"the stream has forgotten {where['startSequenceNumber']}; the timeline has it"
            )
            continue
        failed = _put_again(dynamodb, events, bus, where["streamArn"], keys)
        if failed:
            done.left.append(failed)
        else:
            _done(sqs, dead_letters, message, done)
    return done


def redrive_bus(sqs: Any, functions: Any, dead_letters: str) -> Redriven:
    """Give functions again the events that a rule of the bus could not deliver to them.

    The event keeps its id, by which it begins one conversation however often it comes. What was
    meant for a chat is left: it is news no more. The attributes are EventBridge's own (AWS docs,
    "Using dead-letter queues to process undelivered events").
    """
    done = Redriven()
    for message in _letters(sqs, dead_letters):
        given = message.get("MessageAttributes", {})
        target = given.get("TARGET_ARN", {}).get("StringValue", "")
        if ":function:" in target:
            functions.invoke(
                FunctionName=target, InvocationType="Event", Payload=message["Body"].encode()
            )
            _done(sqs, dead_letters, message, done)
        else:
            why = given.get("ERROR_CODE", {}).get("StringValue", "no code")
            done.left.append(f"for {target or 'nobody'}, {why}: {message['Body'][:200]}")
    return done


def redrive_starts(sqs: Any, functions: Any, dead_letters: str) -> Redriven:
    """Give the functions that begin conversations their dead letters again.

    Each letter is Lambda's own record of an event that a function failed at.
    """
    done = Redriven()
    for message in _letters(sqs, dead_letters):
        record = json.loads(message["Body"])
        functions.invoke(
            FunctionName=record["requestContext"]["functionArn"],
            InvocationType="Event",
            Payload=json.dumps(record["requestPayload"]),
        )
        _done(sqs, dead_letters, message, done)
    return done


def _letters(sqs: Any, url: str) -> Iterator[Message]:
    """What is in a queue now, each message once, also if it comes back meanwhile."""
    seen: set[str] = set()
    while True:
        answer = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=BATCH,
            AttributeNames=["SentTimestamp"],
            MessageAttributeNames=["All"],
            WaitTimeSeconds=_WAIT_SECS,
        )
        new = [each for each in answer.get("Messages", ()) if each["MessageId"] not in seen]
        if not new:
            return
        seen.update(each["MessageId"] for each in new)
        yield from new


def _done(sqs: Any, url: str, message: Message, done: Redriven) -> None:
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    done.sent += 1


def _keys_behind(streams: Any, where: Mapping[str, Any]) -> list[Any]:
    """The keys of the events in a piece of the stream, in their order."""
    last = int(where["endSequenceNumber"])
    iterator = streams.get_shard_iterator(
        StreamArn=where["streamArn"],
        ShardId=where["shardId"],
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        SequenceNumber=where["startSequenceNumber"],
    )["ShardIterator"]
    keys: list[Any] = []
    while iterator:
        answer = streams.get_records(ShardIterator=iterator)
        for record in answer["Records"]:
            change = record["dynamodb"]
            if int(change["SequenceNumber"]) > last:
                return keys
            if change["Keys"]["sk"]["S"].startswith("EVENT#"):
                keys.append(change["Keys"])
        iterator = answer.get("NextShardIterator") if answer["Records"] else None
    return keys


def _put_again(
    dynamodb: Any, events: Any, bus: str, stream_arn: str, keys: list[Any]
) -> str | None:
    """Put the events of these rows on the bus; None, or what went wrong."""
    if str(LAYER) not in sys.path:
        sys.path.append(str(LAYER))
    from partyline.entrypoints.event_relay import detail_of  # noqa: PLC0415 - on the path only now

    table = stream_arn.partition(":table/")[2].partition("/")[0]
    for key in keys:
        row = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
        if row is None:
            continue  # somebody deleted the conversation
        try:
            detail = detail_of(row)
        except (ValueError, LookupError) as error:
            return f"{key['pk']['S']} {key['sk']['S']} cannot be read: {type(error).__name__}"
        entry = {
            "EventBusName": bus,
            "Source": "partyline",
            "DetailType": detail["type"],
            "Detail": json.dumps(detail),
        }
        answer = events.put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            return f"the bus refused {key['pk']['S']} {key['sk']['S']}: {answer['Entries'][0]}"
    return None
