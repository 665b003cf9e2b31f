"""The diagram and what stands around it, of conversations that are told and never were."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from local.serving import free_port
from tests.browser.served import served, viewed

CONSOLE = {"mode": "console", "api": "http://127.0.0.1:8400", "number": None, "to": "a stack"}


def test_a_time_past_a_minute_has_its_minutes(window: Callable[..., Page]) -> None:
    told = viewed(
        "c1",
        ("conversation.created", "2026-03-01T12:00:00.000Z"),
        ("conversation.active", "2026-03-01T12:00:12.340Z"),
        ("participant.joined", "2026-03-01T12:02:59.000Z"),
        ("participant.left", "2026-03-01T12:03:59.960Z"),
        ("conversation.ended", "2026-03-03T12:00:00.000Z"),
    )
    with served(free_port(), told, **CONSOLE) as url:
        page = window()
        page.goto(f"{url}/")
        times = page.locator(".row .time")
        expect(times).to_have_text(["0.00 s", "12.34 s", "2:59.0", "4:00.0", "2880:00.0"])
        boxes = [each.bounding_box() for each in times.all()]
        picture = page.locator(".picture").bounding_box()
        assert picture
        assert all(box and box["x"] >= picture["x"] + 6 for box in boxes)


def test_on_a_narrow_screen_the_arrow_keys_stay_in_the_diagram(
    window: Callable[..., Page],
) -> None:
    told = viewed(
        "c1",
        ("conversation.created", "2026-03-01T12:00:00.000Z"),
        ("conversation.active", "2026-03-01T12:00:12.340Z"),
    )
    with served(free_port(), told, **CONSOLE) as url:
        page = window(390)
        page.goto(f"{url}/")
        diagram = page.get_by_role("listbox")
        diagram.focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        expect(page.locator(".row").nth(1)).to_have_attribute("aria-selected", "true")
        expect(diagram).to_be_focused()
        page.keyboard.press("Enter")
        details = page.get_by_role("tabpanel", name="Details")
        expect(details).to_be_focused()
        expect(details).to_contain_text("conversation.active")


def test_what_goes_on_comes_before_what_is_over(window: Callable[..., Page]) -> None:
    over = [
        viewed(f"c{hour}", created_at=f"2026-03-01T{hour}:00:00Z", status="ended")
        for hour in (11, 12, 13)
    ]
    live = viewed("live", created_at="2026-03-01T10:00:00Z")
    with served(free_port(), *over, live, **CONSOLE) as url:
        page = window()
        page.goto(f"{url}/")
        tabs = page.get_by_role("navigation", name="Conversations").get_by_role("button")
        expect(tabs).to_have_count(4)
        expect(tabs.first).to_have_attribute("aria-current", "true")
        expect(tabs.first).to_have_accessible_name(re.compile("^Alex .*[0-9].* active$"))
        expect(page.locator(".about .pill")).to_have_text("active")
        names = [each.inner_text() for each in tabs.all()]
        assert len(set(names)) == len(names)
