"""Prints conversations, timelines, log lines and bus events to a terminal."""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

Json = dict[str, Any]

STYLES = {
    "conversation.active": "green",
    "conversation.ended": "bold",
    "conversation.failed": "bold red",
    "participant.joined": "green",
    "participant.failed": "yellow",
    "message.sent": "cyan",
    "command.failed": "red",
    "message.failed": "red",
}

DETAIL_FIELDS = (
    *("to", "caller", "direction", "mode", "outcome"),
    *("hangup_cause", "reason", "machine", "action"),
)
"""The fields of an event's data that are printed after the participant, in this order."""

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters that a terminal executes, or that turn a line around. Tab and line feed stay."""


class DataConsole(Console):
    """A console for texts of other people, such as names and messages.

    Markup and emoji codes are plain text, unless a call says `markup=True`. Control characters,
    which could move the cursor or change the clipboard, are left out: rich gives them no width.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **settings)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield the segments of a renderable; `control` segments are those of rich itself."""
        for segment in super().render(renderable, options):
            text = segment.text if segment.control else _CONTROL.sub("", segment.text)
            yield segment._replace(text=text)


def timeline(console: Console, events: Sequence[Json]) -> None:
    """Print the events of the API's timeline."""
    table = event_table(1)
    for event in events:
        since = (_occurred_at(event) - _occurred_at(events[0])).total_seconds()
        words = " ".join(filter(None, (event_subject(event["data"]), event_details(event["data"]))))
        table.add_row(
            f"{since:.2f} s", Text(event["type"], style=STYLES.get(event["type"], "")), Text(words)
        )
    console.print(table)


def event_table(columns: int) -> Table:
    """Return an empty table: a time, this number of columns that never wrap, a column of text."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(justify="right", style="dim", no_wrap=True)
    for _ in range(columns):
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table


def bookings(console: Console, rows: Sequence[Json]) -> None:
    """Print scheduled starts, a line each."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("id", "status", "starts", "key"):
        table.add_column(heading, no_wrap=heading != "key")
    for row in rows:
        table.add_row(row["id"], row["status"], row["start_at"], row["key_id"])
    console.print(table)


def conversations(console: Console, rows: Sequence[Json]) -> None:
    """Print conversations, a line each."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("id", "status", "direction", "created", "people"):
        table.add_column(heading, no_wrap=heading != "people")
    for row in rows:
        people = ", ".join(
            f"{person['name'] or person['id']} ({participant_status(person)})"
            for person in row["participants"]
        )
        table.add_row(row["id"], row["status"], row["direction"], row["created_at"], people)
    console.print(table)


def participant_status(participant: Json) -> str:
    """Return the participant's status; during dialing, the newest call's, as in `words.js`."""
    attempt = participant["attempt"]
    if participant["status"] != "dialing" or attempt is None or attempt["status"] == "ended":
        return str(participant["status"])
    number = f", number {attempt['number']} of {attempt['of']}" if attempt["of"] > 1 else ""
    return f"{attempt['status']}{number}"


def log_line(console: Console, line: Json) -> None:
    """Print the main fields of a line of the functions' log."""
    at = str(line.get("timestamp", ""))[11:23]
    about = " ".join(
        str(line[name])
        for name in ("participant_id", "action", "result", "code", "reason", "outcome", "error")
        if line.get(name) is not None
    )
    where = str(line.get("conversation_id", ""))[:8]
    console.print(f"{at}  {where:8}  {line['message']:28}  {about}", markup=False)


def event_subject(data: Json) -> str:
    """Return the name or the id of the event's participant."""
    return str(data.get("name") or data.get("participant_id") or "")


def event_details(data: Json) -> str:
    """Return the event's other data as a line of text."""
    if "content" in data:
        return str(data["content"])
    words = [str(data[name]) for name in DETAIL_FIELDS if data.get(name) is not None]
    if data.get("failure"):
        words.append("{code}: {message}".format(**data["failure"]))
    return ", ".join(words)


def _occurred_at(event: Json) -> datetime:
    return datetime.fromisoformat(event["occurred_at"])


def bus_event(console: Console, event: Json) -> None:
    """Print a bus event: its type, then its detail as JSON."""
    detail = json.dumps(event["detail"], ensure_ascii=False)
    console.print(f"bus  {event['detail-type']}  {detail}", style="magenta", markup=False)
