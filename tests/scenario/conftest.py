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

from local.docs.event_schemas import schema_of
from local.simulator.model import Person
from local.simulator.settings import PUBLISHED_TEST_SEED, Settings
from local.stack.embedded_aws import Access, EmbeddedAws, create_secrets, create_table
from local.stack.gateway import Gateway
from local.stack.logs import Logs
from local.stack.template import Template
from partyline.bootstrap import App, override
from partyline.services.secrets import Secret
from tests.support.lab import API_KEY, Lab, NewLab
from tests.support.people import OUR_NUMBER
from tests.support.table import Table

PARAMETERS = {
    "TelnyxConnectionId": Settings().connection_id,
    "TelnyxPublicKeys": base64.b64encode(
        bytes(SigningKey(PUBLISHED_TEST_SEED).verify_key)
    ).decode(),
    "DefaultNumber": OUR_NUMBER,
    "DefaultAssistantId": "assistant-default",
    "ReleaseSha": "0" * 40,
}


@dataclass
class EmbeddedDeployment:
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

    def share_secrets(self, app: App) -> None:
        """Let a app use the secrets that the first one has read."""
        if self.secrets is None:
            self.secrets = app.telnyx_api_key, app.bearer_keys
        app.telnyx_api_key, app.bearer_keys = self.secrets


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
def house(scenario_template: Template) -> Iterator[EmbeddedDeployment]:
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
        yield EmbeddedDeployment(
            aws.access, dynamodb, Table(dynamodb, scenario_template.table.name)
        )


@cache
def validator_of(event_type: str) -> Draft202012Validator:
    """What an event has to be, no field more."""
    return Draft202012Validator(schema_of(event_type, strict=True))


@pytest.fixture
def new_lab(house: EmbeddedDeployment, scenario_template: Template) -> Iterator[NewLab]:
    """Set a stage: `stage(people, settings)`. The world begins empty each time."""
    before = dict(os.environ)
    house.table.clear()
    logs = Logs()

    def set_up_lab(
        people: Iterable[Person] = (),
        settings: Settings | None = None,
        template: Template = scenario_template,
    ) -> Lab:
        gateway = Gateway(template, house.environment())
        lab = Lab(gateway, house.dynamodb, house.table, logs, people, settings)
        house.share_secrets(lab.app)
        return lab

    with logs.taken():
        yield set_up_lab
    for detail in house.table.events():
        # Whatever the story was: what went out is what consumers are told to expect.
        validator_of(detail["type"]).validate(detail)
    override(None)
    os.environ.clear()
    os.environ.update(before)
