"""Erasures in the table: the work that is left, the receipt, and the rows to delete.

Everything that is counted is counted in the transaction that does the work, so an erasure that is
interrupted anywhere goes on, and its receipt is right.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import BaseModel

from partyline.domain.model.conversation import UNKNOWN_CONVERSATION_ID, Conversation
from partyline.domain.model.events import Event
from partyline.domain.model.people import numbers_of, numbers_to_call
from partyline.store import keys
from partyline.store.errors import VersionConflictError
from partyline.store.events import event_put
from partyline.store.keys import Key
from partyline.store.retention import Retention, expiry
from partyline.store.scheduled import ScheduledConversation
from partyline.store.table import Row, Table, TransactionCancelledError, key_of, put_of

RECEIPT_KEPT_FOR = timedelta(days=3 * 366)
"""How long a receipt is kept: it proves an erasure, and it names no person."""

MAX_GIVEN_UP = 100  # how many ids of Telnyx a receipt names


class Counts(BaseModel):
    """The numbers of erased things."""

    conversations: int = 0
    bookings: int = 0
    contacts: int = 0
    do_not_call: int = 0
    queue_messages: int = 0
    telnyx_conversations: int = 0


class Erasure(BaseModel):
    """An erasure, of a conversation or of a person.

    The id of a conversation's erasure is the conversation's own. `number` is the person's, until
    the erasure is done. `owed` are Telnyx's conversations still to be deleted, `given_up` those
    that Telnyx did not delete in time.
    """

    id: str
    kind: Literal["conversation", "person"]
    status: Literal["running", "done"] = "running"
    created_at: datetime
    done_at: datetime | None = None
    key_id: str
    number: str | None = None
    do_not_call: bool = False
    counts: Counts = Counts()
    owed: list[str] = []
    given_up: list[str] = []
    version: int = 0

    def counting(self, **more: int) -> "Erasure":
        """Return the erasure with more things counted."""
        counts = {name: getattr(self.counts, name) + number for name, number in more.items()}
        return self.model_copy(update={"counts": self.counts.model_copy(update=counts)})


@dataclass(frozen=True)
class Remains:
    """The rows of a conversation or a booking that are left in the table."""

    id: str
    conversation: Conversation | None
    booking: ScheduledConversation | None
    rows: Sequence[Row]

    @property
    def numbers(self) -> frozenset[str]:
        """The numbers and addresses of the people."""
        booked = numbers_to_call(self.booking.body) if self.booking else frozenset[str]()
        return numbers_of(self.conversation) | booked

    @property
    def places(self) -> list[str]:
        """The places in the index of people."""
        times = [item.created_at for item in (self.conversation, self.booking) if item]
        return [keys.listed_at(at, self.id) for at in dict.fromkeys(times)]

    @property
    def telnyx_ids(self) -> list[str]:
        """Telnyx's ids of the runs of the assistant."""
        if self.conversation is None:
            return []
        runs = [*self.conversation.previous_telnyx_ids, self.conversation.telnyx_conversation_id]
        return [run for run in dict.fromkeys(runs) if run and run != UNKNOWN_CONVERSATION_ID]

    @property
    def head(self) -> Row | None:
        """The row that is deleted last, since all the others are found by it."""
        names = {row["sk"]["S"]: row for row in self.rows}
        return names.get(keys.STATE) or names.get(keys.schedule(self.id)[1])

    @property
    def pointers(self) -> list[Key]:
        """The pointers that may lead to the conversation."""
        found = [keys.telnyx_conversation(run) for run in self.telnyx_ids]
        for _, leg in self.conversation.legs() if self.conversation else ():
            for id_ in filter(None, (leg.call_control_id, leg.call_leg_id, *leg.former_ids)):
                found += [keys.call(id_), keys.leg(id_)]
        return list(dict.fromkeys(found))


