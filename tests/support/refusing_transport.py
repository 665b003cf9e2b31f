"""A transport to the simulator that can refuse single requests.

Some refusals of Telnyx depend on facts that no simulator knows, such as an account's limits.
"""

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, unquote

import httpx

from local.simulator.api import route
from local.simulator.clock import VirtualClock
from local.simulator.telnyx import Simulator
from local.simulator.transport import SimulatorTransport

BASE = "/v2"

JOINING_LEG = "joining leg"
"""A path that a Telnyx may refuse: the joining leg's own path of a join."""


class RefusingTransport(SimulatorTransport):
    """Refuses the requests that a test names, and sends the others to the simulator."""

    def __init__(
        self, simulator: Simulator, clock: VirtualClock, refuses: Iterable[str] = ()
    ) -> None:
        """Refuse always what `refuses` holds: JSON pointers of fields, and `JOINING_LEG`."""
        super().__init__(simulator, clock)
        self.refuses = set(refuses)
        self.takes_single_urls = False  # in `webhook_urls`; else lists, as the simulator does
        self.forms: list[str] = []
        """The form of `webhook_urls` in each request with these."""
        self._refusals: dict[str, list[httpx.Response]] = {}

    def refuse(self, action: str, status: int, code: str, detail: str, times: int = 1) -> None:
        """Refuse the next requests for an action with an error in Telnyx's format."""
        error = {"code": code, "title": "Refused", "detail": detail}
        refusals = [httpx.Response(status, json={"errors": [error]}) for _ in range(times)]
        self._refusals[action] = refusals

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        path = request.url.raw_path.decode("ascii").partition("?")[0]
        matched = route(request.method, path.removeprefix(BASE))
        refusals = self._refusals.get(matched[0]) if matched else None
        refusal = refusals.pop(0) if refusals else None
        body = json.loads(request.read() or b"{}")
        pointers = [pointer for pointer in sorted(self.refuses) if _has(body, pointer)]
        urls = body.get("webhook_urls")
        if urls:
            self.forms.append(type(next(iter(urls.values()))).__name__)
        if refusal is None and urls and self.takes_single_urls:
            if self.forms[-1] == "list":
                return _refused([("90057", "/webhook_urls")])
            body["webhook_urls"] = {name: [url] for name, url in urls.items()}
            request = _changed(request, request.url, json.dumps(body).encode())
        if refusal is None and pointers:
            refusal = _refused([("10015", pointer) for pointer in pointers])
        if refusal is None and matched and matched[0] == "ai_assistant_join":
            return self._join(request, matched[1], body["participant"]["id"])
        return refusal or super().handle_request(request)

    def _join(self, request: httpx.Request, path_leg: str, joining: str) -> httpx.Response:
        if JOINING_LEG not in self.refuses:
            return super().handle_request(request)
        if unquote(path_leg) == joining:
            return _refused([("10015", "")])
        # The simulator knows the joining leg's path only.
        path = f"{BASE}/calls/{quote(joining, safe='')}/actions/ai_assistant_join"
        url = request.url.copy_with(raw_path=path.encode())
        return super().handle_request(_changed(request, url, request.content))


def _changed(request: httpx.Request, url: httpx.URL, content: bytes) -> httpx.Request:
    headers = {"authorization": request.headers["authorization"]}
    return httpx.Request(request.method, url, headers=headers, content=content)


def _refused(problems: list[tuple[str, str]]) -> httpx.Response:
    errors = [
        {"code": code, "title": "Refused", "detail": "No.", "source": {"pointer": pointer}}
        for code, pointer in problems
    ]
    return httpx.Response(422, json={"errors": errors})


def _has(body: Any, pointer: str) -> bool:
    for name in pointer.removeprefix("/").split("/"):
        if not isinstance(body, dict) or name not in body:
            return False
        body = body[name]
    return True
