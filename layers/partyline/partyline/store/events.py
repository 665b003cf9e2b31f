"""The rows of events: those of a conversation, and those of a change to another row.

The stream of the table carries each new row to the event relay.
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from partyline.domain.masking import mask_fields
from partyline.domain.model.events import EVENT_VERSION, Event, EventData
from partyline.store import keys
from partyline.store.keys import Key
from partyline.store.retention import Retention, expiry
from partyline.store.table import Row, put_of

Detail = dict[str, Any]
"""An event as the bus and the hooks carry the event."""


def event_put(key: Key, event: Event, conversation_id: str = "") -> Row:
    """The put of an event's row; `conversation_id` is empty for a change to another row.

    No event of a conversation is put twice: the number of an event is part of its key.
    """
    row = {
        "conversation_id": {"S": conversation_id},
        "event": {"S": event.model_dump_json()},
        "trace_id": {"S": _trace_id()},
    }
    return put_of(key, row, new=bool(conversation_id))


def change_put(changed: Key, data: EventData, at: datetime, cause: str, kept: Retention) -> Row:
    """The put of the event of a change to a route, a do-not-call entry or a hook."""
    event = Event(seq=1, type=data.type, occurred_at=at, cause=cause, data=data.model_dump())
    put = event_put(keys.change_event(changed, at, cause), event)
    put["Item"] |= expiry(kept.events, at)
    return put


def event_in(row: Mapping[str, Any]) -> tuple[str, Event]:
    """The conversation's id and the event in an event's row."""
    return row["conversation_id"]["S"], Event.model_validate_json(row["event"]["S"])


def detail_of(row: Mapping[str, Any]) -> Detail:
    """Return the `detail` that the bus and the hooks carry for an event's row.

    All phone numbers are masked. Raises ValueError or LookupError for a row that cannot be read.
    """
    conversation_id, event = event_in(row)
    detail: Detail = mask_fields(
        {
            "version": EVENT_VERSION,
            "conversation_id": conversation_id,
            "seq": event.seq,
            "type": event.type,
            "occurred_at": event.occurred_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "cause": event.cause,
            # A row may be older than the attribute `trace_id`.
            "trace_id": row.get("trace_id", {}).get("S", ""),
            "data": event.data,
        }
    )
    return detail


def _trace_id() -> str:
    """X-Ray's trace id of this invocation, the same as in the log lines; empty outside of Lambda.

    Lambda sets the variable for each invocation, with the segment and the sampling after `;`.
    """
    return os.environ.get("_X_AMZN_TRACE_ID", "").partition(";")[0].removeprefix("Root=")
