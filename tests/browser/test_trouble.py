"""Faults are injected through the page, and calls go on."""

import re
from dataclasses import asdict
from datetime import timedelta
from typing import get_args

import pytest
from playwright.sync_api import Locator, expect

from local.room.lambda_faults import When
from local.room.room_stack import RoomStack
from local.simulator.api import ACTIONS
from local.simulator.delivery import DeliverySettings
from local.simulator.faults import FaultKind
from local.stack.event_bus import BusEvent
from local.stack.webhook_fixtures import fixtures
from partyline.domain.model import commands
from tests.support.patience import PATIENCE_SECS
from tests.support.room_page import ALEX, RoomPage


def switch(room: RoomPage, form: str, **chosen: str) -> None:
    room.tab("Trouble")
    where = room.page.get_by_role("form", name=form)
    for label, value in chosen.items():
        where.get_by_label(label.replace("_", " ")).select_option(value)
    off = room.page.get_by_role("button", name="Switch off")
    before = off.count()
    where.get_by_role("button", name="Switch on").click()
    expect(off).to_have_count(before + 1)  # in force before the call


def test_a_function_crashes_after_its_write_and_the_call_goes_on(
    room: RoomPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch(room, "A function crashes", Function="call_answered", When_it_crashes="after_write")
    expect(room.page.get_by_role("list", name="In force")).to_contain_text("call_answered crashes")
    with monkeypatch.context() as patched:
        # The start belongs to the crashed function for a second instead of ten.
        patched.setattr(commands, "START_LEASE", timedelta(seconds=1))
        room.start()
        room.press(ALEX, "Answer")
        expect(room.row("webhook", "call.answered 500 . crashed on request")).to_have_count(1)
    room.expect_status("active")
    expect(room.row("webhook", "call.answered attempt 2").first).to_be_attached()
    expect(room.row("command", "start assistant")).to_have_count(1)
    expect(room.page.get_by_role("list", name="In force")).to_contain_text("No fault is in force.")


def test_a_webhook_that_is_delivered_twice_is_marked(room: RoomPage) -> None:
    switch(room, "A webhook", Webhook="call.answered", What_happens_to_it="duplicates")
    room.call()
    expect(room.row("webhook", "call.answered delivered twice")).to_have_count(1)
    expect(
        room.row("webhook", "call.answered.*(changed nothing|seen before)").first
    ).to_be_attached()
    expect(room.row("webhook", "call.answered").first).not_to_have_accessible_name(
        re.compile("twice")
    )
    room.page.get_by_role("tab", name="Trouble").click()
    room.page.get_by_role("button", name="Clear all").click()
    expect(room.page.get_by_role("list", name="In force")).to_have_text("No fault is in force.")


def test_a_lost_webhook_and_a_refusal_are_drawn(room: RoomPage) -> None:
    switch(room, "A webhook", Webhook="call.conversation.created", What_happens_to_it="drop")
    switch(room, "Telnyx", Action="ai_assistant_start", What_Telnyx_does="429")
    room.call()
    expect(room.row("command", "start assistant refused 429")).to_have_count(1)
    expect(room.row("webhook", "call.conversation.created lost on the way")).to_have_count(1)
    expect(room.phone(ALEX)).to_contain_text("Hello, how can I help?")


def test_a_webhook_is_lost_once_and_the_used_up_fault_is_off(room: RoomPage) -> None:
    switch(
        room,
        "A webhook",
        Webhook="call.conversation.created",
        What_happens_to_it="drop",
        How_often_it_happens="1",
    )
    in_force = room.page.get_by_role("list", name="In force")
    expect(in_force).to_contain_text("call.conversation.created never comes, once")
    room.call()
    expect(room.row("webhook", "call.conversation.created lost on the way")).to_have_count(1)
    room.tab("Trouble")
    expect(in_force).to_have_text("No fault is in force.")


def test_a_request_that_met_a_fault_says_so_and_the_first_actions_come_first(
    room: RoomPage,
) -> None:
    action = room.tab("Trouble").get_by_label("Action")
    first = action.locator("optgroup").first.locator("option")
    expect(first).to_have_count(6)
    expect(first.first).to_have_text("dial")
    switch(room, "Telnyx", Action="ai_assistant_start", What_Telnyx_does="429")
    room.call()
    row = "start assistant refused 429 · a fault you switched on"
    expect(room.row("command", row)).to_have_count(1)


def test_an_unanswered_webhook_comes_through_the_failover_queue(
    room: RoomPage, stack: RoomStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stack.simulator is not None
    monkeypatch.setattr(stack.simulator.simulator.settings, "retries_ms", (100,))
    switch(
        room,
        "A function crashes",
        Function="webhook_default",
        When_it_crashes="before",
        How_often_it_crashes="",
    )
    room.page.get_by_role("article").first.get_by_role("button", name="Call in").click()
    room.expect_status("active")
    came = room.row("webhook", "call.initiated")
    expect(came).to_have_count(4)
    expect(came.nth(0)).to_have_accessible_name(re.compile("500"))
    expect(came.nth(1)).to_have_accessible_name(re.compile("attempt 2 . 500"))
    expect(came.nth(2)).to_have_accessible_name(re.compile("into the failover queue"))
    expect(came.nth(3)).to_have_accessible_name(re.compile("out of the failover queue"))
    came.nth(3).click()
    expect(room.page.locator("#tab-details")).to_contain_text("State, from nothing to version")
    expect(room.page.locator(".heads")).to_contain_text("Queue")


def test_an_event_that_never_comes_to_the_bus_is_a_dead_letter(room: RoomPage) -> None:
    switch(room, "A function crashes", Function="event_relay", How_often_it_crashes="")
    room.call()
    expect(room.row("event", "conversation.active dead letter")).to_have_count(1)
    expect(room.row("event", "conversation.active")).to_have_count(1)


def test_an_event_that_is_published_twice_is_marked(room: RoomPage, stack: RoomStack) -> None:
    events: list[BusEvent] = []
    stack.bus.follow(events.append)
    room.call()
    expect(room.row("event", "conversation.active")).to_have_count(1)
    active = room.wait_for_event(events, "conversation.active")
    stack.bus.put(active["source"], active["detail-type"], active["detail"])
    expect(room.row("event", "conversation.active published again")).to_have_count(1)


def test_the_page_has_a_switch_for_every_fault(room: RoomPage, stack: RoomStack) -> None:
    room.tab("Trouble")
    webhook, telnyx, function = (
        room.page.get_by_role("form", name=name)
        for name in ("A webhook", "Telnyx", "A function crashes")
    )
    assert offered(webhook, "Webhook") == {"*", *fixtures()}
    assert offered(telnyx, "Action") == {"*", *ACTIONS}
    folders = {function.folder for function in stack.template.functions.values()}
    assert offered(function, "Function") == {"*", *folders}
    # From now on: a late webhook of another test would use up a fault that applies once.
    telnyx.get_by_label("How often Telnyx does it").select_option("")
    function.get_by_label("How often it crashes").select_option("")
    for form, label in (
        (webhook, "What happens to it"),
        (telnyx, "What Telnyx does"),
        (function, "When it crashes"),
    ):
        for value in offered(form, label):
            form.get_by_label(label).select_option(value)
            form.get_by_role("button", name="Switch on").click()
    every = len(offered(telnyx, "What Telnyx does")) + len(offered(function, "When it crashes"))
    expect(room.page.get_by_role("list", name="In force").get_by_role("listitem")).to_have_count(
        1 + every
    )
    off = room.page.get_by_role("button", name="Switch off")
    assert stack.room is not None
    assert stack.simulator is not None
    in_force = stack.simulator.simulator
    assert {crash.when for crash in stack.room.lambda_faults.crashes} == set(get_args(When))
    assert {fault.kind for fault in in_force.faults.active} == set(get_args(FaultKind))
    calm = asdict(DeliverySettings())
    del calm["times"]  # a switch is on from now on, unless set otherwise
    for _ in range(int(PATIENCE_SECS / 0.05)):
        left_out = set(asdict(in_force.deliverer.settings["*"]).items()) & set(calm.items())
        if not left_out:
            break
        room.page.wait_for_timeout(50)  # the page sets the faults one after the other
    assert not left_out
    for left in (every, every - 1):
        off.first.focus()
        room.page.keyboard.press("Enter")
        expect(off).to_have_count(left)
        expect(off.first).to_be_focused()


def offered(form: Locator, label: str) -> set[str | None]:
    """Return the values of a choice."""
    options = form.get_by_label(label).locator("option")
    return {option.get_attribute("value") for option in options.all()}
