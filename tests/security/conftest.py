"""A whole deployment in this process: its table in memory, its secrets at hand."""

import json
import os
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import sha256
from typing import Any

import pytest

from local.gateway import Gateway
from local.logs import Logs
from local.memory_table import MemoryTable
from local.simulator.model import Person
from local.simulator.settings import Settings
from local.template import Template
from partyline.wiring import install
from tests.scenario.conftest import PARAMETERS
from tests.scenario.stage import API_KEY, Stage
from tests.scenario.table import Table
from tests.security.house import AWS, Secrets, Staged


@pytest.fixture
def secrets() -> Secrets:
    """What Secrets Manager holds: one bearer key, and the simulator's Telnyx key."""
    keys = [{"id": "scenario", "sha256": sha256(API_KEY.encode()).hexdigest()}]
    return Secrets(
        telnyx=json.dumps({"api_key": Settings().api_key}), bearer=json.dumps({"keys": keys})
    )


@cache
def deployed(**parameters: str) -> Template:
    """The template with these parameters."""
    return Template({**PARAMETERS, **parameters})


@pytest.fixture
def stage(secrets: Secrets) -> Iterator[Staged]:
    """Set a stage: `stage(people, **parameters of the template)`. The world begins empty."""
    before = dict(os.environ)
    logs = Logs()

    def set_stage(people: Iterable[Person] = (), **parameters: str) -> Stage:
        template = deployed(**parameters)
        memory: Any = MemoryTable(template.table.create)
        table = Table(memory, template.table.name)
        at = Stage(Gateway(template, AWS), memory, table, logs, people)
        for secret in (at.wiring.telnyx_api_key, at.wiring.bearer_keys):
            secret._client = lambda: secrets
        return at

    with logs.taken():
        yield set_stage
    install(None)
    os.environ.clear()
    os.environ.update(before)
