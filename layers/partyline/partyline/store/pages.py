"""Pages of lists and timelines: their size, and the cursors between pages."""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Generic, TypeVar

from pydantic_core import to_json

from partyline.store.errors import InvalidCursorError

T = TypeVar("T")

MAX_PAGE_BYTES = 4_000_000
"""Size of a page of a list or a timeline: Lambda's answers have 6 MB at most."""

PLACE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z#[\w-]{1,64}", re.ASCII)
"""The place of a conversation or of a booking in a list (`keys.listed_at`)."""


@dataclass(frozen=True)
class Page(Generic[T]):
    """A page of a list, and the cursor of the next page."""

    items: Sequence[T]
    next_cursor: str | None


def answer_bytes(text: str) -> int:
    """The size of a JSON text in an answer of Lambda, which holds the body as a JSON string."""
    return len(to_json(text))


def fitting(texts: Iterable[str]) -> int:
    """How many of the JSON texts, from the first on, fit into a page; at least 1."""
    sizes = accumulate(map(answer_bytes, texts))
    return max(1, sum(size <= MAX_PAGE_BYTES for size in sizes))


def cursor_of(scope: str, place: str) -> str:
    """The cursor of the page after a place in the list that `scope` names."""
    return base64.urlsafe_b64encode(f"{scope}|{place}".encode()).decode()


def place_in(cursor: str, scope: str, pattern: re.Pattern[str]) -> str:
    """The place in a cursor. Raises `InvalidCursorError` for the cursor of another list."""
    try:
        text = base64.b64decode(cursor.encode("ascii"), b"-_", validate=True).decode("ascii")
    except (ValueError, binascii.Error):
        text = ""
    prefix, _, place = text.partition("|")
    if prefix != scope or not pattern.fullmatch(place):
        raise InvalidCursorError("not a cursor of this list")
    return place
