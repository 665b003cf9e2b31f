"""A Telnyx account, a deployment, and the commands that connect the account to the deployment."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from typer.testing import CliRunner

from local.cli.app import app
from local.serving import serve
from local.simulator.clock import RealClock
from local.simulator.delivery import HttpPost
from local.simulator.server import simulator_app
from local.simulator.settings import Settings
from local.simulator.telnyx import Simulator
from partyline.telnyx.signature import PublicKeys, SignatureError, verify

KEY = "KEY-of-a-test"
PREVIOUS_URL = "https://before.example/hook"
ASSISTANT = "assistant-1"
NOTHING_LISTENS_URL = "http://127.0.0.1:1"
"""No server listens at this URL."""


@dataclass
class Deployment:
    """Answers at `/webhooks` and `/tools/...` as a deployment with these trusted keys does."""

    trusted: list[str] = field(default_factory=list)
    accepts_any_signature: bool = False
    answers: int | None = None
    requests: list[tuple[str, Any]] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/webhooks", self._answer, methods=["POST"]),
                Route("/tools/{name}", self._answer, methods=["POST"]),
            ]
        )

    async def _answer(self, request: Request) -> Response:
        if self.answers is not None:
            return Response("", self.answers, {"location": "https://elsewhere.example"})
        body = await request.body()
        if self.accepts_any_signature and "telnyx-signature-ed25519" in request.headers:
            return JSONResponse({})
        try:
            keys = PublicKeys.parse(",".join(self.trusted))
            verify(body, dict(request.headers), keys, time.time())
        except SignatureError as error:
            return JSONResponse({"error": {"message": error.reason}}, 401)
        self.requests.append((request.url.path, json.loads(body)))
        return JSONResponse({})


class Network:
    """Two servers for all tests of a module. Each test sets the servers' applications."""

    def __init__(self) -> None:
        self.apps: dict[str, ASGIApp] = {}
        self.post = HttpPost()
        self._servers = {name: serve(self._entry(name)) for name in ("telnyx", "deployment")}

    def url(self, name: str) -> str:
        return self._servers[name].url

    def close(self) -> None:
        for server in self._servers.values():
            server.stop()
        self.post.close()

    def _entry(self, name: str) -> ASGIApp:
        async def enter(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                await self.apps[name](scope, receive, send)

        return enter


@dataclass
class AccountSetup:
    """An account and a deployment. `run` runs a command, `output` is the last command's output."""

    simulator: Simulator
    deployment: Deployment
    telnyx_url: str
    url: str
    home: Path
    output: str = ""

    @classmethod
    def create(cls, network: Network, clock: RealClock, home: Path) -> "AccountSetup":
        settings = Settings(api_key=KEY, webhook_url=PREVIOUS_URL)
        simulator = Simulator(clock, settings, network.post)
        deployment = Deployment(trusted=[simulator.public_key])
        network.apps = {"telnyx": simulator_app(simulator), "deployment": deployment.app()}
        (home / "key").write_text(f"{KEY}\n")
        return cls(
            simulator, deployment, f"{network.url('telnyx')}/v2", network.url("deployment"), home
        )

    @property
    def connection_id(self) -> str:
        return self.simulator.settings.connection_id

    def run(self, command: str, *options: str, key: str | None = "key") -> int:
        """Run a command and return its exit status."""
        telnyx = ("--telnyx-api-base-url", self.telnyx_url)
        keyed = ("--key-from", str(self.home / key)) if key else ()
        with patch("local.connect.records.FOLDER", self.home / "records"):
            result = CliRunner().invoke(app, [command, *telnyx, *keyed, *options])
        self.output = result.output
        return result.exit_code

    def connect(self, *options: str) -> int:
        return self.run("connect", "--url", self.url, *options)

    def connect_application(self, *options: str) -> int:
        return self.connect("--application", self.connection_id, *options)

    def doctor(self, *options: str) -> int:
        ours = ("--application", self.connection_id)
        return self.run("doctor", "--url", self.url, *ours, *options)

    def verdicts(self) -> dict[str, list[str]]:
        """Return the doctor's sentences by verdict."""
        sentences: dict[str, list[str]] = {"ok": [], "wrong": [], "untried": [], "note": []}
        for line in self.output.splitlines():
            verdict, _, sentence = line.partition(" ")
            if verdict in sentences:
                sentences[verdict].append(sentence.strip())
        return sentences

    def application(self, application_id: str | None = None) -> dict[str, Any]:
        """Return the fields of an application that can be changed, as Telnyx has the fields."""
        fields = self.simulator.world.applications[application_id or self.connection_id]
        return {name: value for name, value in fields.items() if name != "updated_at"}

    def changes(self) -> list[str]:
        """Return the requests so far that changed the account."""
        return [
            f"{entry.method} {entry.action}"
            for entry in self.simulator.ledger
            if entry.method != "GET"
        ]
