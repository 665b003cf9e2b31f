"""How long rows are kept: each row gets the time at which DynamoDB may delete the row.

DynamoDB deletes an expired row within a few days, so readers skip expired rows (`is_expired`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

Row = dict[str, Any]

LONGEST_LIFE = timedelta(days=7)
"""Longer than a conversation can last: three rounds of calls with pauses of a day, and 4 hours."""


@dataclass(frozen=True)
class Retention:
    """How long the rows of each kind are kept after the end of a conversation; None: for ever."""

    conversations: timedelta | None = None
    transcripts: timedelta | None = None
    events: timedelta | None = None

    @classmethod
    def of_days(cls, conversations: int, transcripts: int, events: int) -> "Retention":
        """Return the retention for numbers of days; 0 stands for ever."""
        spans = (timedelta(days=days) or None for days in (conversations, transcripts, events))
        return cls(*spans)

    @property
    def longest(self) -> timedelta | None:
        """How long the rows are kept that are kept longest."""
        spans = [self.conversations, self.transcripts, self.events]
        return None if None in spans else max(filter(None, spans))


FOR_EVER = Retention()


def expiry(kept: timedelta | None, at: datetime) -> Row:
    """Return the attribute of a row that is kept for a span after `at`; empty for ever."""
    return {} if kept is None else {"expires_at": {"N": str(int((at + kept).timestamp()))}}


def expiry_while_running(kept: timedelta | None, at: datetime) -> Row:
    """Return the attribute of a row that a step at `at` writes once, and that outlives the call."""
    return expiry(None if kept is None else kept + LONGEST_LIFE, at)


def is_expired(row: Row, now: datetime) -> bool:
    """Whether DynamoDB may delete the row."""
    return "expires_at" in row and int(row["expires_at"]["N"]) <= now.timestamp()
