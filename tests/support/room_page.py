"""The room's page for tests, which find elements by visible text and labels."""

import re
from dataclasses import dataclass
from typing import Any, Self

from playwright.sync_api import Locator, Page, expect

from local.stack.event_bus import BusEvent
from tests.support.patience import PATIENCE_SECS

ALEX, BILLIE, CASEY, DEVON = (f"+1 312 555 010{nth}" for nth in (1, 2, 3, 4))

expect.set_options(timeout=1000 * PATIENCE_SECS)


@dataclass
class RoomPage:
    """A window on a room."""

    page: Page

    @classmethod
    def open(cls, page: Page, url: str) -> Self:
        """Open the page of a stack and wait for its phones."""
        page.goto(f"{url}/")
        expect(page.get_by_role("article").first).to_be_visible()
        return cls(page)

    def wait_for_event(self, events: list[BusEvent], type_: str) -> BusEvent:
        """Wait until an event of a type is on the bus: the page may show the event before."""
        for _ in range(int(20 * PATIENCE_SECS)):
            for event in events:
                if event["detail-type"] == type_:
                    return event
            self.page.wait_for_timeout(50)
        raise AssertionError(f"no {type_} came on the bus")

    def phone(self, number: str) -> Locator:
        """Return the phone of a number."""
        return self.page.get_by_role("article", name=re.compile(re.escape(number)))

    def press(self, number: str, button: str) -> None:
        """Press a button on a phone."""
        self.phone(number).get_by_role("button", name=button, exact=True).click()

    def say(self, number: str, words: str) -> None:
        """Say a text into a phone."""
        self.phone(number).get_by_label("Say something").fill(words)
        self.press(number, "Say")

    def call(self, number: str = ALEX, name: str = "Alex") -> None:
        """Start a conversation through the form, answer the host's phone, and wait."""
        self.start(number, name)
        self.press(number, "Answer")
        self.expect_status("active")

    def start(self, number: str = ALEX, name: str = "Alex") -> None:
        """Start a conversation through the form: the host's phone rings."""
        self.page.get_by_role("button", name="Start a conversation").click()
        form = self.page.get_by_role("dialog")
        form.get_by_label("Number to call").fill(number.replace(" ", ""))
        form.get_by_label("Name", exact=True).fill(name)
        form.get_by_role("button", name="Call", exact=True).click()
        expect(self.page.get_by_role("dialog")).to_have_count(0)

    def invite(self, numbers: str, name: str, **fields: str) -> None:
        """Invite a person through the form; `fields` by label."""
        self.page.get_by_role("button", name="Invite", exact=True).click()
        form = self.page.get_by_role("dialog")
        form.get_by_label("Number, or several to try").fill(numbers)
        form.get_by_label("Name", exact=True).fill(name)
        for label, value in fields.items():
            form.get_by_label(label.replace("_", " ")).fill(value)
        form.get_by_role("button", name="Invite").click()
        expect(self.page.get_by_role("dialog")).to_have_count(0)

    def message(self, role: str, words: str) -> None:
        """Send a message through the form."""
        self.page.get_by_role("button", name="Message").click()
        form = self.page.get_by_role("dialog")
        form.get_by_label("As", exact=True).select_option(role)
        form.get_by_label("Message", exact=True).fill(words)
        form.get_by_role("button", name="Send").click()
        expect(self.page.get_by_role("dialog")).to_have_count(0)

    def expect_status(self, status: str) -> None:
        """Expect the conversation to have the status."""
        expect(self.page.locator(".about .pill")).to_have_text(status)

    def person(self, name: str) -> Locator:
        """Return a participant above the diagram."""
        return self.page.get_by_role("list", name="Participants").locator("li", has_text=name)

    def row(self, kind: str, words: str = "") -> Locator:
        """Return the diagram's rows of a kind whose text matches a regular expression."""
        return self.page.get_by_role("option", name=re.compile(rf"{words}.*\({kind}\)$"))

    def tab(self, name: str) -> Locator:
        """Open a tab beside the call."""
        self.page.get_by_role("tab", name=name).click()
        return self.page.locator(f"#tab-{name.lower()}")

    def chat(self) -> Locator:
        """Return the messages to the assistant and its words."""
        return self.tab("Chat")


def wait_until(page: Page, script: str) -> None:
    """Wait until a script is true on the page, whose policy forbids Playwright's own waiting."""
    for _ in range(int(20 * PATIENCE_SECS)):
        if page.evaluate(script):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"this is never true: {script}")


def axe_violations(page: Page, axe: str, **options: Any) -> list[Any]:
    """Return axe-core's violations in short; `options` are those of axe-core's `run`."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe)
    result = page.evaluate(
        "options => axe.run(document, options)", {"resultTypes": ["violations"], **options}
    )
    return [
        (rule["id"], [node["html"][:160] for node in rule["nodes"]])
        for rule in result["violations"]
    ]
