"""The simulated Telnyx of a run: answers take time, webhooks get lost, and history is short."""

from datetime import timedelta
from typing import Any

import httpx

from local.scale.clock import InvocationClock
from local.simulator.delivery import DeliverySettings
from local.simulator.settings import Settings
from local.simulator.telnyx import Simulator
from local.simulator.transport import SimulatorTransport
from local.stack.gateway import Gateway
from local.stack.http_api import HttpRequest

ANSWER_SECS = 0.15
VERDICT = "call.machine.premium.detection.ended"
LOST_VERDICTS = 0.1
"""The share of lost verdicts: more than of other webhooks, so that many timers of 10 s fire."""

KEPT_FOR = timedelta(minutes=2)
"""How long requests and deliveries are kept: the record of a run does not fit into memory."""

FORGOTTEN_AFTER = 1000  # requests, after which the older records are deleted

HOST = "partyline.example"


def make_simulator(
    clock: InvocationClock, gateway: Gateway, lost_share: float, seed: int
) -> Simulator:
    """Make a simulator that delivers its webhooks to the gateway and loses a share of them."""

    def receive(url: str, body: bytes, headers: dict[str, str]) -> int:
        path = url.removeprefix(f"https://{HOST}")
        own = [*headers.items(), ("host", HOST)]
        request = HttpRequest("POST", path, headers=own, body=body, scheme="https")
        return gateway.handle(request).status

    settings = Settings(
        accepts_conversation_keys=True,
        webhook_url=f"https://{HOST}/webhooks",
        created_after_secs=0.94,
        detection_after_secs=3.5,
    )
    simulator = Simulator(clock, settings, receive, seed=seed)
    lost = simulator.deliverer.settings
    lost["*"] = DeliverySettings(drop=lost_share)
    lost[VERDICT] = DeliverySettings(drop=LOST_VERDICTS)
    return simulator


class SlowTransport(SimulatorTransport):
    """The way to the simulator: an answer takes `ANSWER_SECS`. `requests` counts the requests."""

    def __init__(self, simulator: Simulator, clock: InvocationClock) -> None:
        super().__init__(simulator)
        self.requests = 0
        self._telnyx = simulator
        self._time = clock

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request; the request takes effect in the middle of its time."""
        self.requests += 1
        if self.requests % FORGOTTEN_AFTER == 0:
            self._forget()
        self._time.sleep(ANSWER_SECS / 2)
        response = super().handle_request(request)
        self._time.sleep(ANSWER_SECS / 2)
        return response

    def _forget(self) -> None:
        oldest = self._time.now() - KEPT_FOR
        records: tuple[list[Any], ...] = self._telnyx.ledger, self._telnyx.deliverer.attempts
        for record in records:
            record[:] = [entry for entry in record if entry.at >= oldest]
