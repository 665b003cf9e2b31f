"""The DynamoDB table: the requests that the store makes, and the mapping of their errors.

Only the modules of `partyline.store` see rows. Every read is consistent, but for those of an index.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from partyline.aws_errors import aws_error
from partyline.store.errors import VersionConflictError
from partyline.store.keys import Key

Row = dict[str, Any]  # an item in the format of DynamoDB: `{"pk": {"S": "..."}, ...}`

MAX_BATCH = 25  # writes of a batch (DynamoDB: BatchWriteItem)

CONDITION_FAILED, CONFLICT = "ConditionalCheckFailed", "TransactionConflict"


class TransactionCancelledError(Exception):
    """A condition of a transaction fails, or another transaction writes an item of the same key."""

    def __init__(self, reasons: Sequence[Row]) -> None:
        super().__init__("transaction cancelled")
        self.reasons = reasons


class Table:
    """A table. Every method may raise an `AwsError`."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def get(self, key: Key) -> Row | None:
        """The row with this key, or None."""
        row: Row | None = self._request("get_item", Key=key_of(key), ConsistentRead=True).get(
            "Item"
        )
        return row

    def find(self, keys: Iterable[Key]) -> dict[Key, Row]:
        """The rows with these keys that exist, in a single batch."""
        rows: dict[Key, Row] = {}
        wanted = [key_of(key) for key in dict.fromkeys(keys)]
        while wanted:
            request = {self._name: {"Keys": wanted, "ConsistentRead": True}}
            answer = self._call("batch_get_item", RequestItems=request)
            for row in answer["Responses"].get(self._name, []):
                rows[row["pk"]["S"], row["sk"]["S"]] = row
            wanted = answer["UnprocessedKeys"].get(self._name, {}).get("Keys")
        return rows

    def partition(self, pk: str, first: str, last: str, **more: Any) -> Iterator[Row]:
        """The rows of a partition whose sort keys lie from `first` to `last`.

        `more` are parameters of DynamoDB's query.
        """
        values = {":pk": {"S": pk}, ":first": {"S": first}, ":last": {"S": last}}
        condition = "pk = :pk AND sk BETWEEN :first AND :last"
        return self._query(condition, values, ConsistentRead=True, **more)

    def newest(self, pk: str, before: str | None = None) -> Iterator[Row]:
        """The rows of a partition, the last sort key first, of those before `before`."""
        condition = "pk = :pk" + (" AND sk < :before" if before else "")
        values: Row = {":pk": {"S": pk}} | ({":before": {"S": before}} if before else {})
        return self._query(condition, values, ConsistentRead=True, ScanIndexForward=False)

    def index(
        self, name: str, where: str, values: Row, limit: int | None = None, **more: Any
    ) -> Iterator[Row]:
        """The rows of a query of an index, `limit` at most; `more` are parameters of DynamoDB."""
        page = {"Limit": limit} if limit else {}
        return islice(self._query(where, values, IndexName=name, **page, **more), limit)

    def count(
        self, name: str, condition: str, values: Row, most: int | None = None, **more: Any
    ) -> int:
        """The number of rows of a query of an index, counted up to `most`, page by page."""
        counted = 0
        more |= {"Limit": most} if most else {}
        for page in self._pages(condition, values, IndexName=name, Select="COUNT", **more):
            counted += int(page["Count"])
            if most and counted >= most:
                break
        return counted

    def _query(self, condition: str, values: Row, **more: Any) -> Iterator[Row]:
        for page in self._pages(condition, values, **more):
            yield from page["Items"]

    def _pages(self, condition: str, values: Row, **more: Any) -> Iterator[Row]:
        named = {"KeyConditionExpression": condition, "ExpressionAttributeValues": values}
        while True:
            page = self._request("query", **named, **more)
            yield page
            if "LastEvaluatedKey" not in page:
                return
            more["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def put(self, put: Row) -> None:
        """Write a row (see `put_of`). Raises `VersionConflictError` when its condition fails."""
        self._request("put_item", **put)

    def write(self, writes: Sequence[Row]) -> None:
        """Write all of `writes`, a put, an update or a deletion each, in a single transaction.

        Raises `TransactionCancelledError`.
        """
        items = [
            {kind: {"TableName": self._name, **request} for kind, request in write.items()}
            for write in writes
        ]
        self._call("transact_write_items", TransactItems=items)

    def delete(self, keys: Iterable[Key]) -> None:
        """Delete the rows with these keys, in batches; a row that does not exist is no error."""
        left = [{"DeleteRequest": {"Key": key_of(key)}} for key in dict.fromkeys(keys)]
        while left:
            batch, left = left[:MAX_BATCH], left[MAX_BATCH:]
            answer = self._call("batch_write_item", RequestItems={self._name: batch})
            left += answer.get("UnprocessedItems", {}).get(self._name, [])

    def _request(self, operation: str, **request: Any) -> Row:
        return self._call(operation, TableName=self._name, **request)

    def _call(self, operation: str, **request: Any) -> Row:
        try:
            answer: Row = getattr(self._client, operation)(**request)
        except (BotoCoreError, ClientError) as error:
            raise _mapped(error, operation) from error
        return answer


def put_of(key: Key, attributes: Row, *, new: bool = False) -> Row:
    """The put of a row; `new`: on the condition that no row has its key."""
    put: Row = {"Item": {**key_of(key), **attributes}}
    if new:
        put["ConditionExpression"] = "attribute_not_exists(pk)"
    return put


def deletion_of(key: Key) -> Row:
    """The deletion of a row in a transaction, on the condition that the row exists."""
    return {"Delete": {"Key": key_of(key), "ConditionExpression": "attribute_exists(pk)"}}


def key_of(key: Key) -> Row:
    """The primary key of a row in DynamoDB's format."""
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}


def _mapped(error: BotoCoreError | ClientError, operation: str) -> Exception:
    said: Any = error.response if isinstance(error, ClientError) else {}
    if said.get("Error", {}).get("Code") == f"{CONDITION_FAILED}Exception":
        return VersionConflictError()
    reasons: list[Row] = said.get("CancellationReasons", [])
    if any(reason.get("Code") in (CONDITION_FAILED, CONFLICT) for reason in reasons):
        return TransactionCancelledError(reasons)
    return aws_error(error, "dynamodb", operation)
