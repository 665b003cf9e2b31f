"""One embedded AWS for all scenarios, and an empty table for each."""

import base64
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from nacl.signing import SigningKey

from local.aws import Access, EmbeddedAws, create_secrets, create_table
from local.event_schemas import schema_of
from local.gateway import Gateway
from local.logs import Logs
from local.simulator.model import Person
from local.simulator.settings import PUBLISHED_TEST_SEED, Settings
from local.template import Template
from partyline.secret import Secret
from partyline.wiring import Wiring, install
from tests.scenario.people import OURS
from tests.scenario.stage import API_KEY, Stage, Staged
from tests.scenario.table import Table

PARAMETERS = {
    "TelnyxConnectionId": Settings().connection_id,
    "TelnyxPublicKeys": base64.b64encode(
        bytes(SigningKey(PUBLISHED_TEST_SEED).verify_key)
    ).decode(),
    "DefaultNumber": OURS,
    "DefaultAssistantId": "assistant-default",
    "ReleaseSha": "0" * 40,
}


@dataclass
class House:
    """What all scenarios live in. It is made once, since making it is the dearest part of a test.

    The secrets are read once too: each read anew would make a client of its own.
    """

    access: Access
    dynamodb: Any
    table: Table
    secrets: tuple[Secret, Secret] | None = None

    def environment(self) -> dict[str, str]:
        """What goes over the template's environment."""
        return {**self.access.environment(), "POWERTOOLS_METRICS_DISABLED": "true"}

    def share_secrets(self, wiring: Wiring) -> None:
        """Let a wiring use the secrets that the first one has read."""
        if self.secrets is None:
            self.secrets = wiring.telnyx_api_key, wiring.bearer_keys
        wiring.telnyx_api_key, wiring.bearer_keys = self.secrets


@pytest.fixture(scope="session")
def scenario_template() -> Template:
    """The template with the parameters of the scenarios."""
    return Template(PARAMETERS)


@pytest.fixture(scope="session")
def without_assistant() -> Template:
    """The same deployment without a default assistant: calls that have no route are left alone."""
    return Template({**PARAMETERS, "DefaultAssistantId": ""})


@pytest.fixture(scope="session")
def deployed() -> Callable[..., Template]:
    """The same deployment with other parameters: `deployed(QuietHours="21:00-08:00")`."""
    return cache(lambda **given: Template({**PARAMETERS, **given}))


@pytest.fixture(scope="session")
def house(scenario_template: Template) -> Iterator[House]:
    """An embedded AWS with the template's table and secrets, up for all scenarios."""
    with EmbeddedAws() as aws:
        dynamodb = aws.access.dynamodb()
        create_table(dynamodb, scenario_template)
        keys = [{"id": "scenario", "sha256": sha256(API_KEY.encode()).hexdigest()}]
        create_secrets(
            aws.access.secretsmanager(),
            scenario_template,
            {
                "TelnyxApiKey": json.dumps({"api_key": Settings().api_key}),
                "BearerKeys": json.dumps({"keys": keys}),
            },
        )
        yield House(aws.access, dynamodb, Table(dynamodb, scenario_template.table.name))


@cache
def validator_of(event_type: str) -> Draft202012Validator:
    """What an event has to be, no field more."""
    return Draft202012Validator(schema_of(event_type, strict=True))


@pytest.fixture
def stage(house: House, scenario_template: Template) -> Iterator[Staged]:
    """Set a stage: `stage(people, settings)`. The world begins empty each time."""
    before = dict(os.environ)
    house.table.clear()
    logs = Logs()

    def set_stage(
        people: Iterable[Person] = (),
        settings: Settings | None = None,
        template: Template = scenario_template,
    ) -> Stage:
        gateway = Gateway(template, house.environment())
        at = Stage(gateway, house.dynamodb, house.table, logs, people, settings)
        house.share_secrets(at.wiring)
        return at

    with logs.taken():
        yield set_stage
    for detail in house.table.events():
        # Whatever the story was: what went out is what consumers are told to expect.
        validator_of(detail["type"]).validate(detail)
    install(None)
    os.environ.clear()
    os.environ.update(before)
