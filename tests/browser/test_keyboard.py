"""The page with the keyboard only."""

from playwright.sync_api import Page, expect

from tests.support.room_page import ALEX, RoomPage

MOST_STEPS = 60


def go_to(page: Page, name: str) -> None:
    """Press Tab until the focused element has the name."""
    for _ in range(MOST_STEPS):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "document.activeElement.getAttribute('aria-label') || document.activeElement.innerText"
        )
        if focused == name:
            return
    raise AssertionError(f"Tab never reaches {name}")


def test_a_call_is_started_picked_up_read_and_ended_without_a_mouse(room: RoomPage) -> None:
    page = room.page
    go_to(page, "Start a conversation")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Number to call")).to_be_focused()
    go_to(page, "Call")
    page.keyboard.press("Enter")
    expect(room.phone(ALEX).get_by_role("button", name="Answer")).to_be_visible()
    go_to(page, "Answer")
    page.keyboard.press("Enter")
    room.expect_status("active")
    go_to(page, "What happened, in order of time")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".row[aria-selected=true]")).to_have_count(1)
    expect(page.locator(".row").nth(1)).to_have_attribute("aria-selected", "true")
    expect(page.locator("#tab-details h3")).to_contain_text("Transaction")

    invite = page.get_by_role("button", name="Invite", exact=True)
    invite.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Number, or several to try")).to_be_focused()
    go_to(page, "Invite")
    page.keyboard.press("Enter")
    expect(room.person("Billie")).to_contain_text("ringing")
    expect(invite).to_be_focused()
    go_to(page, "Remove Billie")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    go_to(page, "Hang up")
    page.keyboard.press("Enter")
    expect(room.person("Billie")).to_contain_text("failed")
    expect(invite).to_be_focused()

    go_to(page, "Hang up")
    page.keyboard.press("Enter")
    room.expect_status("ended")


def test_escape_closes_a_form(room: RoomPage) -> None:
    room.page.get_by_role("button", name="Start a conversation").click()
    room.page.keyboard.press("Escape")
    expect(room.page.get_by_role("dialog")).to_have_count(0)
