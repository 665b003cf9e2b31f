"""`make pictures`: makes the README's pictures from a real run.

`room.png` shows the phone room with a call of three people, `room-dark.png` the same with the dark
theme, `timeline.svg` the first call of `partyline demo` in a terminal, at the pace of the call.
"""

import re
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path

from playwright.sync_api import Page
from rich.console import Console
from rich.text import Text

from local.demo import runner
from local.docs.browser import launch_browser
from local.docs.moving_picture import moving
from local.room.room_stack import RoomStack
from local.stack.local_stack import Options

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
ALEX, BILLIE, CASEY, DEVON = (f"+1312555010{nth}" for nth in (1, 2, 3, 4))
TIMEOUT_SECS = 30.0
SETTLED_MS = 600
TERMINAL_COLUMNS = 104
SECOND_CALL = "2. An inbound call"


def main() -> None:
    """Make all pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with RoomStack(Options()) as stack, launch_browser() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
        page.goto(f"{stack.url}/")
        page.get_by_role("article").first.wait_for()
        _call(page)
        for name, scheme in (("room", "light"), ("room-dark", "dark")):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            page.wait_for_timeout(SETTLED_MS)
            page.screenshot(path=FOLDER / f"{name}.png")
    (FOLDER / "timeline.svg").write_text(moving(_timeline()))


def _timeline() -> str:
    """Return the demo's output up to the second call as an SVG of a terminal."""
    terminal = Console(
        record=True, width=TERMINAL_COLUMNS, file=StringIO(), highlight=False, force_terminal=True
    )
    if runner.run(terminal) != 0:
        raise RuntimeError("the demo failed")
    first, _, _ = terminal.export_text(styles=True).partition(SECOND_CALL)
    picture = Console(record=True, width=TERMINAL_COLUMNS, file=StringIO(), force_terminal=True)
    picture.print(Text.from_ansi(first.rstrip("\n\x1b[1m")), end="\n\n")
    # Without the web font: the picture must not load a font from a server.
    svg = picture.export_svg(title="partyline demo", unique_id="terminal")
    return re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)


def _call(page: Page) -> None:
    """Call Alex, screen Billie, let Casey be busy and Devon, the second number, ring."""
    page.get_by_role("button", name="Start a conversation").click()
    page.get_by_role("button", name="Call", exact=True).click()
    _press(page, "Alex", "Answer")
    _wait(page, lambda: page.locator(".about .pill").inner_text() == "active")
    _wait(page, lambda: page.locator(".bubble.assistant").count() > 0)
    _invite(page, BILLIE, "Billie", "Alex would like you to join. Press 1.")
    _press(page, "Billie", "Answer")
    _press(page, "Billie", "1")
    _wait(page, lambda: "joined" in page.locator(".people li", has_text="Billie").inner_text())
    _say(page, "Alex", "Where is my order?")
    _wait(page, lambda: page.locator(".bubble.assistant").count() > 1)
    _invite(page, f"{CASEY} {DEVON}", "Casey", "")
    _press(page, "Casey", "Busy")
    page.get_by_role("button", name="Answer", exact=True).wait_for()
    _wait(page, lambda: page.locator(".bubble", has_text="could not be reached").count() > 0)


def _press(page: Page, name: str, button: str) -> None:
    page.get_by_role("article", name=name).get_by_role("button", name=button, exact=True).click()


def _say(page: Page, name: str, words: str) -> None:
    page.get_by_role("article", name=name).get_by_label("Say something").fill(words)
    _press(page, name, "Say")


def _invite(page: Page, numbers: str, name: str, say: str) -> None:
    page.get_by_role("button", name="Invite", exact=True).click()
    page.get_by_label("Number, or several to try").fill(numbers)
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Said before they are joined").fill(say)
    page.get_by_role("dialog").get_by_role("button", name="Invite").click()


def _wait(page: Page, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_SECS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the call does not go on")
        page.wait_for_timeout(50)


if __name__ == "__main__":
    main()
