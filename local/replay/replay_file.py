"""The replay file: a line with the version and the checksum, then a line of JSON for each step.

A step has its `version`, its time (`at`), its `inputs`, and the `events` and `commands` that
followed. All numbers, names and texts are stand-ins (`local.replay.stand_ins`).
"""

import json
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

Json = dict[str, Any]

VERSION = 1
_FIELDS = {"version": int, "at": str, "inputs": list, "events": list, "commands": list}
KIND = "partyline_replay"  # the field of the first line that holds the version


class ReplayFileError(Exception):
    """The file is no replay file, was changed or cut, or has a newer version."""


def write(path: Path, steps: Sequence[Json]) -> None:
    """Write a replay file. Raises OSError."""
    lines = [json.dumps(step, ensure_ascii=False) + "\n" for step in steps]
    body = "".join(lines)
    header = {
        KIND: VERSION,
        "conversation_id": conversation_id_of(steps),
        "steps": len(steps),
        "sha256": sha256(body.encode()).hexdigest(),
    }
    path.write_text(json.dumps(header) + "\n" + body, encoding="utf-8", newline="\n")


def conversation_id_of(steps: Sequence[Json]) -> str:
    """Return the id of the conversation that the first step begins."""
    return str(steps[0]["inputs"][0]["conversation_id"])


def read(path: Path) -> list[Json]:
    """Return the steps of a replay file. Raises ReplayFileError with the reason."""
    try:
        first, _, body = path.read_bytes().partition(b"\n")
    except OSError as error:
        raise ReplayFileError(f"{path} cannot be read: {error.strerror}") from error
    try:
        header = json.loads(first)
        version, count, checksum = header[KIND], header["steps"], header["sha256"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ReplayFileError(f"{path} is no replay file of Partyline.") from error
    if not isinstance(version, int) or version > VERSION:
        raise ReplayFileError(
            f"{path} has version {version} of the format; this commit reads up to {VERSION}."
        )
    lines = body.split(b"\n")[:-1]
    if not isinstance(count, int) or len(lines) < max(count, 1) or not body.endswith(b"\n"):
        raise ReplayFileError(f"{path} was cut: {len(lines)} of {count} steps are whole.")
    if sha256(body).hexdigest() != checksum:
        raise ReplayFileError(f"{path} was changed: its checksum is another.")
    try:
        return [_step(line) for line in lines]
    except (ValueError, RecursionError) as error:
        raise ReplayFileError(f"{path} has a line that is no step.") from error


def _step(line: bytes) -> Json:
    """Return a step of a line. Raises ValueError and RecursionError: anybody may make a file."""
    step = json.loads(line)
    if not isinstance(step, dict):
        raise ValueError("no object")
    if any(not isinstance(step.get(name), kind) for name, kind in _FIELDS.items()):
        raise ValueError("a field is missing or of another type")
    for recorded in step["inputs"]:
        if not isinstance(recorded, dict) or not isinstance(recorded.get("type"), str):
            raise ValueError("an input has no type")
    datetime.fromisoformat(step["at"])
    return step
