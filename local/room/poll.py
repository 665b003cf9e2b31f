"""Polls the API of a deployed stack, which reports no changes, for the console."""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx

from local.client import ApiRefusedError, Client
from local.room.hub import Hub
from local.room.watch import put_view, words_of

Json = dict[str, Any]

LIVE_STATUSES = ("active", "connecting", "stopping")
"""Conversations of these statuses are listed however many newer conversations there are."""

LIVE_PAGES = 60
"""The pages of a live status that are read at most: 3,000 conversations."""

OPENED = 8
"""The conversations whose timelines are kept up to date: the last ones that a window opened."""

_BOOKINGS_EVERY = 10
"""After how many rounds the scheduled starts are listed again."""


class Poll:
    """Keeps the hub's list of conversations, and the opened conversations, up to date.

    A thread polls every `every_secs`, and more slowly when a round takes long: a round and the
    pause after the round have the same length at least. Without an open window the thread sends
    no request.
    """

    def __init__(self, hub: Hub, client: Client, every_secs: float) -> None:
        self._hub = hub
        self._client = client
        self._every_secs = every_secs
        self._opened: OrderedDict[str, str | None] = OrderedDict()
        self._live: set[str] = set()
        self._rounds = 0
        self._wake = threading.Condition()
        self._is_open_new = False
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="poll", daemon=True)
        self._thread.start()

    def open(self, conversation_id: str) -> None:
        """Read a conversation with its timeline, now and after each change."""
        with self._wake:
            self._opened[conversation_id] = None
            self._opened.move_to_end(conversation_id)
            while len(self._opened) > OPENED:
                self._opened.popitem(last=False)
            self._is_open_new = True
            self._wake.notify()

    def close(self) -> None:
        """Stop polling, and wait for the thread's end."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join()
        self._client.close()

    def _run(self) -> None:
        pause = 0.0
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._closed or self._is_open_new, pause)
                if self._closed:
                    return
                is_open_new, self._is_open_new = self._is_open_new, False
            pause = self._every_secs
            if not self._hub.windows:
                continue
            began = time.monotonic()
            self._try_round(lists=not is_open_new)
            pause = max(pause, time.monotonic() - began)

    def _try_round(self, *, lists: bool) -> None:
        error: Exception | None = None
        try:
            if lists:
                self._list()
            error = self._read_opened()
        except (ApiRefusedError, httpx.HTTPError) as failed:
            error = failed
        except KeyError:
            error = ApiRefusedError("the server at this URL is not Partyline")
        self._hub.put("api", "api", {"error": error and words_of(error)})

    def _list(self) -> None:
        """Put the newest conversations and all live conversations on the hub."""
        found: dict[str, Json] = {}
        more = False
        for status in LIVE_STATUSES:
            for pages, page in enumerate(self._pages(f"&status={status}"), 1):
                found |= {row["id"]: row for row in page["conversations"]}
                if pages == LIVE_PAGES and page.get("next_cursor"):
                    more = True
                    break
        live = set(found)
        for row in next(self._pages(""))["conversations"]:
            found.setdefault(row["id"], row)
        for row in found.values():
            self._hub.put("row", row["id"], row)
        # A live conversation that is in no list has ended, and fifty newer conversations exist.
        for conversation_id in self._live - found.keys():
            self._read_ended(conversation_id)
        self._live = live
        self._hub.put("poll", "poll", {"more": more, "limit": LIVE_PAGES * 50})
        if self._rounds % _BOOKINGS_EVERY == 0:
            self._list_bookings()
        self._rounds += 1

    def _pages(self, query: str) -> Iterator[Json]:
        cursor = ""
        while True:
            page = self._client.ask("GET", f"/conversations?limit=50{query}{cursor}")
            yield page
            if not page.get("next_cursor"):
                return
            cursor = f"&cursor={quote(page['next_cursor'], safe='')}"

    def _read_ended(self, conversation_id: str) -> None:
        try:
            self._hub.put("row", conversation_id, self._client.conversation(conversation_id))
        except ApiRefusedError as refused:
            if refused.status != 404:  # 404: the retention time is over
                raise

    def _list_bookings(self) -> None:
        for page in self._pages("&status=scheduled"):
            for row in page["conversations"]:
                self._hub.put("scheduled", row["id"], row)

    def _read_opened(self) -> Exception | None:
        """Read the opened conversations that have changed; return the first error."""
        error: Exception | None = None
        for conversation_id, known in list(self._opened.items()):
            try:
                updated_at = self._client.conversation(conversation_id)["updated_at"]
                if updated_at != known:
                    put_view(self._hub, self._client, conversation_id)
                    self._opened[conversation_id] = updated_at
            except ApiRefusedError as refused:
                if refused.status == 404:
                    del self._opened[conversation_id]
                else:
                    error = error or refused
        return error
