from collections.abc import Iterator
from pathlib import Path

import pytest

from local.simulator.clock import RealClock
from tests.support.telnyx_account import AccountSetup, Network


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    built = Network()
    yield built
    built.close()


@pytest.fixture
def account_setup(network: Network, tmp_path: Path) -> Iterator[AccountSetup]:
    clock = RealClock()
    yield AccountSetup.create(network, clock, tmp_path)
    clock.close()
