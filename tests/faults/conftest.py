"""Silence the logger during the fault tests, and restore its level afterwards."""

from collections.abc import Iterator

import pytest

from partyline.telemetry import logger
from tests.faults.lab import silence_logs


@pytest.fixture(autouse=True, scope="module")
def unlogged() -> Iterator[None]:
    """Silence the logger for a module."""
    level = logger.log_level
    silence_logs()
    yield
    logger.setLevel(level)
