"""Reads conversations from the API after each change and puts the conversations on the hub."""

import threading
import time
from collections.abc import Iterable

import httpx

from local.client import ApiRefusedError, Client
from local.room.hub import Hub

_RETRY_SECS = 0.5


class Watch:
    """Keeps the hub's conversations up to date, in a thread of its own.

    `mark_changed(ids)` requests a new read of these conversations.
    """

    def __init__(self, hub: Hub, client: Client) -> None:
        self._hub = hub
        self._client = client
        self._changed_ids: set[str] = set()
        self._wake = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def mark_changed(self, ids: Iterable[str]) -> None:
        """Read these conversations again."""
        with self._wake:
            self._changed_ids.update(ids)
            self._wake.notify()

    def close(self) -> None:
        """Stop reading, and wait for the thread's end."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join()
        self._client.close()

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._changed_ids or self._closed)
                if self._closed:
                    return
                changed, self._changed_ids = self._changed_ids, set()
            self._refresh(changed)

    def _refresh(self, changed: Iterable[str]) -> None:
        left = dict.fromkeys(changed)
        error: Exception | None = None
        for conversation_id in list(left):
            try:
                put_view(self._hub, self._client, conversation_id)
            except (ApiRefusedError, httpx.HTTPError) as failed:
                error = failed  # the other conversations are read all the same
            else:
                del left[conversation_id]
        self._hub.put("api", "api", {"error": error and words_of(error)})
        if left:
            self.mark_changed(left)
            time.sleep(_RETRY_SECS)


def put_view(hub: Hub, client: Client, conversation_id: str) -> None:
    """Read a conversation with its timeline, and put both on the hub. Raises as the client does."""
    conversation = client.conversation(conversation_id)
    view = {"conversation": conversation, "timeline": client.timeline(conversation_id)}
    hub.put("view", conversation_id, view)


def words_of(error: Exception) -> str:
    """Return a sentence for the user about a request to the API that failed."""
    if isinstance(error, ApiRefusedError) and error.status in (401, 403):
        return f"The stack refuses this key ({error.status}). Is the key in the stack's BearerKeys?"
    if isinstance(error, ApiRefusedError):
        return f"The API refuses a request: {error}"
    return f"The API does not answer: {str(error) or type(error).__name__}"
