"""Conversations and timelines as a person likes to read them in a terminal."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

Json = dict[str, Any]
Show = Callable[[], None]

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
    "to",
    "caller",
    "direction",
    "outcome",
    "hangup_cause",
    "reason",
    "machine",
    "action",
)
"""What of an event's data is shown beside who it is about, in this order."""


def timeline(console: Console, events: Sequence[Json]) -> None:
    """Print a timeline as the API answers it."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(justify="right", style="dim", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for event in events:
        since = (_occurred_at(event) - _occurred_at(events[0])).total_seconds()
        words = " ".join(filter(None, (event_subject(event["data"]), event_details(event["data"]))))
        table.add_row(
            f"{since:.2f} s", Text(event["type"], style=STYLES.get(event["type"], "")), Text(words)
        )
    console.print(table)


def conversations(console: Console, found: Sequence[Json]) -> None:
    """Print a list of conversations, a line each."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("id", "status", "direction", "created", "people"):
        table.add_column(heading, no_wrap=heading != "people")
    for each in found:
        people = ", ".join(
            f"{one['name'] or one['id']} ({one['status']})" for one in each["participants"]
        )
        table.add_row(each["id"], each["status"], each["direction"], each["created_at"], people)
    console.print(table)


def log_line(console: Console, line: Json) -> None:
    """Print one line of the functions' log, short."""
    at = str(line.get("timestamp", ""))[11:23]
    about = " ".join(
        str(line[name])
        for name in ("participant_id", "action", "result", "code", "reason", "outcome", "error")
        if line.get(name) is not None
    )
    where = str(line.get("conversation_id", ""))[:8]
    console.print(f"{at}  {where:8}  {line['message']:28}  {about}", markup=False)


def event_subject(data: Json) -> str:
    """Whom an event is about."""
    return str(data.get("name") or data.get("participant_id") or "")


def event_details(data: Json) -> str:
    """What else an event says, in a line."""
    if "content" in data:
        return f"“{data['content']}”"
    words = [str(data[name]) for name in DETAIL_FIELDS if data.get(name) is not None]
    if data.get("failure"):
        words.append("{code}: {message}".format(**data["failure"]))
    return ", ".join(words)


def _occurred_at(event: Json) -> datetime:
    return datetime.fromisoformat(event["occurred_at"])


def bus_event(console: Console, event: Json) -> None:
    """Print an event as a consumer of the bus gets it, its detail as JSON on a line."""
    detail = json.dumps(event["detail"], ensure_ascii=False)
    console.print(f"bus  {event['detail-type']}  {detail}", style="magenta", markup=False)
