"""Conversations that start later: the request is stored under the id of its conversation."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from partyline.domain.model.conversation import Failure
from partyline.store import keys
from partyline.store.conversations import DedupeRecord, dedupe_put, request_hash
from partyline.store.errors import AlreadyProcessedError, VersionConflictError
from partyline.store.table import CONDITION_FAILED, Row, Table, TransactionCancelledError, put_of

KEPT_AFTER = timedelta(days=7)  # how long a schedule is kept after its start time


class ScheduleStatus(StrEnum):
    """`starting` lasts a moment; the conversation itself then has a status."""

    SCHEDULED = "scheduled"
    CANCELLED = "cancelled"
    STARTING = "starting"
    FAILED = "failed"


class ScheduledConversation(BaseModel):
    """A conversation that starts at `start_at`.

    `body` is the request's body without its `start_at`, `fingerprint` makes the ids of its guests,
    and `failure` says why the conversation could not start.
    """

    id: str
    status: ScheduleStatus = ScheduleStatus.SCHEDULED
    start_at: datetime
    created_at: datetime
    body: dict[str, Any]
    key_id: str
    fingerprint: str
    base_url: str
    failure: Failure | None = None


class ScheduledConversations:
    """Schedules in the table. Every method may raise an `AwsError`."""

    def __init__(self, client: Any, table_name: str) -> None:
        self._table = Table(client, table_name)

    def get(self, conversation_id: str) -> ScheduledConversation | None:
        """The schedule of a conversation, or None."""
        row = self._table.get(keys.schedule(conversation_id))
        return ScheduledConversation.model_validate_json(row["schedule"]["S"]) if row else None

    def add(self, schedule: ScheduledConversation, dedupe: DedupeRecord | None) -> None:
        """Store a new schedule together with the dedupe record of its request.

        Raises `AlreadyProcessedError` when the request was processed before, and
        `VersionConflictError` when the conversation has a schedule already.
        """
        puts = [_put(schedule, new=True)]
        if dedupe:
            puts.append(dedupe_put(dedupe, schedule.start_at))
        try:
            self._table.write([{"Put": put} for put in puts])
        except TransactionCancelledError as cancelled:
            last = cancelled.reasons[-1]
            if dedupe and last.get("Code") == CONDITION_FAILED:
                raise AlreadyProcessedError(request_hash(last.get("Item", {}))) from cancelled
            raise VersionConflictError from cancelled

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
        put = _put(moved)
        put["ConditionExpression"] = "schedule_status = :before"
        put["ExpressionAttributeValues"] = {":before": {"S": schedule.status}}
        self._table.put(put)
        return moved


def _put(schedule: ScheduledConversation, *, new: bool = False) -> Row:
    attributes = {
        "schedule": {"S": schedule.model_dump_json()},
        "schedule_status": {"S": schedule.status},
        "expires_at": {"N": str(int((schedule.start_at + KEPT_AFTER).timestamp()))},
    }
    return put_of(keys.schedule(schedule.id), attributes, new=new)
