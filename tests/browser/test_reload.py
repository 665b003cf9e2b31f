"""A reload keeps the tab and the scroll position."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from local.serving import free_port
from tests.support.page_server import conversation_fact, person, serve_page
from tests.support.room_page import wait_until

EVENTS = [("message.sent", f"2026-03-01T12:{nth:02d}:00Z") for nth in range(60)]


def test_a_reload_keeps_the_tab_and_the_scroll_position(window: Callable[..., Page]) -> None:
    with serve_page(free_port(), conversation_fact("c1", *EVENTS)) as url:
        page = window(story=True)
        page.goto(f"{url}/#/c/c1")
        page.get_by_role("tab", name="Stories").click()
        story = page.locator(".story")
        expect(story.locator(".entry").first).to_be_attached()
        story.evaluate("story => story.scrollTo(0, 400)")
        page.wait_for_timeout(100)
        page.reload()
        expect(page.get_by_role("tab", name="Stories")).to_have_attribute("aria-selected", "true")
        wait_until(page, "document.querySelector('.story').scrollTop === 400")


def test_a_reload_with_a_picked_message_keeps_the_tab(window: Callable[..., Page]) -> None:
    mode = {"mode": "console", "api": "http://127.0.0.1:8400", "to": "a stack"}
    with serve_page(free_port(), conversation_fact("c1", *EVENTS[:2]), **mode) as url:
        page = window()
        page.goto(f"{url}/#/c/c1")
        page.get_by_role("option").first.click()
        details = page.get_by_role("tab", name="Details")
        expect(details).to_have_attribute("aria-selected", "true")
        report = page.get_by_role("tab", name="Report")
        report.click()
        page.reload()
        expect(page.get_by_role("option", selected=True)).to_have_count(1)
        expect(report).to_have_attribute("aria-selected", "true")
        page.get_by_role("option").nth(1).click()
        expect(details).to_have_attribute("aria-selected", "true")


def test_the_number_of_people_on_the_line_stands_before_their_names(
    window: Callable[..., Page],
) -> None:
    people = [person(f"p{nth}", f"A person with a long name {nth}") for nth in range(9)]
    people.append(person("late", "Devon", status="dialing"))
    with serve_page(free_port(), conversation_fact("c1", participants=people)) as url:
        page = window()
        page.goto(f"{url}/#/c/c1")
        expect(page.locator(".on-the-line")).to_have_text("9 on the line")
        box = page.get_by_role("list", name="Participants")
        assert box.evaluate("list => list.scrollWidth <= list.clientWidth")
