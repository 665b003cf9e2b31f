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
    *("to", "caller", "direction", "outcome"),
    *("hangup_cause", "reason", "machine", "action", "rule", "mode", "then"),
)
"""The fields of an event's data that are printed after the participant, in this order."""

SHORT_ID_CHARS = 8
"""The length of the ids that lists and logs print; the commands take such ids."""

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


def json_text(data: Any, indent: int | None = None) -> str:
    """Return JSON without characters that a terminal executes; such characters are escaped."""
    text = json.dumps(data, indent=indent, ensure_ascii=False)
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def print_columns(console: Console, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows as a table of which the second column wraps; in a pipe, as lines with tabs."""
    if not console.is_terminal:
        for row in rows:
            cells = (_CONTROL.sub("", " ".join(cell.split())) for cell in row)
            console.file.write("\t".join(cells) + "\n")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for nth, heading in enumerate(headings):
        table.add_column(heading, no_wrap=nth != 1, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


def timeline(console: Console, events: Sequence[Json]) -> None:
    """Print the events of the API's timeline; in a pipe, with the time of each event."""
    if not console.is_terminal:
        print_columns(console, (), (event_row(event) for event in events))
        return
    table = event_table(1)
    for event in events:
        since = (_occurred_at(event) - _occurred_at(events[0])).total_seconds()
        _, event_type, words = event_row(event)
        style = STYLES.get(event_type, "")
        table.add_row(f"{since:.2f} s", Text(event_type, style=style), Text(words))
    console.print(table)


def event_line(console: Console, event: Json) -> None:
    """Print an event on a line; in a pipe as `timeline` does."""
    if not console.is_terminal:
        print_columns(console, (), [event_row(event)])
        return
    occurred_at, event_type, words = event_row(event)
    style = STYLES.get(event_type, "")
    at = (local_time(occurred_at), "dim")
    console.print(Text.assemble(at, "  ", (f"{event_type:24}", style), "  ", words))


def event_row(event: Json) -> tuple[str, str, str]:
    """Return an event's time, its type, and its participant with the other data."""
    words = filter(None, (event_subject(event["data"]), event_details(event["data"])))
    return event["occurred_at"], event["type"], " ".join(words)


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
    headings = ("starts", "key", "status", "id")
    cells = ((row["start_at"], row["key_id"], row["status"], row["id"]) for row in rows)
    print_columns(console, headings, cells)


def conversations(console: Console, rows: Sequence[Json]) -> None:
    """Print conversations, a line each: on a terminal with local times and short ids."""
    short = console.is_terminal
    headings = ("began", "people", "status", "id")
    cells = (
        (
            local_time(row["created_at"]) if short else row["created_at"],
            ", ".join(
                f"{person['name'] or person['id']} ({participant_status(person)})"
                for person in row["participants"]
            ),
            row["status"],
            row["id"][:SHORT_ID_CHARS] if short else row["id"],
        )
        for row in rows
    )
    print_columns(console, headings, cells)


def people(console: Console, participants: Sequence[Json]) -> None:
    """Print the people of a conversation, a line each, with the outcome of each call."""
    cells = (
        (
            person["name"] or "",
            ", ".join(
                f"{leg['to'] or leg['from'] or 'a call'} {leg['outcome'] or leg['status']}"
                for leg in person["legs"]
            ),
            participant_status(person),
            person["id"],
        )
        for person in participants
    )
    print_columns(console, ("name", "calls", "status", "id"), cells)


def local_time(moment: str) -> str:
    """Return a time in the zone of this machine, with the date when the day is another day."""
    at = datetime.fromisoformat(moment).astimezone()
    today = at.date() == datetime.now(at.tzinfo).date()
    return at.strftime("%H:%M:%S" if today else "%b %d %H:%M")


def participant_status(participant: Json) -> str:
    """Return the participant's status; during dialing, the newest call's, as in `words.js`."""
    attempt = participant["attempt"]
    if participant["status"] != "dialing" or attempt is None or attempt["status"] == "ended":
        return str(participant["status"])
    number = f", number {attempt['number']} of {attempt['of']}" if attempt["of"] > 1 else ""
    return f"{attempt['status']}{number}"


def log_line(console: Console, line: Json) -> None:
    """Print the main fields of a line of the functions' log, after the time of this machine."""
    about = " ".join(
        str(line[name])
        for name in ("participant_id", "action", "result", "code", "reason", "outcome", "error")
        if line.get(name) is not None
    )
    where = str(line.get("conversation_id", ""))[:SHORT_ID_CHARS]
    console.print(f"{_clock()}  {where:8}  {line['message']:28}  {about}", soft_wrap=True)


def request_line(console: Console, name: str, about: str, ended: str = "") -> None:
    """Print that a request arrived (`-->`) or that its answer left (`<--`), for `partyline dev`.

    `about` is the number of a webhook's call; `ended` the status and the duration of the answer.
    """
    arrow = "<--" if ended else "-->"
    text = f"{_clock()}  {arrow}       {name:28}  {ended or about}"
    console.print(text, style="dim", soft_wrap=True)


def _clock() -> str:
    return datetime.now().astimezone().strftime("%H:%M:%S.%f")[:12]


def event_subject(data: Json) -> str:
    """Return the name or the id of the event's participant."""
    return str(data.get("name") or data.get("participant_id") or "")


def event_details(data: Json) -> str:
    """Return the event's other data as a line of text."""
    if "content" in data:
        return str(data["content"])
    words = [_detail(data[name]) for name in DETAIL_FIELDS if data.get(name) is not None]
    if data.get("failure"):
        words.append("{code}: {message}".format(**data["failure"]))
    return ", ".join(words)


def _detail(value: Any) -> str:
    """Return a detail as text; the verdict of the machine detection is true for a machine."""
    return {True: "a machine", False: "a person"}[value] if isinstance(value, bool) else str(value)


def _occurred_at(event: Json) -> datetime:
    return datetime.fromisoformat(event["occurred_at"])


def bus_event(console: Console, event: Json) -> None:
    """Print a bus event on a line: its type, then its detail as JSON."""
    text = f"bus  {event['detail-type']}  {json_text(event['detail'])}"
    console.print(text, style="magenta", soft_wrap=True)
