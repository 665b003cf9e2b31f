"""A whole call through the page, as in the demo."""

import json
import re
from typing import Any

import httpx
from playwright.sync_api import Route, expect

from local.room.room_stack import RoomStack
from local.stack.event_bus import BusEvent
from tests.support.patience import PATIENCE_SECS
from tests.support.room_page import ALEX, BILLIE, CASEY, DEVON, RoomPage

SAY = "Alex wants to speak to you. Press 1 to join."
RINGS = {"Seconds_it_may_ring": "600"}


def _wait_long_for_the_digit(route: Route) -> None:
    """Give the person the longest time for the digit: a slow machine needs more than 15 s."""
    body: Any = route.request.post_data_json
    if "screening" in body:
        body["screening"]["timeout_secs"] = 60
    route.continue_(post_data=json.dumps(body))


def test_a_call_with_three_guests_from_the_first_ring_to_the_insights(
    room: RoomPage, stack: RoomStack
) -> None:
    room.call()
    expect(room.phone(ALEX)).to_contain_text("Hello, how can I help?")
    before = room.phone(BILLIE).bounding_box(), room.page.locator("#diagram").bounding_box()
    room.say(ALEX, "Where is my order?")
    expect(room.phone(ALEX)).to_contain_text("It left the warehouse this morning.")
    expect(room.chat()).to_contain_text("It left the warehouse this morning.")
    after = room.phone(BILLIE).bounding_box(), room.page.locator("#diagram").bounding_box()
    assert after == before  # the words of a phone do not move the buttons of other phones

    room.page.route("**/participants", _wait_long_for_the_digit)
    room.invite(BILLIE.replace(" ", ""), "Billie", Said_before_they_are_joined=SAY, **RINGS)
    room.invite(f"{CASEY} {DEVON}".replace(" 312 555 ", "312555"), "Casey", **RINGS)
    room.press(BILLIE, "Answer")
    expect(room.phone(BILLIE)).to_contain_text(SAY)
    expect(room.person("Billie")).to_contain_text("screening")
    room.press(BILLIE, "1")
    expect(room.person("Billie")).to_contain_text("joined")
    room.press(CASEY, "Busy")
    room.press(DEVON, "Answer")
    expect(room.person("Casey")).to_contain_text("joined")
    expect(room.chat()).to_contain_text("“Casey” could not be reached: the line is busy.")
    assert room.page.locator("#diagram").bounding_box() == before[1]

    room.message("system", "Be generous.")
    told = room.chat().get_by_role("article").filter(has_text="Be generous.")
    expect(told).to_contain_text("Told by your app")
    reported = room.chat().get_by_role("article").filter(has_text="could not be reached")
    expect(reported).to_contain_text("Told by Partyline")
    for role in ("assistant", "user"):
        room.message(role, f"As {role}.")
        told = room.chat().get_by_role("article").filter(has_text=f"As {role}.")
        expect(told).to_contain_text(f"Put in as {role}: nobody hears it")
        expect(room.row("command", f"tell the assistant as {role}, nobody hears it")).to_have_count(
            1
        )
        expect(room.row("heard", f"As {role}")).to_have_count(0)

    room.page.get_by_role("button", name="Remove Casey").click()
    room.page.get_by_role("button", name="Hang up", exact=True).last.click()
    expect(room.person("Casey")).to_contain_text("left")
    room.press(BILLIE, "Hang up")
    room.press(ALEX, "Hang up")
    room.expect_status("ended")
    expect(room.chat()).to_contain_text("positive")
    expect(room.chat()).to_contain_text("Insight, made up by the simulator")
    assert stack.simulator is not None
    assert stack.simulator.simulator.violations == []


def test_a_picked_arrow_shows_its_payload_the_state_and_the_log(room: RoomPage) -> None:
    room.call()
    room.row("webhook", "call.answered").first.click()
    details = room.page.locator("#tab-details")
    expect(details).to_contain_text('"event_type": "call.answered"')
    expect(
        details.get_by_role("row", name=re.compile("participants.0.legs.0.status"))
    ).to_have_text(re.compile('"ringing" "answered"'))
    expect(details).to_contain_text("conversation.active")


