"""The stream of a table in memory, for the mappings of a stack."""

from typing import Any

from local.stack.memory_table import MemoryTable


class MemoryStream:
    """Clients of DynamoDB and of its streams, for a table with a single shard.

    A deletion makes no record: no mapping of the template takes these.
    """

    def __init__(self, table: MemoryTable) -> None:
        self._records: list[dict[str, Any]] = []
        table.follower = self._follow

    def describe_table(self, **_: Any) -> Any:
        return {"Table": {"LatestStreamArn": "arn:stream"}}

    def describe_stream(self, **_: Any) -> Any:
        return {"StreamDescription": {"Shards": [{"ShardId": "shard"}]}}

    def get_shard_iterator(self, *, ShardIteratorType: str, **_: Any) -> Any:  # noqa: N803
        assert ShardIteratorType == "TRIM_HORIZON"
        return {"ShardIterator": "0"}

    def get_records(self, *, ShardIterator: str) -> Any:  # noqa: N803
        records = self._records[int(ShardIterator) :]
        return {
            "Records": records,
            "NextShardIterator": str(int(ShardIterator) + len(records)),
        }

    def _follow(self, name: str, item: Any) -> None:
        change = {
            "Keys": {"pk": item["pk"], "sk": item["sk"]},
            "NewImage": item,
            "SequenceNumber": str(len(self._records)),
        }
        self._records.append({"eventName": name, "dynamodb": change})
