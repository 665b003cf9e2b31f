"""The room in several windows."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from local.room.room_stack import RoomStack
from tests.support.room_page import ALEX, BILLIE, RoomPage


def test_a_call_answered_in_a_window_is_shown_in_another_window(
    room: RoomPage, stack: RoomStack, window: Callable[..., Page]
) -> None:
    first, second = room, RoomPage.open(window(), stack.url)
    first.call()
    second.expect_status("active")
    first.invite(BILLIE.replace(" ", ""), "Billie")
    second.press(BILLIE, "Answer")
    expect(first.person("Billie")).to_contain_text("joined")
    second.say(BILLIE, "Hello Alex")
    expect(first.phone(ALEX)).to_contain_text("Hello Alex")
    expect(first.chat()).to_contain_text("Hello Alex")


def test_a_phone_can_have_a_window_of_its_own(room: RoomPage) -> None:
    with room.page.expect_popup() as opened:
        room.phone(BILLIE).get_by_role("link").click()
    own = RoomPage(opened.value)
    expect(own.page.get_by_role("article")).to_have_count(1)
    room.page.bring_to_front()  # a covered window draws only twice a second
    room.call()
    room.invite(BILLIE.replace(" ", ""), "Billie")
    own.page.bring_to_front()
    own.press(BILLIE, "Answer")
    expect(room.person("Billie")).to_contain_text("joined")