def test_a_drawing_waits_for_the_end_of_a_press(room: RoomPage) -> None:
    """A row that is drawn anew between press and release would lose the click."""
    room.call()
    expect(room.row("heard", "Hello, how can I help")).to_have_count(1)
    row = room.row("webhook", "call.answered").first
    pressed = row.element_handle()
    assert pressed is not None
    row.hover()
    room.page.mouse.down()
    drawn_anew = """async (row) => {
        const { changed, model } = await import("/room/page/model.js");
        model.picked = { key: row.id.slice("row-".length) };
        changed();
        for (const _ of [1, 2]) await new Promise(requestAnimationFrame);
        return !row.isConnected;
    }"""
    assert pressed.evaluate(drawn_anew) is False
    room.page.mouse.up()
    expect(room.page.locator("#tab-details")).to_contain_text('"event_type": "call.answered"')
    assert pressed.evaluate("row => row.isConnected") is False


def test_every_webhook_command_and_event_is_a_row_of_the_diagram(
    room: RoomPage, stack: RoomStack
) -> None:
    """As many webhooks, commands and events as the simulator's records have, and no more."""
    events: list[BusEvent] = []
    stack.bus.follow(events.append)
    room.call()
    expect(room.row("heard", "Hello, how can I help")).to_have_count(1)
    expect(room.row("event", "conversation.active")).to_have_count(1)
    assert stack.simulator is not None
    telnyx = stack.simulator.simulator
    (leg,) = (call for call in telnyx.legs if call.state == "answered")
    came = [
        attempt
        for attempt in telnyx.deliverer.attempts
        if attempt.call_control_id == leg.call_control_id
    ]
    sent = [entry for entry in telnyx.ledger if leg.call_control_id in str(entry)]
    expect(room.row("webhook")).to_have_count(len(came))
    expect(room.row("command")).to_have_count(len(sent))
    # The conversation of an earlier test may still be ending.
    ours = room.wait_for_event(events, "conversation.started")["detail"]["conversation_id"]
    room.wait_for_event(events, "conversation.active")
    of_ours = [event for event in events if event["detail"]["conversation_id"] == ours]
    expect(room.row("event")).to_have_count(len(of_ours))
    expect(room.row("request", "POST .conversations")).to_have_count(1)
    asked = telnyx.use_tool(leg.call_control_id, f"{stack.url}/tools/invite", {"name": "billing"})
    httpx.post(
        asked.url, content=asked.body, headers=asked.headers, timeout=PATIENCE_SECS, trust_env=False
    )
    expect(room.row("request", "POST .tools.invite 200")).to_have_count(1)
    room.page.get_by_role("button", name="Webhooks").click()
    expect(room.row("webhook")).to_have_count(0)


def test_a_caller_rings_in_from_a_new_number(room: RoomPage) -> None:
    room.page.get_by_role("button", name="New caller").click()
    number = room.page.get_by_label("From the number")
    expect(number).to_be_focused()
    number.fill("abc")
    room.page.get_by_role("button", name="Call", exact=True).click()
    expect(number).to_have_accessible_description(re.compile("That is no phone number"))
    expect(number).to_be_focused()
    expect(room.page.get_by_role("article", name="abc")).to_have_count(0)
    number.fill("+13125550142")
    room.page.get_by_label("Name").fill("Morgan")
    room.page.get_by_role("button", name="Call", exact=True).click()
    room.expect_status("active")
    expect(room.phone("+1 312 555 0142")).to_contain_text("Hello, how can I help?")
    expect(room.page.locator(".about")).to_contain_text("inbound")
    expect(room.page.locator("#call-title")).to_have_text("Morgan")
    expect(room.person("Morgan")).to_contain_text("host, joined")
    expect(room.page.locator(".head.leg .name")).to_have_text("Morgan")
