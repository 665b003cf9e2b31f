"""Conversations in the table: load, commit, correlate, list."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from partyline.domain.model.conversation import Conversation
from partyline.domain.model.events import Event
from partyline.domain.model.insight import Insight
from partyline.domain.model.people import numbers_of
from partyline.domain.model.routes import StoredRoute
from partyline.domain.model.statuses import ConversationStatus
from partyline.store import errors, keys, table
from partyline.store.census import projected_calls
from partyline.store.dial_counts import DialCounts
from partyline.store.directory import applicable_route, route_keys
from partyline.store.events import event_in, event_put
from partyline.store.keys import Key
from partyline.store.open_counts import (
    OPEN_INBOUND,
    OpenCounts,
    count_updates,
    projected_call_time,
    share_of,
)
from partyline.store.pages import (
    MAX_PAGE_BYTES,
    PLACE,
    Page,
    answer_bytes,
    cursor_of,
    fitting,
    place_in,
)
from partyline.store.people import gained
from partyline.store.pointers import Pointer, has_call, new_pointers
from partyline.store.quota_charges import QuotaCharge, charge_update
from partyline.store.retention import (
    FOR_EVER,
    Retention,
    expiry,
    expiry_while_running,
    is_expired,
)
from partyline.store.steps import step_puts, steps_page
from partyline.store.transcripts import (
    PlacedMessage,
    stored_messages,
    transcript_page,
    transcript_puts,
)

if TYPE_CHECKING:
    from partyline.domain.decide import Decision

DEDUPE_SECS = 7 * 24 * 3600  # how long the dedupe record of a webhook or an Idempotency-Key is kept

MAX_DOCUMENT_BYTES = 400_000
"""Size limit of a conversation's document; a DynamoDB item has 409,600 bytes at most.

