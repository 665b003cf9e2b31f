"""A server that goes away, and comes back."""

from collections.abc import Callable
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.browser.conftest import Stacked
from tests.browser.room import RoomPage


def test_the_page_says_that_its_server_is_away_and_comes_back_by_itself(
    stacks: Stacked, window: Callable[..., Page]
) -> None:
    first = stacks()
    port = urlsplit(first.url).port or 0
    room = RoomPage.opened(window(), first)
    room.call()
    first.__exit__(None, None, None)  # and once more at the end, which does nothing
    expect(room.page.locator("#line")).to_contain_text("The server is away")
    stacks(port=port)
    expect(room.page.locator("#line")).to_have_text("")
    expect(room.page.get_by_text("Nobody is on the line")).to_be_visible()
