"""What the console is told of a stack that it can only ask."""

import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import httpx
import pytest

from local.client import ApiRefusedError, Client
from local.room.hub import Hub
from local.room.watch import Watch

Json = dict[str, Any]


class FakeStack:
    """A stack's API: its conversations, oldest first, and those that can't be read now."""

    def __init__(self) -> None:
        self.conversations: dict[str, Json] = {}
        self.broken: dict[str, Exception] = {}
        self.read: list[str] = []

    def put(self, conversation_id: str, status: str, updated_at: str = "1") -> None:
        known = {"id": conversation_id, "status": status, "updated_at": updated_at}
        self.conversations[conversation_id] = known

    def ask(self, method: str, path: str) -> Json:
        """The list: the newest fifty, of a status or of all."""
        status = path.partition("&status=")[2]
        newest = reversed(self.conversations.values())
        found = [each for each in newest if status in ("", each["status"])]
        return {"conversations": found[:50]}

    def conversation(self, conversation_id: str) -> Json:
        if error := self.broken.get(conversation_id):
            raise error
        self.read.append(conversation_id)
        return self.conversations[conversation_id]

    def timeline(self, conversation_id: str) -> list[Json]:
        return []

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def stack() -> FakeStack:
    return FakeStack()


Starting = Callable[[float | None], tuple[Hub, Watch]]


@pytest.fixture
def watching(stack: FakeStack) -> Iterator[Starting]:
    """Start to watch, every so many seconds or only what has moved."""
    started = []

    def start(every_secs: float | None) -> tuple[Hub, Watch]:
        hub = Hub()
        watch = Watch(hub, cast("Client", stack), every_secs)
        started.append(watch)
        return hub, watch

    yield start
    for each in started:
        each.close()


def soon(hub: Hub, kind: str, key: str, words: str) -> None:
    """Wait until the hub tells this of it."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if any(
            (each.kind, each.key) == (kind, key) and words in each.text for each in hub.since(0)
        ):
            return
        time.sleep(0.005)
    raise AssertionError(f"{kind} {key} never says {words}")


@pytest.mark.parametrize("error", [httpx.ReadTimeout("too late"), ApiRefusedError("503 oh Sorry")])
@pytest.mark.parametrize("every_secs", [0.01, None])
def test_what_could_not_be_read_is_read_again(
    stack: FakeStack, watching: Starting, error: Exception, every_secs: float | None
) -> None:
    stack.put("c1", "active")
    stack.broken["c1"] = error
    hub, watch = watching(every_secs)
    watch.mark_changed(["c1"])
    soon(hub, "api", "api", str(error))
    stack.broken.clear()
    soon(hub, "view", "c1", "active")
    soon(hub, "api", "api", "null")


def test_one_that_can_not_be_read_keeps_no_other_back(stack: FakeStack, watching: Starting) -> None:
    stack.put("c1", "active")
    stack.put("c2", "active")
    stack.broken["c2"] = ApiRefusedError("500 oh Sorry")
    hub, _ = watching(0.01)
    soon(hub, "view", "c1", "active")


def test_a_live_one_is_seen_behind_any_number_of_newer_ones(
    stack: FakeStack, watching: Starting
) -> None:
    stack.put("old", "stopping")
    for nth in range(60):
        stack.put(f"c{nth}", "ended")
    hub, _ = watching(0.01)
    soon(hub, "view", "old", "stopping")
    soon(hub, "view", "c59", "ended")
    assert stack.read[0] == "old"
    stack.put("old", "ended", "2")
    soon(hub, "view", "old", "ended")


def test_what_has_not_changed_is_not_read_again(stack: FakeStack, watching: Starting) -> None:
    stack.put("c1", "active")
    hub, _ = watching(0.005)
    soon(hub, "view", "c1", "active")
    time.sleep(0.1)
    assert stack.read == ["c1"]


def test_what_is_no_partyline_is_said_to_be_none(
    stack: FakeStack, watching: Starting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack, "ask", lambda *_: {})
    hub, _ = watching(0.01)
    soon(hub, "api", "api", "not Partyline")
