"""A transport to the simulator that can refuse single requests.

Some refusals of Telnyx depend on facts that no simulator knows, such as an account's limits.
"""

import httpx

from local.simulator.api import route
from local.simulator.clock import VirtualClock
from local.simulator.telnyx import Simulator
from tests.support.simulator_transport import SimulatorTransport

BASE = "/v2"


class RefusingTransport(SimulatorTransport):
    """Refuses the requests that a test names, and sends the others to the simulator."""

    def __init__(self, simulator: Simulator, clock: VirtualClock) -> None:
        super().__init__(simulator, clock)
        self._refusals: dict[str, httpx.Response] = {}

    def refuse(self, action: str, status: int, code: str, detail: str) -> None:
        """Refuse the next request for an action with an error in Telnyx's format."""
        error = {"code": code, "title": "Refused", "detail": detail}
        self._refusals[action] = httpx.Response(status, json={"errors": [error]})

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        path = request.url.raw_path.decode("ascii").partition("?")[0]
        matched = route(request.method, path.removeprefix(BASE))
        refusal = self._refusals.pop(matched[0], None) if matched else None
        return refusal or super().handle_request(request)
