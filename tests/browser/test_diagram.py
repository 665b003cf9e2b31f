"""The diagram and the list of conversations, with facts that the tests make."""

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from playwright.sync_api import Page, expect

from local.room.server import PEOPLE
from local.serving import free_port
from tests.support.page_server import Fact, conversation_fact, person, serve_page

CONSOLE = {"mode": "console", "api": "http://127.0.0.1:8400", "number": None, "to": "a stack"}


def test_a_time_of_more_than_a_minute_has_minutes(window: Callable[..., Page]) -> None:
    labels = conversation_fact(
        "c1",
        ("conversation.created", "2026-03-01T12:00:00.000Z"),
        ("conversation.active", "2026-03-01T12:00:12.340Z"),
        ("participant.joined", "2026-03-01T12:02:59.000Z"),
        ("participant.left", "2026-03-01T12:03:59.960Z"),
        ("conversation.ended", "2026-03-03T12:00:00.000Z"),
    )
    with serve_page(free_port(), labels, **CONSOLE) as url:
        page = window()
        page.goto(f"{url}/#/c/c1")
        times = page.locator(".row .time")
        expect(times).to_have_text(["0.00 s", "12.34 s", "2:59.0", "4:00.0", "2880:00.0"])
        boxes = [time.bounding_box() for time in times.all()]
        picture = page.locator(".picture").bounding_box()
        assert picture
        assert all(box and box["x"] >= picture["x"] + 6 for box in boxes)


def test_on_a_narrow_screen_the_arrow_keys_stay_in_the_diagram(
    window: Callable[..., Page],
) -> None:
    labels = conversation_fact(
        "c1",
        ("conversation.created", "2026-03-01T12:00:00.000Z"),
        ("conversation.active", "2026-03-01T12:00:12.340Z"),
    )
    with serve_page(free_port(), labels, **CONSOLE) as url:
        page = window(390)
        page.goto(f"{url}/#/c/c1")
        diagram = page.get_by_role("listbox")
        diagram.focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        expect(page.locator(".row").nth(1)).to_have_attribute("aria-selected", "true")
        expect(diagram).to_be_focused()
        page.keyboard.press("Enter")
        details = page.get_by_role("tabpanel", name="Details")
        expect(details).to_be_focused()
        expect(details).to_contain_text("conversation.active")


def test_live_conversations_come_before_ended_conversations(window: Callable[..., Page]) -> None:
    over = [
        conversation_fact(f"c{hour}", created_at=f"2026-03-01T{hour}:00:00Z", status="ended")
        for hour in (11, 12, 13)
    ]
    live = conversation_fact("live", created_at="2026-03-01T10:00:00Z")
    with serve_page(free_port(), *over, live) as url:
        page = window()
        page.goto(f"{url}/")
        expect(page.locator(".about .pill")).to_have_text("active")
        page.get_by_role("button", name="Conversations").click()
        rows = page.get_by_role("navigation", name="Conversations").get_by_role("row")
        expect(rows).to_have_count(1 + 4)
        expect(rows.nth(1)).to_contain_text("active")
        expect(rows.nth(1).get_by_role("link")).to_have_attribute("aria-current", "true")
        names = [row.inner_text() for row in rows.all()]
        assert len(set(names)) == len(names)


def test_a_request_without_a_call_belongs_to_the_conversation_that_it_changed(
    window: Callable[..., Page],
) -> None:
    """A start with a crashed function, an assistant's tool, and requests to Telnyx."""
    host = person("host", "Alex", host=True)
    host["legs"][0]["call_control_id"] = "v3:a"
    conversation = {"participants": [host], "telnyx_conversation_id": "t1"}
    facts: list[Fact] = [
        conversation_fact("c1", **conversation),
        ("transaction", "t1", {**ours(0.2), "document": conversation, "version": 1}),
        ("request", "w1", request(0.1, "/conversations", 500, to="+13125550101")),
        ("request", "w2", request(0.1, "/conversations", 500, to="+13125550102")),
        ("request", "w3", request(5, "/tools/invite", 200, call_control_id="v3:a")),
        ("request", "w4", request(5, "/tools/invite", 200, call_control_id="v3:b")),
        ("command", "k1", looking(1, "active_calls", "/v2/connections/1/active_calls")),
        ("log", "l1", logged(2, "find dial", "c1")),
        ("command", "k2", looking(3, "active_calls", "/v2/connections/1/active_calls")),
        ("log", "l2", logged(4, "find dial", "c2")),
        ("command", "k3", looking(6, "conversations", f"{CALLS}v3%3Aa&limit=2")),
        ("command", "k4", looking(6, "conversations", f"{CALLS}v3%3Ab&limit=2")),
        ("command", "k5", looking(7, "insights", "/v2/ai/conversations/t1/conversations-insights")),
        ("command", "k6", looking(7, "insights", "/v2/ai/conversations/t2/conversations-insights")),
    ]
    with serve_page(free_port(), *facts) as url:
        page = window()
        page.goto(f"{url}/")
        expect(page.locator(".row")).to_have_count(6)
        labels = [row.get_attribute("aria-label") for row in page.locator(".row").all()]
        assert labels == [
            "POST /conversations 500 · 300 ms 0.00 s (request)",
            "version 1 1 ms 0.10 s (transaction)",
            "look for the call 0.90 s (command)",
            "POST /tools/invite 200 · 300 ms 4.90 s (request)",
            "look for the conversation 5.90 s (command)",
            "look for insights 6.90 s (command)",
        ]
        page.get_by_role("option", name="look for the call").click()
        expect(page.locator("#tab-details")).to_contain_text("find dial")


