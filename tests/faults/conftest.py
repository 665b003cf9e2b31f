"""The fault tests log nothing; whoever runs after them finds the logger as it was."""

from collections.abc import Iterator

import pytest

from partyline.telemetry import logger
from tests.faults.lab import quiet


@pytest.fixture(autouse=True, scope="module")
def unlogged() -> Iterator[None]:
    """Nothing is logged while a module of these runs."""
    level = logger.log_level
    quiet()
    yield
    logger.setLevel(level)
