"""Routes and the do-not-call list: the rows that the API's users edit."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, field_serializer

from partyline.domain.model.routes import StoredRoute
from partyline.store import keys
from partyline.store.keys import Key
from partyline.store.pages import Page, fitting
from partyline.store.table import Row, Table, put_of

ROUTE_STATUS = "route"
"""The `status` of routes in the index `by_status`, which lists routes by number."""


class DoNotCallEntry(BaseModel):
    """A number on the do-not-call list."""

    number: str
    reason: str | None
    added_at: datetime

    @field_serializer("added_at")
    def _iso(self, added_at: datetime) -> str:
        return added_at.isoformat()


class Directory:
    """Routes and the do-not-call list in the table. Every method may raise an `AwsError`."""

    def __init__(self, client: Any, table_name: str) -> None:
        self._table = Table(client, table_name)

    def route(self, number: str) -> StoredRoute | None:
        """The route that was put for a number, or None."""
        row = self._table.get(keys.route(number))
        return _route(row) if row else None

    def route_for(self, number: str | None) -> StoredRoute:
        """The route that applies to a number (see `applicable_route`), in a single read."""
        return applicable_route(self._table.find(route_keys(number)), number)

    def put_route(self, number: str, route: StoredRoute) -> None:
        """Store a route in place of the number's earlier one."""
        attributes = {
            "status": {"S": ROUTE_STATUS},
            "listed_at": {"S": number},
            "route": {"S": route.model_dump_json(exclude_unset=True)},
        }
        self._table.put(put_of(keys.route(number), attributes))

    def routes(self, limit: int, after: str | None) -> Page[tuple[str, StoredRoute]]:
        """A page of numbers and their routes, in order: at most `limit` routes and 4 MB.

        The page begins after the number `after`, the cursor of the page before.
        """
        condition = "#status = :status" + (" AND listed_at > :after" if after else "")
        values: Row = {":status": {"S": ROUTE_STATUS}}
        values |= {":after": {"S": after}} if after else {}
        more = {"ExpressionAttributeNames": {"#status": "status"}}
        items = self._table.index(keys.BY_STATUS, condition, values, limit + 1, **more)
        numbers = [item["listed_at"]["S"] for item in items]
        rows = self._table.find(map(keys.route, numbers[:limit]))
        stored = [(number, rows.get(keys.route(number))) for number in numbers[:limit]]
        length = fitting(row["route"]["S"] if row else "" for _, row in stored)
        return Page(
            [(number, _route(row)) for number, row in stored[:length] if row],
            numbers[length - 1] if len(numbers) > length else None,
        )

    def delete_route(self, number: str) -> bool:
        """Delete a route; False when the number had none."""
        return self._table.delete(keys.route(number))

    def do_not_call(self, number: str) -> DoNotCallEntry | None:
        """The entry of a number on the do-not-call list; None when the number has none."""
        row = self._table.get(keys.do_not_call(number))
        return DoNotCallEntry.model_validate_json(row["entry"]["S"]) if row else None

    def put_do_not_call(self, number: str, reason: str | None, now: datetime) -> DoNotCallEntry:
        """Add a number to the do-not-call list, or replace its entry."""
        entry = DoNotCallEntry(number=number, reason=reason, added_at=now)
        attributes = {"entry": {"S": entry.model_dump_json()}}
        self._table.put(put_of(keys.do_not_call(number), attributes))
        return entry

    def delete_do_not_call(self, number: str) -> bool:
        """Take a number off the do-not-call list; False when the number was not listed."""
        return self._table.delete(keys.do_not_call(number))


def route_keys(number: str | None) -> list[Key]:
    """The keys of the rows that `applicable_route` needs."""
    return [keys.route(name) for name in (number, keys.DEFAULT_ROUTE) if name]


def applicable_route(rows: Mapping[Key, Row], number: str | None) -> StoredRoute:
    """The number's own route among the rows, else the default route, else an empty route."""
    found = [rows[key] for key in route_keys(number) if key in rows]
    return _route(found[0]) if found else StoredRoute()


def _route(row: Row) -> StoredRoute:
    return StoredRoute.model_validate_json(row["route"]["S"])
