"""Signed webhooks from the fixtures in `events/`, as Telnyx would send them."""

import base64
import json
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey

from local.simulator.settings import PUBLISHED_TEST_SEED

EVENTS = Path(__file__).resolve().parent.parent / "events"


class Signer:
    """Signs webhooks with an Ed25519 key; by default the published test key of the simulator."""

    def __init__(self, seed: bytes = PUBLISHED_TEST_SEED) -> None:
        """Keep the key; the seed has 32 bytes."""
        self._key = SigningKey(seed)

    @classmethod
    def from_file(cls, path: Path) -> "Signer":
        """Read the seed, in base64, from a file. Raises ValueError for another text."""
        return cls(base64.b64decode(path.read_text().strip(), validate=True))

    def headers(self, body: bytes) -> dict[str, str]:
        """Return the headers that Telnyx would send with this body now."""
        timestamp = str(int(time.time()))
        signature = self._key.sign(timestamp.encode() + b"|" + body).signature
        return {
            "content-type": "application/json",
            "user-agent": "telnyx-webhooks",
            "telnyx-timestamp": timestamp,
            "telnyx-signature-ed25519": base64.b64encode(signature).decode(),
        }


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
