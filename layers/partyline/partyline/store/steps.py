"""The records of a conversation's steps (`domain.model.steps`), in rows beside its events.

A record is stored in the transaction of its step, in pieces: a row has 400 KB at most.
"""

import re
from collections.abc import Iterator
from itertools import groupby

from partyline.store import keys
from partyline.store.pages import MAX_PAGE_BYTES, Page, answer_bytes, cursor_of, place_in
from partyline.store.table import Row, Table, put_of

PIECE_CHARS = 90_000
"""Characters of a piece; a row has 400 KB at most, a character up to 4 bytes."""

MAX_STEPS = 1000  # how many records a page has at most

_VERSION = re.compile(r"\d{1,6}", re.ASCII)


def step_puts(conversation_id: str, version: int, record: str) -> list[Row]:
    """The puts of a record; `version` is the conversation's version after the step."""
    pieces = [record[start : start + PIECE_CHARS] for start in range(0, len(record), PIECE_CHARS)]
    return [
        put_of(keys.step(conversation_id, version, nth), {"step": {"S": piece}}, new=True)
        for nth, piece in enumerate(pieces)
    ]


def steps_page(
    table: Table, conversation_id: str, cursor: str | None, limit: int = MAX_STEPS
) -> Page[str]:
    """A page of records, in order, each as JSON with its `version`.

    A page has at most `limit` records and 4 MB; it is empty for an unknown conversation. Raises
    `InvalidCursorError` for a `cursor` of another list, and an `AwsError`.
    """
    scope = f"{conversation_id}/steps"
    after = int(place_in(cursor, scope, _VERSION)) if cursor is not None else 0
    records, size, last = list[str](), 0, 0
    for version, record in _records(table, conversation_id, after + 1):
        size += answer_bytes(record)
        if records and (len(records) == limit or size > MAX_PAGE_BYTES):
            return Page(records, cursor_of(scope, str(last)))
        records.append(f'{{"version":{version},{record[1:]}')
        last = version
    return Page(records, None)


def _records(table: Table, conversation_id: str, first: int) -> Iterator[tuple[int, str]]:
    pk, sk = keys.step(conversation_id, first, 0)
    rows = table.partition(pk, sk, keys.LAST_STEP)
    for version, pieces in groupby(rows, lambda row: int(row["sk"]["S"].split("#")[1])):
        yield version, "".join(piece["step"]["S"] for piece in pieces)
