"""The table of a scenario: its keys, its events, and how to empty the table."""

from collections.abc import Iterator
from typing import Any

from partyline.entrypoints.event_relay import detail_of

BATCH = 25
"""The most deletions in a request of DynamoDB."""


class Table:
    """A table of the embedded AWS."""

    def __init__(self, dynamodb: Any, name: str) -> None:
        self._dynamodb = dynamodb
        self._name = name

    def keys(self) -> list[tuple[str, str]]:
        """The keys of all items."""
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._name, ProjectionExpression="pk, sk"
        )
        return [(item["pk"]["S"], item["sk"]["S"]) for page in pages for item in page["Items"]]

    def events(self) -> Iterator[Any]:
        """All stored events, in the format of the event bus."""
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._name,
            FilterExpression="begins_with(sk, :event)",
            ExpressionAttributeValues={":event": {"S": "EVENT#"}},
        )
        for page in pages:
            yield from map(detail_of, page["Items"])

    def clear(self) -> None:
        """Delete all items: quicker than a new table."""
        keys = self.keys()
        for first in range(0, len(keys), BATCH):
            requests = [
                {"DeleteRequest": {"Key": {"pk": {"S": pk}, "sk": {"S": sk}}}}
                for pk, sk in keys[first : first + BATCH]
            ]
            self._dynamodb.batch_write_item(RequestItems={self._name: requests})
