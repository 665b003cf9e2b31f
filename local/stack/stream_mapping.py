"""The event source mappings of the table's stream on this machine.

Records go from the embedded table's stream to the functions that the template names.
Filter, batch size, retries and on-failure queue are the template's. The behaviour is as the AWS
Lambda docs describe it ("Using AWS Lambda with Amazon DynamoDB", error handling). ministack's own
mapping follows the wall clock and knows neither partial batches, halving nor a bound on retries.
"""

import json
from collections.abc import Callable
from typing import Any

from local.stack.event_bus import matches
from local.stack.handlers import Invoke
from local.stack.queues import Queues
from local.stack.template import Function, Template, function_of

Record = dict[str, Any]

EVENT_RELAY = "EventRelayMapping"
"""The mapping that moves events to the bus."""


class StreamMapping:
    """Read the stream of the table from its beginning and invoke a function with each batch.

    A retry follows at once, and records have no maximum age: waiting improves no result here. Each
    retry counts against MaximumRetryAttempts, a halved or shortened batch included. AWS does not
    say whether those count; a template that works here works with fewer counted retries too.

    `mapping` is the logical id of the mapping. `dynamodb` and `streams` are clients of the table's
    DynamoDB and of its streams. Records that the function fails at go to `queues`.
    """

    def __init__(
        self,
        template: Template,
        dynamodb: Any,
        streams: Any,
        invoke: Invoke,
        queues: Queues,
        mapping: str = EVENT_RELAY,
    ) -> None:
        self._mapping = dict(template.properties_of("AWS::Lambda::EventSourceMapping"))[mapping]
        self._patterns = [f["Pattern"] for f in self._mapping["FilterCriteria"]["Filters"]]
        self._function: Function = template.functions[function_of(self._mapping["FunctionName"])]
        self._invoke, self._queues, self._streams = invoke, queues, streams
        table = dynamodb.describe_table(TableName=template.table.name)["Table"]
        # A DynamoDB of the user's own may have no streams.
        self._stream_arn: str | None = table.get("LatestStreamArn")
        self._iterators: dict[str, str | None] = {}
        self._followers: list[Callable[[Record], object]] = []

    def follow(self, follower: Callable[[Record], object]) -> None:
        """Call `follower` with each record that goes to the on-failure queue from now on."""
        self._followers.append(follower)

    def poll(self) -> int:
        """Deliver the records since the last poll; return how many the function took."""
        if self._stream_arn is None:
            return 0
        taken, size = 0, self._mapping["BatchSize"]
        for shard_id in self._shard_ids():
            while records := self._read(shard_id):
                events = [
                    event
                    for event in map(self._event_of, records)
                    if any(matches(pattern, event) for pattern in self._patterns)
                ]
                for first in range(0, len(events), size):
                    batch = events[first : first + size]
                    taken += self._deliver(shard_id, batch, self._mapping["MaximumRetryAttempts"])
        return taken

    def _shard_ids(self) -> list[str]:
        """Return the ids of the shards. Only the end of a shard brings another shard."""
        if self._iterators and all(self._iterators.values()):
            return list(self._iterators)
        stream = self._streams.describe_stream(StreamArn=self._stream_arn)["StreamDescription"]
        return [shard["ShardId"] for shard in stream["Shards"]]

    def _read(self, shard_id: str) -> list[Record]:
        if shard_id not in self._iterators:
            self._iterators[shard_id] = self._streams.get_shard_iterator(
                StreamArn=self._stream_arn,
                ShardId=shard_id,
                ShardIteratorType=self._mapping["StartingPosition"],
            )["ShardIterator"]
        iterator = self._iterators[shard_id]
        if iterator is None:
            return []
        answer = self._streams.get_records(ShardIterator=iterator)
        self._iterators[shard_id] = answer.get("NextShardIterator")
        records: list[Record] = answer["Records"]
        return records

    def _event_of(self, record: Record) -> Record:
        """Return the function's form of a record: times are numbers, and the stream is named."""
        change = dict(record["dynamodb"])
        created_at = change.get("ApproximateCreationDateTime")
        if created_at is not None:
            change["ApproximateCreationDateTime"] = created_at.timestamp()
        return {**record, "dynamodb": change, "eventSourceARN": self._stream_arn}

    def _deliver(self, shard_id: str, batch: list[Record], retries: int) -> int:
        """Invoke the function until each record is taken or set aside; return the number taken."""
        done = self._run(batch)
        if done == len(batch):
            return done
        if done is None and retries and self._mapping["BisectBatchOnFunctionError"]:
            half = len(batch) // 2
            parts = [part for part in (batch[:half], batch[half:]) if part]
            return sum(self._deliver(shard_id, part, retries - 1) for part in parts)
        done = done or 0
        if retries:
            return done + self._deliver(shard_id, batch[done:], retries - 1)
        self._set_aside(shard_id, batch[done:])
        return done

    def _run(self, batch: list[Record]) -> int | None:
        """Invoke the function once.

        Returns how many records come before the first that failed, or None when the batch as a
        whole failed: the function raised, or named a record that is not in the batch.
        """
        numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
        try:
            answer = self._invoke(self._function, {"Records": batch}) or {}
            failures = answer.get("batchItemFailures") or ()
            return min((numbers.index(f["itemIdentifier"]) for f in failures), default=len(batch))
        except Exception:  # noqa: BLE001 - any error fails the batch, as in Lambda
            return None

    def _set_aside(self, shard_id: str, batch: list[Record]) -> None:
        """Send the records' place in the stream, without the records, to the on-failure queue."""
        numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
        message = {
            "version": "1.0",
            "requestContext": {
                "functionArn": self._mapping["FunctionName"],
                "condition": "RetryAttemptsExhausted",
            },
            "DDBStreamBatchInfo": {
                "shardId": shard_id,
                "startSequenceNumber": numbers[0],
                "endSequenceNumber": numbers[-1],
                "batchSize": len(batch),
                "streamArn": self._stream_arn,
            },
        }
        queue = self._mapping["DestinationConfig"]["OnFailure"]["Destination"]
        self._queues.send(queue, json.dumps(message))
        for record in batch:
            for follower in self._followers:
                follower(record)


def stream_mappings(template: Template) -> list[str]:
    """Return the logical ids of all mappings of the table's stream."""
    mappings = template.properties_of("AWS::Lambda::EventSourceMapping")
    return [name for name, mapping in mappings if ":dynamodb:" in mapping["EventSourceArn"]]