def test_the_names_of_many_people_do_not_overlap(window: Callable[..., Page]) -> None:
    people = [person(f"p{nth}", f"Night shift manager {nth}") for nth in range(9)]
    with serve_page(free_port(), conversation_fact("c1", participants=people), **CONSOLE) as url:
        page = window()
        page.goto(f"{url}/#/c/c1")
        expect(page.locator(".head.leg")).to_have_count(9)
        names = [name.bounding_box() for name in page.locator(".head.leg .name").all()]
        for left, right in pairwise(names):
            assert left
            assert right
            assert left["x"] + left["width"] + 3 <= right["x"]


def test_five_calls_are_visible_at_once(window: Callable[..., Page]) -> None:
    people = [person("host", "Alex", host=True), *(person(f"p{n}", f"Guest {n}") for n in range(4))]
    with serve_page(free_port(), conversation_fact("c1", participants=people)) as url:
        page = window(story=True)
        page.goto(f"{url}/")
        page.get_by_role("button", name="Diagram").click()
        expect(page.locator(".head.leg")).to_have_count(5)
        wide = page.locator(".scroll").evaluate("place => [place.scrollWidth, place.clientWidth]")
        assert wide[0] <= wide[1]
        page.set_viewport_size({"width": 1280, "height": 800})
        expect(page.locator(".more")).to_have_text(re.compile("[0-9] more"))
        page.locator(".more").click()
        expect(page.locator(".more")).to_be_hidden()


def test_a_low_window_keeps_room_for_the_diagram(window: Callable[..., Page]) -> None:
    """A window of 1440 by 900 at 200 %."""
    people = [person("host", "Alex", host=True), *(person(f"p{n}", f"Guest {n}") for n in range(4))]
    with serve_page(free_port(), conversation_fact("c1", participants=people)) as url:
        page = window(720, 450)
        page.goto(f"{url}/")
        box = page.locator(".scroll").bounding_box()
        assert box
        assert box["height"] >= 150
        page.set_viewport_size({"width": 900, "height": 700})
        box = page.locator(".scroll").bounding_box()
        assert box
        assert box["height"] >= 250


def test_a_card_shows_the_number_that_is_being_tried(window: Callable[..., Page]) -> None:
    people = [
        person(name, name, status=status, attempt=attempt)
        for name, status, attempt in (
            ("Billie", "dialing", {"status": "ringing", "number": 2, "of": 3}),
            ("Casey", "dialing", {"status": "ringing", "number": 1, "of": 1}),
            ("Devon", "dialing", {"status": "ended", "number": 1, "of": 2}),
            ("Eddie", "joined", {"status": "answered", "number": 2, "of": 2}),
        )
    ]
    with serve_page(free_port(), conversation_fact("c1", participants=people), **CONSOLE) as url:
        page = window()
        page.goto(f"{url}/#/c/c1")
        cards = page.get_by_role("list", name="Participants").locator("li .soft")
        expect(cards).to_have_text(["ringing, number 2 of 3", "ringing", "dialing", "joined"])


def test_a_window_of_an_unknown_phone_reports_it(window: Callable[..., Page]) -> None:
    with serve_page(free_port()) as url:
        page = window()
        page.goto(f"{url}/?phone=+19995550000")
        expect(
            page.get_by_role("heading", name="There is no phone +1 999 555 0000")
        ).to_be_visible()
        page.goto(f"{url}/?phone={PEOPLE[0].number}")
        expect(page.get_by_role("article")).to_have_count(1)
        expect(page.get_by_role("heading", name="There is no phone")).to_have_count(0)


CALLS = "/v2/ai/conversations?metadata-%3Ecall_control_id=eq."


def second(at: float) -> str:
    return f"2026-03-01T12:00:{at:06.3f}+00:00"


def ours(at: float) -> dict[str, Any]:
    none: dict[str, Any] = {"events": [], "keys": [], "dedupe_key": None, "reasons": None}
    return {"at": second(at), "took_ms": 1, "conversation": "c1", **none}


def request(at: float, path: str, status: int, **body: str) -> dict[str, Any]:
    asked = {"at": second(at), "took_ms": 300, "method": "POST", "path": path, "body": body}
    return {**asked, "call_control_id": None, "status": status, "answer": {}}


def looking(at: float, action: str, path: str) -> dict[str, Any]:
    sent = {"at": second(at), "action": action, "method": "GET", "path": path, "body": None}
    nothing = dict.fromkeys(("call_control_id", "command_id", "duplicate", "lost"))
    return {**sent, **nothing, "status": 200, "answer": {"data": []}}


def logged(at: float, action: str, conversation_id: str) -> dict[str, Any]:
    time = second(at).replace("T", " ").replace(".", ",").replace("+00:00", "+0000")
    of = {"conversation_id": conversation_id, "participant_id": "host", "leg": 1}
    return {"timestamp": time, "action": action, "command_id": f"command of {action}", **of}
