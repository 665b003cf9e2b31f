"""A lab with the background parts: stream mapping, bus, schedules. Its table has its own stream."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from local.serving import serve
from local.stack.background import Background
from local.stack.embedded_aws import create_secrets, create_table
from local.stack.event_bus import BusEvent
from local.stack.template import Template
from tests.scenario.conftest import PARAMETERS, EmbeddedBackend
from tests.support.lab import Lab, NewLab
from tests.support.table import Table

TURN_SECS = 20.0

SOURCES = {"AllowedEventSources": "partyline.starts,shop"}


@dataclass
class BusStack:
    """A lab, its background parts, and the events that a consumer of the bus received so far."""

    lab: Lab
    background: Background
    received: list[BusEvent] = field(default_factory=list)

    def events_of(self, conversation_id: str) -> list[BusEvent]:
        """Return the received events of a conversation, in the order of their arrival."""
        return [
            event
            for event in self.received
            if event["detail"].get("conversation_id") == conversation_id
        ]

    def turn(self) -> None:
        """Do the background work that is due, and repeat in `TURN_SECS`."""
        self.background.turn()
        self.lab.clock.call_later(TURN_SECS, self.turn)


NewStack = Callable[..., BusStack]


@pytest.fixture
def backend(embedded_backend: EmbeddedBackend) -> EmbeddedBackend:
    """The embedded AWS: its table has a stream."""
    return embedded_backend


@pytest.fixture(scope="session")
def bus_template(running_backend: EmbeddedBackend, scenario_template: Template) -> Template:
    """The template of these tests, with a table of its own in the same embedded AWS."""
    template = Template({**PARAMETERS, **SOURCES}, stack_name="bus")
    create_table(running_backend.dynamodb, template)
    secrets = running_backend.secrets
    same = {
        logical_id: secrets.get_secret_value(SecretId=secret.name)["SecretString"]
        for logical_id, secret in scenario_template.secrets.items()
    }
    create_secrets(secrets, template, same)
    return template


@pytest.fixture
def new_stack(
    embedded_backend: EmbeddedBackend,
    new_lab: NewLab,
    bus_template: Template,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[NewStack]:
    """Make a lab with its background parts: `new_stack(people, settings)`."""
    running = []

    def set_up(*positional: Any, **named: Any) -> BusStack:
        dynamodb = embedded_backend.dynamodb
        Table(dynamodb, bus_template.table.name).clear()
        lab = new_lab(*positional, template=bus_template, **named)
        streams = embedded_backend.access.client("dynamodbstreams")
        background = Background(bus_template, lab.gateway, dynamodb, streams, lab.clock.now)
        running.append(serve(background.app))
        for name, value in background.environment(running[-1].url).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("API_URL", "https://partyline.example")
        background.turn()  # the stream may hold records of earlier tests
        stack = BusStack(lab, background)
        background.bus.follow(stack.received.append)
        stack.turn()
        return stack

    yield set_up
    for server in running:
        server.stop()
