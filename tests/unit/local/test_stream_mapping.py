"""The local event source mapping of the table's stream behaves as AWS documents."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from local.stack.queues import Queues
from local.stack.stream_mapping import StreamMapping
from local.stack.template import Function, Template

BAD = "n3"
RETRIES = 10
"""MaximumRetryAttempts of the template."""


class Stream:
    """DynamoDB and its streams, for a table with a single shard of `count` new events."""

    def __init__(self, count: int) -> None:
        self._answers = [[_record(f"n{index}") for index in range(count)]]

    def describe_table(self, **_: Any) -> Any:
        return {"Table": {"LatestStreamArn": "arn:stream"}}

    def describe_stream(self, **_: Any) -> Any:
        return {"StreamDescription": {"Shards": [{"ShardId": "s1"}]}}

    def get_shard_iterator(self, *, ShardIteratorType: str, **_: Any) -> Any:  # noqa: N803
        assert ShardIteratorType == "TRIM_HORIZON"
        return {"ShardIterator": "i"}

    def get_records(self, **_: Any) -> Any:
        records = self._answers.pop() if self._answers else []
        return {"Records": records, "NextShardIterator": "i"}


def _record(number: str, sort_key: str = "EVENT#000001", name: str = "INSERT") -> dict[str, Any]:
    change = {
        "Keys": {"pk": {"S": "CONVERSATION#c1"}, "sk": {"S": sort_key}},
        "SequenceNumber": number,
        "ApproximateCreationDateTime": datetime(2026, 11, 22, 9, tzinfo=UTC),
    }
    return {"eventName": name, "dynamodb": change}


class Lab:
    """A mapping on a stream of `count` events, and a function that the test plays."""

    def __init__(
        self, template: Template, count: int, function: Callable[[list[str]], Any]
    ) -> None:
        self.batches: list[list[str]] = []
        self.set_aside: list[str] = []
        self._function = function
        stream = Stream(count)
        self.queues = Queues(template, self._invoke)
        mapping = StreamMapping(template, stream, stream, self._invoke, self.queues)
        mapping.follow(lambda record: self.set_aside.append(record["dynamodb"]["SequenceNumber"]))
        self.taken = mapping.poll()

    def _invoke(self, function: Function, event: Any) -> Any:
        assert function.folder == "event_relay"
        records = json.loads(json.dumps(event))["Records"]
        assert {record["eventSourceARN"] for record in records} == {"arn:stream"}
        self.batches.append([record["dynamodb"]["SequenceNumber"] for record in records])
        return self._function(self.batches[-1])

    @property
    def letters(self) -> list[Any]:
        """The places in the stream that went to the on-failure queue."""
        messages = self.queues.waiting("EventRelayDeadLetters")
        return [json.loads(message.body)["DDBStreamBatchInfo"] for message in messages]


def failing(number: str) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": number}]}


def report_bad(numbers: list[str]) -> Any:
    """Return a failure of the bad record."""
    return failing(BAD) if BAD in numbers else None


def raise_at_bad(numbers: list[str]) -> None:
    """Raise for a batch with the bad record."""
    if BAD in numbers:
        raise RuntimeError


def relay(numbers: list[str]) -> Any:
    """Do as the event relay does: report a later record, raise at the first."""
    if numbers[0] == BAD:
        raise RuntimeError
    return report_bad(numbers)


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": []}])
def test_a_batch_holds_a_hundred_records_in_their_order(template: Template, answer: Any) -> None:
    lab = Lab(template, 102, lambda _: answer)
    assert lab.taken == 102
    assert [len(batch) for batch in lab.batches] == [100, 2]
    assert lab.batches[1] == ["n100", "n101"]


def test_the_batch_starts_again_from_the_record_that_failed(template: Template) -> None:
    lab = Lab(template, 5, lambda numbers: failing("n2") if numbers[0] == "n0" else None)
    assert lab.batches == [["n0", "n1", "n2", "n3", "n4"], ["n2", "n3", "n4"]]
    assert (lab.taken, lab.letters) == (5, [])


def test_a_batch_at_which_the_function_raises_is_halved(template: Template) -> None:
    lab = Lab(template, 5, raise_at_bad)
    assert lab.batches[:4] == [
        ["n0", "n1", "n2", "n3", "n4"],
        ["n0", "n1"],
        ["n2", "n3", "n4"],
        ["n2"],
    ]
    assert lab.batches[-1] == ["n4"], "the records behind the bad one are not lost"
    assert (lab.taken, lab.set_aside) == (4, [BAD])


def test_the_event_relay_loses_the_bad_record_alone(template: Template) -> None:
    lab = Lab(template, 10, relay)
    assert (lab.taken, lab.set_aside) == (9, [BAD])
    [letter] = lab.letters
    assert letter == {
        "shardId": "s1",
        "startSequenceNumber": BAD,
        "endSequenceNumber": BAD,
        "batchSize": 1,
        "streamArn": "arn:stream",
    }


def test_a_first_record_that_is_reported_takes_the_others_with_it(template: Template) -> None:
    """The event relay raises at the first record for this reason."""
    lab = Lab(template, 5, report_bad)
    assert lab.set_aside == ["n3", "n4"]


def test_attempts_are_bounded(template: Template) -> None:
    lab = Lab(template, 1, lambda _: failing("n0"))
    assert len(lab.batches) == 1 + RETRIES
    assert (lab.taken, lab.set_aside) == (0, ["n0"])


def test_a_record_that_is_not_in_the_batch_fails_all_of_it(template: Template) -> None:
    lab = Lab(template, 2, lambda numbers: failing("another") if len(numbers) > 1 else None)
    assert lab.batches == [["n0", "n1"], ["n0"], ["n1"]]


class Shards(Stream):
    """A stream with a shard, and a successor after the shard's end."""

    def __init__(self) -> None:
        super().__init__(0)
        self.lists = 0
        self.records = {"s1": [_record("n1"), _record("n2")], "s2": [_record("n3")]}
        self.ended = False

    def describe_stream(self, **_: Any) -> Any:
        self.lists += 1
        names = ["s1", "s2"] if self.ended else ["s1"]
        return {"StreamDescription": {"Shards": [{"ShardId": name} for name in names]}}

    def get_shard_iterator(self, **asked: Any) -> Any:
        return {"ShardIterator": asked["ShardId"]}

    def get_records(self, **asked: Any) -> Any:
        shard = asked["ShardIterator"]
        records = [self.records[shard].pop(0)] if self.records[shard] else []
        closed = self.ended and shard == "s1" and not records
        return {"Records": records, "NextShardIterator": None if closed else shard}


def test_shards_are_listed_again_only_after_the_end_of_one(template: Template) -> None:
    stream = Shards()
    batches: list[list[str]] = []

    def invoke(_: Function, event: Any) -> None:
        batches.append([record["dynamodb"]["SequenceNumber"] for record in event["Records"]])

    mapping = StreamMapping(template, stream, stream, invoke, Queues(template, invoke))
    assert [mapping.poll() for _ in range(3)] == [2, 0, 0]
    assert stream.lists == 1
    stream.ended = True
    assert [mapping.poll() for _ in range(3)] == [0, 1, 0]
    assert batches == [["n1"], ["n2"], ["n3"]]
