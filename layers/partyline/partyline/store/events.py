"""The rows of events: those of a conversation, and those of a change to routes or do-not-call.

The stream of the table carries each new row to the event relay.
"""

import os
from collections.abc import Mapping
from typing import Any

from partyline.domain.model.events import Event
from partyline.store.keys import Key
from partyline.store.table import Row, put_of


def event_put(key: Key, event: Event, conversation_id: str = "") -> Row:
    """The put of an event's row; `conversation_id` is empty for a change to the directory.

    No event of a conversation is put twice: the number of an event is part of its key.
    """
    row = {
        "conversation_id": {"S": conversation_id},
        "event": {"S": event.model_dump_json()},
        "trace_id": {"S": _trace_id()},
    }
    return put_of(key, row, new=bool(conversation_id))


def event_in(row: Mapping[str, Any]) -> tuple[str, Event]:
    """The conversation's id and the event in an event's row."""
    return row["conversation_id"]["S"], Event.model_validate_json(row["event"]["S"])


def _trace_id() -> str:
    """X-Ray's trace id of this invocation, the same as in the log lines; empty outside of Lambda.

    Lambda sets the variable for each invocation, with the segment and the sampling after `;`.
    """
    return os.environ.get("_X_AMZN_TRACE_ID", "").partition(";")[0].removeprefix("Root=")
