"""Routes and the do-not-call list: the rows that the API's users edit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, field_serializer

from partyline.domain.masking import masked
from partyline.domain.model.events import DoNotCallChanged, EventData, RouteChanged
from partyline.domain.model.routes import StoredRoute
from partyline.store import keys
from partyline.store.errors import TooManyConflictsError
from partyline.store.events import change_put
from partyline.store.keys import Key
from partyline.store.pages import Page, fitting
from partyline.store.retention import FOR_EVER, Retention
from partyline.store.table import (
    CONFLICT,
    Row,
    Table,
    TransactionCancelledError,
    deletion_of,
    put_of,
)

ROUTE_STATUS = "route"
"""The `status` of routes in the index `by_status`, which lists routes by number."""


ROUTES_AT_ONCE = 50  # routes that are read together, when all are read


class DoNotCallEntry(BaseModel):
    """A number on the do-not-call list."""

    number: str
    reason: str | None
    added_at: datetime
    changed_by: str

    @field_serializer("added_at")
    def _iso(self, added_at: datetime) -> str:
        return added_at.isoformat()


@dataclass(frozen=True, kw_only=True)
class Change:
    """The author and the time of a change: a bearer key and its request."""

    key_id: str
    request_id: str
    at: datetime


class Directory:
    """Routes and the do-not-call list in the table. Every method may raise an `AwsError`."""

    def __init__(self, client: Any, table_name: str, retention: Retention = FOR_EVER) -> None:
        self._table = Table(client, table_name)
        self._retention = retention

    def route(self, number: str) -> StoredRoute | None:
        """The route that was put for a number, or None."""
        row = self._table.get(keys.route(number))
        return _route(row) if row else None

    def route_for(self, number: str | None) -> StoredRoute:
        """The route that applies to a number (see `applicable_route`), in a single read."""
        return applicable_route(self._table.find(route_keys(number)), number)

    def has_route(self, number: str) -> bool:
        """Whether a route was put for a number, which is a line of ours then."""
        return self._table.get(keys.route(number)) is not None

    def put_route(self, number: str, route: StoredRoute, change: Change) -> StoredRoute:
        """Store a route in place of the number's earlier one."""
        stored = route.model_copy(update={"changed_at": change.at, "changed_by": change.key_id})
        data = _changed(RouteChanged, number, change)
        self._change({"Put": _route_put(number, stored)}, keys.route(number), data, change)
        return stored

    def replacement(
        self, number: str, before: StoredRoute, after: StoredRoute, change: Change
    ) -> list[Row]:
        """The writes that replace a route, with its event, unless `before` has changed."""
        put = _route_put(number, after)
        put["ConditionExpression"] = "route = :before"
        put["ExpressionAttributeValues"] = {":before": _route_put(number, before)["Item"]["route"]}
        data = _changed(RouteChanged, number, change)
        return [{"Put": put}, self._event(keys.route(number), data, change)]

    def all_routes(self) -> Iterator[tuple[str, StoredRoute]]:
        """All numbers with their routes, in order, page by page."""
        after = None
        while True:
            page = self.routes(ROUTES_AT_ONCE, after)
            yield from page.items
            after = page.next_cursor
            if after is None:
                return

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

    def delete_route(self, number: str, change: Change) -> bool:
        """Delete a route; False when the number had none."""
        key = keys.route(number)
        data = _changed(RouteChanged, number, change, "deleted")
        return self._change(deletion_of(key), key, data, change)

    def do_not_call(self, number: str) -> DoNotCallEntry | None:
        """The entry of a number on the do-not-call list; None when the number has none."""
        row = self._table.get(keys.do_not_call(number))
        return DoNotCallEntry.model_validate_json(row["entry"]["S"]) if row else None

    def put_do_not_call(self, number: str, reason: str | None, change: Change) -> DoNotCallEntry:
        """Add a number to the do-not-call list, or replace its entry."""
        entry = DoNotCallEntry(
            number=number, reason=reason, added_at=change.at, changed_by=change.key_id
        )
        key = keys.do_not_call(number)
        put = {"Put": put_of(key, {"entry": _stored(entry)})}
        self._change(put, key, _changed(DoNotCallChanged, number, change), change)
        return entry

    def delete_do_not_call(self, number: str, change: Change) -> bool:
        """Take a number off the do-not-call list; False when the number was not listed."""
        key = keys.do_not_call(number)
        data = _changed(DoNotCallChanged, number, change, "deleted")
        return self._change(deletion_of(key), key, data, change)

    def do_not_call_deletion(self, entry: DoNotCallEntry) -> Row:
        """The deletion of an entry, unless the entry has changed; no event tells of it."""
        deletion = deletion_of(keys.do_not_call(entry.number))
        deletion["Delete"]["ConditionExpression"] = "entry = :before"
        deletion["Delete"]["ExpressionAttributeValues"] = {":before": _stored(entry)}
        return deletion

    def _change(self, write: Row, key: Key, data: EventData, change: Change) -> bool:
        """Write a row and its event together; False when the row to delete does not exist."""
        try:
            self._table.write([write, self._event(key, data, change)])
        except TransactionCancelledError as error:
            if any(reason.get("Code") == CONFLICT for reason in error.reasons):
                raise TooManyConflictsError from error
            return False
        return True

    def _event(self, key: Key, data: EventData, change: Change) -> Row:
        return {"Put": change_put(key, data, change.at, change.request_id, self._retention)}


def _route_put(number: str, route: StoredRoute) -> Row:
    attributes: Row = {
        "status": {"S": ROUTE_STATUS},
        "listed_at": {"S": number},
        "route": {"S": route.model_dump_json(exclude_unset=True)},
    }
    return put_of(keys.route(number), attributes)


def _stored(entry: DoNotCallEntry) -> Row:
    return {"S": entry.model_dump_json()}


def _changed(
    data: type[RouteChanged | DoNotCallChanged],
    number: str,
    change: Change,
    kind: Literal["put", "deleted"] = "put",
) -> EventData:
    shown = number if number == keys.DEFAULT_ROUTE else str(masked(number))
    return data(number=shown, change=kind, key_id=change.key_id)


def route_keys(number: str | None) -> list[Key]:
    """The keys of the rows that `applicable_route` needs."""
    return [keys.route(name) for name in (number, keys.DEFAULT_ROUTE) if name]


def applicable_route(rows: Mapping[Key, Row], number: str | None) -> StoredRoute:
    """The number's own route among the rows, else the default route, else an empty route."""
    found = [rows[key] for key in route_keys(number) if key in rows]
    return _route(found[0]) if found else StoredRoute()


def _route(row: Row) -> StoredRoute:
    return StoredRoute.model_validate_json(row["route"]["S"])
