from collections.abc import Iterator
from pathlib import Path

import pytest

from local.simulator.clock import RealClock
from tests.unit.connect.town import Street, Town


@pytest.fixture(scope="module")
def street() -> Iterator[Street]:
    built = Street()
    yield built
    built.close()


@pytest.fixture
def town(street: Street, tmp_path: Path) -> Iterator[Town]:
    clock = RealClock()
    yield Town.built(street, clock, tmp_path)
    clock.close()
