"""A message is copied as a command, and a webhook is sent again."""

import re

from playwright.sync_api import Page, expect

from local.stack.webhook_fixtures import data_of, set_field
from tests.support.room_page import ALEX, RoomPage


def copied(page: Page, button: str) -> str:
    """Press a copy button in the details; returns the clipboard."""
    page.locator("#tab-details").get_by_role("button", name=button).click()
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_a_message_is_copied_as_curl_or_as_trigger(room: RoomPage) -> None:
    page = room.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    room.call()
    room.row("request", "POST").first.click()
    command = copied(page, "Copy as curl")
    assert command.startswith("curl -sX POST 'http://127.0.0.1:")
    assert '"name": "Alex"' in command
    room.press(ALEX, "Hang up")
    room.row("webhook", "call.hangup").first.click()
    conversation = page.url.split("/c/")[1].split("/")[0]
    fields = "--set payload.hangup_cause=normal_clearing"
    trigger = copied(page, "Copy as trigger")
    assert trigger == f"partyline trigger call.hangup --conversation {conversation} {fields}"
    # `partyline trigger` refuses a field that the fixture does not have.
    set_field(data_of("call.hangup"), "payload.hangup_cause=normal_clearing")


def test_a_webhook_is_sent_again_and_a_lost_webhook_is_delivered(room: RoomPage) -> None:
    page = room.page
    room.call()
    room.row("webhook", "call.answered").first.click()
    again = page.locator("#tab-details").get_by_role("button", name="Send again")
    again.click()
    expect(room.row("webhook", "call.answered delivered twice")).to_have_count(1)
    room.tab("Trouble")
    form = page.get_by_role("form", name="A webhook")
    form.get_by_label("Webhook").select_option("call.hangup")
    form.get_by_label("What happens to it").select_option("drop")
    form.get_by_label("How often it happens").select_option("1")
    form.get_by_role("button", name="Switch on").click()
    expect(page.get_by_role("list", name="In force")).to_contain_text("never comes, once")
    room.press(ALEX, "Hang up")
    room.row("webhook", "call.hangup lost on the way|call.hangup .*lost on the way").first.click()
    again.click()
    expect(room.row("webhook", "call.hangup")).to_have_count(2)
    # The webhook that ends the assistant's conversation may come first, with Telnyx's own reason.
    ended = re.compile("ended because (Alex left|customer disconnect)")
    expect(room.page.locator(".sentence")).to_have_text(ended)
