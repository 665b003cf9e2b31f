"""Loading, committing, finding and listing conversations."""

import base64
import binascii
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from pydantic_core import from_json, to_json

from partyline.domain.model.conversation import Conversation, Insight
from partyline.domain.model.events import Event
from partyline.domain.model.statuses import FINISHED, ConversationStatus
from partyline.store import keys
from partyline.store.errors import (
    AlreadyProcessedError,
    ConversationTooLargeError,
    QuotaExceededError,
    VersionConflictError,
)
from partyline.store.keys import Key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from partyline.domain.decide import Decision

DEDUPE_SECS = 7 * 24 * 3600
"""How long a webhook or an Idempotency-Key is remembered."""

MAX_DOCUMENT_BYTES = 390_000
"""What a conversation's document may come to; a DynamoDB item ends at 400 KB."""

MAX_INSIGHT_BYTES, MAX_INSIGHT_CHARS = 60_000, 10_000
"""An insight larger than this is kept as the beginning of its text.

Fifty of them have to fit into one transaction (4 MB) and into one answer of a function (6 MB).
"""

OPEN = "yes"
"""What `open` says of a conversation that goes on; others have no such attribute."""

Row = dict[str, Any]


@dataclass(frozen=True)
class DedupeRecord:
    """The mark by which a webhook or a request is taken in once. A request has its body's hash."""

    key: Key
    request_hash: str | None = None


@dataclass(frozen=True)
class QuotaCharge:
    """What a step takes of an allowance: `units` more on a counter, which may come to `most`.

    Counted in the step's own transaction, so that only what is done is charged, and once.
    `expires_at` is when the counter may be forgotten.
    """

    key: Key
    units: int
    most: int
    expires_at: datetime


@dataclass(frozen=True)
class ConversationPage:
    """A page of conversations, and where the next one begins."""

    conversations: Sequence[Conversation]
    next_cursor: str | None


