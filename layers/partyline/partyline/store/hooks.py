"""Hooks and their deliveries in the table. Every method may raise an `AwsError`."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from partyline.domain.model.events import EventData
from partyline.domain.model.hooks import DELIVERY_KEPT, Delivery, Hook
from partyline.store import keys
from partyline.store.errors import TooManyConflictsError, VersionConflictError
from partyline.store.events import Detail, change_put, detail_of
from partyline.store.keys import Key
from partyline.store.pages import Page, cursor_of, place_in
from partyline.store.retention import FOR_EVER, Retention
from partyline.store.table import Row, Table, TransactionCancelledError, key_of, put_of

_PLACE = re.compile(r"DELIVERY#[0-9TZ:.-]{27}#[\w-]{1,256}", re.ASCII)


@dataclass(frozen=True)
class DeliveryRows:
    """All that an attempt needs: the hook, the delivery, and the content of the event.

    A part is None when its row does not exist.
    """

    hook: Hook | None
    delivery: Delivery | None
    detail: Detail | None


class HookStore:
    """The rows of hooks, of their events and of their deliveries."""

    def __init__(self, client: Any, table_name: str, retention: Retention = FOR_EVER) -> None:
        self._table = Table(client, table_name)
        self._retention = retention

    def all(self) -> list[Hook]:
        """All hooks by their ids."""
        rows = self._table.partition(keys.HOOKS, keys.FIRST_HOOK, keys.LAST_HOOK)
        return [_hook(row) for row in rows]

    def get(self, hook_id: str) -> Hook | None:
        """The hook with an id, or None."""
        row = self._table.get(keys.hook(hook_id))
        return _hook(row) if row else None

    def save(self, hook: Hook, data: EventData | None, at: datetime, cause: str) -> None:
        """Store a hook in place of the version before, with the event of the change, if any.

        `version` 0 is that of a new hook. Raises `TooManyConflictsError` when another process has
        changed the hook.
        """
        stored = hook.model_copy(update={"version": hook.version + 1})
        row = {"hook": {"S": stored.model_dump_json()}, "version": {"N": str(stored.version)}}
        put = put_of(keys.hook(hook.id), row, new=hook.version == 0)
        if hook.version:
            put["ConditionExpression"] = "version = :version"
            put["ExpressionAttributeValues"] = {":version": {"N": str(hook.version)}}
        self._write({"Put": put}, hook.id, data, at, cause)

    def delete(self, hook: Hook, data: EventData, at: datetime, cause: str) -> None:
        """Delete a hook; the rows of its deliveries stay. Raises `TooManyConflictsError`."""
        deletion = {
            "Key": key_of(keys.hook(hook.id)),
            "ConditionExpression": "version = :version",
            "ExpressionAttributeValues": {":version": {"N": str(hook.version)}},
        }
        self._write({"Delete": deletion}, hook.id, data, at, cause)

    def add_delivery(self, hook_id: str, delivery: Delivery) -> Delivery:
        """Store a new delivery; return the stored delivery of the same event if there is one."""
        try:
            self._table.put(_delivery_put(hook_id, delivery, new=True))
        except VersionConflictError:
            row = self._table.get(_key(hook_id, delivery))
            return _delivery(row) if row else delivery
        return delivery

    def begin_series(self, hook_id: str, delivery: Delivery) -> None:
        """Store a delivery whose attempts begin anew, in place of its earlier row."""
        self._table.put(_delivery_put(hook_id, delivery))

    def update_delivery(self, hook_id: str, delivery: Delivery) -> bool:
        """Store a delivery after an attempt; False when another series has begun meanwhile."""
        put = _delivery_put(hook_id, delivery)
        put["ConditionExpression"] = "series = :series"
        put["ExpressionAttributeValues"] = {":series": put["Item"]["series"]}
        try:
            self._table.put(put)
        except VersionConflictError:
            return False
        return True

    def deliveries(self, hook_id: str, limit: int, cursor: str | None) -> Page[Delivery]:
        """A page of the deliveries to a hook, the newest event first.

        Raises `InvalidCursorError` for a cursor of another list.
        """
        last = keys.LAST_DELIVERY
        if cursor is not None:
            last = place_in(cursor, hook_id, _PLACE)
        return self._page(hook_id, keys.FIRST_DELIVERY, last, limit, cursor, newest=True)

    def deliveries_between(
        self, hook_id: str, first: datetime, last: datetime, limit: int, cursor: str | None
    ) -> Page[Delivery]:
        """A page of the deliveries of the events from `first` to before `last`, the oldest first.

        Raises `InvalidCursorError` for a cursor of another list.
        """
        begin = place_in(cursor, hook_id, _PLACE) if cursor else keys.delivery_moment(first)
        end = keys.delivery_moment(last)
        return self._page(hook_id, begin, end, limit, cursor, newest=False)

    def load(
        self, hook_id: str, occurred_at: datetime, event_id: str, place: tuple[str, int] | None
    ) -> DeliveryRows:
        """The rows of an attempt, in a single request; `place` is a conversation and its `seq`."""
        hook_key, delivery_key = keys.hook(hook_id), keys.delivery(hook_id, occurred_at, event_id)
        event_key = keys.event(*place) if place else None
        rows = self._table.find([hook_key, delivery_key, *([event_key] if event_key else [])])
        hook, delivery = rows.get(hook_key), rows.get(delivery_key)
        event = rows.get(event_key) if event_key else None
        stored = _delivery(delivery) if delivery else None
        return DeliveryRows(
            _hook(hook) if hook else None,
            stored,
            detail_of(event) if event else stored.detail if stored else None,
        )

    def event(self, conversation_id: str, seq: int) -> Detail | None:
        """The content of an event of a conversation, or None."""
        row = self._table.get(keys.event(conversation_id, seq))
        return detail_of(row) if row else None

    def _page(
        self, hook_id: str, first: str, last: str, limit: int, cursor: str | None, *, newest: bool
    ) -> Page[Delivery]:
        """Read a page; the row at the cursor is that of the page before."""
        if first > last:
            return Page([], None)
        more = {"Limit": limit + 2, "ScanIndexForward": not newest}
        rows: list[Row] = []
        for row in self._table.partition(keys.deliveries(hook_id), first, last, **more):
            if cursor is None or row["sk"]["S"] != (last if newest else first):
                rows.append(row)
            if len(rows) > limit:
                break
        shown = rows[:limit]
        more_follow = len(rows) > limit
        next_cursor = cursor_of(hook_id, shown[-1]["sk"]["S"]) if more_follow else None
        return Page([_delivery(row) for row in shown], next_cursor)

    def _write(
        self, write: Row, hook_id: str, data: EventData | None, at: datetime, cause: str
    ) -> None:
        writes = [write]
        if data:
            event = change_put(keys.hook(hook_id), data, at, cause, self._retention)
            writes.append({"Put": event})
        try:
            self._table.write(writes)
        except TransactionCancelledError as error:
            raise TooManyConflictsError from error


def _key(hook_id: str, delivery: Delivery) -> Key:
    return keys.delivery(hook_id, delivery.occurred_at, delivery.event_id)


def _delivery_put(hook_id: str, delivery: Delivery, *, new: bool = False) -> Row:
    expires_at = int((delivery.since + DELIVERY_KEPT).timestamp())
    row = {
        "delivery": {"S": delivery.model_dump_json(exclude_none=True)},
        "series": {"S": keys.moment(delivery.since)},
        "expires_at": {"N": str(expires_at)},
    }
    return put_of(_key(hook_id, delivery), row, new=new)


def _hook(row: Row) -> Hook:
    return Hook.model_validate_json(row["hook"]["S"])


def _delivery(row: Row) -> Delivery:
    return Delivery.model_validate_json(row["delivery"]["S"])
