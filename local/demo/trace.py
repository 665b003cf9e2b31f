"""A conversation's whole story for a terminal: what Telnyx said, what we did, what it came to.

Put together from what really went over the wire: the simulator's books of webhooks and commands,
the functions' log, which says what caused what, and the timeline that the API answers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from local.client import Client
from local.printing import STYLES, event_details, event_subject
from local.simulator.telnyx import Simulator
from local.stack.logs import Line


@dataclass(frozen=True)
class TraceLine:
    """One thing that happened, at its moment."""

    at: datetime
    kind: Literal["webhook", "command", "event"]
    name: str
    participant: str = ""
    detail: str = ""
    wait_ms: float | None = None


def trace(
    client: Client, simulator: Simulator, log: list[Line], conversation_id: str
) -> list[TraceLine]:
    """Everything that happened in a conversation, in the order of time."""
    commands = [
        line
        for line in log
        if line.get("conversation_id") == conversation_id and "command_id" in line
        if line["message"] == "command"
    ]
    people = client.conversation(conversation_id)["participants"]
    names = {each["id"]: each["name"] or each["id"] for each in people}
    beats = [*_webhooks(simulator, log, conversation_id), *_commands(simulator, commands, names)]
    came = _arrivals(simulator)
    for event in client.timeline(conversation_id):
        at = datetime.fromisoformat(event["occurred_at"])
        # What a webhook tells happened a little before it came; it is told after it.
        at = max(at, came.get(event["cause"], at))
        beats.append(
            TraceLine(
                at,
                "event",
                event["type"],
                event_subject(event["data"]),
                event_details(event["data"]),
            )
        )
    order = {"webhook": 0, "event": 1, "command": 2}
    return sorted(beats, key=lambda beat: (beat.at, order[beat.kind]))


def print_lines(console: Console, beats: list[TraceLine]) -> None:
    """Print a story."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(justify="right", style="dim", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for beat in beats:
        since = (beat.at - beats[0].at).total_seconds()
        mark = {"webhook": "◀ Telnyx", "command": "▶ Telnyx", "event": ""}[beat.kind]
        style = STYLES.get(beat.name, "") if beat.kind == "event" else "dim"
        wait = "" if beat.wait_ms is None else f"{beat.wait_ms:.0f} ms after the webhook"
        words = " ".join(filter(None, (beat.participant, beat.detail)))
        table.add_row(
            f"{since:.2f} s",
            Text(mark, style="blue" if beat.kind == "command" else "dim"),
            Text(beat.name, style=style),
            Text.assemble(words, "  " if words and wait else "", (wait, "magenta")),
        )
    console.print(table)


def _webhooks(simulator: Simulator, log: list[Line], conversation_id: str) -> Iterator[TraceLine]:
    ours = {
        line["event_id"]
        for line in log
        if line.get("conversation_id") == conversation_id and "event_id" in line
    }
    for attempt in simulator.deliverer.attempts:
        if attempt.event_id in ours:
            again = f"attempt {attempt.attempt}" if attempt.attempt > 1 else ""
            yield TraceLine(attempt.at, "webhook", attempt.event_type, detail=again)


def _commands(
    simulator: Simulator, lines: list[Line], names: dict[str, str]
) -> Iterator[TraceLine]:
    sent = {entry.command_id: entry for entry in reversed(simulator.ledger) if entry.command_id}
    came = _arrivals(simulator)
    for line in lines:
        entry = sent.get(line["command_id"])
        if entry is None:
            continue
        cause = came.get(line["cause"])
        wait = (entry.at - cause).total_seconds() * 1000 if cause else None
        code = f"refused: {line['code']}" if line.get("code") else ""
        yield TraceLine(
            entry.at, "command", line["action"], names[line["participant_id"]], code, wait
        )


def _arrivals(simulator: Simulator) -> dict[str, datetime]:
    """When each webhook first came, by its event id."""
    return {each.event_id: each.at for each in reversed(simulator.deliverer.attempts)}
