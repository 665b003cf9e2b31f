"""Whom a number of ours reaches, and whom nobody may call: the rows that people edit."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from partyline.store import keys
from partyline.store.conversations import ConversationStore
from partyline.store.keys import Key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Row = dict[str, Any]

ROUTES = "route"
"""What routes have for a status in `by_status`, where they are listed by their number."""


@dataclass(frozen=True)
class Routes:
    """A page of routes by their numbers, and the number after which the next one begins."""

    routes: list[tuple[str, Row]]
    next_number: str | None


class Directory:
    """Routes and the do-not-call list. Every method may raise the client's `ClientError`."""

    def __init__(self, client: "DynamoDBClient", table_name: str) -> None:
        """Keep the client; nothing is asked of it yet."""
        self._client = client
        self._table = table_name

    def route(self, number: str) -> Row | None:
        """The route of a number of ours, as it was put."""
        item = self._get(keys.route(number))
        found: Row | None = from_json(item["route"]["S"]) if item else None
        return found

    def put_route(self, number: str, route: Row) -> None:
        """Keep a route, in place of the one that was there."""
        pk, sk = keys.route(number)
        self._client.put_item(
            TableName=self._table,
            Item={
                "pk": {"S": pk},
                "sk": {"S": sk},
                "status": {"S": ROUTES},
                "listed_at": {"S": number},
                "route": {"S": to_json(route).decode()},
            },
        )

    def routes(self, limit: int, after: str | None) -> Routes:
        """A page of routes in the order of their numbers, after a given one."""
        condition = "#status = :status" + (" AND listed_at > :after" if after else "")
        values: Row = {":status": {"S": ROUTES}} | ({":after": {"S": after}} if after else {})
        answer = self._client.query(
            TableName=self._table,
            IndexName=keys.BY_STATUS,
            KeyConditionExpression=condition,
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues=values,
            Limit=limit + 1,
        )
        numbers = [item["listed_at"]["S"] for item in answer["Items"]]
        more = numbers[limit - 1] if len(numbers) > limit else None
        wanted = {number: keys.route(number) for number in numbers[:limit]}
        rows = ConversationStore(self._client, self._table).find(wanted.values())
        found = {number: rows[key] for number, key in wanted.items() if key in rows}
        return Routes(
            [(number, from_json(row["route"]["S"])) for number, row in found.items()], more
        )

    def delete_route(self, number: str) -> bool:
        """Forget a route; False when there was none."""
        return self._delete(keys.route(number))

    def do_not_call(self, number: str) -> Row | None:
        """What is noted of a number on the do-not-call list; None when it is not on it."""
        item = self._get(keys.do_not_call(number))
        found: Row | None = from_json(item["entry"]["S"]) if item else None
        return found

    def put_do_not_call(self, number: str, reason: str | None, now: datetime) -> Row:
        """Put a number on the list, or note another reason for it."""
        entry = {"number": number, "reason": reason, "added_at": now.isoformat()}
        pk, sk = keys.do_not_call(number)
        item = {"pk": {"S": pk}, "sk": {"S": sk}, "entry": {"S": to_json(entry).decode()}}
        self._client.put_item(TableName=self._table, Item=item)
        return entry

    def delete_do_not_call(self, number: str) -> bool:
        """Take a number off the list; False when it was not on it."""
        return self._delete(keys.do_not_call(number))

    def _get(self, key: Key) -> Row | None:
        answer = self._client.get_item(TableName=self._table, Key=_key(key), ConsistentRead=True)
        return answer.get("Item")

    def _delete(self, key: Key) -> bool:
        answer = self._client.delete_item(
            TableName=self._table, Key=_key(key), ReturnValues="ALL_OLD"
        )
        return "Attributes" in answer


def _key(key: Key) -> Any:
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}
