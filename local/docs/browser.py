"""The system's Chromium, for the tests of the page and for its pictures."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# A browser that calls nobody but the page that it is shown.
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
    "the page's tests are left out: there is no Chromium here. "
    "Get it with `apt install chromium`, or name one in PARTYLINE_CHROMIUM."
)


def chromium_path() -> str | None:
    """Where the browser is; None where there is none."""
    named = os.environ.get("PARTYLINE_CHROMIUM")
    return named or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def launch_browser() -> Iterator[Browser]:
    """A browser while the `with` lasts. Raises RuntimeError where there is none."""
    path = chromium_path()
    if path is None:
        raise RuntimeError(CHROMIUM_MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()
