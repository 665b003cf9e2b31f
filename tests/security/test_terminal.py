"""Output of the commands: hostile names, messages and replay files do not command the terminal."""

import json
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from local import printing
from local.cli.app import app
from local.replay.replay_file import KIND

AT = "2026-11-28T12:00:00Z"
CLIPBOARD = "\x1b]52;c;ZXZpbA==\x07"
"""Sets the clipboard of a terminal."""


def printed(work: Any, *rows: dict[str, Any]) -> str:
    console = printing.DataConsole(file=StringIO(), width=200, force_terminal=True)
    work(console, rows)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


def conversation(name: str) -> dict[str, Any]:
    person = {"id": "host", "name": name, "status": "joined", "attempt": None}
    fields = {"id": "1", "status": "active", "direction": "inbound", "created_at": AT}
    return {**fields, "participants": [person]}


@pytest.mark.parametrize(
    "name", ["[/x]", "[link=https://evil.example]Dana[/link]", "[conceal]Dana[/conceal]", ":skull:"]
)
def test_a_list_shows_a_name_as_it_is(name: str) -> None:
    assert name in printed(printing.conversations, conversation(name))


def test_a_timeline_leaves_control_characters_out() -> None:
    data = {"content": f"hello {CLIPBOARD}\x1b[2J\x9b2J\rbye \u202eolleh"}
    event = {"type": "message.sent", "occurred_at": "2026-11-28T12:00:00Z", "data": data}
    text = printed(printing.timeline, event)
    assert "hello ]52;c;ZXZpbA==[2J2Jbye olleh\n" in text


def replayed(tmp_path: Path, line: str) -> Result:
    """Replay a file with a single line after the header, whose checksum is right."""
    body = line.encode() + b"\n"
    header = {KIND: 1, "steps": 1, "sha256": sha256(body).hexdigest()}
    file = tmp_path / "hostile.replay"
    file.write_bytes(json.dumps(header).encode() + b"\n" + body)
    return CliRunner().invoke(app, ["replay", str(file)])


STEP: dict[str, Any] = {
    "version": 1,
    "at": "2026-11-28T12:00:00Z",
    "inputs": [{"type": "TimerElapsed", "id": "1"}],
    "events": [],
    "commands": [],
}


@pytest.mark.parametrize(
    "hostile", [{"inputs": [{"type": f"Odd{CLIPBOARD}"}]}, {"events": ["Odd\x9b]52;c;ZXZpbA=="]}]
)
def test_a_replay_file_cannot_command_the_terminal(tmp_path: Path, hostile: dict[str, Any]) -> None:
    result = replayed(tmp_path, json.dumps(STEP | hostile))
    assert "Odd]52;c;ZXZpbA==" in result.output


@pytest.mark.parametrize(
    "line",
    [
        *("null", "[]", "{}", "{", "[" * 100_000),
        *(json.dumps(STEP | {name: {"a": 1}}) for name in STEP),
        *(json.dumps(STEP | {"inputs": [odd]}) for odd in (7, {}, {"type": {"a": 1}})),
        json.dumps(STEP | {"at": "then"}),
    ],
    ids=lambda line: line[:60],
)
def test_a_replay_file_with_an_odd_line_is_refused(tmp_path: Path, line: str) -> None:
    result = replayed(tmp_path, line)
    assert (result.exit_code, "has a line that is no step" in result.output) == (2, True)
