"""Labs for security tests: a whole deployment in this process, with table and secrets in memory."""

from collections.abc import Iterable, Iterator
from functools import cache

import pytest

from local.simulator.model import Person
from local.stack.logs import Logs
from local.stack.template import Template
from tests.scenario.conftest import PARAMETERS
from tests.support.backend import (
    Secrets,
    bearer_secret,
    memory_backend,
    restored_process,
    telnyx_secret,
)
from tests.support.lab import API_KEY, Lab, NewLab


@pytest.fixture
def secrets() -> Secrets:
    """Secrets Manager with a bearer key and the simulator's Telnyx key."""
    return Secrets(telnyx=telnyx_secret(), bearer=bearer_secret(scenario=API_KEY))


@cache
def deployed(**parameters: str) -> Template:
    """The template with these parameters."""
    return Template({**PARAMETERS, **parameters})


@pytest.fixture
def new_lab(secrets: Secrets) -> Iterator[NewLab]:
    """Create a lab with an empty table: `new_lab(people, **parameters of the template)`."""
    logs = Logs()

    def create_lab(people: Iterable[Person] = (), **parameters: str) -> Lab:
        template = deployed(**parameters)
        return memory_backend(template, secrets).new_lab(template, logs, people)

    with restored_process(), logs.capture():
        yield create_lab
