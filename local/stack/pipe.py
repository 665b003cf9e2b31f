"""The template's pipe on this machine: from the embedded table's stream to the bus.

Filter, enrichment and input template are the template's own, evaluated as AWS's page on the input
transformation of EventBridge Pipes says.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from local.stack.event_bus import Bus, matches
from local.stack.handlers import Invoke
from local.stack.queues import Queues
from local.stack.template import Function, Template, function_of

_VARIABLE = re.compile(r"<\$((?:\.[\w-]+)+)>")
_IN_QUOTES = re.compile(r'"(?:[^"\\]|\\.)*"')

Record = dict[str, Any]


class Pipe:
    """Carries what the stream of `dynamodb`'s table brings, from its beginning, to the bus.

    `streams` is a client of DynamoDB Streams. What fails is halved until it stands alone, and is
    then a dead letter that says where in the stream it is. AWS tries `MaximumRetryAttempts` times
    before; here nothing gets better by waiting.
    """

    def __init__(
        self,
        template: Template,
        dynamodb: Any,
        streams: Any,
        invoke: Invoke,
        bus: Bus,
        queues: Queues,
    ) -> None:
        [(_, resource)] = template.of_type("AWS::Pipes::Pipe")
        properties = template.resolver.resolve(resource["Properties"])
        source, target = properties["SourceParameters"], properties["TargetParameters"]
        self._patterns = [each["Pattern"] for each in source["FilterCriteria"]["Filters"]]
        self._stream = source["DynamoDBStreamParameters"]
        self._function: Function = template.functions[function_of(properties["Enrichment"])]
        self._input_template: str = target["InputTemplate"]
        self._names: Mapping[str, str] = target["EventBridgeEventBusParameters"]
        self._invoke, self._bus, self._queues = invoke, bus, queues
        self._streams = streams
        table = dynamodb.describe_table(TableName=template.table.name)["Table"]
        # A DynamoDB that somebody brought may have no streams.
        self._stream_arn: str | None = table.get("LatestStreamArn")
        self._iterators: dict[str, str | None] = {}
        self._followers: list[Callable[[Record], object]] = []

    def follow(self, follower: Callable[[Record], object]) -> None:
        """Tell `follower` each record that is a dead letter from now on."""
        self._followers.append(follower)

    def carry(self) -> int:
        """Carry what has come since the last time; how many events reached the bus."""
        carried = 0
        if self._stream_arn is None:
            return 0
        stream = self._streams.describe_stream(StreamArn=self._stream_arn)["StreamDescription"]
        for shard in stream["Shards"]:
            name = shard["ShardId"]
            while records := self._read(name):
                picked = [each for each in map(_record, records) if self._picks(each)]
                size = self._stream["BatchSize"]
                for first in range(0, len(picked), size):
                    carried += self._send(name, picked[first : first + size])
        return carried

    def _read(self, shard: str) -> list[Record]:
        if shard not in self._iterators:
            self._iterators[shard] = self._streams.get_shard_iterator(
                StreamArn=self._stream_arn,
                ShardId=shard,
                ShardIteratorType=self._stream["StartingPosition"],
            )["ShardIterator"]
        iterator = self._iterators[shard]
        if iterator is None:
            return []
        answer = self._streams.get_records(ShardIterator=iterator)
        self._iterators[shard] = answer.get("NextShardIterator")
        records: list[Record] = answer["Records"]
        return records

    def _picks(self, record: Record) -> bool:
        return any(matches(pattern, record) for pattern in self._patterns)

    def _send(self, shard: str, batch: list[Record]) -> int:
        try:
            answers = self._invoke(self._function, batch)
            details = [json.loads(rendered(self._input_template, each)) for each in answers]
        except Exception:  # noqa: BLE001 - whatever it is, it must not hold up what is behind it
            if len(batch) > 1:
                half = len(batch) // 2
                return self._send(shard, batch[:half]) + self._send(shard, batch[half:])
            self._queues.send(self._stream["DeadLetterConfig"]["Arn"], self._letter(shard, batch))
            for follower in self._followers:
                follower(batch[0])
            return 0
        # These paths see what the function answered, not what the input template made of it (AWS
        # docs, "Amazon EventBridge Pipes targets").
        for answer, detail in zip(answers, details, strict=True):
            source, kind = (_named(self._names[each], answer) for each in ("Source", "DetailType"))
            self._bus.put(source, kind, detail)
        return len(details)

    def _letter(self, shard: str, batch: list[Record]) -> str:
        numbers = [each["dynamodb"]["SequenceNumber"] for each in batch]
        where = {
            "shardId": shard,
            "startSequenceNumber": numbers[0],
            "endSequenceNumber": numbers[-1],
            "batchSize": len(batch),
            "streamArn": self._stream_arn,
        }
        context = {"condition": "RetryAttemptsExhausted"}
        return json.dumps({"version": "1.0", "context": context, "DDBStreamBatchInfo": where})


def rendered(template: str, payload: Any) -> str:
    """An input template with its variables put in.

    Within quotes a variable is text, and what it stands for is escaped; elsewhere it is a JSON
    value. Raises LookupError for one that stands for nothing, since AWS does not say what it makes
    of that.
    """
    quoted = [found.span() for found in _IN_QUOTES.finditer(template)]

    def value_of(match: re.Match[str]) -> str:
        text = json.dumps(found_at(match[1], payload))
        inside = any(start < match.start() < end for start, end in quoted)
        return text.removeprefix('"').removesuffix('"') if inside else text

    return _VARIABLE.sub(value_of, template)


def found_at(path: str, payload: Any) -> Any:
    """What a path like `.detail.seq` leads to. Raises LookupError."""
    for name in path.split(".")[1:]:
        payload = payload[name]
    return payload


def _named(text: str, payload: Any) -> str:
    return str(found_at(text.removeprefix("$"), payload)) if text.startswith("$") else text


def _record(record: Record) -> Record:
    """A record as the stream's consumers get it from a pipe: times are numbers."""
    change = dict(record["dynamodb"])
    at = change.get("ApproximateCreationDateTime")
    if at is not None:
        change["ApproximateCreationDateTime"] = at.timestamp()
    return {**record, "dynamodb": change}
