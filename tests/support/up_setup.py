"""A Telnyx account, an embedded AWS and a git commit, in which `up` and `down` run and break.

The embedded AWS has a small stack: the template's parameters, table and secrets. The deployment's
API is a server of the tests.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.client import ApiRefusedError
from local.connect.account import Account, AccountError
from local.connect.findings import Finding
from local.connect.records import RecordError, Records
from local.simulator.clock import RealClock
from local.simulator.faults import Fault
from local.simulator.settings import Settings
from local.simulator.telnyx import Simulator
from local.stack.embedded_aws import Access
from local.stack.template import declared_parameters, read_source
from local.up.down import CallsAreUpError, down
from local.up.release import DeployError
from local.up.stack import Stack, StackError
from local.up.up import Request, Surroundings, up
from partyline.services.bearer_keys import Right
from tests.support.telnyx_account import PREVIOUS_URL, Deployment, Network

KEY = "KEY-of-a-test"
NUMBER, SECOND_NUMBER = "+13125550100", "+13125550101"
ASSISTANT = "assistant-1"
OWN_PHONE = "+13125550199"
STACK = "partyline-dev"
SERVICES = ("cloudformation", "dynamodb", "secretsmanager", "sts", "ssm")
EXPECTED = (
    *(AccountError, RecordError, StackError, DeployError, ApiRefusedError, CallsAreUpError),
    *(BotoCoreError, ClientError),
)
"""The errors that the commands print as a sentence."""


@cache
def small_template(url: str, *, broken: bool) -> str:
    """Return the template's table and secrets, as JSON; `broken` adds a resource that fails."""
    source = read_source()
    kept = ("PartylineTable", "TelnyxApiKey", "BearerKeys")
    resources = {name: source["Resources"][name] for name in kept}
    if broken:
        function = {"Handler": "a.b", "Role": "no role", "Code": {}, "Runtime": "none"}
        resources["Broken"] = {"Type": "AWS::Partyline::Nonsense", "Properties": function}
    names = ("TelnyxApiKeySecretName", "BearerKeysSecretName", "TableName")
    outputs = {name: {"Value": source["Outputs"][name]["Value"]} for name in names}
    return json.dumps(
        {
            "Parameters": source["Parameters"],
            "Conditions": source["Conditions"],
            "Resources": resources,
            "Outputs": {**outputs, "ApiUrl": {"Value": url}},
        }
    )


