"""Conversations that start later: the request is stored under the id of its conversation."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from zlib import crc32

from pydantic import BaseModel

from partyline.domain.model.events import ConversationFailed, Event
from partyline.domain.model.people import numbers_to_call
from partyline.domain.model.stored import Failure
from partyline.store import keys
from partyline.store.conversations import DedupeRecord, dedupe_put, request_hash
from partyline.store.errors import (
    AlreadyProcessedError,
    QuotaExceededError,
    TooManyConflictsError,
    VersionConflictError,
)
from partyline.store.events import event_put
from partyline.store.pages import PLACE, Page, cursor_of, fitting, place_in
from partyline.store.people import gained
from partyline.store.retention import FOR_EVER, Retention, expiry
from partyline.store.table import (
    CONDITION_FAILED,
    Row,
    Table,
    TransactionCancelledError,
    key_of,
    put_of,
)

KEPT_AFTER = timedelta(days=7)  # how long a schedule is kept after its start time

COUNTER_KEPT_FOR = timedelta(days=400)  # longer than any booking (MAX_SCHEDULE_AHEAD, KEPT_AFTER)

INDEX_SETTLED_AFTER = timedelta(minutes=1)  # the index follows the table within a second or so

CONFLICT_ATTEMPTS = 10


class ScheduleStatus(StrEnum):
    """`starting` lasts a moment; the conversation itself then has a status."""

    SCHEDULED = "scheduled"
    CANCELLED = "cancelled"
    STARTING = "starting"
    FAILED = "failed"


class ScheduledConversation(BaseModel):
    """A conversation that starts at `start_at`.

    `body` is the request's body without its `start_at`, `fingerprint` makes the ids of its guests,
    and `failure` says why the conversation could not start. `key_id` names the bearer key that
    booked the start; without `by_key`, the event bus did.
    """

    id: str
    status: ScheduleStatus = ScheduleStatus.SCHEDULED
    start_at: datetime
    created_at: datetime
    body: dict[str, Any]
    key_id: str
    by_key: bool
    fingerprint: str
    base_url: str
    failure: Failure | None = None


class ScheduledConversations:
    """Schedules in the table. Every method may raise an `AwsError`."""

    def __init__(self, client: Any, table_name: str, retention: Retention = FOR_EVER) -> None:
        self._table = Table(client, table_name)
        self._retention = retention

    def get(self, conversation_id: str) -> ScheduledConversation | None:
        """The schedule of a conversation, or None."""
        row = self._table.get(keys.schedule(conversation_id))
        return ScheduledConversation.model_validate_json(row["schedule"]["S"]) if row else None

    def add(self, schedule: ScheduledConversation, dedupe: DedupeRecord | None, most: int) -> None:
        """Store a new schedule, count it for its key, and add the dedupe record of its request.

        Args:
            schedule: The schedule.
            dedupe: The record that makes the request take effect once.
            most: The open bookings that the key may have, with the new booking.

        Raises:
            AlreadyProcessedError: the request was processed before.
            VersionConflictError: the conversation has a schedule already.
            QuotaExceededError: the key has `most` open bookings.
            TooManyConflictsError: other bookings of the key kept changing the counter.
        """
        writes = [{"Update": _count_update(schedule, most)}, {"Put": _put(schedule, new=True)}]
        if dedupe:
            writes.append({"Put": dedupe_put(dedupe, schedule.start_at)})
        try:
            self._write(writes)
        except TransactionCancelledError as cancelled:
            counter, own, *of_dedupe = cancelled.reasons
            for reason in of_dedupe:
                if reason.get("Code") == CONDITION_FAILED:
                    raise AlreadyProcessedError(request_hash(reason.get("Item", {}))) from cancelled
            if own.get("Code") != CONDITION_FAILED and counter.get("Code") == CONDITION_FAILED:
                raise QuotaExceededError from cancelled
            raise VersionConflictError from cancelled

    def has_room(self, key_id: str, most: int, now: datetime) -> bool:
        """Whether a key may have another open booking, of `most`.

        A booking that is never called at its time stays in the counter after its row has expired.
        So the index corrects a full counter, a minute after the last booking: before, the index may
        lack new bookings.
        """
        counter = self._table.get(keys.bookings(key_id))
        if counter is None or int(counter["units"]["N"]) < most:
            return True
        if now.timestamp() - int(counter["changed_at"]["N"]) < INDEX_SETTLED_AFTER.total_seconds():
            return False
        condition, values, names = _of_key(key_id)
        more = {"ExpressionAttributeNames": names}
        open_now = self._table.count(keys.BY_OPEN, condition, values, most, **more)
        if open_now >= most:
            return False
        correction = {
            "Key": key_of(keys.bookings(key_id)),
            "UpdateExpression": "SET units = :open",
            "ConditionExpression": "units = :units AND changed_at = :changed_at",
            "ExpressionAttributeValues": {
                ":open": {"N": str(open_now)},
                ":units": counter["units"],
                ":changed_at": counter["changed_at"],
            },
        }
        with suppress(TransactionCancelledError):  # another request has just changed the counter
            self._table.write([{"Update": correction}])
        return True

    def list_newest(self, limit: int, cursor: str | None = None) -> Page[ScheduledConversation]:
        """A page of open bookings, newest first: at most `limit` bookings and 4 MB.

        Raises `InvalidCursorError` for a `cursor` of another list.
        """
        scope = ScheduleStatus.SCHEDULED
        condition, values = "#status = :status", {":status": {"S": scope}}
        listing = keys.BY_STATUS, condition, values, {"#status": "status"}
        return self._page(listing, scope, limit, cursor)

    def list_of_key(
        self, key_id: str, limit: int, cursor: str | None = None
    ) -> Page[ScheduledConversation]:
        """A page of the open bookings of a key, as `list_newest` gives a page."""
        scope = f"key-{crc32(key_id.encode())}"  # a cursor has ASCII only
        return self._page((keys.BY_OPEN, *_of_key(key_id)), scope, limit, cursor)

    def _page(
        self,
        listing: tuple[str, str, Row, dict[str, str]],
        scope: str,
        limit: int,
        cursor: str | None,
    ) -> Page[ScheduledConversation]:
        index, condition, values, names = listing
        if cursor:
            condition += " AND listed_at < :before"
            values = values | {":before": {"S": place_in(cursor, scope, PLACE)}}
        more = {"ExpressionAttributeNames": names, "ScanIndexForward": False}
        items = self._table.index(index, condition, values, limit + 1, **more)
        places = [item["listed_at"]["S"] for item in items]
        wanted = [keys.schedule(place.rpartition("#")[2]) for place in places[:limit]]
        found = self._table.find(wanted)
        texts = [found[key]["schedule"]["S"] if key in found else "" for key in wanted]
        length = fitting(texts)
        read = [ScheduledConversation.model_validate_json(text) for text in texts[:length] if text]
        return Page(
            # The index is updated a moment after the table: the booking may have moved.
            [booking for booking in read if booking.status is ScheduleStatus.SCHEDULED],
            cursor_of(scope, places[length - 1]) if len(places) > length else None,
        )

    def fail(
        self, schedule: ScheduledConversation, failure: Failure, at: datetime, cause: str
    ) -> ScheduledConversation:
        """Give a booking that never becomes a conversation the status `failed`, with an event.

        Raises `VersionConflictError` when another process moved the booking, or when the
        conversation has an event.
        """
        status = ScheduleStatus.FAILED
        moved = schedule.model_copy(update={"status": status, "failure": failure})
        event = Event(
            seq=1,
            type=ConversationFailed.type,
            occurred_at=at,
            cause=cause,
            data=ConversationFailed(failure=failure).model_dump(mode="json", exclude_none=True),
        )
        put = event_put(keys.event(schedule.id, event.seq), event, schedule.id)
        put["Item"] |= expiry(self._retention.events, at)
        self._move(schedule, moved, {"Put": put})
        return moved

    def move(
        self,
        schedule: ScheduledConversation,
        status: ScheduleStatus,
        failure: Failure | None = None,
    ) -> ScheduledConversation:
        """Give a schedule another status.

        Raises `VersionConflictError` when another process moved the schedule.
        """
        moved = schedule.model_copy(update={"status": status, "failure": failure})
        self._move(schedule, moved)
        return moved

    def _move(
        self, before: ScheduledConversation, after: ScheduledConversation, *more: Row
    ) -> None:
        """Write a booking's new status. A booking that is not open any more counts no more."""
        if before.status is ScheduleStatus.SCHEDULED:
            more = (*more, {"Update": _uncount_update(before.key_id)})
        try:
            self._write([{"Put": _move_put(before, after)}, *more])
        except TransactionCancelledError as cancelled:
            raise VersionConflictError from cancelled

    def _write(self, writes: Sequence[Row]) -> None:
        """Write a transaction, again while only other transactions stand in its way.

        All bookings of a key share the row of the counter.
        """
        for _ in range(CONFLICT_ATTEMPTS):
            try:
                return self._table.write(writes)
            except TransactionCancelledError as cancelled:
                if any(reason.get("Code") == CONDITION_FAILED for reason in cancelled.reasons):
                    raise
        raise TooManyConflictsError


