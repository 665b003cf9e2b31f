"""The console with 2,000 conversations: the longest frame while an operator works."""

from playwright.sync_api import Browser, Page

from local.bench.goals import Figure
from local.serving import free_port
from tests.support.many_conversations import CONSOLE, MANY, many, row
from tests.support.page_server import serve_page

LONGEST_MS = 100
STEPS = 40

NOTE_FRAMES = """
window.frames_ms = [];
let before = performance.now();
requestAnimationFrame(function note(now) {
    window.frames_ms.push(now - before);
    before = now;
    requestAnimationFrame(note);
});
"""

CHANGE = """async facts => {
    const { addFact } = await import("/room/page/model.js");
    for (const fact of facts) {
        addFact(...fact);
        await new Promise(requestAnimationFrame);
    }
}"""


def frames(browser: Browser) -> list[Figure]:
    """Scroll, search, filter and change the list; return the longest frame of each work in ms."""
    with serve_page(free_port(), *many(), **CONSOLE) as url:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{url}/")
        page.locator(".list-total", has_text=f"{MANY} of").wait_for()
        page.evaluate(NOTE_FRAMES)
        figures = [
            Figure(name, work(page), goal=LONGEST_MS, unit="ms") for name, work in WORKS.items()
        ]
        page.close()
    return figures


def scroll(page: Page) -> float:
    """Scroll from the first row to the last."""
    table = page.get_by_role("table", name="Conversations")
    for step in range(STEPS + 1):
        move = f"table => table.scrollTo(0, table.scrollHeight * {step} / {STEPS})"
        table.evaluate(move)
        page.wait_for_timeout(20)
    return longest(page)


def search(page: Page) -> float:
    """Type a name, sign by sign, and take it back."""
    field = page.get_by_label("Search the conversations")
    field.press_sequentially("robin 1999", delay=30)
    for _ in range(10):
        field.press("Backspace", delay=30)
    return longest(page)


def choose(page: Page) -> float:
    """Press each filter."""
    for name in ("Failed", "Bookings", "Live", "All"):
        page.get_by_role("button", name=name).first.click()
        page.wait_for_timeout(50)
    return longest(page)


def change(page: Page) -> float:
    """Conversations change, one in each frame."""
    facts = [row(nth, "active", metadata={"ticket": "new"}) for nth in range(200)]
    page.evaluate(CHANGE, [list(fact) for fact in facts])
    return longest(page)


def longest(page: Page) -> float:
    """Return the longest frame since the last call, in ms."""
    return float(page.evaluate("Math.max(...window.frames_ms.splice(0))"))


WORKS = {
    "scrolling from the first to the last": scroll,
    "typing a search": search,
    "choosing a filter": choose,
    "200 changes, one in each frame": change,
}
