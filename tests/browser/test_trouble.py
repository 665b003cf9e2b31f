"""Things are broken through the page, and heal."""

from playwright.sync_api import expect

from tests.browser.room import ALEX, RoomPage


def switch(room: RoomPage, form: str, **chosen: str) -> None:
    room.tab("Trouble")
    where = room.page.get_by_role("form", name=form)
    for label, value in chosen.items():
        where.get_by_label(label.replace("_", " ")).select_option(value)
    where.get_by_role("button", name="Switch on").click()


def test_a_function_dies_after_its_write_and_the_call_goes_on(room: RoomPage) -> None:
    switch(room, "A function dies", Function="call_answered", When_it_dies="after_write")
    expect(room.page.get_by_role("list", name="In force")).to_contain_text("call_answered dies")
    room.call()
    expect(room.row("webhook", "call.answered 500")).to_have_count(1)
    expect(room.row("webhook", "call.answered attempt 2").first).to_be_attached()
    expect(room.row("command", "start assistant")).to_have_count(1)
    expect(room.page.get_by_role("list", name="In force")).to_contain_text("All is well.")


def test_a_webhook_that_comes_twice_is_seen_as_such(room: RoomPage) -> None:
    switch(room, "A webhook", Webhook="call.answered", What_happens_to_it="duplicates")
    room.call()
    expect(room.row("webhook", "call.answered delivered twice")).to_have_count(1)
    expect(
        room.row("webhook", "call.answered.*(changed nothing|seen before)").first
    ).to_be_attached()
    room.page.get_by_role("tab", name="Trouble").click()
    room.page.get_by_role("button", name="All well again").click()
    expect(room.page.get_by_role("list", name="In force")).to_have_text("All is well.")


def test_a_lost_webhook_and_a_refusal_are_drawn(room: RoomPage) -> None:
    switch(room, "A webhook", Webhook="call.conversation.created", What_happens_to_it="drop")
    switch(room, "Telnyx", Action="ai_assistant_start", What_Telnyx_does="429")
    room.call()
    expect(room.row("command", "start assistant refused 429")).to_have_count(1)
    expect(room.row("webhook", "call.conversation.created lost on the way")).to_have_count(1)
    expect(room.phone(ALEX)).to_contain_text("Hello, how can I help?")
