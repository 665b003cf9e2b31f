"""A browser, the local stack with the phone room, and a page."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from local.docs.browser import CHROMIUM_MISSING, chromium_path, launch_browser
from local.room.room_stack import RoomStack
from local.simulator.settings import Settings
from local.stack.local_stack import Options
from tests.support.room_page import RoomPage
from tests.support.windows import SHARED_PROCESS, Windows


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium. Without Chromium these tests are skipped, except in CI."""
    if chromium_path() is None:
        if os.environ.get("CI"):
            pytest.fail(CHROMIUM_MISSING)
        pytest.skip(CHROMIUM_MISSING)
    with launch_browser(*SHARED_PROCESS) as running:
        yield running


@pytest.fixture(scope="package")
def stack() -> Iterator[RoomStack]:
    """A stack with a room for all of these tests, because its start takes the most time.

    The stack's handlers run in this process, so a second stack is impossible at the same time.
    """
    quick = Settings(
        created_after_secs=0.1,
        warm_up_secs=0.1,
        reply_after_secs=0.1,
        insights_after_secs=0.5,
    )
    with RoomStack(Options(simulator=quick)) as running:
        yield running


@pytest.fixture(scope="session")
def windows(browser: Browser) -> Iterator[Windows]:
    """The windows of all tests."""
    windows = Windows(browser)
    yield windows
    windows.quit()


@pytest.fixture
def window(windows: Windows) -> Iterator[Callable[..., Page]]:
    """Open windows: `window(width=390, dark=True)`. An error in a page fails the test.

    A window shows every message of a call in the diagram, and with `story` what a new user sees.
    """
    errors: list[str] = []

    def open_window(
        width: int = 1440, height: int = 900, *, dark: bool = False, story: bool = False
    ) -> Page:
        page = windows.open(width, height, dark=dark, story=story)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console",
            lambda message: errors.append(message.text) if _is_error(message) else None,
        )
        return page

    yield open_window
    windows.close_all()
    assert errors == []


@pytest.fixture
def room(quiet_stack: RoomStack, window: Callable[..., Page]) -> RoomPage:
    """The room in a window."""
    return RoomPage.open(window(), quiet_stack.url)


@pytest.fixture
def quiet_stack(stack: RoomStack) -> Iterator[RoomStack]:
    """The stack. Afterwards all calls are hung up and all faults are off."""
    yield stack
    assert stack.simulator is not None
    simulator = stack.simulator.simulator
    for leg in simulator.legs:
        simulator.hang_up(leg.call_control_id)
    simulator.faults.clear()
    simulator.deliverer.settings.clear()
    assert stack.room is not None
    stack.room.lambda_faults.crashes.clear()


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core."""
    return (Path(__file__).parent / "vendor" / "axe.min.js").read_text()


def _is_error(message: object) -> bool:
    # The browser also logs a refused form and a lost server, which the tests cause.
    text = str(getattr(message, "text", ""))
    expected = ("Failed to load resource", "net::ERR")
    return getattr(message, "type", "") == "error" and not any(part in text for part in expected)
