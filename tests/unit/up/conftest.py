from collections.abc import Callable, Iterator

import pytest

from local.simulator.clock import RealClock
from local.simulator.server import simulator_app
from local.stack.embedded_aws import EmbeddedAws
from tests.support.telnyx_account import Network
from tests.support.up_setup import SERVICES, Clients, UpSetup


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    built = Network()
    yield built
    built.close()


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws(SERVICES) as aws:
        yield aws


@pytest.fixture(scope="module")
def clients(aws: EmbeddedAws) -> Clients:
    return Clients(aws.access)


@pytest.fixture
def new_setup(
    network: Network,
    aws: EmbeddedAws,
    clients: Clients,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[], UpSetup]]:
    """Makes new surroundings: an empty AWS account and another Telnyx account."""
    clock = RealClock()

    def make() -> UpSetup:
        aws.reset()
        setup = UpSetup(network, clients, clock, tmp_path_factory.mktemp("up"))
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
