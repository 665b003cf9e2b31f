"""Webhooks from the fixtures in `events/`, as Telnyx would send them."""

import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).resolve().parents[2] / "events"


def fixtures() -> dict[str, Path]:
    """Return the fixtures by event type."""
    return {path.stem: path for path in EVENTS.glob("*.json")}


def body_of(event_type: str, changes: Sequence[str] = ()) -> tuple[str, bytes]:
    """Make a new event from a fixture, with changes such as `payload.from=+13125550123`.

    Returns the event's id and body. A value that is JSON (null, a number) is used as JSON. Raises
    ValueError for a change without an equals sign or of a field that does not exist.
    """
    envelope = json.loads(fixtures()[event_type].read_text())
    envelope["data"]["id"] = str(uuid.uuid4())
    for change in changes:
        path, equals, value = change.partition("=")
        if not equals:
            raise ValueError(f"--set {change}: write field=value")
        _set(envelope["data"], path.split("."), value, change)
    return envelope["data"]["id"], json.dumps(envelope, ensure_ascii=False).encode()


def _set(target: Any, path: Sequence[str], value: str, change: str) -> None:
    for name in path[:-1]:
        target = target.setdefault(name, {}) if isinstance(target, dict) else None
    if not isinstance(target, dict):
        raise ValueError(f"--set {change}: there is no such field")
    try:
        target[path[-1]] = json.loads(value) if not value.startswith("+") else value
    except ValueError:
        target[path[-1]] = value
