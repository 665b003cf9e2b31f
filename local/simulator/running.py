"""A simulator with an HTTP server and wall-clock time."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from local.serving import serve
from local.simulator.clock import RealClock
from local.simulator.delivery import HttpPost
from local.simulator.model import Person
from local.simulator.server import simulator_app
from local.simulator.settings import Settings
from local.simulator.telnyx import Simulator

DELIVERIES_AT_ONCE = 8


@dataclass(frozen=True)
class RunningSimulator:
    """A running simulator. `api_url` is Telnyx's API, e.g. `http://127.0.0.1:8401/v2`."""

    simulator: Simulator
    url: str
    _closing: ExitStack

    @property
    def api_url(self) -> str:
        """The base URL of the API."""
        return f"{self.url}/v2"

    def stop(self) -> None:
        """Stop the server, drop all timers, and wait for running deliveries."""
        self._closing.close()


def run_simulator(
    settings: Settings, people: Iterable[Person] = (), seed: int = 0, port: int = 0
) -> RunningSimulator:
    """Start a simulator on loopback that posts webhooks over HTTP, in parallel.

    Raises OSError if the port is in use.
    """
    with ExitStack() as closing:
        clock, post = RealClock(), HttpPost()
        deliveries = ThreadPoolExecutor(DELIVERIES_AT_ONCE, "simulator-webhook")
        closing.callback(post.close)
        closing.callback(deliveries.shutdown, cancel_futures=True)
        closing.callback(clock.close)
        simulator = Simulator(clock, settings, post, people, seed, deliveries.submit)
        server = serve(simulator_app(simulator), port)
        closing.callback(server.stop)
        return RunningSimulator(simulator, server.url, closing.pop_all())
