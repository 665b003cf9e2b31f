"""Makes the messages of a transcript from Telnyx's rows, whatever their source."""

import re
from collections.abc import Iterable
from typing import get_args

from partyline.domain.model.transcript import SpeakerRole, ToolCall, TranscriptMessage
from partyline.telnyx.lenient import as_object
from partyline.telnyx.payloads import MessageRow

MAX_ROWS = 2_500
"""The most rows of a webhook that are read; the domain keeps fewer (`rules.transcripts`)."""

ROLES = frozenset(get_args(SpeakerRole))

REDACTED = re.compile(r"\s*(?:\*{3,}|[\[(<{]?redacted[\])>}]?)\s*", re.IGNORECASE)
"""A text that stands for a text that Telnyx withholds; Telnyx does not document the form."""


def messages_of(rows: Iterable[MessageRow]) -> tuple[TranscriptMessage, ...]:
    """Return the messages of rows, in their order. A row with an unknown role is left out."""
    return tuple(_message(row) for row in list(rows)[:MAX_ROWS] if row.role in ROLES)


def _message(row: MessageRow) -> TranscriptMessage:
    content = row.content if row.content is not None else row.text
    calls = tuple(
        ToolCall(
            id=call.id,
            function=call.function.name if call.function else None,
            arguments=call.function.arguments if call.function else None,
        )
        for call in row.tool_calls
    )
    participant = as_object(row.metadata.get("participant"))
    named = row.participant_id or row.metadata.get("participant_id") or participant.get("id")
    return TranscriptMessage(
        role=row.role,  # type: ignore[arg-type]
        text=None if content is None or REDACTED.fullmatch(content) else content,
        at=row.sent_at or row.timestamp or row.created_at,
        tool_calls=calls,
        tool_call_id=row.tool_call_id,
        participant_id=named if isinstance(named, str) else None,
    )
