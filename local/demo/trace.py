"""The trace of a conversation for a terminal: webhooks, commands and events in order of time.

The sources are the simulator's records of webhooks and commands, the functions' log, which has each
command's cause, and the API's timeline.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from rich.console import Console
from rich.text import Text

from local.client import Client
from local.printing import STYLES, event_details, event_subject, event_table
from local.simulator.telnyx import Simulator
from local.stack.logs import Line


@dataclass(frozen=True)
class TraceLine:
    """A webhook, a command or an event. `wait_ms` is the time from the cause to the command."""

    at: datetime
    kind: Literal["webhook", "command", "event"]
    name: str
    participant: str = ""
    detail: str = ""
    wait_ms: float | None = None


def trace(
    client: Client, simulator: Simulator, log: list[Line], conversation_id: str
) -> list[TraceLine]:
    """Return the trace of a conversation, in order of time."""
    ours = [line for line in log if line.get("conversation_id") == conversation_id]
    people = client.conversation(conversation_id)["participants"]
    names = {person["id"]: person["name"] or person["id"] for person in people}
    trace_lines = [*_webhooks(simulator, ours), *_commands(simulator, ours, names)]
    arrived_at = _arrivals(simulator)
    for event in client.timeline(conversation_id):
        at = datetime.fromisoformat(event["occurred_at"])
        # An event can be a little older than the webhook that reports it: the webhook comes first.
        at = max(at, arrived_at.get(event["cause"], at))
        data = event["data"]
        line = TraceLine(at, "event", event["type"], event_subject(data), event_details(data))
        trace_lines.append(line)
    order = {"webhook": 0, "event": 1, "command": 2}
    return sorted(trace_lines, key=lambda line: (line.at, order[line.kind]))


def print_lines(console: Console, trace_lines: list[TraceLine]) -> None:
    """Print a trace as a table."""
    table = event_table(2)
    for line in trace_lines:
        since = (line.at - trace_lines[0].at).total_seconds()
        mark = {"webhook": "◀ Telnyx", "command": "▶ Telnyx", "event": ""}[line.kind]
        style = STYLES.get(line.name, "") if line.kind == "event" else "dim"
        wait = "" if line.wait_ms is None else f"{line.wait_ms:.0f} ms after the webhook"
        about = " ".join(filter(None, (line.participant, line.detail)))
        table.add_row(
            f"{since:.2f} s",
            Text(mark, style="blue" if line.kind == "command" else "dim"),
            Text(line.name, style=style),
            Text.assemble(about, "  " if about and wait else "", (wait, "magenta")),
        )
    console.print(table)


def _webhooks(simulator: Simulator, log: list[Line]) -> Iterator[TraceLine]:
    event_ids = {line["event_id"] for line in log if "event_id" in line}
    for attempt in simulator.deliverer.attempts:
        if attempt.event_id in event_ids:
            again = f"attempt {attempt.attempt}" if attempt.attempt > 1 else ""
            yield TraceLine(attempt.at, "webhook", attempt.event_type, detail=again)


def _commands(simulator: Simulator, log: list[Line], names: dict[str, str]) -> Iterator[TraceLine]:
    sent = {entry.command_id: entry for entry in reversed(simulator.ledger) if entry.command_id}
    arrived_at = _arrivals(simulator)
    for line in log:
        entry = sent.get(line.get("command_id", "")) if line["message"] == "command" else None
        if entry is None:
            continue
        cause = arrived_at.get(line["cause"])
        wait = (entry.at - cause).total_seconds() * 1000 if cause else None
        code = f"refused: {line['code']}" if line.get("code") else ""
        yield TraceLine(
            entry.at, "command", line["action"], names[line["participant_id"]], code, wait
        )


def _arrivals(simulator: Simulator) -> dict[str, datetime]:
    """Return the time of each webhook's first delivery, by event id."""
    return {attempt.event_id: attempt.at for attempt in reversed(simulator.deliverer.attempts)}