class Erasures:
    """The erasures in the table. Every method may raise an `AwsError`."""

    def __init__(self, client: Any, table_name: str, retention: Retention) -> None:
        self._table = Table(client, table_name)
        self._retention = retention

    def get(self, erasure_id: str) -> Erasure | None:
        """The erasure with an id, or None."""
        row = self._table.get(keys.erasure(erasure_id))
        return Erasure.model_validate_json(row["erasure"]["S"]) if row else None

    def add(self, erasure: Erasure) -> Erasure:
        """Store a new erasure that is due now; returns an erasure of the same id that exists."""
        try:
            self._table.put(_put(erasure, erasure.created_at, new=True))
        except VersionConflictError:
            return self.get(erasure.id) or erasure
        return erasure

    def due(self, now: datetime) -> Iterator[Erasure]:
        """The erasures that are due, the oldest first."""
        condition = "due_shard = :shard AND due_at <= :now"
        values = {":shard": {"S": keys.ERASURES}, ":now": {"S": keys.moment(now)}}
        for row in self._table.index(keys.BY_DUE, condition, values):
            erasure = self.get(row["pk"]["S"].partition("#")[2])
            if erasure and erasure.status == "running":
                yield erasure

    def save(
        self,
        erasure: Erasure,
        due_at: datetime,
        event: tuple[str, str, Event] | None = None,
        writes: Iterable[Row] = (),
    ) -> Erasure:
        """Store an erasure's progress together with `writes`; returns the stored erasure.

        `event` is the event with its place in the erasure and the id of its conversation, if any.
        Raises `VersionConflictError` when a condition of `writes` fails, or when another process
        has moved the erasure.
        """
        after = erasure.model_copy(update={"version": erasure.version + 1})
        puts = [_put(after, due_at)]
        if event:
            place, conversation_id, data = event
            put = event_put(keys.erasure_event(erasure.id, place), data, conversation_id)
            put["Item"] |= expiry(self._retention.events, data.occurred_at)
            puts.append(put)
        try:
            self._table.write([*({"Put": put} for put in puts), *writes])
        except TransactionCancelledError as cancelled:
            raise VersionConflictError from cancelled
        return after

    def remains(self, conversation_id: str) -> Remains:
        """What is left of a conversation; also the rows that have expired."""
        pk = keys.partition(conversation_id)
        rows = list(self._table.partition(pk, keys.FIRST_KEY, keys.LAST_KEY))
        named = {row["sk"]["S"]: row for row in rows}
        state, schedule = named.get(keys.STATE), named.get(keys.schedule("")[1])
        return Remains(
            conversation_id,
            Conversation.model_validate_json(state["document"]["S"]) if state else None,
            ScheduledConversation.model_validate_json(schedule["schedule"]["S"])
            if schedule
            else None,
            rows,
        )

    def delete_pointers(self, remains: Remains) -> None:
        """Delete the pointers to a conversation; a later conversation keeps its own."""
        for key in remains.pointers:
            deletion = {
                "Key": key_of(key),
                "ConditionExpression": "conversation_id = :own",
                "ExpressionAttributeValues": {":own": {"S": remains.id}},
            }
            try:
                self._table.write([{"Delete": deletion}])
            except TransactionCancelledError:
                continue

    def delete_body(self, remains: Remains) -> None:
        """Delete the rows of a conversation, but for its head and the dedupe records of webhooks.

        The records hold Telnyx's ids of webhooks for 7 days: without a record, a webhook that
        comes again would begin the conversation again.
        """
        head = remains.head
        places = [(row["pk"]["S"], row["sk"]["S"]) for row in remains.rows if row is not head]
        self._table.delete(key for key in places if not key[1].startswith(keys.DEDUPE))

    def delete_partition(self, pk: str, first: str, last: str) -> None:
        """Delete the rows of a partition whose sort keys lie from `first` to `last`."""
        rows = self._table.partition(pk, first, last)
        self._table.delete([(pk, row["sk"]["S"]) for row in rows])


def head_deletion(remains: Remains) -> Row:
    """The deletion of the head, on the condition that no step came in between."""
    head = remains.head
    if head is None:
        raise ValueError("nothing is left of the conversation")
    guard = "version" if "version" in head else "schedule_status"
    return {
        "Delete": {
            "Key": {"pk": head["pk"], "sk": head["sk"]},
            "ConditionExpression": f"{guard} = :seen",
            "ExpressionAttributeValues": {":seen": head[guard]},
        }
    }


def _put(erasure: Erasure, due_at: datetime, *, new: bool = False) -> Row:
    attributes: Row = {
        "erasure": {"S": erasure.model_dump_json()},
        "version": {"N": str(erasure.version)},
    }
    if erasure.status == "running":
        attributes |= {"due_shard": {"S": keys.ERASURES}, "due_at": {"S": keys.moment(due_at)}}
    else:
        attributes |= expiry(RECEIPT_KEPT_FOR, due_at)
    put = put_of(keys.erasure(erasure.id), attributes, new=new)
    if not new:
        put["ConditionExpression"] = "version = :version"
        put["ExpressionAttributeValues"] = {":version": {"N": str(erasure.version - 1)}}
    return put