class ConversationStore:
    """The table. `client` is a DynamoDB client; every method may raise its `ClientError`."""

    def __init__(self, client: "DynamoDBClient", table_name: str) -> None:
        """Keep the client; nothing is asked of it yet."""
        self._client = client
        self._table = table_name

    def load(self, conversation_id: str) -> Conversation | None:
        """The conversation as it is now, or None."""
        pk, sk = keys.state(conversation_id)
        answer = self._client.get_item(
            TableName=self._table, Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=True
        )
        return conversation_in(answer.get("Item"))

    def find(self, wanted: Iterable[Key]) -> dict[Key, Row]:
        """The items with these keys that exist, in one consistent read."""
        found: dict[Key, Row] = {}
        asked: Any = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in dict.fromkeys(wanted)]
        while asked:
            answer = self._client.batch_get_item(
                RequestItems={self._table: {"Keys": asked, "ConsistentRead": True}}
            )
            rows: list[Row] = answer["Responses"].get(self._table, [])
            found.update({(row["pk"]["S"], row["sk"]["S"]): row for row in rows})
            left: Row = dict(answer["UnprocessedKeys"])
            asked = left.get(self._table, {}).get("Keys")
        return found

    def check_not_processed(self, dedupe: DedupeRecord) -> None:
        """Raise Duplicate when `inbox` was taken in before."""
        row = self.find([dedupe.key]).get(dedupe.key)
        if row is not None:
            raise AlreadyProcessedError(request_hash(row))

    def commit(
        self,
        before: Conversation | None,
        decision: "Decision",
        dedupe: DedupeRecord | None = None,
        max_bytes: int = MAX_DOCUMENT_BYTES,
        charge: QuotaCharge | None = None,
    ) -> Conversation:
        """Write one step, all of it or nothing, and return the conversation with its new version.

        Raises Duplicate when `inbox` was taken in before, Conflict when the conversation is not
        any more what was decided upon, TooLarge when its document would pass `max_bytes`,
        Exhausted when nothing but the `charge` is in the way.
        """
        after = decision.conversation
        if after is None:
            raise ValueError("there is no conversation to write")
        after = after.model_copy(update={"version": after.version + 1})
        puts = [_state_put(before, after, max_bytes)]
        if dedupe:
            puts.append(dedupe_put(dedupe, after.updated_at))
        puts += [
            _put(keys.event(after.id, event.seq), _event_row(after.id, event), new=True)
            for event in decision.events
        ]
        puts += [
            _put(keys.insight(after.id, insight.insight_id), _insight_row(insight))
            for insight in decision.insights
        ]
        puts += [
            _put(key, {"conversation_id": {"S": after.id}})
            for key in sorted(_pointers(after) - _pointers(before))
        ]
        writes = [{"Put": {"TableName": self._table, **put}} for put in puts]
        if charge:
            writes.append({"Update": {"TableName": self._table, **_charge_update(charge)}})
        try:
            self._client.transact_write_items(TransactItems=writes)  # type: ignore[arg-type]
        except self._client.exceptions.TransactionCanceledException as error:
            cancelled = _cancelled(
                error, with_dedupe=dedupe is not None, charged=charge is not None
            )
            raise cancelled from error
        return after

    def load_with_insights(self, conversation_id: str) -> tuple[Conversation, list[Insight]] | None:
        """The conversation with its insights, or None."""
        rows = list(self._partition(conversation_id, keys.FIRST_INSIGHT, keys.STATE))
        conversation = conversation_in(next((r for r in rows if r["sk"]["S"] == keys.STATE), None))
        if conversation is None:
            return None
        found = [Insight(**from_json(row["insight"]["S"])) for row in rows if "insight" in row]
        order = {insight_id: nth for nth, insight_id in enumerate(conversation.insights)}
        return conversation, sorted(found, key=lambda each: order.get(each.insight_id, 0))

    def timeline(self, conversation_id: str) -> list[Event]:
        """The events of a conversation in their order; none for one that does not exist."""
        rows = self._partition(conversation_id, "EVENT#", "EVENT#~")
        return [event_in(row)[1] for row in rows]

    def list_newest(
        self, status: ConversationStatus | None, limit: int, cursor: str | None = None
    ) -> ConversationPage:
        """A page of conversations, newest first, of one status or of all.

        Raises ValueError for a `cursor` that this method did not make for the same `status`.
        """
        before = _read_cursor(cursor, status) if cursor else None
        statuses = [status] if status else list(ConversationStatus)
        pages = [self._places(each, limit + 1, before) for each in statuses]
        # One that moved on between two of the queries stands in both.
        once = dict.fromkeys(merge(*pages, reverse=True))
        places: list[str] = list(islice(once, limit + 1))
        wanted = [keys.state(place.rpartition("#")[2]) for place in places[:limit]]
        found = self.find(wanted)
        conversations = [conversation_in(found.get(key)) for key in wanted]
        return ConversationPage(
            # The index follows the table a moment later: what has moved on since is left out.
            [each for each in conversations if each and status in (None, each.status)],
            _cursor(places[limit - 1], status) if len(places) > limit else None,
        )

    def list_due(self, shard: str, now: datetime, limit: int) -> list[str]:
        """The ids of conversations in a shard that somebody should look at, the oldest first."""
        answer = self._client.query(
            TableName=self._table,
            IndexName=keys.BY_DUE,
            KeyConditionExpression="due_shard = :shard AND due_at <= :now",
            ExpressionAttributeValues={":shard": {"S": shard}, ":now": {"S": keys.moment(now)}},
            Limit=limit,
        )
        return [item["pk"]["S"].partition("#")[2] for item in answer["Items"]]

    def postpone(self, conversation_id: str, now: datetime, until: datetime) -> None:
        """Let a conversation that is due be found as due later; it stays as it is, unread.

        One that somebody else has moved on meanwhile is left alone.
        """
        key = keys.state(conversation_id)
        row = self.find([key]).get(key, {})
        if "due_at" not in row or row["due_at"]["S"] > keys.moment(now):
            return
        try:
            self._client.put_item(
                TableName=self._table,
                Item={**row, "due_at": {"S": keys.moment(until)}},
                ConditionExpression="version = :version",
                ExpressionAttributeValues={":version": row["version"]},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    def count_open(self, most: int) -> int:
        """How many conversations have not come to their end; counted up to `most`.

        The index follows the table a moment later, and so does the count.
        """
        answer = self._client.query(
            TableName=self._table,
            IndexName=keys.BY_OPEN,
            KeyConditionExpression="#open = :yes",
            ExpressionAttributeNames={"#open": "open"},
            ExpressionAttributeValues={":yes": {"S": OPEN}},
            Select="COUNT",
            Limit=most,
        )
        return answer["Count"]

    def count_open_before(self, before: datetime) -> int:
        """How many conversations began before a time and have not come to their end."""
        answer = self._client.query(
            TableName=self._table,
            IndexName=keys.BY_OPEN,
            KeyConditionExpression="#open = :yes AND listed_at < :before",
            ExpressionAttributeNames={"#open": "open"},
            ExpressionAttributeValues={":yes": {"S": OPEN}, ":before": {"S": keys.moment(before)}},
            Select="COUNT",
        )
        return answer["Count"]

    def _places(self, status: str, limit: int, before: str | None) -> list[str]:
        condition = "#status = :status"
        values = {":status": {"S": status}}
        if before:
            condition += " AND listed_at < :before"
            values[":before"] = {"S": before}
        answer = self._client.query(
            TableName=self._table,
            IndexName=keys.BY_STATUS,
            KeyConditionExpression=condition,
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues=values,
            ScanIndexForward=False,
            Limit=limit,
        )
        return [item["listed_at"]["S"] for item in answer["Items"]]

    def _partition(self, conversation_id: str, first: str, last: str) -> Iterator[Row]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": {"S": keys.partition(conversation_id)},
                ":first": {"S": first},
                ":last": {"S": last},
            },
            ConsistentRead=True,
        )
        for page in pages:
            yield from page["Items"]


