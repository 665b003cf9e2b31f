"""The story of a call, its address, and the first screen."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from local.room.room_stack import RoomStack
from local.serving import free_port
from tests.support.page_server import conversation_fact, person, serve_page
from tests.support.room_page import ALEX, BILLIE, RoomPage, axe_violations


def test_a_call_is_told_in_few_entries_that_open_to_their_messages(
    quiet_stack: RoomStack, window: Callable[..., Page], axe: str
) -> None:
    page = window(story=True)
    story = RoomPage.open(page, quiet_stack.url)
    story.call()
    expect(page.locator(".sentence")).to_contain_text("Alex talks with the assistant, for 0:0")
    story.invite(BILLIE.replace(" ", ""), "Billie", Said_before_they_are_joined="Press 1.")
    expect(page.locator(".sentence")).to_contain_text(
        re.compile(r"Alex waits 0:\d\d: Billie is ringing, \d\d s left\.")
    )
    story.press(BILLIE, "Answer")
    story.press(BILLIE, "1")
    expect(page.locator(".sentence")).to_contain_text("Alex and Billie talk with the assistant")
    story.message("system", "Be generous.")
    page.get_by_role("button", name="Remove Billie").click()
    expect(page.get_by_role("dialog")).to_contain_text("The conversation goes on.")
    page.get_by_role("dialog").get_by_role("button", name="Hang up").click()
    expect(story.person("Billie")).to_contain_text("left")
    story.press(ALEX, "Hang up")
    expect(page.locator(".sentence")).to_have_text(
        re.compile("The conversation lasted .*, and ended because Alex left.")
    )
    told = page.locator(".entry b")
    expect(told.filter(has_text="Telnyx analysed the conversation")).to_have_count(1)
    lines = [line for line in told.all_inner_texts() if " spoke" not in line]
    assert lines == [
        "Alex answered, and the assistant started",
        "Billie joined",
        "Your app told the assistant",
        "Partyline hung Billie up",
        "Alex hung up, and the conversation ended",
        "Telnyx analysed the conversation",
    ]
    entry = page.get_by_role("button", name="Billie joined")
    entry.click()
    expect(entry).to_have_attribute("aria-expanded", "true")
    messages = page.get_by_role("list", name="Details").get_by_role("button")
    expect(messages.filter(has_text="call.gather.ended")).to_contain_text("pressed 1")
    messages.filter(has_text="call.answered").click()
    expect(page.locator("#tab-details h3")).to_contain_text("call.answered")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert axe_violations(page, axe) == []

    expect(page).to_have_url(re.compile("#/c/.+/r/w"))
    page.reload()
    expect(page.locator("#tab-details h3")).to_contain_text("call.answered")
    expect(page.locator(".plumb[aria-pressed=true]")).to_contain_text("call.answered")


def test_a_newcomer_calls_in_from_the_first_screen(
    stack: RoomStack, window: Callable[..., Page]
) -> None:
    with serve_page(free_port(), number="+13125550100") as url:
        page = window(story=True)
        page.goto(f"{url}/")
        expect(page.get_by_role("button", name="Call in as Alex")).to_be_visible()
        expect(page.get_by_role("button", name="Play a sample")).to_be_visible()
        asked = []
        page.on("request", lambda request: asked.append((request.url, request.post_data_json)))
        page.get_by_role("button", name="Call in as Alex").click()
        ring_in = {"do": "ring_in", "phone": "+13125550101", "to": "+13125550100"}
        assert asked == [(f"{url}/room/act", ring_in)]


def test_back_goes_to_the_conversation_before(window: Callable[..., Page]) -> None:
    facts = [
        conversation_fact("c1", created_at="2026-03-01T11:00:00Z", metadata={"ticket": "4711"}),
        conversation_fact("c2", participants=[person("host", "Robin", host=True)]),
    ]
    with serve_page(free_port(), *facts) as url:
        page = window()
        page.goto(f"{url}/")
        expect(page.locator("#call-title")).to_have_text("Robin")
        page.get_by_role("button", name="Conversations").click()
        page.get_by_label("Search the conversations").fill("4711")
        page.get_by_role("link", name="Alex", exact=True).click()
        expect(page.locator("#call-title")).to_have_text("Alex")
        expect(page).to_have_url(f"{url}/#/c/c1")
        page.go_back()
        expect(page.locator("#call-title")).to_have_text("Robin")


def test_a_pause_is_marked_in_the_story_and_in_the_diagram(
    window: Callable[..., Page], axe: str
) -> None:
    kind, key, view = conversation_fact(
        "c1",
        ("conversation.started", "2026-03-01T12:00:00Z"),
        ("conversation.restarted", "2026-03-01T12:01:44Z"),
    )
    assert isinstance(view, dict)
    for event in view["timeline"]:
        event["cause"] = f"webhook {event['seq']}"
    fact = kind, key, view
    with serve_page(free_port(), fact, mode="console", api="http://x") as url:
        page = window(story=True)
        page.goto(f"{url}/#/c/c1")
        expect(page.locator(".story .gap")).to_have_text("1:44 later")
        page.get_by_role("button", name="Diagram").click()
        expect(page.locator(".row .gap")).to_have_text("1:44 later")
        # A screen reader reads the pause too: what is seen is a part of the row's name.
        expect(page.get_by_role("option", name="1:44 later Conversation")).to_be_visible()
        assert axe_violations(page, axe) == []
        page.reload()
        expect(page.locator(".row .gap")).to_have_text("1:44 later")  # the choice is kept