`rules.compact` keeps the document below, so that an end is always recorded."""

PIECE_CHARS = 90_000
"""Characters of a piece of an insight; an item has 400 KB at most, a character up to 4 bytes."""

MAX_TIMELINE_EVENTS = 1000  # how many events a page of a timeline has at most

POINTER_ATTEMPTS = 3
"""How often a commit is tried while pointers of its calls belong to other conversations."""

_SEQ = re.compile(r"\d{1,6}", re.ASCII)

Load = Callable[[], Conversation | None]


@dataclass(frozen=True)
class DedupeRecord:
    """The record that makes a webhook or a request take effect once. A request has a hash."""

    key: Key
    request_hash: str | None = None


@dataclass(frozen=True)
class CallLookup:
    """The rows of a call.

    `conversation` is the conversation that the call itself began. `pointed_ids` name the
    conversations that the pointers of the call lead to. `route` is that of the dialled number.
    """

    conversation: Conversation | None
    pointed_ids: Sequence[str]
    route: StoredRoute


class ConversationStore:
    """Conversations in the table. Every method may raise an `AwsError`."""

    def __init__(
        self,
        client: Any,
        table_name: str,
        retention: Retention = FOR_EVER,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        """Use a table. With a `clock`, a conversation whose row has expired is unknown."""
        self.table = table.Table(client, table_name)
        self.open_counts = OpenCounts(self.table)
        self._retention = retention
        self._clock = clock
        self.dial_counts = DialCounts(self.table)

    def load(self, conversation_id: str) -> Conversation | None:
        """The stored conversation, or None."""
        return self._conversation(self.table.get(keys.state(conversation_id)))

    def loader(self, conversation_id: str, *loaded: Conversation | None) -> Load:
        """Return a function that loads a conversation; the first call returns `loaded`, if any."""
        first = list(loaded)
        return lambda: first.pop() if first else self.load(conversation_id)

    def look_up_call(
        self,
        conversation_id: str | None,
        call_control_id: str | None,
        call_leg_id: str | None,
        dialled: str | None,
        telnyx_conversation_id: str | None = None,
    ) -> CallLookup:
        """Read the rows of a call in a single batch: what its known ids lead to.

        `conversation_id` is the conversation that the call begins, `dialled` the number of ours
        that was called. `telnyx_conversation_id` names a run of the assistant, and comes first: a
        call may have been in several conversations.
        """
        state = [keys.state(conversation_id)] if conversation_id else []
        run = telnyx_conversation_id
        pointers = [keys.telnyx_conversation(run)] if run else []
        pointers += [keys.call(call_control_id)] if call_control_id else []
        pointers += [keys.leg(call_leg_id)] if call_leg_id else []
        routes = [] if dialled is None else route_keys(dialled)
        rows = self.table.find([*state, *pointers, *routes])
        return CallLookup(
            conversation=self._conversation(rows.get(state[0])) if state else None,
            pointed_ids=[rows[key]["conversation_id"]["S"] for key in pointers if key in rows],
            route=StoredRoute() if dialled is None else applicable_route(rows, dialled),
        )

    def check_not_processed(self, dedupe: DedupeRecord) -> None:
        """Raise `AlreadyProcessedError` when the dedupe record exists."""
        row = self.table.get(dedupe.key)
        if row is not None:
            raise errors.AlreadyProcessedError(request_hash(row))

    def commit(
        self,
        before: Conversation | None,
        decision: "Decision",
        dedupe: DedupeRecord | None = None,
        max_bytes: int = MAX_DOCUMENT_BYTES,
        charges: Sequence[QuotaCharge] = (),
        record: str = "",
    ) -> Conversation:
        """Write a step in a single transaction and return the conversation with its new version.

        A pointer is the lock of its call. A step that brings a live call in (a start around the
        call, an invitation, an inbound call) needs the pointer: a call has one assistant. Any other
        step is written without a pointer that another conversation holds: a hangup is always
        recorded. `before` is the conversation that the decision is based on; `dedupe` makes the
        input take effect once, and `charges` are the quotas that the step uses. `record` is the
        record of the step (`domain.model.steps`), if kept.

        Raises:
            AlreadyProcessedError: the dedupe record exists.
            VersionConflictError: the stored conversation is not `before` any more.
            CallInUseError: another conversation has a live call that the step brings in.
            ConversationTooLargeError: the document would be larger than `max_bytes`.
            QuotaExceededError: the `charges` alone prevent the step.
        """
        after = decision.conversation
        if after is None:
            raise ValueError("there is no conversation to write")
        after = after.model_copy(update={"version": after.version + 1})
        # The kinds of the writes that fail tell the error to raise.
        kept, now = self._retention, after.updated_at
        puts = [("step", _state_put(before, after, max_bytes, kept))]
        if dedupe:
            puts.append(("dedupe", dedupe_put(dedupe, after.updated_at)))
        recorded = [
            event_put(keys.event(after.id, event.seq), event, after.id) for event in decision.events
        ]
        recorded += step_puts(after.id, after.version, record)
        puts += _kept("step", recorded, kept.events, now)
        said = [*_insights_puts(after.id, decision.insights)]
        said += transcript_puts(after.id, decision.messages)
        puts += _kept("step", said, kept.transcripts, now)
        updates = [(_kind(charge), {"Update": charge_update(charge)}) for charge in charges]
        updates += [("step", update) for update in count_updates(before, after)]
        pointers = new_pointers(before, after)
        for _ in range(POINTER_ATTEMPTS):
            pointing = [pointer.put(after.id) for pointer in pointers]
            pointer_puts = _kept("pointer", pointing, kept.conversations, now)
            writes = [(kind, {"Put": put}) for kind, put in [*puts, *pointer_puts]] + updates
            kinds = [kind for kind, _ in writes]
            try:
                self.table.write([write for _, write in writes])
            except table.TransactionCancelledError as cancelled:
                reasons = list(zip(kinds, cancelled.reasons, strict=False))
                codes = {(kind, reason.get("Code")) for kind, reason in reasons}
                failed = {kind for kind, code in codes if code == table.CONDITION_FAILED}
                if "dedupe" in failed:
                    stored_row = dict(reasons)["dedupe"].get("Item", {})
                    raise errors.AlreadyProcessedError(request_hash(stored_row)) from cancelled
                conflict = any(code == table.CONFLICT for _, code in codes)
                if conflict or "step" in failed:
                    raise errors.VersionConflictError from cancelled
                if "pointer" not in failed:
                    exceeded = [
                        kind
                        for kind, reason in reasons
                        if reason.get("Code") == table.CONDITION_FAILED
                    ]
                    raise errors.QuotaExceededError(of_budget="budget" in exceeded) from cancelled
                rows = [reason.get("Item") for kind, reason in reasons if kind == "pointer"]
                pointers = self._without_held(pointers, rows)
            else:
                return after
        raise errors.VersionConflictError

    def charge(self, charges: Sequence[QuotaCharge]) -> None:
        """Charge quotas apart from a step. Raises QuotaExceededError."""
        try:
            self.table.write([{"Update": charge_update(charge)} for charge in charges])
        except table.TransactionCancelledError as cancelled:
            raise errors.QuotaExceededError from cancelled

    def _without_held(
        self, pointers: Sequence[Pointer], rows: Sequence[table.Row | None]
    ) -> list[Pointer]:
        """The pointers that may be written, given the row of another conversation for each.

        A row is replaced when its conversation is finished or the call has ended there: neither is
        ever undone. The put is then bound to the row, since that conversation may bring the same
        call in again. Raises `CallInUseError` for a live call that the step brings in.
        """
        names = [row["conversation_id"]["S"] if row else None for row in rows]
        states = self.table.find(keys.state(name) for name in names if name)
        free = list[Pointer]()
        for pointer, row, name in zip(pointers, rows, names, strict=True):
            other = self._conversation(states.get(keys.state(name))) if name else None
            if other is None or not has_call(other, pointer.key):
                free.append(replace(pointer, replaces=row or pointer.replaces))
            elif pointer.is_claim:
                raise errors.CallInUseError("another conversation has the call")
        return free

    def load_with_insights(self, conversation_id: str) -> tuple[Conversation, list[Insight]] | None:
        """The conversation with its insights, or None."""
        pk = keys.partition(conversation_id)
        rows = list(self.table.partition(pk, keys.FIRST_INSIGHT, keys.STATE))
        state = next((row for row in rows if row["sk"]["S"] == keys.STATE), None)
        conversation = self._conversation(state)
        if conversation is None:
            return None
        insights = _insights_in([row for row in rows if not self._is_expired(row)])
        order = {key: nth for nth, key in enumerate(conversation.insights)}
        insights.sort(key=lambda insight: order.get(f"{insight.run}/{insight.insight_id}", 0))
        return conversation, insights

    def small_insights(self, conversation: Conversation) -> list[Insight]:
        """The insights of a conversation that fit into a row each: those in pieces are left out."""
        names = [key.partition("/") for key in conversation.insights]
        first = [keys.insight(conversation.id, int(run), id_, 0) for run, _, id_ in names]
        rows = self.table.find(first).values()
        return _insights_in([row for row in rows if from_json(row["insight"]["S"])["pieces"] == 1])

    def event(self, conversation_id: str, seq: int) -> Event | None:
        """The event of a conversation with a number, or None."""
        row = self.table.get(keys.event(conversation_id, seq))
        return event_in(row)[1] if row and not self._is_expired(row) else None

    def timeline(
        self, conversation_id: str, cursor: str | None = None, limit: int = MAX_TIMELINE_EVENTS
    ) -> Page[Event]:
        """A page of at most `limit` events and 4 MB, in order; empty for an unknown conversation.

        Raises `InvalidCursorError` for a `cursor` of another list.
        """
        after = int(place_in(cursor, conversation_id, _SEQ)) if cursor is not None else 0
        pk, first = keys.event(conversation_id, after + 1)
        events, size = list[Event](), 0
        for row in self.table.partition(pk, first, keys.LAST_EVENT):
            size += answer_bytes(row["event"]["S"])
            if events and (len(events) == limit or size > MAX_PAGE_BYTES):
                return Page(events, cursor_of(conversation_id, str(events[-1].seq)))
            events.append(event_in(row)[1])
        return Page(events, None)

    def transcript(self, conversation_id: str) -> list[PlacedMessage]:
        """All messages of a conversation's transcript; they fit into an answer of Lambda."""
        return stored_messages(self.table, conversation_id, self._is_expired)

    def transcript_page(
        self, conversation_id: str, cursor: str | None, limit: int
    ) -> Page[PlacedMessage]:
        """A page of the messages of a conversation's transcript (see `transcript_page`)."""
        return transcript_page(self.table, conversation_id, cursor, limit, self._is_expired)

    def steps(self, conversation_id: str, cursor: str | None = None) -> Page[str]:
        """A page of the records of a conversation's steps (see `steps_page`)."""
        return steps_page(self.table, conversation_id, cursor)

    def list_newest(
        self, status: ConversationStatus | None, limit: int, cursor: str | None = None
    ) -> Page[Conversation]:
        """A page of at most `limit` conversations and 4 MB, newest first, of a status or of all.

        Raises `InvalidCursorError` for a `cursor` of another list.
        """
        scope = status or ""
        before = place_in(cursor, scope, PLACE) if cursor else None
        statuses = [status] if status else list(ConversationStatus)
        listed = [self._places(name, limit + 1, before) for name in statuses]
        # A conversation that changes its status between two of the queries is in both answers.
        distinct = dict.fromkeys(merge(*listed, reverse=True))
        places: list[str] = list(islice(distinct, limit + 1))
        states = [keys.state(place.rpartition("#")[2]) for place in places[:limit]]
        found = self.table.find(states)
        rows = [found.get(key) for key in states]
        length = fitting(row["document"]["S"] if row else "" for row in rows)
        conversations = map(self._conversation, rows[:length])
        return Page(
            # The index is updated a moment after the table: the status may have changed.
            [item for item in conversations if item and status in (None, item.status)],
            cursor_of(scope, places[length - 1]) if len(places) > length else None,
        )

    def at_places(self, places: Sequence[str]) -> tuple[list[Conversation], int]:
        """The conversations at places of the index of people, up to the size of a page.

        A booking has a place of its own, which is left out. Also returns how many places are read.
        """
        if not places:
            return [], 0
        states = [keys.state(place.rpartition("#")[2]) for place in places]
        found = self.table.find(states)
        pairs = [(found.get(key), place) for key, place in zip(states, places, strict=True)]
        rows = [row if row and row["listed_at"]["S"] == place else None for row, place in pairs]
        length = fitting(row["document"]["S"] if row else "" for row in rows)
        return [item for item in map(self._conversation, rows[:length]) if item], length

    def list_due(self, shard: str, now: datetime) -> Iterator[str]:
        """The ids of the conversations in a shard that are due, the oldest first, page by page."""
        condition = "due_shard = :shard AND due_at <= :now"
        values = {":shard": {"S": shard}, ":now": {"S": keys.moment(now)}}
        for item in self.table.index(keys.BY_DUE, condition, values):
            yield item["pk"]["S"].partition("#")[2]

    def postpone(self, conversation_id: str, now: datetime, until: datetime) -> None:
        """Make a conversation that is due at `now` due at `until`; its document is not parsed.

        A conversation that another process changes meanwhile is not postponed.
        """
        key = keys.state(conversation_id)
        row = self.table.find([key]).get(key, {})
        if "due_at" not in row or row["due_at"]["S"] > keys.moment(now):
            return
        put = {
            "Item": {**row, "due_at": {"S": keys.moment(until)}},
            "ConditionExpression": "version = :version",
            "ExpressionAttributeValues": {":version": row["version"]},
        }
        with suppress(errors.VersionConflictError):
            self.table.put(put)

    def _places(self, status: str, limit: int, before: str | None) -> list[str]:
        condition = "#status = :status" + (" AND listed_at < :before" if before else "")
        values = {":status": {"S": status}} | ({":before": {"S": before}} if before else {})
        more = {"ExpressionAttributeNames": {"#status": "status"}, "ScanIndexForward": False}
        items = self.table.index(keys.BY_STATUS, condition, values, limit, **more)
        return [item["listed_at"]["S"] for item in items]

    def _conversation(self, row: table.Row | None) -> Conversation | None:
        if row is None or self._is_expired(row):
            return None
        return Conversation.model_validate_json(row["document"]["S"])

    def _is_expired(self, row: table.Row) -> bool:
        return self._clock is not None and is_expired(row, self._clock())


