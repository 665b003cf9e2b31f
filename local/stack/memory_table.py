"""A DynamoDB table in memory, for runs of thousands of conversations.

The table answers as DynamoDB's API reference says: conditions, cancelled transactions with their
reasons, pages of 1 MB, and every write completely or not at all. Any other request is an error. The
store's contract suite tests the table like the other engines.
"""

import itertools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from local.stack.memory_expressions import condition, equal_to, update

Item = dict[str, Any]
Key = tuple[str, str]

MAX_TRANSACTION_ITEMS = 100
MAX_BATCH_KEYS = 100
MAX_BATCH_WRITES = 25
MAX_ITEM_BYTES = 400 * 1024
MAX_KEY_BYTES = (2048, 1024)
"""The size limits of a partition key and of a sort key."""

PAGE_BYTES = 1024 * 1024


class TransactionCanceledException(ClientError):  # noqa: N818 - the name in DynamoDB's API
    """A cancelled transaction; `CancellationReasons` has a reason for each write."""


class MemoryTable:
    """A DynamoDB client with a single table. `create` has the arguments of `create_table`.

    Any thread may use the client; operations run in sequence. Times to live have no effect.
    """

    def __init__(self, create: Mapping[str, Any]) -> None:
        """Begin empty. `follower` gets each written item with the name of its stream record."""
        self.follower: Callable[[str, Item], object] | None = None
        self._create = create
        self._name = str(create["TableName"])
        self._key = _key_names(create["KeySchema"])
        self._indexes = {
            index["IndexName"]: _key_names(index["KeySchema"])
            for index in create["GlobalSecondaryIndexes"]
        }
        self._projected = {
            index["IndexName"]: index["Projection"].get("NonKeyAttributes", [])
            for index in create["GlobalSecondaryIndexes"]
        }
        self._items: dict[Key, Item] = {}
        # The same items by partition, of the table (None) and of each index.
        self._partitions: dict[tuple[str | None, str], dict[Key, Item]] = {}
        self._lock = threading.RLock()

    def copy(self) -> "MemoryTable":
        """Another table with the same items, without a follower. Both share items: none changes."""
        copied = MemoryTable(self._create)
        with self._lock:
            copied._items = self._items.copy()
            copied._partitions = {place: each.copy() for place, each in self._partitions.items()}
        return copied

    def get_item(self, **request: Any) -> Item:
        """DynamoDB API: GetItem."""
        with self._lock:
            item = self._items.get(self._key_of(request, request["Key"]))
            return {"Item": _copy(item)} if item else {}

    def batch_get_item(self, **request: Any) -> Item:
        """DynamoDB API: BatchGetItem, of this table."""
        [(name, batch)] = request["RequestItems"].items()
        with self._lock:
            asked = [self._key_of({"TableName": name}, key) for key in batch["Keys"]]
            if len(set(asked)) < len(asked) or not 0 < len(asked) <= MAX_BATCH_KEYS:
                raise _invalid("BatchGetItem", "Provided list of item keys is unusable")
            found = [_copy(self._items[key]) for key in asked if key in self._items]
        return {"Responses": {name: found}, "UnprocessedKeys": {}}

    def put_item(self, **request: Any) -> Item:
        """DynamoDB API: PutItem."""
        with self._lock:
            _, after = self._decided("PutItem", {"Put": request})
            self._keep(after)
        return {}

    def update_item(self, **request: Any) -> Item:
        """DynamoDB API: UpdateItem."""
        with self._lock:
            key, after = self._decided("UpdateItem", {"Update": request})
            self._keep(after)
            return (
                {"Attributes": _copy(self._items[key])} if _wants_item(request, "ALL_NEW") else {}
            )

    def delete_item(self, **request: Any) -> Item:
        """DynamoDB API: DeleteItem."""
        with self._lock:
            key, _ = self._decided("DeleteItem", {"Delete": request})
            before = self._items.get(key)
            self._forget(key)
        return {"Attributes": before} if before and _wants_item(request, "ALL_OLD") else {}

    def batch_write_item(self, *, RequestItems: Mapping[str, Sequence[Item]]) -> Item:  # noqa: N803
        """DynamoDB API: BatchWriteItem, of deletions."""
        [(name, requests)] = RequestItems.items()
        if not 0 < len(requests) <= MAX_BATCH_WRITES:
            raise _invalid("BatchWriteItem", "A batch has 1 to 25 writes")
        for request in requests:
            [(kind, deletion)] = request.items()
            if kind != "DeleteRequest":
                raise NotImplementedError("the table in memory knows batches of deletions only")
            self.delete_item(TableName=name, **deletion)
        return {"UnprocessedItems": {}}

    def transact_write_items(self, **request: Any) -> Item:
        """DynamoDB API: TransactWriteItems, of Put, Update and Delete."""
        writes: Sequence[Item] = request["TransactItems"]
        if not 0 < len(writes) <= MAX_TRANSACTION_ITEMS:
            raise _invalid("TransactWriteItems", "A transaction has 1 to 100 items")
        reasons: list[Item] = []
        after: dict[Key, Item] = {}
        seen, deleted = set[Key](), set[Key]()
        with self._lock:
            for write in writes:
                try:
                    key, changed = self._decided("TransactWriteItems", write)
                except ConditionalCheckFailed as failed:
                    reasons.append(failed.reason)
                    continue
                if key in seen:
                    raise _invalid("TransactWriteItems", "Two operations on one item")
                seen.add(key)
                after.update(changed)
                deleted |= {key} - changed.keys()
                reasons.append({"Code": "None"})
            if any(reason["Code"] != "None" for reason in reasons):
                raise cancelled(reasons)
            for key in deleted:
                self._forget(key)
            self._keep(after)
        return {}

    def query(self, **request: Any) -> Item:
        """DynamoDB API: Query, of the table or an index with its projected attributes."""
        index = request.get("IndexName")
        by = self._indexes[index] if index else self._key
        with self._lock:
            partition = equal_to("KeyConditionExpression", request, by[0])
            items = self._partitions.get((index, partition), {}).values()
            found = list(filter(condition("KeyConditionExpression", request), items))
            ordered = self._ordered(found, by, request)
        if index:
            names = (*by, *self._key, *self._projected[index])
            ordered = [{name: item[name] for name in names if name in item} for item in ordered]
        return _page(request, ordered, {*by, *self._key})

    def scan(self, **request: Any) -> Item:
        """DynamoDB API: Scan, without a filter."""
        with self._lock:
            every = self._ordered(list(self._items.values()), self._key, request)
            page = _page(request, every, {*self._key})
        return page if request.get("Select") != "COUNT" else {**page, "Items": []}

    def get_paginator(self, operation: str) -> "Paginator":
        """A paginator, as boto3's clients have."""
        return Paginator(getattr(self, operation))

    def _decided(self, operation: str, write: Item) -> tuple[Key, dict[Key, Item]]:
        """The key of a write, and the items after the write."""
        [(kind, request)] = write.items()
        key = self._key_of(request, request.get("Item") or request["Key"])
        before = self._items.get(key)
        if not condition("ConditionExpression", request)(before or {}):
            old = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
            raise ConditionalCheckFailed(operation, _copy(before) if old and before else None)
        if kind == "Delete":
            return key, {}
        if kind == "Update":
            after = update(request, _copy(before) if before else _copy(request["Key"]))
        else:
            after = _copy(request["Item"])
        if size_of(after) > MAX_ITEM_BYTES:
            raise _invalid(operation, "Item size has exceeded the maximum allowed size")
        for names in self._indexes.values():
            _check_key(operation, names, after)
        return key, {key: after}

    def _keep(self, after: Mapping[Key, Item]) -> None:
        for key, item in after.items():
            if self.follower:
                self.follower("MODIFY" if key in self._items else "INSERT", _copy(item))
            self._forget(key)
            self._items[key] = item
            for place in self._places(item):
                self._partitions.setdefault(place, {})[key] = item

    def _forget(self, key: Key) -> None:
        before = self._items.pop(key, None)
        for place in self._places(before or {}):
            del self._partitions[place][key]

    def _places(self, item: Item) -> Iterator[tuple[str | None, str]]:
        """The partitions of an item: of an index only for an item with both keys."""
        for name, (partition, sort) in ((None, self._key), *self._indexes.items()):
            if partition in item and sort in item:
                yield name, item[partition]["S"]

    def _key_of(self, request: Mapping[str, Any], given: Item) -> Key:
        if request["TableName"] != self._name:
            raise _error("ResourceNotFoundException", "Any", "Requested resource not found")
        _check_key("Any", self._key, given)
        partition, sort = (str(given[name]["S"]) for name in self._key)
        return partition, sort

    def _ordered(self, found: list[Item], by: Key, request: Mapping[str, Any]) -> list[Item]:
        """Items in the order of an index, from the end of the last page on."""
        names = (by[1], *self._key) if by != self._key else self._key
        # The bytes of texts, by which DynamoDB sorts, have the order of the texts.
        places = [tuple(item[name]["S"] for name in names) for item in found]
        forward = request.get("ScanIndexForward", True)
        ordered = sorted(
            zip(places, found, strict=True), key=lambda pair: pair[0], reverse=not forward
        )
        start = request.get("ExclusiveStartKey")
        if start:
            after = tuple(start[name]["S"] for name in names)
            ordered = [
                pair for pair in ordered if (pair[0] > after if forward else pair[0] < after)
            ]
        return [item for _, item in ordered]


