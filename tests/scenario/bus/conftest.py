"""A lab with the background parts: stream mapping, bus, schedules. By default in memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from local.serving import serve
from local.stack.background import Background
from local.stack.event_bus import BusEvent
from local.stack.template import Template
from tests.scenario.conftest import PARAMETERS
from tests.support.backend import (
    Backend,
    Secrets,
    bearer_secret,
    memory_backend,
    number_secret,
    telnyx_secret,
)
from tests.support.lab import API_KEY, Lab, NewLab
from tests.support.memory_stream import MemoryStream

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


@pytest.fixture(scope="session")
def bus_template() -> Template:
    """The template of these tests, whose bus takes starts of two sources."""
    return Template({**PARAMETERS, **SOURCES})


@pytest.fixture
def backend(bus_template: Template) -> Backend:
    """A table and secrets in memory; hooks need a key."""
    secrets = Secrets(
        telnyx=telnyx_secret(),
        bearer=bearer_secret(scenario=API_KEY),
        number=number_secret(),
        hook=number_secret(),
    )
    return memory_backend(bus_template, secrets)


@pytest.fixture
def stream_clients(backend: Backend) -> tuple[Any, Any]:
    """Clients of DynamoDB and of its streams, for the stream of the table."""
    stream = MemoryStream(backend.dynamodb)
    return stream, stream


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


@pytest.fixture
def new_stack(
    new_lab: NewLab,
    bus_template: Template,
    stream_clients: tuple[Any, Any],
    current_app: tuple[CurrentApp, str],
    monkeypatch: pytest.MonkeyPatch,
) -> NewStack:
    """Make a lab with its background parts: `new_stack(people, settings)`."""

    def set_up(*positional: Any, **named: Any) -> BusStack:
        lab = new_lab(*positional, template=bus_template, **named)
        background = Background(bus_template, lab.gateway, *stream_clients, lab.clock.now)
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
