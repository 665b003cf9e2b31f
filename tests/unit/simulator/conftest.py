import pytest

from tests.unit.simulator.story import Story


@pytest.fixture
def story() -> Story:
    return Story()