class ConditionalCheckFailed(ClientError):  # noqa: N818 - DynamoDB's own name
    """A condition that failed; `reason` is the reason in a cancelled transaction."""

    def __init__(self, operation: str, old: Item | None) -> None:
        """Keep the old item, if the request wants the old item."""
        code, message = "ConditionalCheckFailed", "The conditional request failed"
        also = {"Item": old} if old else {}
        said: Any = {"Error": {"Code": f"{code}Exception", "Message": message}, **also}
        super().__init__(said, operation)
        self.reason = {"Code": code, "Message": message, **also}


class Paginator:
    """All pages of an operation, in order."""

    def __init__(self, operation: Any) -> None:
        """Take the operation that returns a page."""
        self._operation = operation

    def paginate(self, **request: Any) -> Iterator[Item]:
        """The pages."""
        while True:
            page = self._operation(**request)
            yield page
            if "LastEvaluatedKey" not in page:
                return
            request = {**request, "ExclusiveStartKey": page["LastEvaluatedKey"]}


def cancelled(reasons: Sequence[Item]) -> TransactionCanceledException:
    """The error of a cancelled transaction, with the reason of each item."""
    codes = ", ".join(str(reason["Code"]) for reason in reasons)
    message = f"Transaction cancelled, please refer cancellation reasons for specific [{codes}]"
    said: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": message},
        "CancellationReasons": list(reasons),
    }
    return TransactionCanceledException(said, "TransactWriteItems")


