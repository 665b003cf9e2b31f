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
    """The template of these tests, with secrets and a table of its own in the same embedded AWS."""
    template = Template({**PARAMETERS, **SOURCES}, stack_name="bus")
    create_table(running_backend.dynamodb, template)
    secrets = running_backend.secrets
    same = {
        logical_id: secrets.get_secret_value(SecretId=secret.name)["SecretString"]
        for logical_id, secret in scenario_template.secrets.items()
    }
    create_secrets(secrets, template, same)
    return template


class CurrentApp:
    """An application that passes each request to the application of the test that runs."""

    def __init__(self) -> None:
        self.app: Any = None

    async def __call__(self, *request: Any) -> None:
        await self.app(*request)


@pytest.fixture(scope="session")
def current_app() -> Iterator[tuple[CurrentApp, str]]:
    """An application and its URL, on one server for all tests: the end of a server takes 0.2 s."""
    app = CurrentApp()
    server = serve(app)
    yield app, server.url
    server.stop()


@pytest.fixture(scope="session")
def streams(running_backend: EmbeddedBackend) -> Any:
    """A client of the tables' streams."""
    return running_backend.access.client("dynamodbstreams")


@pytest.fixture
def new_stack(
    embedded_backend: EmbeddedBackend,
    new_lab: NewLab,
    bus_template: Template,
    current_app: tuple[CurrentApp, str],
    streams: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> NewStack:
    """Make a lab with its background parts: `new_stack(people, settings)`."""

    def set_up(*positional: Any, **named: Any) -> BusStack:
        dynamodb = embedded_backend.dynamodb
        # A new table has a new stream. The old stream holds the records of all tests before.
        dynamodb.delete_table(TableName=bus_template.table.name)
        create_table(dynamodb, bus_template)
        lab = new_lab(*positional, template=bus_template, **named)
        background = Background(bus_template, lab.gateway, dynamodb, streams, lab.clock.now)
        app, url = current_app
        app.app = background.app
        for name, value in background.environment(url).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("API_URL", "https://partyline.example")
        stack = BusStack(lab, background)
        background.bus.follow(stack.received.append)
        stack.turn()
        return stack

    return set_up
