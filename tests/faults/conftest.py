"""Run the fault tests in a process of their own: a silent logger and their own environment."""

from collections.abc import Iterator

import pytest

from partyline.telemetry import logger
from tests.faults.lab import gateway, silence_logs
from tests.support.backend import restored_process


@pytest.fixture(autouse=True, scope="module")
def own_process() -> Iterator[None]:
    """Silence the logger for a module; restore its level and the environment afterwards.

    The gateway of all stories sets the environment when it is made, so each module makes a gateway.
    """
    level = logger.log_level
    with restored_process():
        gateway.cache_clear()
        silence_logs()
        yield
    logger.setLevel(level)
