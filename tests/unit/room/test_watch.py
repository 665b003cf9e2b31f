"""The watch reads the conversations of a stack that reports its changes."""

from collections.abc import Iterator
from typing import cast

import httpx
import pytest

from local.client import ApiRefusedError, Client
from local.room.hub import Hub
from local.room.watch import Watch, words_of
from tests.support.fake_stack import FakeStack, wait_for_fact
from tests.support.paged_api import ID, TYPES, serve_paged_api


@pytest.fixture
def stack() -> FakeStack:
    return FakeStack()


@pytest.fixture
def watching(stack: FakeStack) -> Iterator[tuple[Hub, Watch]]:
    hub = Hub()
    watch = Watch(hub, cast("Client", stack))
    yield hub, watch
    watch.close()


@pytest.mark.parametrize("error", [httpx.ReadTimeout("too late"), ApiRefusedError("503 oh Sorry")])
def test_an_unreadable_conversation_is_read_again(
    stack: FakeStack, watching: tuple[Hub, Watch], error: Exception
) -> None:
    stack.put("c1", "active")
    stack.broken["c1"] = error
    hub, watch = watching
    watch.mark_changed(["c1"])
    wait_for_fact(hub, "api", "api", str(error))
    stack.broken.clear()
    wait_for_fact(hub, "view", "c1", "active")
    wait_for_fact(hub, "api", "api", "null")


def test_an_unreadable_conversation_does_not_delay_other_conversations(
    stack: FakeStack, watching: tuple[Hub, Watch]
) -> None:
    stack.put("c1", "active")
    stack.put("c2", "active")
    stack.broken["c2"] = ApiRefusedError("500 oh Sorry")
    hub, watch = watching
    watch.mark_changed(["c2", "c1"])
    wait_for_fact(hub, "view", "c1", "active")


def test_all_pages_of_a_timeline_are_read() -> None:
    with serve_paged_api() as url:
        hub = Hub()
        watch = Watch(hub, Client(url, "key"))
        watch.mark_changed([ID])
        for event_type in TYPES:
            wait_for_fact(hub, "view", ID, event_type)
        watch.close()


def test_a_refused_key_is_told_from_a_stack_that_does_not_answer() -> None:
    refused = words_of(ApiRefusedError("Forbidden", 403))
    assert refused == "The stack refuses this key (403). Is the key in the stack's BearerKeys?"
    assert words_of(httpx.ConnectError("no route")) == "The API does not answer: no route"
