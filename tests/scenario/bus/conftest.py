"""A stage with everything behind it: the pipe, the bus, schedules. Its table has its own stream."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from local.stack.background import Background
from local.stack.embedded_aws import create_secrets, create_table
from local.stack.event_bus import BusEvent
from local.stack.serving import serve
from local.stack.template import Template
from tests.scenario.conftest import PARAMETERS, EmbeddedBackend
from tests.support.lab import Lab, NewLab
from tests.support.table import Table

TURN_SECS = 20.0


@dataclass
class Behind:
    """A stage, what is behind it, and what consumers of the bus got so far."""

    lab: Lab
    backstage: Background
    got: list[BusEvent] = field(default_factory=list)

    def of(self, conversation_id: str) -> list[BusEvent]:
        """What consumers got of a conversation, in the order in which it came."""
        return [
            each for each in self.got if each["detail"].get("conversation_id") == conversation_id
        ]

    def turn(self) -> None:
        """Do what is due behind the API, and again in a while."""
        self.backstage.turn()
        self.lab.clock.call_later(TURN_SECS, self.turn)


@pytest.fixture
def backend(embedded_backend: EmbeddedBackend) -> EmbeddedBackend:
    """The embedded AWS: its table has a stream."""
    return embedded_backend


@pytest.fixture(scope="session")
def bus_template(running_backend: EmbeddedBackend, scenario_template: Template) -> Template:
    """The deployment of these tests, with a table of its own in the same embedded AWS."""
    template = Template(PARAMETERS, stack_name="bus")
    create_table(running_backend.dynamodb, template)
    secrets = running_backend.secrets
    same = {
        logical_id: secrets.get_secret_value(SecretId=each.name)["SecretString"]
        for logical_id, each in scenario_template.secrets.items()
    }
    create_secrets(secrets, template, same)
    return template


@pytest.fixture
def behind(
    embedded_backend: EmbeddedBackend,
    new_lab: NewLab,
    bus_template: Template,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., Behind]]:
    """Set a stage with everything behind it: `behind(people, settings)`."""
    running = []

    def set_up_lab(*given: Any, **more: Any) -> Behind:
        Table(embedded_backend.dynamodb, bus_template.table.name).clear()
        lab = new_lab(*given, template=bus_template, **more)
        streams = embedded_backend.access.client("dynamodbstreams")
        backstage = Background(
            bus_template, lab.gateway, embedded_backend.dynamodb, streams, lab.clock.now
        )
        running.append(serve(backstage.scheduler.app))
        monkeypatch.setenv("AWS_ENDPOINT_URL_SCHEDULER", running[-1].url)
        monkeypatch.setenv("API_URL", "https://partyline.example")
        backstage.turn()  # what earlier tests left in the stream
        found = Behind(lab, backstage)
        backstage.bus.follow(found.got.append)
        found.turn()
        return found

    yield set_up_lab
    for each in running:
        each.stop()
