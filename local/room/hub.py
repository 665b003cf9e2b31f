"""What the page is shown: one ordered set of facts, told to every window as it grows.

A fact is of a kind, has a key, and may be told again with more to it. A window that comes late, or
comes back, is told what it has missed.
"""

import json
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_jsonable_python

MAX_FACTS = 12_000
"""Facts that are kept; the oldest go first, so that a stack left alone does not fill up."""


@dataclass(frozen=True)
class Fact:
    """A fact as it was last told; `version` counts up over all facts."""

    version: int
    kind: str
    key: str
    text: str

    def event(self, boot: str) -> str:
        """The fact as a server-sent event; its id says from where to go on."""
        data = f'{{"key":{json.dumps(self.key)},"value":{self.text}}}'
        return f"id: {boot}:{self.version}\nevent: {self.kind}\ndata: {data}\n\n"


@dataclass
class Hub:
    """All facts so far; for any thread. `boot` tells one life of the server from the next."""

    boot: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    version: int = 0
    closed: bool = False
    _facts: dict[tuple[str, str], Fact] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, kind: str, key: str, value: Any) -> None:
        """Tell a fact, unless it was told just so before."""
        text = json.dumps(to_jsonable_python(value, bytes_mode="utf8"), ensure_ascii=False)
        with self._lock:
            known = self._facts.pop((kind, key), None)
            if known is not None and known.text == text:
                # Put back where it was told: at the end it would be told to nobody again.
                self._facts[kind, key] = known
                return
            self.version += 1
            self._facts[kind, key] = Fact(self.version, kind, key, text)
            if len(self._facts) > MAX_FACTS:
                del self._facts[next(iter(self._facts))]

    def since(self, version: int) -> list[Fact]:
        """The facts that were told after `version`, in their order."""
        with self._lock:
            return sorted(self._after(version), key=lambda fact: fact.version)

    def version_of(self, event_id: str) -> int:
        """The version that an event's id stands for; 0 for one of another life, or for none."""
        boot, _, version = event_id.partition(":")
        return int(version) if boot == self.boot and version.isdigit() else 0

    def close(self) -> None:
        """Let the windows go: the server stops."""
        self.closed = True

    def _after(self, version: int) -> Iterator[Fact]:
        return (fact for fact in self._facts.values() if fact.version > version)
