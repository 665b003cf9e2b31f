"""Labs for scenarios. Each scenario begins with an empty table, by default in memory."""

import base64
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import pytest
from jsonschema import Draft202012Validator
from nacl.signing import SigningKey

from local.docs.event_schemas import schema_of
from local.simulator.model import Person
from local.simulator.settings import PUBLISHED_TEST_SEED, Settings
from local.stack.embedded_aws import Access, EmbeddedAws, create_secrets, create_table
from local.stack.logs import Logs
from local.stack.template import Template
from tests.support.backend import (
    Backend,
    bearer_secret,
    memory_backend,
    restored_process,
    telnyx_secret,
)
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
    "AllowedToolHosts": "crm.example,a.example,hooks.example.com",
    "ReleaseSha": "0" * 40,
}


@dataclass
class EmbeddedBackend(Backend):
    """The services of the embedded AWS, with the endpoints by which tests reach the others."""

    access: Access


@pytest.fixture(scope="session")
def scenario_template() -> Template:
    """The template with the parameters of the scenarios."""
    return Template(PARAMETERS)


@pytest.fixture(scope="session")
def without_assistant() -> Template:
    """The same deployment without a default assistant, which ignores calls without a route."""
    return Template({**PARAMETERS, "DefaultAssistantId": ""})


@pytest.fixture(scope="session")
def deployed() -> Callable[..., Template]:
    """The same deployment with other parameters: `deployed(QuietHours="21:00-08:00")`."""
    return cache(lambda **changed: Template({**PARAMETERS, **changed}))


@pytest.fixture(scope="session")
def running_backend(scenario_template: Template) -> Iterator[EmbeddedBackend]:
    """An embedded AWS with the template's table and secrets, running for all scenarios."""
    with EmbeddedAws() as aws:
        dynamodb, secrets = aws.access.dynamodb(), aws.access.client("secretsmanager")
        create_table(dynamodb, scenario_template)
        values = {"TelnyxApiKey": telnyx_secret(), "BearerKeys": bearer_secret(scenario=API_KEY)}
        create_secrets(secrets, scenario_template, values)
        environment = {**aws.access.environment(), "POWERTOOLS_METRICS_DISABLED": "true"}
        table = Table(dynamodb, scenario_template.table.name)
        yield EmbeddedBackend(environment, dynamodb, table, secrets, aws.access)


@pytest.fixture
def embedded_backend(running_backend: EmbeddedBackend) -> EmbeddedBackend:
    """The embedded AWS with an empty table."""
    running_backend.table.clear()
    return running_backend


@pytest.fixture
def backend(scenario_template: Template) -> Backend:
    """The services behind a scenario. A module that needs the embedded AWS overrides this."""
    return memory_backend(scenario_template)


@cache
def validator_of(event_type: str) -> Draft202012Validator:
    """A validator that accepts the described fields of an event and no others."""
    return Draft202012Validator(schema_of(event_type, strict=True))


@pytest.fixture
def new_lab(backend: Backend, scenario_template: Template) -> Iterator[NewLab]:
    """Create a lab: `new_lab(people, settings)`. Afterwards each stored event is validated."""
    logs = Logs()

    def create_lab(
        people: Iterable[Person] = (),
        settings: Settings | None = None,
        template: Template = scenario_template,
    ) -> Lab:
        return backend.new_lab(template, logs, people, settings)

    with restored_process(), logs.capture():
        yield create_lab
    for detail in backend.table.events():
        validator_of(detail["type"]).validate(detail)
