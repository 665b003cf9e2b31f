"""axe-core finds no violation, with the light and the dark theme, wide and narrow."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from local.room.room_stack import RoomStack
from tests.support.room_page import ALEX, BILLIE, RoomPage, axe_violations

# The dark theme changes colours only. On a narrow screen the slow rule on colours is left out.
COLOURS = {"runOnly": ["color-contrast"]}
ALL_BUT_COLOURS = {"rules": {"color-contrast": {"enabled": False}}}


@pytest.mark.parametrize(
    ("width", "dark", "options"),
    [(1440, False, {}), (1440, True, COLOURS), (390, False, ALL_BUT_COLOURS)],
)
def test_the_page_is_accessible_during_a_call(
    quiet_stack: RoomStack,
    window: Callable[..., Page],
    axe: str,
    width: int,
    dark: bool,
    options: dict[str, Any],
) -> None:
    page = window(width, dark=dark)
    page.goto(f"{quiet_stack.url}/")
    # Before the phones are there, the form has no number and is not sent.
    expect(page.locator("article").first).to_be_attached()
    room = RoomPage(page)
    page.get_by_role("button", name="Start a conversation").click()
    assert axe_violations(page, axe, **options) == []
    page.get_by_role("dialog").get_by_role("button", name="Call").click()
    show(page, width, "Phones")
    room.press(ALEX, "Answer")
    show(page, width, "Call")
    room.expect_status("active")
    room.invite(BILLIE.replace(" ", ""), "Billie", Said_before_they_are_joined="Press 1.")
    show(page, width, "Phones")
    assert axe_violations(page, axe, **options) == []
    room.press(BILLIE, "Answer")
    expect(room.phone(BILLIE).get_by_role("group", name="Keypad")).to_be_visible()
    assert axe_violations(page, axe, **options) == []
    show(page, width, "Call")
    room.row("webhook", "call.answered").first.click()
    expect(page.locator("#tab-details h3")).to_be_visible()
    assert axe_violations(page, axe, **options) == []
    for name in ("Chat", "Trouble", "Stories"):
        room.tab(name)
        assert axe_violations(page, axe, **options) == []


def test_a_narrow_screen_needs_no_sideways_scrolling(
    stack: RoomStack, window: Callable[..., Page]
) -> None:
    page = window(390)
    page.goto(f"{stack.url}/")
    for name in ("Phones", "Call", "More"):
        show(page, 390, name)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def show(page: Page, width: int, view: str) -> None:
    """On a narrow screen, go to a view."""
    if width < 900:
        page.get_by_role("navigation", name="Views").get_by_role("button", name=view).click()
