"""An httpx transport to a simulator in the same process, for runs with a virtual clock."""

import httpx

from local.simulator.clock import VirtualClock
from local.simulator.telnyx import Simulator


class SimulatorTransport(httpx.BaseTransport):
    """Transport for `httpx.Client(transport=...)`; the base URL's host does not matter.

    With a virtual clock, a slow or lost answer lets time pass, so the webhooks of a request are
    delivered before the request's answer.
    """

    def __init__(self, simulator: Simulator, clock: VirtualClock | None = None) -> None:
        self._simulator = simulator
        self._clock = clock

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request, or fail as the fault of the request says."""
        reply = self._simulator.handle(
            request.method,
            request.url.raw_path.decode("ascii"),
            request.headers,
            request.read(),
        )
        if reply.wire == "dropped":
            raise httpx.RemoteProtocolError("the connection broke", request=request)
        if self._clock is not None and reply.held_secs:
            self._clock.advance(reply.held_secs)
        if reply.wire == "lost":
            raise httpx.ReadTimeout("no answer came", request=request)
        return httpx.Response(
            reply.status, headers=reply.headers, content=reply.body, request=request
        )
