"""Reads conversations from the API after each change and puts the conversations on the hub."""

import threading
import time
from collections.abc import Iterable

import httpx

from local.client import ApiRefusedError, Client
from local.room.hub import Hub

_RETRY_SECS = 0.5

LIVE_STATUSES = ("active", "connecting", "stopping")
"""Conversations of these statuses are read however many newer conversations there are."""


class Watch:
    """Keeps the hub's conversations up to date, in a thread of its own.

    `mark_changed(ids)` requests a new read of these conversations. With `every_secs` the watch also
    polls the list and reads each changed conversation: a deployed stack reports no changes.
    """

    def __init__(self, hub: Hub, client: Client, every_secs: float | None = None) -> None:
        self._hub = hub
        self._client = client
        self._every_secs = every_secs
        self._changed_ids: set[str] = set()
        self._known: dict[str, str] = {}
        self._live: set[str] = set()
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
                if not self._changed_ids and not self._closed:
                    self._wake.wait(self._every_secs)
                if self._closed:
                    return
                changed, self._changed_ids = self._changed_ids, set()
            self._refresh(changed)

    def _refresh(self, changed: Iterable[str]) -> None:
        left = dict.fromkeys(changed)
        error: Exception | None = None
        try:
            if self._every_secs is not None:
                left |= dict.fromkeys(self._find_changed())
            for conversation_id in list(left):
                try:
                    self._read(conversation_id)
                except ApiRefusedError as refused:
                    error = refused  # the other conversations are read all the same
                    if str(refused).startswith("404"):
                        self._live.discard(conversation_id)  # its retention time is over
                else:
                    del left[conversation_id]
        except (ApiRefusedError, httpx.HTTPError) as failed:
            error = failed
        except KeyError:
            error = ApiRefusedError("the server at this URL is not Partyline")
        message = error and (str(error) or type(error).__name__)
        self._hub.put("api", "api", {"error": message})
        if left and self._every_secs is None:
            self.mark_changed(left)
            time.sleep(_RETRY_SECS)

    def _read(self, conversation_id: str) -> None:
        conversation = self._client.conversation(conversation_id)
        timeline = self._client.timeline(conversation_id)
        view = {"conversation": conversation, "timeline": timeline}
        self._hub.put("view", conversation_id, view)
        self._known[conversation_id] = conversation["updated_at"]
        if conversation["status"] in LIVE_STATUSES:
            self._live.add(conversation_id)
        else:
            self._live.discard(conversation_id)

    def _find_changed(self) -> list[str]:
        """Return the conversations to read: live conversations first, then the newest."""
        updated_at: dict[str, str] = {}
        for query in (*(f"&status={status}" for status in LIVE_STATUSES), ""):
            rows = self._client.ask("GET", f"/conversations?limit=50{query}")["conversations"]
            updated_at |= {row["id"]: row["updated_at"] for row in rows}
        # A live conversation that is in no list has ended, and fifty newer conversations exist.
        gone = self._live - updated_at.keys()
        return [*(id_ for id_, at in updated_at.items() if self._known.get(id_) != at), *gone]
