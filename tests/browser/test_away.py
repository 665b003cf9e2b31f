"""A server that goes away, and comes back."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from local.stack.serving import free_port
from tests.support.page_server import serve_page
from tests.support.room_page import RoomPage, axe_violations


def test_the_page_says_that_its_server_is_away_and_comes_back_by_itself(
    window: Callable[..., Page], axe: str
) -> None:
    port = free_port()
    line = "A word that only the first server knows."
    with serve_page(port, ("violations", "violations", {"violations": [line]})) as url:
        page = RoomPage.open(window(), url).page
        expect(page.get_by_text("Nobody is on the line")).to_be_visible()
        expect(page.locator("#line")).to_contain_text(line)
        assert axe_violations(page, axe) == []
    expect(page.locator("#line")).to_contain_text("The server is away")
    assert axe_violations(page, axe) == []
    page.set_viewport_size({"width": 390, "height": 800})
    own, bar = (page.locator(each).bounding_box() for each in ("#line", ".bar"))
    assert own
    assert bar
    assert own["width"] > 350  # a line of its own, and no column of words
    assert bar["height"] < 90
    with serve_page(port):
        expect(page.locator("#line")).to_have_text("")
        expect(page.get_by_text("Nobody is on the line")).to_be_visible()
