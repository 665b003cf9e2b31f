"""Conversations that begin later: what was asked, kept where the conversation will stand."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from partyline.domain.model.conversation import Failure
from partyline.store import keys
from partyline.store.conversations import DedupeRecord, Row, dedupe_put, request_hash
from partyline.store.errors import AlreadyProcessedError, VersionConflictError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT_AFTER = timedelta(days=7)
"""How long after its time a schedule can still be looked at."""


class ScheduleStatus(StrEnum):
    """`starting` is passed in a moment: from then on the conversation itself tells."""

    SCHEDULED = "scheduled"
    CANCELLED = "cancelled"
    STARTING = "starting"
    FAILED = "failed"


class ScheduledConversation(BaseModel):
    """A conversation that is to begin at `start_at`.

    `body` is the request's without its `start_at`, `fingerprint` makes the ids of its guests, and
    `failure` says why it could not begin.
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


@dataclass(frozen=True)
class ScheduledConversations:
    """Schedules in the table. `client` is a DynamoDB client; methods raise its `ClientError`."""

    client: "DynamoDBClient"
    table: str

    def get(self, conversation_id: str) -> ScheduledConversation | None:
        """The schedule of a conversation, or None."""
        pk, sk = keys.schedule(conversation_id)
        answer = self.client.get_item(
            TableName=self.table, Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=True
        )
        row = answer.get("Item")
        return ScheduledConversation.model_validate_json(row["schedule"]["S"]) if row else None

    def add(self, schedule: ScheduledConversation, dedupe: DedupeRecord | None) -> None:
        """Keep a new schedule, and the mark of its request with it.

        Raises Duplicate when the request was taken in before, Conflict when there is one already.
        """
        puts = [{**self._put(schedule), "ConditionExpression": "attribute_not_exists(pk)"}]
        if dedupe:
            puts.append({"TableName": self.table, **dedupe_put(dedupe, schedule.start_at)})
        try:
            self.client.transact_write_items(
                TransactItems=[{"Put": put} for put in puts]  # type: ignore[typeddict-item]
            )
        except self.client.exceptions.TransactionCanceledException as error:
            reasons: Any = error.response.get("CancellationReasons", [])
            codes = [each.get("Code") for each in reasons]
            if dedupe and codes[-1:] == ["ConditionalCheckFailed"]:
                raise AlreadyProcessedError(request_hash(reasons[-1].get("Item", {}))) from error
            if "ConditionalCheckFailed" in codes or "TransactionConflict" in codes:
                raise VersionConflictError from error
            raise

    def move(
        self,
        schedule: ScheduledConversation,
        status: ScheduleStatus,
        failure: Failure | None = None,
    ) -> ScheduledConversation:
        """Move a schedule on from where it was read. Raises Conflict when it is there no more."""
        moved = schedule.model_copy(update={"status": status, "failure": failure})
        put = self._put(moved)
        put["ConditionExpression"] = "schedule_status = :before"
        put["ExpressionAttributeValues"] = {":before": {"S": schedule.status}}
        try:
            self.client.put_item(**put)
        except self.client.exceptions.ConditionalCheckFailedException as error:
            raise VersionConflictError from error
        return moved

    def _put(self, schedule: ScheduledConversation) -> Row:
        pk, sk = keys.schedule(schedule.id)
        return {
            "TableName": self.table,
            "Item": {
                "pk": {"S": pk},
                "sk": {"S": sk},
                "schedule": {"S": schedule.model_dump_json()},
                "schedule_status": {"S": schedule.status},
                "expires_at": {"N": str(int((schedule.start_at + KEPT_AFTER).timestamp()))},
            },
        }
