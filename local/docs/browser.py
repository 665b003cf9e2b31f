"""The system's Chromium, for the page's tests and pictures."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

# The first has no windows of its own, and needs two thirds of the others' processor time.
NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)

# The browser sends requests to the shown page only.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

CHROMIUM_MISSING = (
    "the page's tests are skipped: Chromium is missing. "
    "Install it with `apt install chromium`, or name a browser in PARTYLINE_CHROMIUM."
)


def chromium_path() -> str | None:
    """Return the browser's path, or None without a browser."""
    named = os.environ.get("PARTYLINE_CHROMIUM")
    return named or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def launch_browser(*more: str) -> Iterator[Browser]:
    """Run a browser with `more` arguments during the `with` block.

    Raises RuntimeError without a browser.
    """
    path = chromium_path()
    if path is None:
        raise RuntimeError(CHROMIUM_MISSING)
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *more]) as browser,
    ):
        yield browser
