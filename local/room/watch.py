"""Conversations as their API shows them, read again when something has moved."""

import threading
from collections.abc import Iterable

import httpx

from local.client import ApiRefusedError, Client
from local.room.hub import Hub

LIVE_STATUSES = ("active", "connecting", "stopping")
"""Conversations of these statuses are looked for however many newer ones there are."""


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
        self._changed_ids: set[str] = set()
        self._known: dict[str, str] = {}
        self._live: set[str] = set()
        self._wake = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def mark_changed(self, ids: Iterable[str]) -> None:
        """These conversations have changed."""
        with self._wake:
            self._changed_ids.update(ids)
            self._wake.notify()

    def close(self) -> None:
        """Stop reading, and wait until the thread is done."""
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
                moved, self._changed_ids = self._changed_ids, set()
            self._refresh(moved)

    def _refresh(self, moved: Iterable[str]) -> None:
        left = dict.fromkeys(moved)
        error: Exception | None = None
        try:
            if self._every_secs is not None:
                left |= dict.fromkeys(self._find_changed())
            for conversation_id in list(left):
                try:
                    self._read(conversation_id)
                except ApiRefusedError as refused:
                    error = refused  # this one's trouble: the others are read all the same
                    if str(refused).startswith("404"):
                        self._live.discard(conversation_id)  # it was kept for its time, and is gone
                else:
                    del left[conversation_id]
        except (ApiRefusedError, httpx.HTTPError) as failed:
            error = failed
        except KeyError:
            error = ApiRefusedError("what answers there is not Partyline")
        said = error and (str(error) or type(error).__name__)
        self._hub.put("api", "api", {"error": said})
        if left and self._every_secs is None:
            self.mark_changed(left)
            self._pause()

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
        """What is to be read again: what is live first, then from the newest on."""
        now: dict[str, str] = {}
        for query in (*(f"&status={each}" for each in LIVE_STATUSES), ""):
            found = self._client.ask("GET", f"/conversations?limit=50{query}")["conversations"]
            now |= {each["id"]: each["updated_at"] for each in found}
        # What was live and is in no list has ended behind fifty newer ones.
        gone = self._live - now.keys()
        return [*(each for each, at in now.items() if self._known.get(each) != at), *gone]

    def _pause(self) -> None:
        threading.Event().wait(0.5)
