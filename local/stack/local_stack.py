"""The local stack: the template's functions and table, an embedded AWS, a simulated Telnyx."""

import json
import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes
from typing import Self
from urllib.parse import urlsplit

import boto3
import httpx
from starlette.types import ASGIApp

from local.credentials import new_key
from local.live_test.report import read_report
from local.loopback import is_loopback
from local.serving import Running, free_port, serve
from local.simulator.running import RunningSimulator, run_simulator
from local.simulator.settings import Settings as SimulatorSettings
from local.simulator.signing import Signer
from local.stack.background import Background
from local.stack.embedded_aws import Access, EmbeddedAws, SecretsInMemory, create_table
from local.stack.event_bus import Bus
from local.stack.gateway import Gateway
from local.stack.handlers import HandlersInProcess, Invoke
from local.stack.logs import Logs
from local.stack.repeated import repeated
from local.stack.template import Template

SWEEP_SECS = 60.0
BACKGROUND_SECS = 0.25
"""The interval of the background's turns: AWS polls a stream four times a second."""

Runner = Callable[
    [Template, Mapping[str, str], Logs, Mapping[str, str]], AbstractContextManager[Invoke]
]
"""Run the template's functions with variables that override theirs, and capture their log.

The last argument holds the values of the template's secrets by logical id.
"""


@contextmanager
def in_process(
    template: Template, environment: Mapping[str, str], logs: Logs, secrets: Mapping[str, str]
) -> Iterator[HandlersInProcess]:
    """Run the handlers in this process, with their environment, while the `with` lasts."""
    before = dict(os.environ)
    invoke = HandlersInProcess(template.functions.values(), environment)
    boto3.setup_default_session()  # the former session has the token of an earlier stack
    # The layer is on the path only now. The clients of an earlier stack are of no use here.
    from partyline.bootstrap import App, override  # noqa: PLC0415

    try:
        # In Lambda, connections end with the process; this process may outlive the stack.
        with httpx.HTTPTransport() as transport, logs.capture():
            client = SecretsInMemory(template, secrets)
            override(App(telnyx_transport=transport, secrets_client=client))
            yield invoke
    finally:
        override(None)
        os.environ.clear()
        os.environ.update(before)


class PublishedDefaultError(Exception):
    """A stack that calls the real Telnyx would trust the simulator's key for webhooks."""

    def __init__(self, variable: str, value: str) -> None:
        super().__init__(f"With the real Telnyx, set {variable} to {value}.")


class VariableError(ValueError):
    """A variable has an unusable value. The text is a sentence for the user."""


LAST_PORT = 65_534
"""The last port for the API: the simulated Telnyx takes the port after it."""

PARAMETER_VARIABLES = {
    "TelnyxConnectionId": "PARTYLINE_CONNECTION_ID",
    "TelnyxPublicKeys": "TELNYX_PUBLIC_KEY",
    "DefaultNumber": "PARTYLINE_NUMBER",
    "DefaultAssistantId": "PARTYLINE_ASSISTANT_ID",
    "TelnyxApiBaseUrl": "TELNYX_API_BASE_URL",
    "PublicBaseUrl": "PARTYLINE_PUBLIC_BASE_URL",
    "AllowedDestinationPrefixes": "PARTYLINE_ALLOWED_DESTINATIONS",
    "AllowedCountries": "PARTYLINE_ALLOWED_COUNTRIES",
}
"""The variable of `make dev` that sets a parameter of the template."""


def port_of(text: str) -> int:
    """Return the port in PORT. Raises VariableError."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= LAST_PORT):
        raise VariableError(f"PORT={text}: a port is a number from 1 to {LAST_PORT}")
    return int(text)


def parameters_of(text: str) -> dict[str, str]:
    """Return the template's parameters in PARTYLINE_PARAMETERS. Raises VariableError."""
    pairs = [pair.partition("=") for pair in shlex.split(text)]
    if not all(name and equals for name, equals, _ in pairs):
        raise VariableError(f"PARTYLINE_PARAMETERS={text}: write Name=value, separated by spaces")
    return {name: value for name, _, value in pairs}