def conversation_in(row: Row | None) -> Conversation | None:
    """The conversation in a state row that `find` brought, or None."""
    return Conversation.model_validate_json(row["document"]["S"]) if row else None


def _put(key: Key, attributes: Row, *, new: bool = False) -> Row:
    put: Row = {"Item": {"pk": {"S": key[0]}, "sk": {"S": key[1]}, **attributes}}
    if new:
        put["ConditionExpression"] = "attribute_not_exists(pk)"
    return put


def _state_put(before: Conversation | None, after: Conversation, max_bytes: int) -> Row:
    document = after.model_dump_json(exclude_defaults=True)
    if len(document.encode()) > max_bytes:
        raise ConversationTooLargeError(after.id)
    attributes: Row = {
        "version": {"N": str(after.version)},
        "status": {"S": after.status},
        "listed_at": {"S": keys.listed_at(after.created_at, after.id)},
        "document": {"S": document},
    }
    if after.status not in FINISHED:
        attributes["open"] = {"S": OPEN}
    if after.due_at:
        attributes["due_shard"] = {"S": keys.shard(after.id)}
        attributes["due_at"] = {"S": keys.moment(after.due_at)}
    put = _put(keys.state(after.id), attributes, new=before is None)
    if before:
        put["ConditionExpression"] = "version = :version"
        put["ExpressionAttributeValues"] = {":version": {"N": str(before.version)}}
    return put


