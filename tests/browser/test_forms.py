"""The forms: the sent request, the errors of a refusal, and text that stays text."""

import json
import re

from playwright.sync_api import Route, expect

from local.room.room_stack import RoomStack
from tests.support.room_page import ALEX, BILLIE, RoomPage, axe_violations


def test_a_form_shows_the_request_that_it_sends(room: RoomPage, stack: RoomStack) -> None:
    room.page.get_by_role("button", name="Start a conversation").click()
    room.page.get_by_label("The assistant's greeting").fill("It's Robin's day")
    shown = room.page.get_by_label("The request as curl").inner_text()
    assert f"curl -sX POST '{stack.url}/conversations'" in shown
    assert "Bearer $(cat ~/.partyline/dev/bearer-key)" in shown
    with room.page.expect_request(re.compile("/room/api/conversations")) as asked:
        room.page.get_by_role("button", name="Call", exact=True).click()
    body = shown.partition("-d '")[2].removesuffix("'").replace("'\\''", "'")
    assert json.loads(body) == asked.value.post_data_json
    # The end of the test hangs up the call, which has to be there.
    expect(room.phone(ALEX).get_by_role("button", name="Answer")).to_be_visible()


def test_an_error_of_the_api_is_shown_at_its_field(room: RoomPage) -> None:
    room.page.get_by_role("button", name="Start a conversation").click()
    number = room.page.get_by_label("Number to call")
    number.fill("0312")
    room.page.get_by_role("button", name="Call", exact=True).click()
    expect(number).to_have_attribute("aria-invalid", "true")
    expect(number).to_have_accessible_description(re.compile("not a phone number in E.164"))
    expect(number).to_be_focused()


def test_rarer_fields_are_folded_and_an_error_opens_the_fold(room: RoomPage) -> None:
    page = room.page
    page.get_by_role("button", name="Start a conversation").click()
    form = page.get_by_role("dialog")
    expect(form.get_by_label("Metadata")).to_be_hidden()
    form.get_by_text("More", exact=True).click()
    form.get_by_label("Metadata").fill("ticket=T42 shop=north")
    form.get_by_role("button", name="Call", exact=True).click()
    expect(page.locator(".summary")).to_contain_text("ticket: T42")
    room.press(ALEX, "Answer")
    room.expect_status("active")
    page.get_by_role("button", name="Invite", exact=True).click()
    form.get_by_text("More", exact=True).click()
    form.get_by_label("Rounds of all numbers").fill("2")
    form.get_by_label("Seconds until it is given up").fill("1")
    form.get_by_label("The digit that says yes").fill("5")
    form.get_by_label("Said before they are joined").fill("Press 5.")
    form.get_by_text("More", exact=True).click()
    expect(form.get_by_label("Rounds of all numbers")).to_be_hidden()
    with page.expect_request(re.compile("/participants$")) as asked:
        form.get_by_role("button", name="Invite").click()
    body: dict[str, object] = asked.value.post_data_json or {}
    assert (body["max_attempts"], body["deadline_secs"]) == (2, 1)
    assert body["screening"] == {"say": "Press 5.", "accept_digit": "5"}
    deadline = form.get_by_label("Seconds until it is given up")
    expect(deadline).to_be_focused()
    expect(deadline).to_have_attribute("aria-invalid", "true")


def test_each_of_several_numbers_is_a_chip_that_can_be_left_out(room: RoomPage, axe: str) -> None:
    room.page.get_by_role("button", name="Start a conversation").click()
    form = room.page.get_by_role("dialog")
    numbers, name = form.get_by_label("Number to call"), form.get_by_label("Name", exact=True)
    chips = form.get_by_role("list", name="In this order").get_by_role("listitem")
    numbers.fill(BILLIE.replace(" ", ""))
    expect(chips).to_have_count(0)
    numbers.fill(f"{BILLIE.replace(' ', '')}, {ALEX.replace(' ', '')} +13125550199")
    shown = [f"Billie {BILLIE}", f"Alex {ALEX}", "+1 312 555 0199"]
    expect(chips).to_contain_text(shown)
    assert axe_violations(room.page, axe) == []
    form.get_by_role("button", name=f"Leave out {shown[0]}").click()
    expect(numbers).to_have_value(f"{ALEX.replace(' ', '')} +13125550199")
    expect(numbers).to_be_focused()
    expect(name).to_have_value("Alex")
    expect(form.get_by_label("The request as curl")).not_to_contain_text(BILLIE[-4:])
    form.get_by_role("button", name="Leave out +1 312 555 0199").click()
    expect(chips).to_have_count(0)


def test_an_empty_number_is_asked_for_in_plain_words(room: RoomPage) -> None:
    room.page.get_by_role("button", name="Start a conversation").click()
    number = room.page.get_by_label("Number to call")
    number.fill("")
    room.page.get_by_role("button", name="Call", exact=True).click()
    expect(number).to_have_accessible_description(re.compile("Type a number."))
    expect(number).to_be_focused()


def test_a_form_that_is_sent_again_after_a_lost_answer_has_the_same_key(room: RoomPage) -> None:
    keys = []

    def lose(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        route.abort()

    room.page.route("**/room/api/conversations", lose)
    room.page.get_by_role("button", name="Start a conversation").click()
    form = room.page.get_by_role("dialog")
    for _ in range(2):
        form.get_by_role("button", name="Call", exact=True).click()
        expect(form.get_by_role("alert")).to_contain_text("The server is away.")
        expect(form.get_by_role("button", name="Call", exact=True)).to_be_enabled()
    form.get_by_label("Name", exact=True).fill("Another")
    form.get_by_role("button", name="Call", exact=True).click()
    expect(form.get_by_role("button", name="Call", exact=True)).to_be_enabled()
    assert len(keys) == 3
    assert keys[0] == keys[1] != keys[2]


def test_a_name_that_looks_like_markup_is_shown_as_text(room: RoomPage) -> None:
    name = "<img src=x onerror=\"document.title='owned'\">"
    room.call(name=name)
    expect(room.page.locator(".people b")).to_have_text(name)
    room.say(ALEX, "<b>loud</b>")
    expect(room.chat()).to_contain_text("<b>loud</b>")
    room.row("command", "dial").first.click()
    expect(room.page.locator("main img")).to_have_count(0)
    assert "owned" not in room.page.title()


def test_the_page_may_run_its_own_scripts_only(room: RoomPage, stack: RoomStack) -> None:
    answer = room.page.request.get(f"{stack.url}/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script>" not in answer.text()