@dataclass(frozen=True)
class Options:
    """The options of the stack. The defaults need no account, and make new random keys."""

    port: int = 0
    api_key: str = field(default_factory=lambda: new_key("local"), repr=False)
    assistant_id: str = "assistant-local"
    number: str = "+13125550100"
    connection_id: str = "2811212257810187875"
    public_base_url: str = ""
    destinations: str | None = None
    countries: str | None = None
    telnyx_api_base_url: str | None = None
    telnyx_api_key: str = field(default_factory=lambda: new_key("KEY"), repr=False)
    telnyx_public_key: str = ""
    aws_endpoint_url: str | None = None
    simulator: SimulatorSettings = field(default_factory=SimulatorSettings)
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Further parameters of the template."""
    with_turns: bool = True
    """Whether a thread runs the sweep and the background's turns."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the variables that docs/local.md lists for `make dev`.

        Raises VariableError, and ReportError for an unusable report of a live test.
        """
        names = {
            "port": "PORT",
            "api_key": "PARTYLINE_API_KEY",
            "assistant_id": "PARTYLINE_ASSISTANT_ID",
            "number": "PARTYLINE_NUMBER",
            "connection_id": "PARTYLINE_CONNECTION_ID",
            "public_base_url": "PARTYLINE_PUBLIC_BASE_URL",
            "destinations": "PARTYLINE_ALLOWED_DESTINATIONS",
            "countries": "PARTYLINE_ALLOWED_COUNTRIES",
            "telnyx_api_base_url": "TELNYX_API_BASE_URL",
            "telnyx_api_key": "TELNYX_API_KEY",
            "telnyx_public_key": "TELNYX_PUBLIC_KEY",
            "aws_endpoint_url": "AWS_ENDPOINT_URL",
        }
        path = environment.get("PARTYLINE_TELNYX_REPORT")
        report = read_report(Path(path)) if path else None
        parameters = parameters_of(environment.get("PARTYLINE_PARAMETERS") or "")
        values = {
            name: environment[variable]
            for name, variable in names.items()
            if environment.get(variable)
        }
        # Another Telnyx of this machine signs with the published key.
        own = "telnyx_api_base_url" not in values
        seed = {"signing_seed": token_bytes(32)} if own else {}
        observed = report.observed if report else {}
        options = cls(
            **{**values, "port": port_of(values.get("port", "8400"))},  # type: ignore[arg-type]
            simulator=SimulatorSettings.answering(observed, **seed),
            parameters={**(report.parameters if report else {}), **parameters},
        )
        if options.telnyx_api_base_url and not is_loopback(options.telnyx_api_base_url):
            options.refuse_published_defaults()
        return options

    def refuse_published_defaults(self) -> None:
        """Raise a PublishedDefaultError without Telnyx's own public key: real calls cost money."""
        if not self.telnyx_public_key:
            raise PublishedDefaultError(
                "TELNYX_PUBLIC_KEY", "the public key of your Telnyx account"
            )

    def template_parameters(self, telnyx_api_base_url: str) -> dict[str, str]:
        """Return the template's parameters for a stack that reaches Telnyx at this URL."""
        public_key = self.telnyx_public_key or Signer(self.simulator.signing_seed).public_key
        parameters = {
            "TelnyxConnectionId": self.connection_id,
            "TelnyxPublicKeys": public_key,
            "DefaultNumber": self.number,
            "DefaultAssistantId": self.assistant_id,
            "TelnyxApiBaseUrl": telnyx_api_base_url,
            "PublicBaseUrl": self.public_base_url,
            "ReleaseSha": "0" * 40,
        }
        if self.destinations:
            parameters["AllowedDestinationPrefixes"] = self.destinations
        if self.countries:
            parameters["AllowedCountries"] = self.countries
        return {**parameters, **self.parameters}

    def tunnels(self) -> frozenset[str]:
        """Return the host name of the tunnel to the stack's port, if the user has set a URL."""
        host = urlsplit(self.public_base_url).hostname
        return frozenset({host} if host and not is_loopback(self.public_base_url) else ())

    def secrets(self) -> dict[str, str]:
        """Return the values of the template's secrets by logical id."""
        hashed = sha256(self.api_key.encode()).hexdigest()
        return {
            "TelnyxApiKey": json.dumps({"api_key": self.telnyx_api_key}),
            "BearerKeys": json.dumps({"keys": [{"id": "local", "sha256": hashed}]}),
        }


