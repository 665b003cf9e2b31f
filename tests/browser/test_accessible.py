"""axe-core finds nothing to complain of, in the light and in the dark, wide and narrow."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from local.stack import LocalStack
from tests.browser.room import ALEX, BILLIE, RoomPage


def violations(page: Page, axe: str) -> list[Any]:
    """What axe-core has to say, in short."""
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        (each["id"], [node["html"][:160] for node in each["nodes"]]) for each in found["violations"]
    ]


def test_an_empty_room_is_in_nobody_s_way(
    stack: LocalStack, window: Callable[..., Page], axe: str
) -> None:
    page = window()
    page.goto(f"{stack.url}/")
    expect(page.get_by_text("Nobody is on the line")).to_be_visible()
    assert violations(page, axe) == []


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (1440, True), (390, False)])
def test_a_call_is_in_nobody_s_way(
    room: RoomPage, window: Callable[..., Page], axe: str, width: int, dark: bool
) -> None:
    page = window(width, dark=dark)
    page.goto(f"{room.stack.url}/")
    room.page = page
    page.get_by_role("button", name="Start a conversation").click()
    assert violations(page, axe) == []
    page.get_by_role("dialog").get_by_role("button", name="Call").click()
    show(page, width, "Phones")
    room.press(ALEX, "Answer")
    show(page, width, "Call")
    room.is_("active")
    room.invite(BILLIE.replace(" ", ""), "Billie", Said_before_they_are_joined="Press 1.")
    show(page, width, "Phones")
    assert violations(page, axe) == []
    room.press(BILLIE, "Answer")
    expect(room.phone(BILLIE).get_by_role("group", name="Keypad")).to_be_visible()
    assert violations(page, axe) == []
    show(page, width, "Call")
    room.row("webhook", "call.answered").first.click()
    expect(page.locator("#tab-details h3")).to_be_visible()
    assert violations(page, axe) == []
    for name in ("Chat", "Trouble", "Stories"):
        room.tab(name)
        assert violations(page, axe) == []


def test_a_narrow_screen_needs_no_sideways_scrolling(
    stack: LocalStack, window: Callable[..., Page]
) -> None:
    page = window(390)
    page.goto(f"{stack.url}/")
    for name in ("Phones", "Call", "More"):
        show(page, 390, name)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def show(page: Page, width: int, view: str) -> None:
    """On a narrow screen, go to one of its views."""
    if width < 900:
        page.get_by_role("navigation", name="Views").get_by_role("button", name=view).click()
