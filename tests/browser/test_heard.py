"""What is heard in the room: own words, keys, waiting sounds, the spoken voice, the ring."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Page, expect

from local.room.room_stack import RoomStack
from local.serving import free_port
from tests.support.page_server import conversation_fact, person, serve_page
from tests.support.room_page import ALEX, BILLIE, RoomPage, axe_violations, wait_until

NO_SOUND = """
window.spoken = [];
window.tones = 0;
window.shakes = 0;
window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
Object.defineProperty(window, "speechSynthesis", {
    value: { speak: words => window.spoken.push([words.text, words.pitch]), cancel() {} },
});
window.AudioContext = class {
    constructor() { this.currentTime = 0; this.destination = null; }
    createGain() { return { gain: {}, connect() {} }; }
    createOscillator() {
        return { frequency: {}, connect() {}, start() { window.tones += 1; }, stop() {} };
    }
};
navigator.vibrate = () => { window.shakes += 1; return true; };
"""
"""Takes the place of the browser's voice, sound and vibration, and counts their uses."""


def test_a_person_sees_own_words_and_keys_and_the_diagram_shows_the_key(
    room: RoomPage, stack: RoomStack, window: Callable[..., Page]
) -> None:
    room.call()
    room.invite(BILLIE.replace(" ", ""), "Billie", Said_before_they_are_joined="Press 1.")
    own = window()
    own.goto(f"{stack.url}/?phone={BILLIE.replace(' ', '').replace('+', '%2B')}")
    room.press(BILLIE, "Answer")
    expect(room.phone(BILLIE).get_by_role("group", name="Keypad")).to_be_visible()
    room.press(BILLIE, "1")
    expect(room.row("heard", "Billie pressed 1")).to_have_count(1)
    expect(room.person("Billie")).to_contain_text("joined")
    room.say(BILLIE, "Here I am.")
    for place in (room.phone(BILLIE), own.get_by_role("article")):
        expect(place.locator(".mine")).to_have_text(["You: pressed 1", "You: Here I am."])
    # The chat tells the people apart, and what one person alone hears from the rest.
    room.say(ALEX, "Hello, Billie.")
    chat = room.chat()
    expect(chat.locator(".bubble.alone", has_text="Press 1.")).to_contain_text("Billie alone hears")
    host, guest = (chat.locator(".bubble.user", has_text=name) for name in ("Hello,", "Here I am"))
    expect(host.locator("header")).to_have_text(re.compile(r"^AAlexhost\d+\.\d\d s$"))
    expect(guest.locator("header")).to_have_text(re.compile(r"^BBillie\d+\.\d\d s$"))
    colours = [
        each.locator("p").evaluate("p => getComputedStyle(p).backgroundColor")
        for each in (host, guest)
    ]
    assert colours[0] != colours[1]


def test_the_chat_has_the_sounds_of_waiting(window: Callable[..., Page], axe: str) -> None:
    now = datetime.now(UTC)
    guest = person("p1", "Billie")
    guest["legs"][0]["call_control_id"] = "v3:b"
    heard = [
        {"at": (now + timedelta(seconds=nth)).isoformat(), "what": what}
        for nth, what in enumerate(
            ("answered", "voice: One moment, please.", "audio: https://e.example/wait.mp3")
        )
    ]
    leg: dict[str, Any] = {
        "number": BILLIE.replace(" ", ""),
        "state": "answered",
        "started_at": now.isoformat(),
        "answered_at": now.isoformat(),
        "ended_at": None,
        "heard": heard,
    }
    people = [person("host", "Alex", host=True), guest]
    fact = conversation_fact("c1", participants=people)
    with serve_page(free_port(), fact, ("leg", "v3:b", leg)) as url:
        page = window()
        page.goto(f"{url}/#/c/c1")
        bubbles = page.locator("#tab-chat .bubble.alone")
        expect(bubbles).to_have_count(2)
        expect(bubbles.nth(0)).to_contain_text("One moment, please.")
        expect(bubbles.nth(1)).to_contain_text("♪ https://e.example/wait.mp3")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert axe_violations(page, axe, runOnly=["color-contrast"]) == []


def test_sound_is_off_at_first_and_speaks_and_rings_when_it_is_on(
    room: RoomPage, stack: RoomStack, window: Callable[..., Page]
) -> None:
    page = window()
    page.add_init_script(NO_SOUND)
    heard = RoomPage.open(page, stack.url)
    sound = page.get_by_role("button", name="Sound")
    expect(sound).to_have_attribute("aria-pressed", "false")
    heard.call()
    expect(heard.chat()).to_contain_text("how can I help")
    assert page.evaluate("[spoken.length, tones]") == [0, 0]
    sound.click()
    heard.say(ALEX, "What is the price?")
    wait_until(page, "spoken.length === 2")
    words = page.evaluate("spoken")
    assert [text for text, _ in words] == [
        "What is the price?",
        "It is forty dollars, delivery included.",
    ]
    assert words[0][1] != words[1][1]  # the person and the assistant differ in pitch
    heard.invite(BILLIE.replace(" ", ""), "Billie")
    wait_until(page, "tones > 0")
    heard.press(BILLIE, "Answer")
    expect(heard.person("Billie")).to_contain_text("joined")
    page.reload()
    expect(sound).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("spoken") == []  # nothing is spoken twice


def test_a_phone_in_its_own_window_vibrates_while_it_rings(
    room: RoomPage, stack: RoomStack, window: Callable[..., Page]
) -> None:
    own = window(width=390)
    own.add_init_script(NO_SOUND)
    own.goto(f"{stack.url}/?phone={BILLIE.replace(' ', '').replace('+', '%2B')}")
    own.get_by_role("article").click()  # a browser vibrates only after a touch
    room.call()
    assert own.evaluate("shakes") == 0
    room.invite(BILLIE.replace(" ", ""), "Billie")
    wait_until(own, "shakes > 0")
