import pytest

from tests.support.simulator_story import Story


@pytest.fixture
def story() -> Story:
    return Story()
