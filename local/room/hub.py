"""The page's facts: an ordered set that is streamed to every window.

A fact has a kind and a key, and a newer version replaces the older version. A window that opens
late or reconnects gets the facts that it has missed.
"""

import json
import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_jsonable_python

MAX_FACTS = 12_000
"""The maximum of kept facts. The oldest facts are dropped, so memory is bounded."""

_DROPPED_AT_ONCE = 500


@dataclass(frozen=True)
class Fact:
    """The latest version of a fact; `version` counts up over all facts."""

    version: int
    kind: str
    key: str
    text: str

    def event(self, boot: str) -> str:
        """Return the fact as a server-sent event; the event's id is where a stream can resume."""
        data = f'{{"key":{json.dumps(self.key)},"value":{self.text}}}'
        return f"id: {boot}:{self.version}\nevent: {self.kind}\ndata: {data}\n\n"


@dataclass
class Hub:
    """All facts so far, for any thread. `boot` identifies this start of the server."""

    boot: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    version: int = 0
    closed: bool = False
    windows: int = 0
    """The open windows that watch the facts."""
    _facts: dict[tuple[str, str], Fact] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, kind: str, key: str, value: Any) -> None:
        """Add a fact, or a new version of the fact if its value has changed."""
        text = json.dumps(to_jsonable_python(value, bytes_mode="utf8"), ensure_ascii=False)
        with self._lock:
            known = self._facts.pop((kind, key), None)
            if known is not None and known.text == text:
                # An unchanged fact keeps its version, and so is not sent again.
                self._facts[kind, key] = known
                return
            self._add(kind, key, text)
            if len(self._facts) > MAX_FACTS:
                self._drop_oldest()

    def _add(self, kind: str, key: str, text: str) -> None:
        self.version += 1
        self._facts[kind, key] = Fact(self.version, kind, key, text)

    def _drop_oldest(self) -> None:
        """Drop the oldest facts, and tell the page the time of the newest dropped fact."""
        since = None
        for _ in range(min(_DROPPED_AT_ONCE, len(self._facts) // 2)):
            dropped = self._facts.pop(next(iter(self._facts)))
            value = json.loads(dropped.text)
            since = (isinstance(value, dict) and value.get("at")) or since
        if since:
            self._facts.pop(("kept", "kept"), None)
            self._add("kept", "kept", json.dumps({"since": since}))

    def since(self, version: int) -> list[Fact]:
        """Return the facts after `version`, in order."""
        with self._lock:
            newer = [fact for fact in self._facts.values() if fact.version > version]
        return sorted(newer, key=lambda fact: fact.version)

    def version_of(self, event_id: str) -> int:
        """Return the version of an event's id; 0 for an id of another start, or for no id."""
        boot, _, version = event_id.partition(":")
        return int(version) if boot == self.boot and version.isdigit() else 0

    def close(self) -> None:
        """End all streams: the server stops."""
        self.closed = True
