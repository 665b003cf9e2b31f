"""The local stack: the template's functions and table, an embedded AWS, and a simulated Telnyx."""

import base64
import json
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from types import TracebackType
from typing import Self

import httpx
from nacl.signing import SigningKey

from local.room.server import SCRIPT, Room
from local.simulator.running import RunningSimulator, run_simulator
from local.simulator.settings import Settings as SimulatorSettings
from local.stack.background import Background
from local.stack.embedded_aws import Access, EmbeddedAws, create_secrets, create_table
from local.stack.event_bus import Bus
from local.stack.gateway import Gateway
from local.stack.handlers import HandlersInProcess, Invoke
from local.stack.logs import Logs
from local.stack.serving import Running, free_port, serve
from local.stack.template import Template

_LOG = logging.getLogger(__name__)
API_KEY = "partyline-local-key"
SWEEP_SECS = 60.0
BEHIND_SECS = 0.25
"""How often is looked for what waits behind the API: AWS polls a stream four times a second."""

Runner = Callable[[Template, Mapping[str, str], Logs], AbstractContextManager[Invoke]]
"""Runs the template's functions with an environment over theirs, and takes their log."""


@contextmanager
def in_process(
    template: Template, environment: Mapping[str, str], logs: Logs
) -> Iterator[HandlersInProcess]:
    """Run the handlers in this process while the `with` lasts, whose environment is theirs then."""
    before = dict(os.environ)
    invoke = HandlersInProcess(template.functions.values(), environment)
    # The layer is on the path only now. An earlier stack's clients are of no use to this one.
    from partyline.bootstrap import App, override  # noqa: PLC0415

    try:
        # A function's process ends with its connections; this one may outlive the stack.
        with httpx.HTTPTransport() as transport, logs.taken():
            override(App(telnyx_transport=transport))
            yield invoke
    finally:
        override(None)
        os.environ.clear()
        os.environ.update(before)


@dataclass(frozen=True)
class Options:
    """What can be chosen about the stack; the defaults need nothing from anybody."""

    port: int = 0
    api_key: str = API_KEY
    assistant_id: str = "assistant-local"
    number: str = "+13125550100"
    connection_id: str = "2811212257810187875"
    public_base_url: str = ""
    destinations: str | None = None
    telnyx_api_base_url: str | None = None
    telnyx_api_key: str = "KEY-of-the-simulator"
    telnyx_public_key: str = ""
    aws_endpoint_url: str | None = None
    simulator: SimulatorSettings = field(default_factory=SimulatorSettings)
    parameters: Mapping[str, str] = field(default_factory=dict)
    """More of the template's parameters."""
    with_room: bool = False
    with_turns: bool = True
    """Whether the sweep and what waits behind the API have their turns by themselves."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the variables that the README lists for `make dev`."""
        names = {
            "port": "PORT",
            "api_key": "PARTYLINE_API_KEY",
            "assistant_id": "PARTYLINE_ASSISTANT_ID",
            "number": "PARTYLINE_NUMBER",
            "connection_id": "PARTYLINE_CONNECTION_ID",
            "public_base_url": "PARTYLINE_PUBLIC_BASE_URL",
            "destinations": "PARTYLINE_ALLOWED_DESTINATIONS",
            "telnyx_api_base_url": "TELNYX_API_BASE_URL",
            "telnyx_api_key": "TELNYX_API_KEY",
            "telnyx_public_key": "TELNYX_PUBLIC_KEY",
            "aws_endpoint_url": "AWS_ENDPOINT_URL",
        }
        given = {name: environment[each] for name, each in names.items() if environment.get(each)}
        return cls(**{**given, "port": int(given.get("port", 8400))})  # type: ignore[arg-type]


