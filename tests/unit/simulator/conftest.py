import pytest

from tests.support.simulator_harness import SimulatorHarness


@pytest.fixture
def harness() -> SimulatorHarness:
    return SimulatorHarness()
