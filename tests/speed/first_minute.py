"""The first minute: from the clone to the assistant's greeting in the browser."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from playwright.sync_api import Browser

from local.bench.goals import Figure
from local.serving import free_port

REPOSITORY = Path(__file__).resolve().parents[2]
PATIENCE_SECS = 300.0
POLL_SECS = 0.1


def first_minute(browser: Browser) -> list[Figure]:
    """Clone, run `make dev`, open the page, call in, and wait for the greeting; return the times.

    The packages come from pip's cache or from the index, so the first time depends on the network.
    """
    began = time.monotonic()

    def passed() -> float:
        return time.monotonic() - began

    with TemporaryDirectory() as folder, cloned(Path(folder)) as url:
        ready = passed()
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(PATIENCE_SECS * 1000)
        page.goto(url)
        page.get_by_role("button", name="Call in as Alex").click()
        called = passed()
        page.locator(".bubble.assistant").first.wait_for()
        heard = passed()
        page.close()
    return [
        Figure("git clone, make dev, until the page answers", ready, unit="s"),
        Figure("the page is open and Alex calls in", called - ready, goal=5, unit="s"),
        Figure("the greeting is heard", heard - called, goal=10, unit="s"),
        Figure("together", heard, goal=60, unit="s"),
    ]


@contextmanager
def cloned(folder: Path) -> Iterator[str]:
    """Run `make dev` in a fresh clone, without this project's environment; yields the URL."""
    clone, port = folder / "partyline", free_port()
    subprocess.run(["git", "clone", "--quiet", REPOSITORY, clone], check=True)  # noqa: S603, S607
    ours = ("PYTHON", "VIRTUAL_ENV", "MAKE", "MFLAGS", "PARTYLINE")
    variables = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
    python = f"PYTHON={sys.base_prefix}/bin/python3"
    with (folder / "output").open("w+") as output:
        process = subprocess.Popen(  # noqa: S603 our own program
            ["make", "dev", f"PORT={port}", python],  # noqa: S607
            cwd=clone,
            env=variables,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield _answering(f"http://127.0.0.1:{port}/", process, folder / "output")
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(PATIENCE_SECS)


def _answering(url: str, process: subprocess.Popen[bytes], output: Path) -> str:
    """Return the URL once it answers. Raises RuntimeError if `make dev` ends or never answers."""
    deadline = time.monotonic() + PATIENCE_SECS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(url, timeout=PATIENCE_SECS).status_code == httpx.codes.OK:
                return url
        except httpx.TransportError:
            time.sleep(POLL_SECS)
    raise RuntimeError(f"make dev does not answer at {url}:\n{output.read_text()[-2000:]}")
