"""What the page says is true, also for phones that act apart from Partyline."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from local.room.room_stack import RoomStack
from local.serving import free_port
from tests.support.page_server import Fact, conversation_fact, person, serve_page
from tests.support.room_page import ALEX, BILLIE, RoomPage

LONG_AGO = "2026-03-01T12:00:00Z"


def sentence(window: Callable[..., Page], *facts: Fact, **hello: Any) -> str:
    """Return the sentence above the conversation c1."""
    with serve_page(free_port(), *facts, **hello) as url:
        page = window()
        page.goto(f"{url}/#/c/c1")
        expect(page.locator(".sentence")).not_to_have_text("")
        return page.locator(".sentence").inner_text()


def tried(participant_id: str, name: str, *outcomes: str | None, **more: Any) -> dict[str, Any]:
    """Make a participant with a call for each outcome; None is a call that rings."""
    tried_person = person(participant_id, name, created_at=LONG_AGO, next_round_at=None, **more)
    (leg,) = tried_person["legs"]
    tried_person["legs"] = [
        {
            **leg,
            "to": f"+1312555010{nth + 2}",
            "status": "ended" if outcome else "ringing",
            "outcome": outcome,
        }
        for nth, outcome in enumerate(outcomes)
    ]
    return tried_person


HOST = tried("host", "Alex", None, host=True)
ASKED = tried("d", "Dana", None, status="screening")
ASKED["legs"][0]["status"] = "screening"


@pytest.mark.parametrize(
    ("conversation", "expected"),
    [
        ({"participants": [HOST]}, r"Alex talks with the assistant, for \d+:\d\d\."),
        (
            {"participants": [HOST], "mode": "silent"},
            r"Alex is on the line, and the assistant listens, for .*",
        ),
        (
            {"participants": [HOST, tried("b", "Billie", "busy", None, status="dialing")]},
            r"Alex waits \d+:\d\d: Billie was busy, Casey is ringing\.",
        ),
        (
            {
                "participants": [
                    HOST,
                    tried("b", "Billie", "no_answer", status="failed", outcome="no_answer"),
                    ASKED,
                ]
            },
            r"Alex waits \d+:\d\d: Billie did not answer, Dana is asked to press 1\.",
        ),
        (
            {"participants": [HOST, tried("t", "Team", None, None, status="screening")]},
            r"Alex waits \d+:\d\d: Billie is ringing, Casey is ringing\.",
        ),
        (
            {"participants": [HOST, tried("t", "Team", *["busy"] * 3, None, status="dialing")]},
            r"Alex waits .* Devon was busy, Team at \+1 312 555 0105 is ringing\.",
        ),
        (
            {"status": "connecting", "participants": [{**HOST, "status": "dialing"}]},
            r"Alex is ringing\.",
        ),
        (
            {
                "status": "failed",
                "participants": [{**HOST, "status": "failed", "outcome": "busy"}],
            },
            r"The conversation failed: Alex was busy\.",
        ),
    ],
)
def test_the_sentence_says_who_waits_for_whom(
    window: Callable[..., Page], conversation: dict[str, Any], expected: str
) -> None:
    fact = conversation_fact("c1", **{"mode": "speaking", **conversation})
    assert re.fullmatch(expected, sentence(window, fact))


def test_the_sentence_tells_what_partyline_has_not_heard_of(window: Callable[..., Page]) -> None:
    host = tried("host", "Alex", None, host=True, status="dialing")
    host["legs"][0]["call_control_id"] = "v3:a"
    phone = {"state": "answered", "started_at": LONG_AGO, "answered_at": LONG_AGO}
    leg: dict[str, Any] = {
        **phone,
        "ended_at": None,
        "number": "+13125550101",
        "heard": [],
        "direction": "in",
    }
    fact = conversation_fact("c1", status="connecting", participants=[host])
    said = sentence(window, fact, ("leg", "v3:a", leg))
    assert said.startswith("Alex has answered, but Partyline has not heard of it")


def test_the_sentence_tells_when_telnyx_sends_a_webhook_again(
    window: Callable[..., Page],
) -> None:
    state = "eyJjb252ZXJzYXRpb24iOiJjMSIsInBhcnRpY2lwYW50IjoiaG9zdCIsImxlZyI6MX0="
    policies = {"call.answered": {"retries_ms": [500, 60_000]}}
    dial = {"body": {"client_state": state, "webhook_retries_policies": policies}, "action": "dial"}
    refused = webhook(1, "w-a", attempt=2, status=503)
    refused["at"] = datetime.now(UTC).isoformat()
    host = person("host", "Alex", host=True)
    facts = [conversation_fact("c1", participants=[host]), ("webhook", "w1", refused)]
    said = sentence(window, *facts, ("command", "k1", {**dial, "status": 200, "at": LONG_AGO}))
    assert re.search(r" Telnyx sends call\.answered again in \d\d s\.$", said)


def test_calls_that_stay_up_after_a_stop_are_shown_as_up(
    room: RoomPage, stack: RoomStack, window: Callable[..., Page]
) -> None:
    room.call()
    room.page.get_by_role("button", name="Stop").click()
    form = room.page.get_by_role("dialog")
    expect(form).to_contain_text("Alex stays on the line, and the calls cost money")
    form.get_by_label("stay up").check()
    form.get_by_role("button", name="Stop").click()
    room.expect_status("ended")
    expect(room.person("Alex")).to_contain_text("still on the line, no longer Partyline's")
    expect(room.page.locator(".sentence")).to_contain_text(
        "because your application stopped it. Alex is still on the line."
    )
    room.press(ALEX, "Hang up")
    expect(room.person("Alex")).not_to_contain_text("still on the line")


def test_a_phone_calls_once_however_often_the_button_is_pressed(
    room: RoomPage, stack: RoomStack
) -> None:
    assert stack.simulator is not None
    before = len(stack.simulator.simulator.legs)
    room.phone(BILLIE).get_by_role("button", name="Call in").dblclick()
    room.expect_status("active")
    assert len(stack.simulator.simulator.legs) == before + 1
    again = {"do": "ring_in", "phone": "+13125550102", "to": "+13125550100"}
    for action, words in ((again, "in a call already"), ({**again, "phone": again["to"]}, "own")):
        answer = room.page.request.post(
            f"{stack.url}/room/act", data=action, headers={"x-partyline-page": "1"}
        )
        assert answer.status == 422
        assert words in answer.text()


def test_a_call_that_never_was_has_no_bar(window: Callable[..., Page]) -> None:
    host = person("host", "Alex", host=True, status="failed", outcome="error")
    host["legs"][0].update(status="answered", answered_at=LONG_AGO, call_control_id="v3:none")
    fact = conversation_fact(
        "c1", ("conversation.failed", LONG_AGO), status="failed", participants=[host]
    )
    with serve_page(free_port(), fact, mode="console", api="http://x") as url:
        page = window()
        page.goto(f"{url}/#/c/c1")
        expect(page.locator(".row")).to_have_count(1)
        expect(page.locator(".lifeline.talking")).to_have_count(0)


def test_events_of_a_call_come_from_the_call_and_a_dial_goes_to_it(
    window: Callable[..., Page],
) -> None:
    kind, key, view = conversation_fact("c1", ("leg.dialing", LONG_AGO), ("leg.answered", LONG_AGO))
    assert isinstance(view, dict)
    for event in view["timeline"]:
        event["data"] = {"participant_id": "host", "leg": 1}
    with serve_page(free_port(), (kind, key, view), mode="console", api="http://x") as url:
        page = window()
        page.goto(f"{url}/#/c/c1")
        arrows = page.locator(".row path.arrow")
        expect(arrows).to_have_count(2)
        there, back = (str(arrow.get_attribute("d")) for arrow in arrows.all())
        tail_and_tip = re.compile(r"M([\d.]+) [\d.]+H([\d.]+)")
        for path, is_outgoing in ((there, True), (back, False)):
            found = tail_and_tip.match(path)
            assert found
            assert (float(found[1]) < float(found[2])) == is_outgoing


def test_a_row_shows_the_versions_that_it_wrote_and_no_others(
    window: Callable[..., Page],
) -> None:
    """A webhook that comes twice, while another webhook writes between its two versions."""
    facts: list[Fact] = [
        conversation_fact("c1", participants=[person("host", "Alex", host=True)]),
        ("transaction", "t1", write(1, 1, "w-a")),
        ("transaction", "t2", write(2, 2, "w-b")),
        ("transaction", "t3", write(3, 3, None, events=[{"seq": 9, "cause": "w-a"}])),
        ("webhook", "w1", webhook(1, "w-a", attempt=1, status=500)),
        ("webhook", "w2", webhook(7, "w-a", attempt=2, status=200)),
    ]
    with serve_page(free_port(), *facts) as url:
        page = window()
        page.goto(f"{url}/#/c/c1")
        details = page.locator("#tab-details")
        page.get_by_role("option", name="attempt 2").click()
        expect(details).to_contain_text("This delivery changed nothing.")
        page.get_by_role("option", name=re.compile("call.answered 500")).click()
        states = details.locator("h4", has_text="State, from")
        expect(states).to_have_text(
            ["State, from nothing to version 1", "State, from version 2 to version 3"]
        )


def test_a_call_whose_beginning_is_no_longer_kept_says_so(window: Callable[..., Page]) -> None:
    kept: Fact = ("kept", "kept", {"since": "2026-03-01T12:00:30Z"})
    begun, newer = conversation_fact("c1"), conversation_fact("c2", created_at="2026-03-01T13:00Z")
    with serve_page(free_port(), begun, newer, kept) as url:
        page = window()
        for id_, is_lost in (("c1", True), ("c2", False)):
            page.goto(f"{url}/#/c/{id_}")
            expect(page.locator(".sentence")).to_be_visible()
            words = page.get_by_text("The beginning of this conversation is no longer kept.")
            expect(words).to_be_visible(visible=is_lost)


def test_a_message_to_the_assistant_ends_at_the_assistant(room: RoomPage) -> None:
    room.call()
    room.message("system", "Be generous.")
    told = room.row("command", "tell the assistant").first
    expect(told).to_be_attached()
    ends = float(str(told.locator(".branch circle").get_attribute("cx")))
    assistant, alex = (
        float(str(room.page.locator(".head", has_text=name).get_attribute("data-x")))
        for name in ("Assistant", "Alex")
    )
    assert ends == assistant != alex


def at(second: float) -> str:
    return f"2026-03-01T12:00:{second:06.3f}+00:00"


def write(second: float, version: int, key: str | None, **more: Any) -> dict[str, Any]:
    fact = {"at": at(second), "took_ms": 1, "conversation": "c1", "version": version}
    document = {"version": version, "participants": [], "count": version, "commands": {}}
    none: dict[str, Any] = {"events": [], "keys": [], "dedupe_key": key, "reasons": None}
    return {**fact, **none, "document": document, **more}


def webhook(second: float, id_: str, *, attempt: int, status: int) -> dict[str, Any]:
    state = "eyJjb252ZXJzYXRpb24iOiJjMSIsInBhcnRpY2lwYW50IjoiaG9zdCIsImxlZyI6MX0="
    data = {"id": id_, "event_type": "call.answered", "payload": {"client_state": state}}
    return {
        "at": at(second - 0.5),
        "took_ms": 3000,
        "path": "/webhooks/call.answered",
        "method": "POST",
        "body": {"data": data, "meta": {"attempt": attempt}},
        "status": status,
        "answer": {"status": "duplicate" if attempt > 1 else None},
    }
