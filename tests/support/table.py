"""The DynamoDB table behind a test lab: its content, and how a test empties the table."""

from collections.abc import Iterator
from typing import Any

from partyline.store.events import detail_of

BATCH = 25
"""The limit of items in a BatchWriteItem request."""


class Table:
    """A DynamoDB table."""

    def __init__(self, dynamodb: Any, name: str) -> None:
        self._dynamodb = dynamodb
        self._name = name

    def items(self) -> Iterator[Any]:
        """Each stored item, in DynamoDB's format."""
        for page in self._dynamodb.get_paginator("scan").paginate(TableName=self._name):
            yield from page["Items"]

    def put(self, item: Any) -> None:
        """Store an item, in DynamoDB's format."""
        self._dynamodb.put_item(TableName=self._name, Item=item)

    def delete(self, key: Any) -> None:
        """Delete the item with this key, in DynamoDB's format."""
        self._dynamodb.delete_item(TableName=self._name, Key=key)

    def keys(self) -> list[tuple[str, str]]:
        """The key of each stored item."""
        return [(item["pk"]["S"], item["sk"]["S"]) for item in self.items()]

    def events(self) -> list[Any]:
        """Each stored event in the form that goes to the bus."""
        return [detail_of(item) for item in self.items() if item["sk"]["S"].startswith("EVENT#")]

    def clear(self) -> None:
        """Delete every item. This is faster than a new table."""
        keys = self.keys()
        for first in range(0, len(keys), BATCH):
            requests = [
                {"DeleteRequest": {"Key": {"pk": {"S": pk}, "sk": {"S": sk}}}}
                for pk, sk in keys[first : first + BATCH]
            ]
            self._dynamodb.batch_write_item(RequestItems={self._name: requests})
