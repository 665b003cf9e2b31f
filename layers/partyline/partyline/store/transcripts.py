"""The messages of a conversation's transcript, in rows beside its events.

A step's new messages are stored in the step's transaction, several messages a row. A row replaces
the messages of its run from its first position on, so a reader applies the rows in their order.
Replaced messages stay in their rows until the rows expire.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import to_json

from partyline.domain.model.transcript import TranscriptMessage, TranscriptPart
from partyline.store import keys
from partyline.store.pages import Page, cursor_of, fitting, place_in
from partyline.store.table import Row, Table, put_of

ROW_CHARS = 90_000
"""Characters of a row, unless a message has more; a row has 400 KB, a character up to 4 bytes."""

_PLACE = re.compile(r"\d{1,3}/\d{1,5}", re.ASCII)


@dataclass(frozen=True)
class PlacedMessage:
    """A message with its run and its position in the run."""

    run: int
    position: int
    message: TranscriptMessage


def transcript_puts(conversation_id: str, parts: Sequence[TranscriptPart]) -> Iterator[Row]:
    """Yield the puts of a step's messages."""
    for part in parts:
        yield from _part_puts(conversation_id, part)


def _part_puts(conversation_id: str, part: TranscriptPart) -> list[Row]:
    rows = list[tuple[int, list[str]]]()
    chars = 0
    for position, message in enumerate(part.messages, part.first):
        text = to_json(_present(message)).decode()
        chars += len(text)
        if not rows or chars > ROW_CHARS:
            rows.append((position, []))
            chars = len(text)
        rows[-1][1].append(text)
    return [
        put_of(
            keys.transcript(conversation_id, part.run, part.generation, first),
            {"messages": {"S": f"[{','.join(texts)}]"}},
        )
        for first, texts in rows
    ]


def stored_messages(
    table: Table, conversation_id: str, is_expired: Callable[[Row], bool]
) -> list[PlacedMessage]:
    """Return all messages of a conversation, run by run, without expired rows.

    The final messages of a run are written by one step, so they expire together. Raises an
    `AwsError`.
    """
    runs = dict[int, list[TranscriptMessage]]()
    pk = keys.partition(conversation_id)
    for row in table.partition(pk, keys.FIRST_MESSAGE, keys.LAST_MESSAGE):
        if is_expired(row):
            continue
        _, run, _, first = row["sk"]["S"].split("#")
        messages = runs.setdefault(int(run), [])
        messages[int(first) :] = _adapter().validate_json(row["messages"]["S"])
    return [
        PlacedMessage(run, position, message)
        for run, messages in runs.items()
        for position, message in enumerate(messages)
    ]


def transcript_page(
    table: Table,
    conversation_id: str,
    cursor: str | None,
    limit: int,
    is_expired: Callable[[Row], bool],
) -> Page[PlacedMessage]:
    """Return a page of at most `limit` messages and 4 MB; empty for an unknown conversation.

    While the assistant runs, messages may be replaced between two pages. Raises
    `InvalidCursorError` for a `cursor` of another list, and an `AwsError`.
    """
    scope = f"{conversation_id}/transcript"
    after = (0, -1)
    if cursor is not None:
        run, _, position = place_in(cursor, scope, _PLACE).partition("/")
        after = (int(run), int(position))
    placed = stored_messages(table, conversation_id, is_expired)
    left = [item for item in placed if (item.run, item.position) > after]
    page = left[: min(limit, fitting(_texts(left[:limit])))]
    if len(page) == len(left):
        return Page(page, None)
    return Page(page, cursor_of(scope, f"{page[-1].run}/{page[-1].position}"))


def _texts(placed: Sequence[PlacedMessage]) -> Iterator[str]:
    return (to_json(_present(item.message)).decode() for item in placed)


def _present(message: TranscriptMessage) -> dict[str, Any]:
    named = ((field.name, getattr(message, field.name)) for field in fields(message))
    return {name: value for name, value in named if value is not None and value != ()} | {
        "text": message.text
    }


@cache
def _adapter() -> TypeAdapter[list[TranscriptMessage]]:
    return TypeAdapter(list[TranscriptMessage])
