"""A stack's API in memory, for the readers of the room and of the console."""

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from local.room.hub import Hub
from tests.support.patience import PATIENCE_SECS

Json = dict[str, Any]

PAGE = 50


class FakeStack:
    """Conversations, oldest first, and the conversations that cannot be read."""

    def __init__(self) -> None:
        self.conversations: dict[str, Json] = {}
        self.broken: dict[str, Exception] = {}
        self.read: list[str] = []
        self.polls = 0

    def put(self, conversation_id: str, status: str, updated_at: str = "1") -> None:
        known = {"id": conversation_id, "status": status, "updated_at": updated_at}
        self.conversations[conversation_id] = known

    def ask(self, _method: str, path: str) -> Json:
        """Return a page of the newest conversations, of a status or of all."""
        self.polls += 1
        query = parse_qs(urlsplit(path).query)
        status, start = query.get("status", [""])[0], int(query.get("cursor", ["0"])[0])
        newest = reversed(self.conversations.values())
        rows = [row for row in newest if row["status"] == status or not status]
        following = start + PAGE if len(rows) > start + PAGE else None
        return {
            "conversations": rows[start : start + PAGE],
            "next_cursor": None if following is None else str(following),
        }

    def conversation(self, conversation_id: str) -> Json:
        if error := self.broken.get(conversation_id):
            raise error
        self.read.append(conversation_id)
        return self.conversations[conversation_id]

    def timeline(self, _conversation_id: str) -> list[Json]:
        return []

    def close(self) -> None:
        """Close no connection."""


def has_fact(hub: Hub, kind: str, key: str, text: str) -> bool:
    """Whether the fact contains the text."""
    return any((fact.kind, fact.key) == (kind, key) and text in fact.text for fact in hub.since(0))


def wait_for_fact(hub: Hub, kind: str, key: str, text: str) -> None:
    """Wait until the fact contains the text."""
    until = time.monotonic() + PATIENCE_SECS
    while time.monotonic() < until:
        if has_fact(hub, kind, key, text):
            return
        time.sleep(0.005)
    raise AssertionError(f"{kind} {key} never contains {text}")
