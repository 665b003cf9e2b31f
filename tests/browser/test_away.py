"""The page while its server is away, and after the server's return."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from local.serving import free_port
from tests.support.page_server import serve_page
from tests.support.room_page import RoomPage, axe_violations


def test_the_page_reports_a_lost_server_and_reconnects(
    window: Callable[..., Page], axe: str
) -> None:
    port = free_port()
    line = "A text of the first server."
    with serve_page(port, ("violations", "violations", {"violations": [line]})) as url:
        page = RoomPage.open(window(), url).page
        expect(page.get_by_text("Nobody is on the line")).to_be_visible()
        expect(page.locator("#line")).to_contain_text(line)
        assert axe_violations(page, axe) == []
    expect(page.locator("#line")).to_contain_text("The server is away")
    assert axe_violations(page, axe) == []
    page.set_viewport_size({"width": 390, "height": 800})
    own, bar = (page.locator(name).bounding_box() for name in ("#line", ".bar"))
    assert own
    assert bar
    assert own["width"] > 350  # a whole line, not a narrow column
    assert bar["height"] < 90
    with serve_page(port):
        expect(page.locator("#line")).to_have_text("")
        expect(page.get_by_text("Nobody is on the line")).to_be_visible()
