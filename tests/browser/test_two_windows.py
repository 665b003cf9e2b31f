"""Several people, several windows."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from local.stack.local_stack import LocalStack
from tests.support.room_page import ALEX, BILLIE, RoomPage


def test_a_phone_picked_up_in_one_window_is_seen_in_another(
    room: RoomPage, stack: LocalStack, window: Callable[..., Page]
) -> None:
    one, other = room, RoomPage.open(window(), stack.url)
    one.call()
    other.expect_status("active")
    one.invite(BILLIE.replace(" ", ""), "Billie")
    other.press(BILLIE, "Answer")
    expect(one.person("Billie")).to_contain_text("joined")
    other.say(BILLIE, "Hello Alex")
    expect(one.phone(ALEX)).to_contain_text("Hello Alex")
    expect(one.chat()).to_contain_text("Hello Alex")


def test_a_phone_can_have_a_window_of_its_own(room: RoomPage) -> None:
    with room.page.expect_popup() as opened:
        room.phone(BILLIE).get_by_role("link").click()
    own = RoomPage(opened.value)
    expect(own.page.get_by_role("article")).to_have_count(1)
    room.page.bring_to_front()  # behind another, a window draws twice a second
    room.call()
    room.invite(BILLIE.replace(" ", ""), "Billie")
    own.page.bring_to_front()
    own.press(BILLIE, "Answer")
    expect(room.person("Billie")).to_contain_text("joined")
