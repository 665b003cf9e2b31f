"""The phones: hidden, removed, busy, and used by keys."""

from playwright.sync_api import expect

from tests.support.room_page import ALEX, BILLIE, CASEY, RoomPage


def test_idle_phones_are_hidden_and_removed_phones_come_back_with_a_call(room: RoomPage) -> None:
    page = room.page
    room.phone(BILLIE).get_by_role("button", name="Remove the phone of Billie").click()
    expect(room.phone(BILLIE)).to_have_count(0)
    page.reload()
    expect(room.phone(CASEY)).to_be_visible()
    expect(room.phone(BILLIE)).to_have_count(0)
    room.call()
    room.invite(BILLIE.replace(" ", ""), "Billie")
    room.press(BILLIE, "Answer")
    expect(room.person("Billie")).to_contain_text("joined")
    hide = page.get_by_role("button", name="Hide idle")
    hide.click()
    expect(hide).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#handsets > article")).to_have_count(2)
    page.get_by_role("button", name="hidden, show all").click()
    expect(room.phone(CASEY)).to_be_visible()
    expect(hide).to_have_attribute("aria-pressed", "false")


def test_a_phone_in_a_call_is_busy_for_another_call(room: RoomPage) -> None:
    room.call()
    room.page.get_by_role("button", name="Start a conversation").click()
    form = room.page.get_by_role("dialog")
    form.get_by_label("Number to call").fill(ALEX.replace(" ", ""))
    form.get_by_role("button", name="Call", exact=True).click()
    expect(room.page.locator(".sentence")).to_have_text("The conversation failed: Alex was busy.")
    # The phone's own call goes on.
    room.page.get_by_role("button", name="Conversations").click()
    expect(room.page.locator(".list-row", has_text="active")).to_have_count(1)


def test_keys_answer_invite_and_hang_up(room: RoomPage) -> None:
    page = room.page
    page.keyboard.press("s")
    expect(page.get_by_label("Number to call")).to_be_focused()
    page.get_by_label("Number to call").fill(ALEX.replace(" ", ""))
    page.keyboard.press("a")  # in a field a key is a letter
    page.get_by_label("Number to call").fill(ALEX.replace(" ", ""))
    page.get_by_role("dialog").get_by_role("button", name="Call", exact=True).click()
    expect(room.phone(ALEX).get_by_role("button", name="Answer")).to_be_visible()
    expect(page.locator("dialog")).to_have_count(0)
    page.keyboard.press("a")
    room.expect_status("active")
    page.keyboard.press("i")
    expect(page.get_by_role("dialog", name="Invite somebody")).to_be_visible()
    page.keyboard.press("h")  # in a dialog a key is not for the page
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    room.expect_status("active")
    page.locator("body").evaluate("() => document.activeElement.blur()")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("hangs up the first phone")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    page.locator("body").evaluate("() => document.activeElement.blur()")
    page.keyboard.press("h")
    room.expect_status("ended")


def test_a_link_skips_the_phones(room: RoomPage) -> None:
    page = room.page
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the call")
    expect(skip).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#call-title")).to_be_focused()
    assert "#call-title" not in page.url
