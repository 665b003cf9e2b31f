"""The console: the page on a stack that is reached through the API only.

The stack is the local stack, or the deployed stack at the URL in PARTYLINE_DEPLOYED: `make
deploy-local` runs these tests alone. That stack has no phones: each dialed person answers.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from local.client import Client
from local.room.console import run_console

HOST, DANA = "+13125550111", "+13125550112"


@pytest.fixture
def deployed(request: pytest.FixtureRequest) -> str:
    """The API's URL."""
    named = os.environ.get("PARTYLINE_DEPLOYED")
    return named or str(request.getfixturevalue("stack").url)


@pytest.fixture
def api_key(request: pytest.FixtureRequest) -> str:
    """The API's bearer key."""
    if "PARTYLINE_DEPLOYED" in os.environ:
        return os.environ["PARTYLINE_API_KEY"]
    return str(request.getfixturevalue("stack").api_key)


@pytest.fixture
def console(deployed: str, api_key: str) -> Iterator[str]:
    """The URL of a console of the stack."""
    with run_console(deployed, api_key, every_secs=0.5) as url:
        yield url


def test_a_conversation_is_watched_and_controlled(
    deployed: str, console: str, api_key: str, window: Callable[..., Page]
) -> None:
    page = window()
    page.goto(console)
    client = Client(deployed, api_key)
    # A name of its own: a deployed stack has the conversations of the demo.
    client.ask("POST", "/conversations", {"to": HOST, "name": "Avery"})
    client.close()
    page.get_by_role("navigation", name="Conversations").get_by_role("link", name="Avery").click()
    expect(page.locator(".about .pill")).to_have_text("active")
    expect(page.get_by_role("option", name="participant.joined")).to_have_count(1)
    expect(page.get_by_role("heading", name="Phones")).to_have_count(0)

    page.get_by_role("button", name="Invite", exact=True).click()
    page.get_by_label("Number, or several to try").fill(DANA)
    page.get_by_label("Name", exact=True).fill("Dana")
    page.get_by_role("dialog").get_by_role("button", name="Invite").click()
    people = page.get_by_role("list", name="Participants")
    expect(people.locator("li", has_text="Dana")).to_contain_text("joined")

    page.get_by_role("button", name="Message").click()
    page.get_by_label("Message", exact=True).fill("Be generous.")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#tab-chat")).to_contain_text("Be generous.")

    page.get_by_role("button", name="Remove Dana").click()
    page.get_by_role("dialog").get_by_role("button", name="Hang up").click()
    expect(people.locator("li", has_text="Dana")).to_contain_text("left")
    _stop(page)


def test_the_page_never_contains_the_key(
    console: str, api_key: str, window: Callable[..., Page]
) -> None:
    page = window()
    seen: list[Any] = []
    page.on("request", lambda request: seen.append((request.url, request.headers)))
    page.goto(console)
    page.get_by_role("button", name="Start a conversation").click()
    page.get_by_label("Number to call").fill(HOST)
    page.get_by_role("button", name="Call", exact=True).click()
    expect(page.locator(".about .pill")).to_have_text("active")
    stored = page.evaluate("JSON.stringify([document.cookie, {...localStorage}])")
    assert api_key not in str(seen) + page.content() + stored
    _stop(page)


def test_the_page_reports_a_wrong_key(deployed: str, window: Callable[..., Page]) -> None:
    with run_console(deployed, "wrong", every_secs=0.5) as url:
        page = window()
        page.goto(url)
        expect(page.locator("#line")).to_have_text(
            "The stack refuses this key (403). Is the key in the stack's BearerKeys?"
        )


def _stop(page: Page) -> None:
    """End the conversation, because the tests of this folder share a stack."""
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    expect(page.locator(".about .pill")).to_have_text("ended")