def _kept(
    kind: str, puts: Sequence[table.Row], kept: timedelta | None, now: datetime
) -> list[tuple[str, table.Row]]:
    """Puts of rows that a step writes once, each with its kind and the time of its expiry."""
    until = expiry_while_running(kept, now)
    return [(kind, {**put, "Item": put["Item"] | until}) for put in puts]


def _state_put(
    before: Conversation | None, after: Conversation, max_bytes: int, kept: Retention
) -> table.Row:
    document = after.model_dump_json(exclude_defaults=True)
    if len(document.encode()) > max_bytes:
        raise errors.ConversationTooLargeError(after.id)
    attributes: table.Row = {
        "version": {"N": str(after.version)},
        "status": {"S": after.status},
        "listed_at": {"S": keys.listed_at(after.created_at, after.id)},
        "document": {"S": document},
    }
    share = share_of(after)
    if not share:  # the row of an open conversation never expires
        attributes |= expiry(kept.conversations, after.updated_at)
    if share:
        attributes |= {"open": {"S": share}, **projected_calls(after)}
        attributes |= projected_call_time(after)
    if share == OPEN_INBOUND:
        attributes["caller"] = {"S": after.caller}
    if after.due_at:
        attributes["due_shard"] = {"S": keys.shard(after.id)}
        attributes["due_at"] = {"S": keys.moment(after.due_at)}
    attributes |= gained(numbers_of(after) - numbers_of(before))
    put = table.put_of(keys.state(after.id), attributes, new=before is None)
    if before:
        put["ConditionExpression"] = "version = :version"
        put["ExpressionAttributeValues"] = {":version": {"N": str(before.version)}}
    return put