def _of_key(key_id: str) -> tuple[str, Row, dict[str, str]]:
    """The condition, the values and the names of a query of `by_open` for bookings of a key."""
    return "#open = :open", {":open": {"S": keys.booking(key_id)}}, {"#open": "open"}


def _count_update(schedule: ScheduledConversation, most: int) -> Row:
    return {
        "Key": key_of(keys.bookings(schedule.key_id)),
        "UpdateExpression": (
            "ADD units :one SET changed_at = :changed_at, expires_at = :expires_at"
        ),
        "ConditionExpression": "attribute_not_exists(units) OR units < :most",
        "ExpressionAttributeValues": {
            ":one": {"N": "1"},
            ":most": {"N": str(most)},
            ":changed_at": _seconds(schedule.created_at),
            ":expires_at": _seconds(schedule.created_at + COUNTER_KEPT_FOR),
        },
    }


def _uncount_update(key_id: str) -> Row:
    return {
        "Key": key_of(keys.bookings(key_id)),
        "UpdateExpression": "ADD units :less",
        "ExpressionAttributeValues": {":less": {"N": "-1"}},
    }


def _seconds(at: datetime) -> Row:
    return {"N": str(int(at.timestamp()))}


def _move_put(before: ScheduledConversation, after: ScheduledConversation) -> Row:
    put = _put(after)
    put["ConditionExpression"] = "schedule_status = :before"
    put["ExpressionAttributeValues"] = {":before": {"S": before.status}}
    return put


def _put(schedule: ScheduledConversation, *, new: bool = False) -> Row:
    attributes: Row = {
        "schedule": {"S": schedule.model_dump_json()},
        "schedule_status": {"S": schedule.status},
        "expires_at": _seconds(schedule.start_at + KEPT_AFTER),
    }
    if schedule.status is ScheduleStatus.SCHEDULED:  # an open booking is in two indexes
        attributes["status"] = {"S": schedule.status}
        attributes["listed_at"] = {"S": keys.listed_at(schedule.created_at, schedule.id)}
        attributes["open"] = {"S": keys.booking(schedule.key_id)}
    if new:
        attributes |= gained(numbers_to_call(schedule.body))
    return put_of(keys.schedule(schedule.id), attributes, new=new)
