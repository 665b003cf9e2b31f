"""The console reads a stack that it can only poll, and only while a window is open."""

import time
from collections.abc import Callable, Iterator
from typing import cast

import httpx
import pytest

from local.client import ApiRefusedError, Client
from local.room.console import run_console
from local.room.hub import Hub
from local.room.poll import OPENED, Poll
from local.tls import tls_context
from tests.support.fake_stack import FakeStack, has_fact, wait_for_fact
from tests.support.paged_api import ID, TYPES, serve_paged_api
from tests.support.patience import PATIENCE_SECS

EVERY_SECS = 0.01


@pytest.fixture
def stack() -> FakeStack:
    return FakeStack()


StartPoll = Callable[..., tuple[Hub, Poll]]


@pytest.fixture
def polling(stack: FakeStack) -> Iterator[StartPoll]:
    """Start a poll with open windows, one by default."""
    started = []

    def start(windows: int = 1) -> tuple[Hub, Poll]:
        hub = Hub(windows=windows)
        poll = Poll(hub, cast("Client", stack), EVERY_SECS)
        started.append(poll)
        return hub, poll

    yield start
    for poll in started:
        poll.close()


def wait_for_polls(stack: FakeStack, count: int) -> None:
    """Wait until the stack was asked so often from now on."""
    seen, until = stack.polls, time.monotonic() + PATIENCE_SECS
    while stack.polls < seen + count:
        assert time.monotonic() < until, "the console no longer polls"
        time.sleep(0.005)


def test_every_live_conversation_is_listed_however_many_there_are(
    stack: FakeStack, polling: StartPoll
) -> None:
    for nth in range(411):
        stack.put(f"live{nth}", "active")
    for nth in range(60):
        stack.put(f"c{nth}", "ended")
    hub, _ = polling()
    wait_for_fact(hub, "poll", "poll", '"more": false')
    rows = {fact.key for fact in hub.since(0) if fact.kind == "row"}
    assert len([key for key in rows if key.startswith("live")]) == 411
    assert "c59" in rows


def test_a_conversation_that_ended_behind_newer_conversations_is_listed_as_ended(
    stack: FakeStack, polling: StartPoll
) -> None:
    stack.put("old", "stopping")
    for nth in range(60):
        stack.put(f"c{nth}", "ended")
    hub, _ = polling()
    wait_for_fact(hub, "row", "old", "stopping")
    stack.conversations["old"]["status"] = "ended"
    wait_for_fact(hub, "row", "old", "ended")


def test_a_stack_is_asked_nothing_without_an_open_window(
    stack: FakeStack, polling: StartPoll
) -> None:
    hub, poll = polling(windows=0)
    poll.open("c1")
    time.sleep(20 * EVERY_SECS)
    assert stack.polls == 0
    assert stack.read == []
    hub.windows = 1
    wait_for_polls(stack, 1)


def test_only_an_opened_conversation_is_read_with_its_timeline_until_it_changes(
    stack: FakeStack, polling: StartPoll
) -> None:
    stack.put("c1", "active")
    stack.put("c2", "active")
    hub, poll = polling()
    poll.open("c1")
    wait_for_fact(hub, "view", "c1", "active")
    stack.put("c1", "ended", "2")
    wait_for_fact(hub, "view", "c1", "ended")
    assert not has_fact(hub, "view", "c2", "active")


def test_the_conversations_that_were_opened_long_ago_are_not_read_any_more(
    stack: FakeStack, polling: StartPoll
) -> None:
    for nth in range(OPENED + 1):
        stack.put(f"c{nth}", "ended")
    hub, poll = polling()
    for nth in range(OPENED + 1):
        poll.open(f"c{nth}")
        wait_for_fact(hub, "view", f"c{nth}", "ended")
    stack.read.clear()
    wait_for_polls(stack, 20)
    assert "c0" not in stack.read
    assert "c1" in stack.read


@pytest.mark.parametrize("error", [httpx.ReadTimeout("too late"), ApiRefusedError("oh Sorry", 503)])
def test_an_unreadable_conversation_is_read_again(
    stack: FakeStack, polling: StartPoll, error: Exception
) -> None:
    stack.put("c1", "active")
    stack.broken["c1"] = error
    hub, poll = polling()
    poll.open("c1")
    wait_for_fact(hub, "api", "api", str(error))
    stack.broken.clear()
    wait_for_fact(hub, "view", "c1", "active")
    wait_for_fact(hub, "api", "api", "null")


def test_a_server_that_is_not_partyline_is_reported(
    stack: FakeStack, polling: StartPoll, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack, "ask", lambda *_: {})
    hub, _ = polling()
    wait_for_fact(hub, "api", "api", "not Partyline")


def test_scheduled_starts_are_listed_apart(stack: FakeStack, polling: StartPoll) -> None:
    stack.put("later", "scheduled")
    hub, _ = polling()
    wait_for_fact(hub, "scheduled", "later", "scheduled")


def test_the_console_shows_all_pages_of_a_timeline() -> None:
    with (
        serve_paged_api() as url,
        run_console(url, "key", every_secs=EVERY_SECS) as console,
        httpx.Client(timeout=PATIENCE_SECS, trust_env=False, verify=tls_context()) as browser,
    ):
        browser.get(console)  # gives the browser the cookie
        base = httpx.URL(console)
        with browser.stream("GET", base.join("/room/live")) as stream:
            opened = browser.post(
                base.join("/room/open"),
                json={"conversation": ID},
                headers={"x-partyline-page": "1"},
            )
            assert opened.status_code == 200
            view = next(line for line in stream.iter_lines() if '"timeline"' in line)
    assert all(event_type in view for event_type in TYPES)


def test_a_read_only_console_passes_on_no_request_that_changes_anything() -> None:
    with (
        serve_paged_api() as url,
        run_console(url, "key", read_only=True) as console,
        httpx.Client(timeout=PATIENCE_SECS, trust_env=False, verify=tls_context()) as browser,
    ):
        browser.get(console)
        path = httpx.URL(console).join(f"/room/api/conversations/{ID}/stop")
        answer = browser.post(path, json={}, headers={"x-partyline-page": "1"})
        assert answer.status_code == 405
