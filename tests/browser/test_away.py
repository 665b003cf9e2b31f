"""A server that goes away, and comes back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict

from playwright.sync_api import Page, expect
from starlette.applications import Starlette

from local.room.hub import Hub
from local.room.page import routes
from local.room.server import PEOPLE
from local.serving import free_port, serve
from tests.browser.room import RoomPage, violations

HELLO = {
    "mode": "room",
    "choices": {"events": [], "actions": [], "functions": []},
}


@contextmanager
def served(port: int, *facts: tuple[str, str, object]) -> Iterator[str]:
    """The page's own server at a port, with nothing behind it but people and these facts."""
    hub = Hub()
    for person in PEOPLE:
        hub.put("person", person.number, asdict(person))
    for kind, key, value in facts:
        hub.put(kind, key, value)
    running = serve(Starlette(routes=routes(hub, HELLO)), port=port)
    try:
        yield running.url
    finally:
        hub.close()
        running.stop()


def test_the_page_says_that_its_server_is_away_and_comes_back_by_itself(
    window: Callable[..., Page], axe: str
) -> None:
    port = free_port()
    line = "A word that only the first server knows."
    with served(port, ("violations", "violations", {"violations": [line]})) as url:
        page = RoomPage.opened(window(), url).page
        expect(page.get_by_text("Nobody is on the line")).to_be_visible()
        expect(page.locator("#line")).to_contain_text(line)
        assert violations(page, axe) == []
    expect(page.locator("#line")).to_contain_text("The server is away")
    assert violations(page, axe) == []
    with served(port):
        expect(page.locator("#line")).to_have_text("")
        expect(page.get_by_text("Nobody is on the line")).to_be_visible()