def _page(request: Mapping[str, Any], found: list[Item], by: set[str]) -> Item:
    """The items of a page, and the key after which the next page begins."""
    limit = request.get("Limit") or len(found)
    sizes = itertools.accumulate(size_of(item) for item in found[:limit])
    # DynamoDB reads up to 1 MB: the item that crosses the line begins the next page.
    taken = max(1, sum(size <= PAGE_BYTES for size in sizes)) if found else 0
    items = [_copy(item) for item in found[:taken]]
    page: Item = {"Items": items, "Count": len(items)}
    if taken < len(found):
        page["LastEvaluatedKey"] = {name: items[-1][name] for name in by}
    return page


def _key_names(schema: Sequence[Mapping[str, str]]) -> Key:
    """The names of a partition key and a sort key."""
    named = {key["KeyType"]: key["AttributeName"] for key in schema}
    return named["HASH"], named["RANGE"]


def _check_key(operation: str, names: Key, item: Item) -> None:
    """Refuse an empty key and a key that is too long; a missing key is allowed."""
    for name, most in zip(names, MAX_KEY_BYTES, strict=True):
        if name in item and not 0 < len(str(item[name]["S"]).encode()) <= most:
            raise _invalid(operation, f"A key has 1 to {most} bytes: {name}")


def _wants_item(request: Mapping[str, Any], values: str) -> bool:
    return request.get("ReturnValues") == values


def _copy(value: Any) -> Any:
    """A deep copy: no caller shares a stored item."""
    if isinstance(value, dict):
        return {name: _copy(each) for name, each in value.items()}
    return [_copy(element) for element in value] if isinstance(value, list) else value


def size_of(item: Item) -> int:
    """The size of names and values in UTF-8, about as DynamoDB counts."""
    texts = ((name, str(next(iter(value.values())))) for name, value in item.items())
    return sum(len(name) + _bytes(text) for name, text in texts)


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _error(code: str, operation: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def _invalid(operation: str, message: str) -> ClientError:
    return _error("ValidationException", operation, message)
