"""The assistant's tools, the report and a look at Telnyx, from the page."""

import json
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, Route, expect

from local.room.room_stack import RoomStack
from local.serving import free_port
from tests.support.page_server import conversation_fact, person, serve_page
from tests.support.room_page import ALEX, BILLIE, DEVON, RoomPage


def test_the_assistant_invites_a_new_contact_and_the_chat_shows_it(room: RoomPage) -> None:
    room.call()
    room.page.get_by_role("button", name="Tool", exact=True).click()
    form = room.page.get_by_role("dialog")
    form.get_by_label("Contact", exact=True).fill("billing")
    form.get_by_label("The contact's number").fill(BILLIE.replace(" ", ""))
    form.get_by_role("button", name="Use").click()
    chat = room.chat()
    expect(chat).to_contain_text("Tool of the assistant")
    expect(chat).to_contain_text("invite: billing")
    expect(chat).to_contain_text("Calling “billing” now.")
    room.press(BILLIE, "Answer")
    expect(room.person("billing")).to_contain_text("joined")
    room.page.request.delete(
        f"{room.page.url.split('#')[0]}room/api/routes/default",
        headers={"x-partyline-page": "1"},
    )


def test_a_look_finds_a_hangup_that_no_webhook_reported(room: RoomPage, stack: RoomStack) -> None:
    room.call()
    room.invite(DEVON.replace(" ", ""), "Devon")
    room.press(DEVON, "Answer")
    expect(room.person("Devon")).to_contain_text("joined")
    room.tab("Trouble")
    form = room.page.get_by_role("form", name="A webhook")
    form.get_by_label("Webhook").select_option("call.hangup")
    form.get_by_label("What happens to it").select_option("drop")
    form.get_by_role("button", name="Switch on").click()
    expect(room.page.get_by_role("list", name="In force")).to_contain_text("never comes")
    room.press(DEVON, "Hang up")
    room.page.get_by_role("button", name="Look now").click()
    expect(room.person("Devon")).to_contain_text("left")
    room.page.get_by_role("button", name="Clear all").click()
    room.press(ALEX, "Hang up")
    room.expect_status("ended")


REPORT: dict[str, Any] = {
    "duration_secs": 72,
    "reason": "host_left",
    "costs": {"USD": {"total": "0.0630", "assistant": "0.06", "calls": "0.003"}},
    "people": [
        {
            "participant_id": "host",
            "name": "Alex",
            "legs": [{"outcome": "human", "seconds": 72, "mos": 4.5, "cost": None}],
        }
    ],
}
TRANSCRIPT = {
    "messages": [
        {"role": "assistant", "participant_id": None, "text": "Hello.", "tool_calls": []},
        {"role": "user", "participant_id": "host", "text": "Hi!", "tool_calls": []},
    ],
    "final": True,
    "complete": False,
    "next_cursor": None,
}


def test_the_report_and_the_transcript_are_read_on_demand(window: Callable[..., Page]) -> None:
    people = [person("host", "Alex", host=True)]
    fact = conversation_fact("c1", status="ended", participants=people)

    def answer(route: Route) -> None:
        document = {"report": REPORT} if route.request.url.endswith("report") else TRANSCRIPT
        route.fulfill(content_type="application/json", body=json.dumps(document))

    with serve_page(free_port(), fact) as url:
        page = window()
        page.route("**/room/api/**", answer)
        page.goto(f"{url}/#/c/c1")
        page.get_by_role("tab", name="Report").click()
        page.get_by_role("button", name="Read the report").click()
        tab = page.locator("#tab-report")
        for words in ("1:12", "the host left", "0.0630 USD", "4.5"):
            expect(tab).to_contain_text(words)
        page.get_by_role("button", name="Read the transcript").click()
        expect(tab).to_contain_text("Some messages are missing.")
        expect(tab).to_contain_text("Alex: Hi!")
