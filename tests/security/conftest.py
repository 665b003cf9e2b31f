"""A whole deployment in this process: its table in memory, its secrets at hand."""

import json
import os
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import sha256
from typing import Any

import pytest

from local.simulator.model import Person
from local.simulator.settings import Settings
from local.stack.gateway import Gateway
from local.stack.logs import Logs
from local.stack.template import Template
from partyline.bootstrap import override
from tests.scenario.conftest import PARAMETERS
from tests.support.lab import API_KEY, Lab
from tests.support.memory_table import MemoryTable
from tests.support.security import NO_AWS, NewLab, Secrets
from tests.support.table import Table


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
def new_lab(secrets: Secrets) -> Iterator[NewLab]:
    """Set a stage: `stage(people, **parameters of the template)`. The world begins empty."""
    before = dict(os.environ)
    logs = Logs()

    def set_up_lab(people: Iterable[Person] = (), **parameters: str) -> Lab:
        template = deployed(**parameters)
        memory: Any = MemoryTable(template.table.create)
        table = Table(memory, template.table.name)
        lab = Lab(Gateway(template, NO_AWS), memory, table, logs, people)
        for secret in (lab.app.telnyx_api_key, lab.app.bearer_keys):
            secret._client = lambda: secrets
        return lab

    with logs.taken():
        yield set_up_lab
    override(None)
    os.environ.clear()
    os.environ.update(before)
