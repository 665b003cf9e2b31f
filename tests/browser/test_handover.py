"""A handover through the page: the brief, the silent assistant, the absence and the return."""

from playwright.sync_api import expect

from local.room.room_stack import RoomStack
from tests.support.room_page import ALEX, BILLIE, RoomPage

BRIEF = "Alex was charged twice."


def set_mode(room: RoomPage, mode: str) -> None:
    room.page.get_by_role("button", name="Mode", exact=True).click()
    form = room.page.get_by_role("dialog")
    form.get_by_label("The assistant is").select_option(mode)
    form.get_by_role("button", name="Ask for it").click()
    expect(room.page.get_by_role("dialog")).to_have_count(0)


def test_a_person_takes_over_and_the_assistant_is_silent_away_and_back(
    room: RoomPage, stack: RoomStack
) -> None:
    room.call()
    room.page.get_by_role("button", name="Hand over", exact=True).click()
    form = room.page.get_by_role("dialog")
    form.get_by_label("Number, or several to try").fill(BILLIE.replace(" ", ""))
    form.get_by_label("Name", exact=True).fill("Billie")
    form.get_by_label("Why they are called").fill(BRIEF)
    form.get_by_label("Then the assistant").select_option("silent")
    form.get_by_role("button", name="Hand over").click()
    room.press(BILLIE, "Answer")
    expect(room.phone(BILLIE)).to_contain_text(BRIEF)
    room.press(BILLIE, "1")
    about = room.page.locator(".about")
    expect(about).to_contain_text("handover: handed over")
    expect(about).to_contain_text("the assistant is silent")

    set_mode(room, "away")
    expect(about).to_contain_text("the assistant is away")
    room.say(ALEX, "Are we alone?")
    expect(room.phone(BILLIE)).to_contain_text("Are we alone?")

    set_mode(room, "speaking")
    expect(about).not_to_contain_text("the assistant is")
    expect(room.phone(ALEX)).to_contain_text("I am back with you.")
    expect(room.phone(ALEX)).not_to_contain_text(BRIEF)
    room.press(BILLIE, "Hang up")
    room.press(ALEX, "Hang up")
    room.expect_status("ended")
    assert stack.simulator is not None
    assert stack.simulator.simulator.violations == []
