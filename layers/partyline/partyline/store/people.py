"""The index of people: from the keyed hash of a number to the conversations of its owner.

The step that gives a conversation a new number writes the number into an attribute of the row that
the step writes anyway (`gained`). The function `index_numbers` reads the table's stream and writes
the index, so that the index costs a caller no time.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from partyline.store import keys
from partyline.store.pages import PLACE, Page, cursor_of, place_in
from partyline.store.retention import Retention, expiry_while_running
from partyline.store.table import Row, Table, put_of

NEW_NUMBERS = "new_numbers"
"""The attribute of a row whose conversation or booking has gained numbers by its last step.

A text, one number a line: a filter of the stream finds texts only."""


def gained(numbers: Iterable[str]) -> Row:
    """Return the attribute for the numbers that a step adds; empty without a new number."""
    return {NEW_NUMBERS: {"S": "\n".join(sorted(numbers))}} if numbers else {}


@dataclass(frozen=True)
class Gained:
    """The new numbers of a conversation, as a row in the stream tells."""

    place: str
    numbers: tuple[str, ...]
    expires_at: Row
    """The attribute of a booking's expiry; empty for a conversation."""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Gained":
        """Read a row in the format of DynamoDB. Raises a LookupError for a row of another kind."""
        expires_at = {"expires_at": row["expires_at"]} if "expires_at" in row else {}
        return cls(row["listed_at"]["S"], tuple(row[NEW_NUMBERS]["S"].split("\n")), expires_at)


class PersonIndex:
    """The index in the table. Every method may raise an `AwsError`.

    A `person` is the keyed hash of a number (`services.number_hashes`), a place that of a
    conversation or a booking in its list (`keys.listed_at`).
    """

    def __init__(self, client: Any, table_name: str, retention: Retention) -> None:
        self._table = Table(client, table_name)
        self._retention = retention

    def add(self, person: str, entry: Gained, now: datetime) -> None:
        """Add a conversation to a person's; a second time changes nothing."""
        until = entry.expires_at or expiry_while_running(self._retention.longest, now)
        self._table.put(put_of(keys.person(person, entry.place), until))

    def places(self, person: str, before: str | None = None) -> Iterator[str]:
        """The places of a person's conversations, the newest first."""
        for row in self._table.newest(keys.person(person, "")[0], before):
            yield row["sk"]["S"]

    def page(self, person: str, limit: int, cursor: str | None) -> Page[str]:
        """A page of places, newest first. Raises `InvalidCursorError`."""
        before = place_in(cursor, _scope(person), PLACE) if cursor else None
        found = list(islice(self.places(person, before), limit + 1))
        more = self.cursor(person, found[limit - 1]) if len(found) > limit else None
        return Page(found[:limit], more)

    def cursor(self, person: str, place: str) -> str:
        """The cursor of the page after a place."""
        return cursor_of(_scope(person), place)

    def remove(self, entries: Iterable[tuple[str, str]]) -> None:
        """Remove a place from each person of `entries`."""
        self._table.delete(keys.person(person, place) for person, place in entries)


def _scope(person: str) -> str:
    return f"person-{person[:16]}"