class LocalStack:
    """Everything, up and running while the `with` lasts.

    `url` is the gateway's, `simulator` is None when another Telnyx was named, `logs` is what the
    functions wrote, `template` has this stack's parameters in it, and `environment` goes over what
    it gives the functions. `bus` is what consumers of the events would listen to. `run` says where
    the functions run, e.g. `local.deploy.lambda_emulator.emulated`. The room is at `url` too, when
    it was asked for and the simulator is there.
    """

    def __init__(self, options: Options, run: Runner = in_process) -> None:
        """Keep the options; nothing starts before `with`."""
        self._options = options
        self._run = run
        self._closing = ExitStack()
        self.logs = Logs()
        self.simulator: RunningSimulator | None = None
        self.room: Room | None = None
        self.gateway: Gateway
        self.bus: Bus
        self.template: Template
        self.environment: Mapping[str, str] = {}
        self.url = ""

    def __enter__(self) -> Self:
        """Start it all, in the order of who needs whom; what has started is stopped on failure."""
        with self._closing:
            options = self._options
            if options.telnyx_api_base_url is None:
                port = options.port and options.port + 1
                self.simulator = run_simulator(options.simulator, port=port)
                self._closing.callback(self.simulator.stop)
            template = Template(self._parameters())
            access = self._aws(template)
            here, alarms = options.port or free_port(), free_port()
            environment = {
                **access.environment(),
                # What a function has to know that no request reaches, and that makes alarms.
                "API_URL": f"http://127.0.0.1:{here}",
                "AWS_ENDPOINT_URL_SCHEDULER": f"http://127.0.0.1:{alarms}",
                # The metrics go out as lines of JSON, which nobody reads here.
                "POWERTOOLS_METRICS_DISABLED": "true",
            }
            if self.simulator and not options.public_base_url:
                # What comes out of the failover queue knows its host, and would take it for https.
                environment["PUBLIC_BASE_URL"] = environment["API_URL"]
            self.template, self.environment = template, environment
            invoke = self._closing.enter_context(self._run(template, environment, self.logs))
            if options.with_room and self.simulator:
                self.room = self._room(self.simulator, invoke, access)
            self.gateway = Gateway(template, invoke=self.room.invoke if self.room else invoke)
            front = self.room.wrap_gateway(self.gateway) if self.room else self.gateway
            server: Running = serve(front, port=here)
            self._closing.callback(server.stop)
            self.url = server.url
            streams = access.client("dynamodbstreams")
            behind = Background(template, self.gateway, access.dynamodb(), streams)
            self._closing.callback(serve(behind.scheduler.app, port=alarms).stop)
            self.bus = behind.bus
            if self.room:
                self.room.open(self.url, options.api_key, options.number, behind)
                self._closing.callback(self.room.close)
            if self.simulator:
                self.simulator.simulator.set_webhook_url(
                    f"{self.url}/webhooks", f"{self.url}/failover"
                )
            if options.with_turns:
                self._closing.enter_context(_every(SWEEP_SECS, self.sweep))
                self._closing.enter_context(_every(BEHIND_SECS, behind.turn))
            self._closing = self._closing.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it all, the last started first."""
        self._closing.close()

    def sweep(self) -> None:
        """Run the scheduled function once, now."""
        self.gateway.invoke_schedule("sweep")

    def _room(self, telnyx: RunningSimulator, handlers: Invoke, access: Access) -> Room:
        """The room, with its ear at the functions' log and at their table."""
        # As above: the layer is on the path only now.
        from partyline.bootstrap import App, override  # noqa: PLC0415

        settings = telnyx.simulator.settings
        settings.script = SCRIPT
        # Otherwise the first dial would be refused once, and that is for those who ask for it.
        settings.accepts_conversation_keys = True
        functions = {each.folder for each in self.template.functions.values()}
        room = Room(telnyx.simulator, handlers, functions)
        self.logs.follow(room.log)
        dynamodb = access.dynamodb()
        room.table.attach(dynamodb)
        # A function's process ends with its connections; this one may outlive the stack.
        transport = self._closing.enter_context(httpx.HTTPTransport())
        override(App(dynamodb=dynamodb, telnyx_transport=transport))
        return room

    def _aws(self, template: Template) -> Access:
        options = self._options
        embedded = self._closing.enter_context(EmbeddedAws())
        access = Access(options.aws_endpoint_url or embedded.url, embedded.url)
        client = access.dynamodb()
        if template.table.name not in client.list_tables()["TableNames"]:
            create_table(client, template)
        hashed = sha256(options.api_key.encode()).hexdigest()
        create_secrets(
            access.secretsmanager(),
            template,
            {
                "TelnyxApiKey": json.dumps({"api_key": options.telnyx_api_key}),
                "BearerKeys": json.dumps({"keys": [{"id": "local", "sha256": hashed}]}),
            },
        )
        return access

    def _parameters(self) -> dict[str, str]:
        options = self._options
        public_key = options.telnyx_public_key
        if not public_key:
            verify_key = SigningKey(options.simulator.signing_seed).verify_key
            public_key = base64.b64encode(bytes(verify_key)).decode()
        api_url = options.telnyx_api_base_url or (self.simulator and self.simulator.api_url) or ""
        parameters = {
            "TelnyxConnectionId": options.connection_id,
            "TelnyxPublicKeys": public_key,
            "DefaultNumber": options.number,
            "DefaultAssistantId": options.assistant_id,
            "TelnyxApiBaseUrl": api_url,
            "PublicBaseUrl": options.public_base_url,
            "ReleaseSha": "0" * 40,
        }
        if options.destinations:
            parameters["AllowedDestinationPrefixes"] = options.destinations
        return {**parameters, **options.parameters}


@contextmanager
def _every(secs: float, work: Callable[[], object]) -> Iterator[None]:
    """Do `work` over and over, in a thread, while the `with` lasts."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(secs):
            try:
                work()
            except Exception:  # noqa: BLE001 - one turn that failed is not to be the last
                _LOG.exception("%s failed", work)

    thread = threading.Thread(target=run, name="schedule", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
