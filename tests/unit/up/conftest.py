from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.simulator.clock import RealClock
from local.simulator.server import simulator_app
from local.stack.embedded_aws import EmbeddedAws
from tests.support.telnyx_account import Network
from tests.support.up_setup import SERVICES, UpSetup


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    built = Network()
    yield built
    built.close()


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws(SERVICES) as aws:
        yield aws


@pytest.fixture
def new_setup(
    network: Network, aws: EmbeddedAws, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], UpSetup]]:
    """Makes new surroundings: an empty AWS account and another Telnyx account."""
    clock = RealClock()

    def make() -> UpSetup:
        setup = UpSetup(network, aws, clock, tmp_path_factory.mktemp("up"))
        network.apps = {
            "telnyx": simulator_app(setup.simulator),
            "deployment": setup.api.app(),
        }
        return setup

    yield make
    clock.close()


@pytest.fixture
def setup(new_setup: Callable[[], UpSetup]) -> UpSetup:
    return new_setup()
