"""Conversations as their API shows them, read again when something has moved."""

import threading
from collections.abc import Iterable

import httpx

from local.client import ApiRefusedError, Client
from local.room.hub import Hub


class Watch:
    """Keeps the hub's conversations as the API has them, from a thread of its own.

    `moved(ids)` says that these are to be read again. With `every_secs` the list is asked for, too,
    and each conversation that has changed since: for a deployment that says nothing by itself.
    """

    def __init__(self, hub: Hub, client: Client, every_secs: float | None = None) -> None:
        """Start reading."""
        self._hub = hub
        self._client = client
        self._every_secs = every_secs
        self._moved: set[str] = set()
        self._known: dict[str, str] = {}
        self._wake = threading.Condition()
        self._over = False
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def moved(self, ids: Iterable[str]) -> None:
        """These conversations have changed."""
        with self._wake:
            self._moved.update(ids)
            self._wake.notify()

    def close(self) -> None:
        """Stop reading, and wait until the thread is done."""
        with self._wake:
            self._over = True
            self._wake.notify()
        self._thread.join()
        self._client.close()

    def _run(self) -> None:
        while True:
            with self._wake:
                if not self._moved and not self._over:
                    self._wake.wait(self._every_secs)
                if self._over:
                    return
                moved, self._moved = self._moved, set()
            self._look(moved)

    def _look(self, moved: set[str]) -> None:
        try:
            if self._every_secs is not None:
                moved |= self._changed()
            for conversation_id in moved:
                conversation = self._client.conversation(conversation_id)
                timeline = self._client.timeline(conversation_id)
                self._hub.put(
                    "view",
                    conversation_id,
                    {"conversation": conversation, "timeline": timeline},
                )
        except (ApiRefusedError, httpx.HTTPError) as error:
            self._hub.put("api", "api", {"error": str(error) or type(error).__name__})
            if self._every_secs is None:
                self.moved(moved)
                self._pause()
            return
        self._hub.put("api", "api", {"error": None})

    def _changed(self) -> set[str]:
        found = self._client.ask("GET", "/conversations?limit=50")["conversations"]
        now = {each["id"]: each["updated_at"] for each in found}
        changed = {each for each, at in now.items() if self._known.get(each) != at}
        self._known |= now
        return changed

    def _pause(self) -> None:
        threading.Event().wait(0.5)
