"""Webhooks from the fixtures in `events/`, as Telnyx would send them."""

import json
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).resolve().parents[2] / "events"


def fixtures() -> dict[str, Path]:
    """Return the fixtures by event type."""
    return {path.stem: path for path in EVENTS.glob("*.json")}


def data_of(event_type: str) -> dict[str, Any]:
    """Return the event of a fixture, without the envelope."""
    data: dict[str, Any] = json.loads(fixtures()[event_type].read_text())["data"]
    return data


def body_of(
    event_type: str,
    changes: Sequence[str] = (),
    new: Sequence[str] = (),
    occurred_at: datetime | None = None,
) -> tuple[str, bytes]:
    """Make a new event from a fixture, with changes such as `payload.from=+13125550123`.

    `new` are changes that may add a field. The event is as old as the fixture without
    `occurred_at`. Returns the event's id and body. Raises ValueError as `set_field` does.
    """
    envelope = json.loads(fixtures()[event_type].read_text())
    data = envelope["data"]
    data["id"] = str(uuid.uuid4())
    if occurred_at:
        data["occurred_at"] = occurred_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    for change in changes:
        set_field(data, change)
    for change in new:
        set_field(data, change, may_add=True)
    return data["id"], json.dumps(envelope, ensure_ascii=False).encode()


def set_field(target: dict[str, Any], change: str, *, may_add: bool = False) -> None:
    """Set a field by a text such as `payload.from=+13125550123`.

    A value that is JSON (null, a number, a list) is used as JSON. Raises ValueError for a text
    without an equals sign, and for a field that does not exist unless `may_add`.
    """
    path, equals, value = change.partition("=")
    if not equals or not path:
        raise ValueError(f"{change}: write field=value")
    *parents, name = path.split(".")
    at: Any = target
    for parent in parents:
        if may_add and isinstance(at, dict):
            at.setdefault(parent, {})
        at = at.get(parent) if isinstance(at, dict) else None
    if not isinstance(at, dict) or not (may_add or name in at):
        near = get_close_matches(path, list(_paths(target)), 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"{change}: there is no field {path}{hint}")
    try:
        at[name] = json.loads(value) if not value.startswith("+") else value
    except ValueError:
        at[name] = value


def _paths(target: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the path of each field, such as `payload.from`."""
    for name, value in target.items():
        yield prefix + name
        if isinstance(value, dict):
            yield from _paths(value, f"{prefix}{name}.")