def dedupe_put(dedupe: DedupeRecord, now: datetime) -> Row:
    """The put that takes something in once; it fails, and tells what is known, the second time."""
    attributes: Row = {"expires_at": {"N": str(int(now.timestamp()) + DEDUPE_SECS)}}
    if dedupe.request_hash:
        attributes["request_hash"] = {"S": dedupe.request_hash}
    put = _put(dedupe.key, attributes, new=True)
    put["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    return put


def _charge_update(charge: QuotaCharge) -> Row:
    pk, sk = charge.key
    return {
        "Key": {"pk": {"S": pk}, "sk": {"S": sk}},
        "UpdateExpression": "ADD units :units SET expires_at = :expires_at",
        "ConditionExpression": "attribute_not_exists(units) OR units <= :room",
        "ExpressionAttributeValues": {
            ":units": {"N": str(charge.units)},
            ":room": {"N": str(charge.most - charge.units)},
            ":expires_at": {"N": str(int(charge.expires_at.timestamp()))},
        },
    }


def request_hash(row: Row) -> str | None:
    """What the request of an inbox row hashed to, if it was a request's."""
    found: str | None = row.get("request_hash", {}).get("S")
    return found


def event_in(row: Mapping[str, Any]) -> tuple[str, Event]:
    """The conversation's id and the event in an event's row."""
    return row["conversation_id"]["S"], Event.model_validate_json(row["event"]["S"])


def _event_row(conversation_id: str, event: Event) -> Row:
    return {
        "conversation_id": {"S": conversation_id},
        "event": {"S": event.model_dump_json()},
        "trace_id": {"S": _trace_id()},
    }


def _trace_id() -> str:
    """X-Ray's trace of this invocation, as the log lines have it; empty outside of one.

    Lambda sets it for each invocation, with the segment and the sampling behind a semicolon.
    """
    return os.environ.get("_X_AMZN_TRACE_ID", "").partition(";")[0].removeprefix("Root=")


def _insight_row(insight: Insight) -> Row:
    text = to_json({"insight_id": insight.insight_id, "result": insight.result}).decode()
    if len(text.encode()) > MAX_INSIGHT_BYTES:
        cut = {"insight_id": insight.insight_id, "result": text[:MAX_INSIGHT_CHARS]}
        text = to_json(cut).decode()
    return {"insight": {"S": text}}


def _pointers(conversation: Conversation | None) -> set[Key]:
    found = set[Key]()
    for _, each in conversation.legs() if conversation else []:
        if each.call_control_id:
            found.add(keys.call(each.call_control_id))
        if each.call_leg_id:
            found.add(keys.leg(each.call_leg_id))
    return found


def _cancelled(error: ClientError, *, with_dedupe: bool, charged: bool) -> Exception:
    """What the reasons of a cancelled transaction amount to; they come in the order of its writes.

    What was done before is not charged again, so a double comes first.
    """
    reasons: list[Row] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
    codes = [reason.get("Code") for reason in reasons]
    failed = "ConditionalCheckFailed"
    exhausted = charged and codes[-1:] == [failed]
    others = codes[:-1] if charged else codes
    if with_dedupe and len(codes) > 1 and codes[1] == failed:
        return AlreadyProcessedError(request_hash(reasons[1].get("Item", {})))
    if failed in others or "TransactionConflict" in codes:
        return VersionConflictError()
    if exhausted:
        return QuotaExceededError()
    return error


_CURSOR = re.compile(r"([a-z]*)\|(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z#[\w-]{1,64})", re.ASCII)


def _cursor(place: str, status: ConversationStatus | None) -> str:
    return base64.urlsafe_b64encode(f"{status or ''}|{place}".encode()).decode()


def _read_cursor(cursor: str, status: ConversationStatus | None) -> str:
    try:
        text = base64.b64decode(cursor.encode("ascii"), b"-_", validate=True).decode("ascii")
    except (ValueError, binascii.Error):
        text = ""
    parts = _CURSOR.fullmatch(text)
    if parts is None or parts[1] != (status or ""):
        raise ValueError("not a cursor of this list")
    return parts[2]
