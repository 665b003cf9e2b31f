"""A real browser, the local stack with its room, and a page on it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from local.docs.browser import CHROMIUM_MISSING, chromium_path, launch_browser
from local.simulator.settings import Settings
from local.stack.local_stack import LocalStack, Options
from tests.support.room_page import RoomPage

PATIENCE_MS = 20_000


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium. Where it is missing these tests are left out, but never in CI."""
    if chromium_path() is None:
        if os.environ.get("CI"):
            pytest.fail(CHROMIUM_MISSING)
        pytest.skip(CHROMIUM_MISSING)
    with launch_browser() as found:
        yield found


@pytest.fixture(scope="package")
def stack() -> Iterator[LocalStack]:
    """One stack with a room for all of these tests: to start one is the dearest part of them.

    Its handlers are this process's, so there can't be another while it is up.
    """
    with LocalStack(Options(with_room=True, simulator=Settings(insights_after_secs=0.5))) as here:
        yield here


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
    yield RoomPage.open(window(), stack.url)
    assert stack.simulator is not None
    simulator = stack.simulator.simulator
    for leg in simulator.legs:
        simulator.hang_up(leg.call_control_id)
    simulator.faults.clear()
    simulator.deliverer.knobs.clear()
    assert stack.room is not None
    stack.room.lambda_faults.crashes.clear()


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core."""
    return (Path(__file__).parent / "vendor" / "axe.min.js").read_text()


def _bad(said: object) -> bool:
    # A refused form and a server that went away are said by the browser, too: they are tested.
    words = str(getattr(said, "text", ""))
    expected = ("Failed to load resource", "net::ERR")
    return getattr(said, "type", "") == "error" and not any(each in words for each in expected)
