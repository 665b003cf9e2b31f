"""A real browser, the local stack with its room, and a page on it."""

import gc
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from local.browser import MISSING, chromium, launched
from local.simulator.settings import Settings
from local.stack import LocalStack, Options
from partyline.wiring import install
from tests.browser.room import RoomPage

Stacked = Callable[..., LocalStack]

PATIENCE_MS = 20_000


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium. Where it is missing these tests are left out, but never in CI."""
    if chromium() is None:
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    with launched() as found:
        yield found


@pytest.fixture(scope="module")
def stacks() -> Iterator[Stacked]:
    """Start local stacks: `stacks(port=..., with_room=...)`; they end with the module.

    Their handlers are this process's, so only the newest is to be used.
    """
    before = dict(os.environ)
    running: list[LocalStack] = []

    def start(port: int = 0, *, with_room: bool = True) -> LocalStack:
        settings = Settings(insights_after_secs=0.5)
        stack = LocalStack(Options(port=port, with_room=with_room, simulator=settings))
        running.append(stack.__enter__())
        return running[-1]

    yield start
    for each in reversed(running):
        each.__exit__(None, None, None)
    _forget_the_handlers()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def stack(stacks: Stacked) -> LocalStack:
    """One stack with a room for all tests of a module: to start one is the dearest part of them."""
    return stacks()


def _forget_the_handlers() -> None:
    """Drop what the handlers keep for their process's life: here it outlives several stacks."""
    with warnings.catch_warnings():
        # Their connections go unclosed, as they do when Lambda ends a process.
        warnings.simplefilter("ignore", ResourceWarning)
        install(None)
        gc.collect()


@pytest.fixture
def window(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open windows: `window(width=390, dark=True)`. A page that complains fails its test."""
    complaints: list[str] = []
    opened = []

    def open_one(width: int = 1440, height: int = 900, *, dark: bool = False) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE_MS)
        opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if _bad(said) else None)
        return page

    yield open_one
    for context in opened:
        context.close()
    assert complaints == []


@pytest.fixture
def room(stack: LocalStack, window: Callable[..., Page]) -> Iterator[RoomPage]:
    """The room in a window; afterwards every phone is on its hook and all is well."""
    yield RoomPage.opened(window(), stack)
    assert stack.simulator is not None
    simulator = stack.simulator.simulator
    for leg in simulator.legs:
        simulator.hang_up(leg.call_control_id)
    simulator.faults.clear()
    simulator.deliverer.knobs.clear()


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core."""
    return (Path(__file__).parent / "vendor" / "axe.min.js").read_text()


def _bad(said: object) -> bool:
    # A refused form and a server that went away are said by the browser, too: they are tested.
    words = str(getattr(said, "text", ""))
    expected = ("Failed to load resource", "net::ERR")
    return getattr(said, "type", "") == "error" and not any(each in words for each in expected)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A stack that is stopped under a live page leaves its kept connections to the collector."""
    left = "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
    for item in items:
        if "/tests/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.filterwarnings(left))