class LocalStack:
    """The whole stack, up while the `with` lasts.

    `simulator` is None when the options name another Telnyx. `environment` overrides the template's
    variables. Subclasses wrap the functions and the gateway, and add parts.
    """

    has_page = False
    """Whether the stack's port has a page."""

    def __init__(self, options: Options, run: Runner = in_process) -> None:
        self._options = options
        self.api_key = options.api_key
        self._run = run
        self._closing = ExitStack()
        self.logs = Logs()
        self.simulator: RunningSimulator | None = None
        self.gateway: Gateway
        self.bus: Bus
        self.template: Template
        self.environment: Mapping[str, str] = {}
        self.url = ""

    def __enter__(self) -> Self:
        """Start all parts, in the order of their dependencies; stop them again after a failure."""
        with self._closing:
            options = self._options
            if options.telnyx_api_base_url is None:
                port = options.port and options.port + 1
                settings = replace(options.simulator, api_key=options.telnyx_api_key)
                self.simulator = run_simulator(settings, port=port)
                self._closing.callback(self.simulator.stop)
            telnyx_url = options.telnyx_api_base_url or (
                self.wrap_telnyx(self.simulator.api_url) if self.simulator else ""
            )
            template = Template(options.template_parameters(telnyx_url))
            access = self._aws(template)
            port, background_port = options.port or free_port(), free_port()
            environment = {
                **access.environment(),
                **Background.environment(f"http://127.0.0.1:{background_port}"),
                # A function that no request reaches gets the URL of the API from its environment.
                "API_URL": f"http://127.0.0.1:{port}",
                # The receivers of hooks are programs of this machine too.
                "HOOKS_ALLOW_LOOPBACK": "on",
                # Metrics are lines of JSON on the standard output, without a reader here.
                "POWERTOOLS_METRICS_DISABLED": "true",
            }
            if self.simulator and not options.public_base_url:
                # A webhook from the failover queue knows the host only, and would imply https.
                environment["PUBLIC_BASE_URL"] = environment["API_URL"]
            self.template, self.environment = template, environment
            invoke = self._closing.enter_context(
                self._run(template, environment, self.logs, options.secrets())
            )
            self.gateway = Gateway(template, invoke=self.wrap_functions(invoke, access))
            server: Running = serve(
                self.wrap_gateway(self.gateway), port, tunnels=options.tunnels(), page=self.has_page
            )
            self._closing.callback(server.stop)
            self.url = server.url
            streams = access.client("dynamodbstreams")
            background = Background(template, self.gateway, access.dynamodb(), streams)
            self._closing.callback(serve(background.app, background_port, token=access.token).stop)
            self.bus = background.bus
            self.add_parts(background)
            if self.simulator:
                self.simulator.simulator.set_webhook_url(
                    f"{self.url}/webhooks", f"{self.url}/failover"
                )
            if options.with_turns:
                self._closing.enter_context(repeated(SWEEP_SECS, self.sweep))
                self._closing.enter_context(repeated(BACKGROUND_SECS, background.turn))
            self._closing = self._closing.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop all parts, in the reverse order of their start."""
        self._closing.close()

    def sweep(self) -> None:
        """Run the functions of every minute once, now: sweep, census and erasures."""
        for folder in ("sweep", "census", "erase"):
            self.gateway.invoke_schedule(folder)

    def wrap_telnyx(self, url: str) -> str:
        """Return the URL by which the functions reach the simulator at `url`."""
        return url

    def wrap_functions(self, invoke: Invoke, access: Access) -> Invoke:  # noqa: ARG002
        """Return what runs the functions; `access` reaches their table."""
        return invoke

    def wrap_gateway(self, gateway: ASGIApp) -> ASGIApp:
        """Return the application of the stack's port."""
        return gateway

    def add_parts(self, background: Background) -> None:
        """Start further parts, once the gateway and the background answer."""

    def _aws(self, template: Template) -> Access:
        if self._options.aws_endpoint_url:
            access = Access(self._options.aws_endpoint_url)
        else:
            access = self._closing.enter_context(EmbeddedAws()).access
        client = access.dynamodb()
        if template.table.name not in client.list_tables()["TableNames"]:
            create_table(client, template)
        return access
