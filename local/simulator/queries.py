"""Queries of the API: calls, active calls, conversations and insights."""

import base64
from collections.abc import Callable
from datetime import timedelta
from itertools import islice
from typing import Any

from local.simulator import payloads
from local.simulator.assistants import conversation_row
from local.simulator.errors import ApiError
from local.simulator.model import JsonObject, SimulatedConversation, SimulatedLeg
from local.simulator.payloads import as_text
from local.simulator.switchboard import Switchboard, timestamp

# Telnyx API: GET /calls/{id} answers until 10 minutes after the call's end.
_READABLE_AFTER_END = timedelta(minutes=10)


class QueryError(ApiError):
    """A bad query of /ai/conversations, with the error shape of this API."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__("10015", message)
        self._detail = {"loc": ["query", name], "msg": message, "type": "value_error"}

    def body(self) -> JsonObject:
        """Telnyx API: HTTPValidationError."""
        return {"detail": [self._detail]}


class Queries:
    """The handlers of the queries."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board

    def call(self, leg: SimulatedLeg) -> JsonObject:
        """Telnyx API: GET /calls/{call_control_id}."""
        if leg.ended_at is not None and self._board.now() > leg.ended_at + _READABLE_AFTER_END:
            raise ApiError.not_found()
        row = {
            **self._row(leg),
            "is_alive": self._is_alive(leg),
            "start_time": timestamp(leg.started_at),
        }
        if leg.client_state is not None:
            row["client_state"] = leg.client_state
        if leg.ended_at is not None:
            row["end_time"] = timestamp(leg.ended_at)
        return {"data": row}

    def active_calls(self, connection_id: str, query: dict[str, str]) -> JsonObject:
        """Telnyx API: GET /connections/{connection_id}/active_calls, by cursor.

        `page[number]` works too: Telnyx's client library counts pages until an empty page.
        """
        if connection_id not in self._board.world.applications:
            raise ApiError.not_found()
        size = count(query, "page[limit]", count(query, "page[size]", 20))
        after = _decode_cursor(query.get("page[after]"))
        # A call keeps its place in the order of all calls while calls begin and end.
        legs = list(self._board.world.legs.values())
        live = (
            (place, legs[place])
            for place in range(after + 1, len(legs))
            if legs[place].connection_id == connection_id and self._is_listed(legs[place])
        )
        skipped = (count(query, "page[number]", 1) - 1) * size
        following = list(islice(live, skipped, skipped + size + 1))
        page = following[:size]
        meta: JsonObject = {"cursors": {}}
        if len(following) > size:
            cursor = base64.urlsafe_b64encode(str(page[-1][0]).encode()).decode()
            meta["cursors"]["after"] = cursor
            meta["next"] = f"/v2/connections/{connection_id}/active_calls?page[after]={cursor}"
        shown = self._board.settings.lists_client_state
        rows = [
            {**self._row(leg), "client_state": (shown and leg.client_state) or ""}
            for _, leg in page
        ]
        return {"data": rows, "meta": meta}

    def conversations(self, query: dict[str, str]) -> JsonObject:
        """Telnyx API: GET /ai/conversations, with PostgREST-style `eq` filters."""
        settings = self._board.settings
        listed_before = self._board.now() - timedelta(seconds=settings.listed_after_secs)
        rows = [
            conversation_row(conversation)
            for conversation in self._board.world.conversations.values()
            if conversation.started_at <= listed_before and not conversation.deleted
        ]
        order, limit = "created_at.asc", None
        for name, value in query.items():
            if name == "order":
                order = value
            elif name == "limit":
                limit = _positive(name, value)
            else:
                read, wanted = _column_reader(name), _equal_to(name, value)
                rows = [row for row in rows if read(row) == wanted]
        column, _, direction = order.partition(".")
        if column not in ("created_at", "last_message_at"):
            raise QueryError("order", "cannot order by this")
        rows.sort(key=lambda row: str(row[column]), reverse=direction == "desc")
        return {"data": rows[:limit]}

    def conversation(self, conversation_id: str) -> JsonObject:
        """Telnyx API: GET /ai/conversations/{conversation_id}."""
        return {"data": conversation_row(self._conversation(conversation_id))}

    def delete_conversation(self, conversation_id: str) -> JsonObject:
        """Telnyx API: DELETE /ai/conversations/{conversation_id}; the messages go too."""
        self._conversation(conversation_id).deleted = True
        return {}

    def messages(self, conversation_id: str, query: dict[str, str]) -> JsonObject:
        """Telnyx API: GET /ai/conversations/{conversation_id}/messages, by page."""
        settings, messages = self._board.settings, self._conversation(conversation_id).messages
        rows: list[JsonObject] = [
            {
                "role": message.role,
                "text": text,
                "tool_calls": [],
                "created_at": timestamp(message.at),
                "sent_at": timestamp(message.at) if message.role == "assistant" else None,
                "metadata": {},
            }
            for message, text in payloads.retained(messages, settings)
        ]
        if settings.messages_newest_first:
            rows.reverse()
        for name in ("page[size]", "page[number]"):
            _positive(name, query.get(name, "1"))
        return paged(rows, query)

    def insights(self, conversation_id: str) -> JsonObject:
        """Telnyx API: GET /ai/conversations/{conversation_id}/conversations-insights."""
        conversation = self._conversation(conversation_id)
        if conversation.status != "ended" or self._board.settings.insights_after_secs is None:
            return paged([], {})
        row = {
            "id": conversation.conversation_id,
            "status": "pending" if conversation.insights is None else "completed",
            "created_at": timestamp(conversation.ended_at or conversation.started_at),
            "conversation_insights": [
                # Here a result is always a text; the webhook has objects.
                {**insight, "result": as_text(insight["result"])}
                for insight in conversation.insights or []
            ],
        }
        return paged([row], {})

    def _conversation(self, conversation_id: str) -> SimulatedConversation:
        conversation = self._board.world.conversations.get(conversation_id)
        if conversation is None or conversation.deleted:
            raise ApiError.not_found()
        return conversation

    def _is_alive(self, leg: SimulatedLeg) -> bool:
        return leg.state == "answered" or (
            leg.state != "ended" and self._board.settings.ringing_is_alive
        )

    def _is_listed(self, leg: SimulatedLeg) -> bool:
        """Whether the list of active calls has a leg: the list may be late with begins and ends."""
        settings, now = self._board.settings, self._board.now()
        if leg.started_at > now - timedelta(seconds=settings.active_listed_after_secs):
            return False
        kept = timedelta(seconds=settings.active_kept_after_secs)
        return leg.ended_at is None or now < leg.ended_at + kept

    def _duration_secs(self, leg: SimulatedLeg) -> float:
        counts_from = self._board.settings.duration_counts_from
        if counts_from == "end" and leg.ended_at is None:
            return 0
        since = leg.started_at if counts_from == "start" else leg.answered_at
        return ((leg.ended_at or self._board.now()) - since).total_seconds() if since else 0

    def _row(self, leg: SimulatedLeg) -> JsonObject:
        return {
            "record_type": "call",
            "call_control_id": leg.call_control_id,
            "call_leg_id": leg.call_leg_id,
            "call_session_id": leg.call_session_id,
            "call_duration": int(self._duration_secs(leg)),
        }


