"""The line to Telnyx: the simulator in process, and now and then a refusal it has no cause for.

Some of Telnyx's refusals depend on what no simulator knows, such as an account's limits.
"""

import httpx

from local.simulator.api import route
from local.simulator.clock import VirtualClock
from local.simulator.telnyx import Simulator
from tests.support.simulator_transport import SimulatorTransport

BASE = "/v2"


class RefusingTransport(SimulatorTransport):
    """A transport that refuses what it is told to, and leaves all else to the simulator."""

    def __init__(self, simulator: Simulator, clock: VirtualClock) -> None:
        super().__init__(simulator, clock)
        self._refusals: dict[str, httpx.Response] = {}

    def refuse(self, action: str, status: int, code: str, detail: str) -> None:
        """Refuse the next request for an action, in Telnyx's shape."""
        error = {"code": code, "title": "Refused", "detail": detail}
        self._refusals[action] = httpx.Response(status, json={"errors": [error]})

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        path = request.url.raw_path.decode("ascii").partition("?")[0]
        found = route(request.method, path.removeprefix(BASE))
        refusal = self._refusals.pop(found[0], None) if found else None
        return refusal or super().handle_request(request)