def dedupe_put(dedupe: DedupeRecord, now: datetime) -> table.Row:
    """The put of a new dedupe record; the error of a second put has the first one's row."""
    attributes: table.Row = {"expires_at": {"N": str(int(now.timestamp()) + DEDUPE_SECS)}}
    if dedupe.request_hash:
        attributes["request_hash"] = {"S": dedupe.request_hash}
    put = table.put_of(dedupe.key, attributes, new=True)
    put["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    return put


def _kind(charge: QuotaCharge) -> str:
    return "budget" if charge.key[1] == keys.SPEND else "charge"


def request_hash(row: table.Row) -> str | None:
    """The hash in a dedupe record's row; None for that of a webhook."""
    stored: str | None = row.get("request_hash", {}).get("S")
    return stored


def _insights_puts(conversation_id: str, insights: Sequence[Insight]) -> Iterator[table.Row]:
    newest = {(insight.run, insight.insight_id): insight for insight in insights}
    for insight in newest.values():
        yield from _insight_puts(conversation_id, insight)


def _insight_puts(conversation_id: str, insight: Insight) -> list[table.Row]:
    text = to_json(insight.result).decode()
    pieces = [text[start : start + PIECE_CHARS] for start in range(0, len(text), PIECE_CHARS)]
    fields = {"run": insight.run, "insight_id": insight.insight_id}
    fields |= {"cut_from_bytes": insight.cut_from_bytes, "pieces": len(pieces)}
    id_ = str(insight.insight_id)
    key = partial(keys.insight, conversation_id, insight.run, id_)
    attributes: list[table.Row] = [{"piece": {"S": piece}} for piece in pieces]
    attributes[0]["insight"] = {"S": to_json(fields).decode()}
    return [table.put_of(key(nth), row) for nth, row in enumerate(attributes)]


def _insights_in(rows: Sequence[table.Row]) -> list[Insight]:
    """The insights in their rows. A shorter result leaves pieces of the result before behind."""
    insights = []
    for place, row in enumerate(rows):
        if "insight" in row:
            fields = from_json(row["insight"]["S"])
            following = rows[place : place + fields.pop("pieces")]
            text = "".join(piece["piece"]["S"] for piece in following)
            insights.append(Insight(**fields, result=from_json(text)))
    return insights
