"""The watch reads the conversations of a stack that it can only poll."""

import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import httpx
import pytest

from local.client import ApiRefusedError, Client
from local.room.console import run_console
from local.room.hub import Hub
from local.room.watch import Watch
from tests.support.paged_api import ID, TYPES, serve_paged_api
from tests.support.patience import PATIENCE_SECS

Json = dict[str, Any]


class FakeStack:
    """A stack's API: its conversations, oldest first, and its unreadable conversations."""

    def __init__(self) -> None:
        self.conversations: dict[str, Json] = {}
        self.broken: dict[str, Exception] = {}
        self.read: list[str] = []
        self.polls = 0

    def put(self, conversation_id: str, status: str, updated_at: str = "1") -> None:
        known = {"id": conversation_id, "status": status, "updated_at": updated_at}
        self.conversations[conversation_id] = known

    def ask(self, method: str, path: str) -> Json:
        """Return the newest fifty conversations, of a status or of all."""
        self.polls += 1
        status = path.partition("&status=")[2]
        newest = reversed(self.conversations.values())
        rows = [row for row in newest if status in ("", row["status"])]
        return {"conversations": rows[:50]}

    def conversation(self, conversation_id: str) -> Json:
        if error := self.broken.get(conversation_id):
            raise error
        self.read.append(conversation_id)
        return self.conversations[conversation_id]

    def timeline(self, conversation_id: str) -> list[Json]:
        return []

    def close(self) -> None:
        """Close no connection."""


@pytest.fixture
def stack() -> FakeStack:
    return FakeStack()


StartWatch = Callable[[float | None], tuple[Hub, Watch]]


@pytest.fixture
def watching(stack: FakeStack) -> Iterator[StartWatch]:
    """Start a watch, with or without polling."""
    started = []

    def start(every_secs: float | None) -> tuple[Hub, Watch]:
        hub = Hub()
        watch = Watch(hub, cast("Client", stack), every_secs)
        started.append(watch)
        return hub, watch

    yield start
    for watch in started:
        watch.close()


def wait_for_fact(hub: Hub, kind: str, key: str, text: str) -> None:
    """Wait until the fact contains the text."""
    until = time.monotonic() + PATIENCE_SECS
    while time.monotonic() < until:
        if any((fact.kind, fact.key) == (kind, key) and text in fact.text for fact in hub.since(0)):
            return
        time.sleep(0.005)
    raise AssertionError(f"{kind} {key} never contains {text}")


@pytest.mark.parametrize("error", [httpx.ReadTimeout("too late"), ApiRefusedError("503 oh Sorry")])
@pytest.mark.parametrize("every_secs", [0.01, None])
def test_an_unreadable_conversation_is_read_again(
    stack: FakeStack, watching: StartWatch, error: Exception, every_secs: float | None
) -> None:
    stack.put("c1", "active")
    stack.broken["c1"] = error
    hub, watch = watching(every_secs)
    watch.mark_changed(["c1"])
    wait_for_fact(hub, "api", "api", str(error))
    stack.broken.clear()
    wait_for_fact(hub, "view", "c1", "active")
    wait_for_fact(hub, "api", "api", "null")


def test_an_unreadable_conversation_does_not_delay_other_conversations(
    stack: FakeStack, watching: StartWatch
) -> None:
    stack.put("c1", "active")
    stack.put("c2", "active")
    stack.broken["c2"] = ApiRefusedError("500 oh Sorry")
    hub, _ = watching(0.01)
    wait_for_fact(hub, "view", "c1", "active")


def test_a_live_conversation_is_read_behind_any_number_of_newer_conversations(
    stack: FakeStack, watching: StartWatch
) -> None:
    stack.put("old", "stopping")
    for nth in range(60):
        stack.put(f"c{nth}", "ended")
    hub, _ = watching(0.01)
    wait_for_fact(hub, "view", "old", "stopping")
    wait_for_fact(hub, "view", "c59", "ended")
    assert stack.read[0] == "old"
    stack.put("old", "ended", "2")
    wait_for_fact(hub, "view", "old", "ended")


def test_an_unchanged_conversation_is_not_read_again(
    stack: FakeStack, watching: StartWatch
) -> None:
    stack.put("c1", "active")
    hub, _ = watching(0.005)
    wait_for_fact(hub, "view", "c1", "active")
    seen, until = stack.polls, time.monotonic() + PATIENCE_SECS
    while stack.polls < seen + 10 and time.monotonic() < until:
        time.sleep(0.005)
    assert stack.polls >= seen + 10, "the watch no longer polls"
    assert stack.read == ["c1"]


def test_a_server_that_is_not_partyline_is_reported(
    stack: FakeStack, watching: StartWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack, "ask", lambda *_: {})
    hub, _ = watching(0.01)
    wait_for_fact(hub, "api", "api", "not Partyline")


def test_all_pages_of_a_timeline_are_read() -> None:
    with serve_paged_api() as url:
        hub = Hub()
        watch = Watch(hub, Client(url, "key"))
        watch.mark_changed([ID])
        for event_type in TYPES:
            wait_for_fact(hub, "view", ID, event_type)
        watch.close()


def test_the_console_shows_all_pages_of_a_timeline() -> None:
    with (
        serve_paged_api() as url,
        run_console(url, "key", every_secs=0.01) as console,
        httpx.Client(timeout=PATIENCE_SECS, trust_env=False) as browser,
    ):
        browser.get(console)  # gives the browser the cookie
        with browser.stream("GET", httpx.URL(console).join("/room/live")) as stream:
            view = next(line for line in stream.iter_lines() if '"timeline"' in line)
    assert all(event_type in view for event_type in TYPES)