@dataclass
class Api(Deployment):
    """A deployment that also starts and lists conversations."""

    conversations: list[dict[str, Any]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    failures: list[int] = field(default_factory=list)
    """The statuses of the next answers under `/conversations`."""

    def app(self) -> Starlette:
        routes = [
            *super().app().routes,
            Route("/conversations", self._conversations, methods=["GET", "POST"]),
        ]
        return Starlette(routes=routes)

    async def _conversations(self, request: HttpRequest) -> Response:
        if self.failures:
            return JSONResponse({}, self.failures.pop(0))
        if request.method == "GET":
            return JSONResponse({"conversations": self.conversations, "next_cursor": None})
        body = await request.json()
        if request.headers["idempotency-key"] not in self.keys:
            self.keys.add(request.headers["idempotency-key"])
            self.conversations.append({"id": f"c{len(self.conversations)}", **body})
        return JSONResponse(self.conversations[-1], 202)


class Deployer:
    """Deploys the small template. `failure` breaks the next deployment."""

    def __init__(self, client: Callable[[str], Any], url: str) -> None:
        self._client = client
        self._url = url
        self.head = "1" * 40
        self.deployed: list[dict[str, str]] = []
        self.failure = ""

    def commit(self) -> str:
        return self.head

    def deploy(self, stack: str, parameters: Mapping[str, str], tags: Mapping[str, str]) -> None:
        failure, self.failure = self.failure, ""
        if failure == "build":
            raise DeployError("The build failed.")
        self.deployed.append(dict(parameters))
        cloudformation = self._client("cloudformation")
        existing = self.read(stack)
        names = declared_parameters().keys()
        values = [
            {"ParameterKey": name, "ParameterValue": parameters[name]}
            if name in parameters
            else {"ParameterKey": name, "UsePreviousValue": True}
            for name in names
            if name in parameters or existing
        ]
        arguments = {
            "StackName": stack,
            "TemplateBody": small_template(self._url, broken=failure == "resource"),
            "Parameters": values,
            "Tags": [{"Key": name, "Value": value} for name, value in tags.items()],
        }
        if existing:
            cloudformation.update_stack(**arguments)
        else:
            cloudformation.create_stack(**arguments)
        if failure == "interrupted":
            raise DeployError("The connection broke.")
        while self.read(stack).is_moving:
            time.sleep(0.02)
        if not self.read(stack).is_deployed:
            raise DeployError("A resource failed.")

    def read(self, stack: str) -> Any:
        return Stack(stack, self._client, print).read()


@dataclass
class Counted:
    """Counts requests and breaks one of them: `at` is the place of that request, from 0.

    `lost` says that the request takes effect and only its answer is lost.
    """

    at: int | None = None
    lost: bool = False
    seen: list[str] = field(default_factory=list)

    def strikes(self, request: str) -> bool:
        """Count a request and return whether it breaks."""
        self.seen.append(request)
        return len(self.seen) - 1 == self.at


class BrokenTelnyx:
    """The simulator's faults, in place of its own: the request that `counted` names breaks."""

    def __init__(self, counted: Counted) -> None:
        self._counted = counted

    def next_fault(self, action: str) -> Fault | None:
        if not self._counted.strikes(action):
            return None
        # secs=0: a lost answer breaks the connection at once, not after a wait.
        return Fault("lose_reply" if self._counted.lost else "refuse", action, secs=0)


class Clients:
    """Clients of an embedded AWS, each made once; the request that `counted` names breaks."""

    def __init__(self, access: Access) -> None:
        self.counted = Counted()
        self._access = access
        self._clients: dict[tuple[str, bool], Any] = {}

    def client(self, service: str) -> Any:
        """Return a client whose requests are counted."""
        return self._client(service, counts=True)

    def uncounted(self, service: str) -> Any:
        """Return a client for the tests themselves."""
        return self._client(service, counts=False)

    def _client(self, service: str, *, counts: bool) -> Any:
        if (service, counts) not in self._clients:
            client = self._clients[service, counts] = self._access.client(service)
            if counts:
                client.meta.events.register("before-call", self._before)
                client.meta.events.register("after-call", self._after)
        return self._clients[service, counts]

    def _before(self, model: Any, **_: Any) -> None:
        if self.counted.strikes(model.name) and not self.counted.lost:
            raise EndpointConnectionError(endpoint_url="https://aws.example")

    def _after(self, **_: Any) -> None:
        if self.counted.lost and len(self.counted.seen) - 1 == self.counted.at:
            self.counted.at = None
            raise EndpointConnectionError(endpoint_url="https://aws.example")


class UpSetup:
    """The surroundings of `up` and `down`. `answers` are the user's, by option."""

    def __init__(self, network: Network, clients: Clients, clock: RealClock, home: Path) -> None:
        self.home = home
        self.telnyx, self.aws_calls = Counted(), Counted()
        settings = Settings(
            api_key=KEY,
            webhook_url=PREVIOUS_URL,
            failover_url=PREVIOUS_URL,
            numbers=(),
            assistants=frozenset({ASSISTANT}),
        )
        self.simulator = Simulator(clock, settings, network.post)
        self.simulator.world.numbers.update({NUMBER: None, SECOND_NUMBER: None})
        self.simulator.faults = BrokenTelnyx(self.telnyx)  # type: ignore[assignment]
        self.api = Api(trusted=[self.simulator.public_key])
        self.url = network.url("deployment")
        self.telnyx_url = f"{network.url('telnyx')}/v2"
        clients.counted = self.aws_calls
        self.client = clients.uncounted
        self._clients = clients
        self.deployer = Deployer(self.client, self.url)
        self.answers = {
            "--key-from": KEY,
            "--public-key": self.simulator.public_key,
            "--number": NUMBER,
            "--assistant": ASSISTANT,
            "--call": OWN_PHONE,
        }
        self.asked: list[str] = []
        self.lines: list[str] = []
        self.findings: list[Finding] = []

    @property
    def around(self) -> Surroundings:
        earlier, operator_key = Surroundings.folders(self.home / "project", self.home, STACK)
        return Surroundings(
            stack=Stack(STACK, self._clients.client, self.lines.append, lambda _: time.sleep(0.02)),
            deployer=self.deployer,
            open_account=lambda key: Account(self.telnyx_url, key),
            records=Records(self.home / "project"),
            earlier=earlier,
            operator_key=operator_key,
            declared=declared_parameters(),
            rights=tuple(Right),
            ask=self._ask,
            say=self.lines.append,
            report=self.findings.append,
            sleep=lambda _: None,
        )

    def up(self, **request: Any) -> bool:
        """Run `up` as a new process does. Returns whether the deployment is healthy."""
        self.asked, self.lines, self.findings = [], [], []
        return up(Request("dev", **request), self.around)

    def down(self, **options: Any) -> None:
        """Run `down` as a new process does."""
        self.asked, self.lines = [], []
        down(Request("dev"), self.around, **options)

    def fails(self, command: Callable[[], object]) -> bool:
        """Run a command and return whether it ended with one of the expected errors."""
        try:
            command()
        except EXPECTED:
            return True
        return False

    def changes(self) -> list[str]:
        """Return the requests so far that changed the Telnyx account."""
        return [
            f"{entry.method} {entry.action}"
            for entry in self.simulator.ledger
            if entry.method != "GET" and entry.action != "tool_test"
        ]

    def stack(self) -> Any:
        return self.deployer.read(STACK)

    def account_state(self) -> dict[str, Any]:
        """Return what the account has, without ids and times."""
        world = self.simulator.world
        names = {id_: body["application_name"] for id_, body in world.applications.items()}
        profiles = {id_: body["name"] for id_, body in world.profiles.items()}
        return {
            "applications": sorted(
                (
                    body["application_name"],
                    body["active"],
                    body["webhook_event_url"],
                    body["webhook_event_failover_url"],
                    body["webhook_api_version"],
                    profiles.get(body["outbound"].get("outbound_voice_profile_id", "")),
                )
                for body in world.applications.values()
            ),
            "profiles": sorted(profiles.values()),
            "numbers": {number: names.get(id_ or "", id_) for number, id_ in world.numbers.items()},
            "tools": len(world.tools),
            "attached": {id_: len(tools) for id_, tools in world.attached_tools.items() if tools},
            "inline": {
                id_: [tool["type"] for tool in tools]
                for id_, tools in world.inline_tools.items()
                if tools
            },
        }

    def keys_state(self) -> tuple[str, list[tuple[str, bool]]]:
        """Return Telnyx's key, and for each bearer key its id and whether it is in the file."""
        stack, secrets = self.stack(), self.client("secretsmanager")

        def value(output: str) -> Any:
            name = stack.output(output)
            return json.loads(secrets.get_secret_value(SecretId=name)["SecretString"])

        own = sha256(self.around.operator_key.read().encode()).hexdigest()
        entries = value("BearerKeysSecretName")["keys"]
        key: str = value("TelnyxApiKeySecretName")["api_key"]
        return key, [(entry["id"], entry["sha256"] == own) for entry in entries]

    def _ask(
        self,
        question: str,
        option: str,
        *,
        check: Callable[[str], str],
        hidden: bool = False,
        choices: Sequence[tuple[str, str]] = (),
    ) -> str:
        self.asked.append(option)
        assert hidden == (option == "--key-from")
        return check(self.answers[option])


CHANGES = frozenset(
    {
        *("application_create", "application_update", "application_delete", "profile_create"),
        *("profile_delete", "number_update", "tool_create", "tool_attach", "tool_detach"),
        *("tool_delete", "assistant_update", "PutSecretValue", "DeleteStack"),
    }
)
"""The requests with an effect: only such a request can lose its answer after the effect."""


def prepared(new_setup: Callable[[], "UpSetup"]) -> "UpSetup":
    """Return surroundings in which `up` sends every kind of request."""
    setup = new_setup()
    setup.simulator.world.profiles["2"] = {"id": "2", "name": "Second", "enabled": True}
    return setup


def breaks(seen: list[str]) -> list[tuple[int, bool]]:
    """Return each place of a request, and for a change also the loss of its answer."""
    refused = [(place, False) for place in range(len(seen))]
    return refused + [(place, True) for place, name in enumerate(seen) if name in CHANGES]
