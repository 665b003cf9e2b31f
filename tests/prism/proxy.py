"""Prism between the product and the simulator: each request and each answer is checked."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.serving import answers, free_port
from tests.prism.description import description

ROOT = Path(__file__).resolve().parents[2]
PRISM = ROOT / ".prism" / "node_modules" / ".bin" / "prism"

_START_SECS = 120.0
_VIOLATIONS = "sl-violations"
"""The header of an answer that lists the violations of the request and of the answer."""


@dataclass
class Checked:
    """The number of requests that went through Prism, by method and path, and the violations."""

    requests: dict[str, int] = field(default_factory=dict)
    violations: list[dict[str, Any]] = field(default_factory=list)

    def note(self, request: httpx.Request, response: httpx.Response) -> None:
        """Note a request to Prism and the answer."""
        key = f"{request.method} {request.url.path}"
        self.requests[key] = self.requests.get(key, 0) + 1
        found = json.loads(response.headers.get(_VIOLATIONS, "[]"))
        if response.headers.get("content-type", "").startswith("application/problem+json"):
            problem = json.loads(response.read())
            if problem["title"] != "FetchError":  # the connection to the simulator broke
                found.append({"message": problem["title"]})  # no path of the description
        self.violations += [{"request": key, **violation} for violation in found]


@contextmanager
def prism(upstream: str, folder: Path) -> Iterator[str]:
    """Run Prism before the server at `upstream`. Yields Prism's URL."""
    document = folder / "telnyx.json"
    document.write_text(json.dumps(description()), encoding="utf-8")
    node, port = shutil.which("node"), free_port()
    assert node, "`make prism` needs Node.js"
    log = folder / "prism.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603, the pinned Prism
            [node, PRISM, "proxy", "--port", str(port), document, upstream],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        assert answers(url, lambda: process.poll() is None, _START_SECS), log.read_text()
        yield url
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def watched(url: str) -> Iterator[Checked]:
    """Note each request of this process to Prism at `url`."""
    checked, send = Checked(), httpx.HTTPTransport.handle_request

    def handle_request(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        response = send(transport, request)
        if str(request.url).startswith(url):
            checked.note(request, response)
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx.HTTPTransport, "handle_request", handle_request)
        yield checked