def paged(rows: list[JsonObject], query: dict[str, str]) -> JsonObject:
    """Return the page of `rows` for `page[number]` and `page[size]`, with its `meta`."""
    size, number = count(query, "page[size]", 20), count(query, "page[number]", 1)
    return {
        "data": rows[(number - 1) * size : number * size],
        "meta": {
            "page_number": number,
            "page_size": size,
            "total_pages": -(-len(rows) // size),
            "total_results": len(rows),
        },
    }


def count(query: dict[str, str], name: str, default: int) -> int:
    """Return a positive number of a call-control query, else raise 10033."""
    value = query.get(name, str(default))
    if not value.isdigit() or int(value) < 1:
        raise ApiError("10033", f"{name} is not a positive integer")
    return int(value)


def _column_reader(name: str) -> Callable[[JsonObject], Any]:
    column, arrow, key = name.partition("->")
    if arrow and column == "metadata":
        return lambda row: row["metadata"].get(key)
    if name in ("id", "name"):
        return lambda row: row[name]
    raise QueryError(name, "the simulator does not filter by this")


def _equal_to(name: str, value: str) -> str:
    operator, _, operand = value.partition(".")
    if operator != "eq":
        raise QueryError(name, "the simulator compares with eq only")
    return operand


def _positive(name: str, value: str) -> int:
    if not value.isdigit() or int(value) < 1:
        raise QueryError(name, "not a positive integer")
    return int(value)


def _decode_cursor(cursor: str | None) -> int:
    if cursor is None:
        return -1
    try:
        return int(base64.urlsafe_b64decode(cursor))
    except ValueError as error:
        raise ApiError("10015", "The cursor is unknown") from error
