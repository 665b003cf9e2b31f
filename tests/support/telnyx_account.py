"""A Telnyx account, a deployment, and somebody at a terminal who brings the two together."""

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
from local.simulator.clock import RealClock
from local.simulator.delivery import HttpPost
from local.simulator.server import simulator_app
from local.simulator.settings import Settings
from local.simulator.telnyx import Simulator
from local.stack.serving import serve
from partyline.telnyx.signature import PublicKeys, SignatureError, verify

KEY = "KEY-of-a-test"
PREVIOUS_URL = "https://before.example/hook"
ASSISTANT = "assistant-1"
NOTHING_LISTENS_URL = "http://127.0.0.1:1"
"""Where nothing listens."""


@dataclass
class Deployment:
    """Answers at `/webhooks` and `/tools/...` as a deployment does, to whom it trusts."""

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
    """Two addresses that stay while tenants change, so that a test need not open them."""

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
    """All of it; `run` is the terminal, and `said` what was printed last."""

    simulator: Simulator
    deployment: Deployment
    telnyx_url: str
    url: str
    home: Path
    output: str = ""

    @classmethod
    def create(cls, street: Network, clock: RealClock, home: Path) -> "AccountSetup":
        settings = Settings(api_key=KEY, webhook_url=PREVIOUS_URL)
        simulator = Simulator(clock, settings, street.post)
        deployment = Deployment(trusted=[simulator.public_key])
        street.apps = {"telnyx": simulator_app(simulator), "deployment": deployment.app()}
        (home / "key").write_text(f"{KEY}\n")
        return cls(
            simulator, deployment, f"{street.url('telnyx')}/v2", street.url("deployment"), home
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

    def connect_ours(self, *options: str) -> int:
        return self.connect("--application", self.connection_id, *options)

    def doctor(self, *options: str) -> int:
        ours = ("--application", self.connection_id)
        return self.run("doctor", "--url", self.url, *ours, *options)

    def verdicts(self) -> dict[str, list[str]]:
        """What the doctor said: sentences by verdict."""
        found: dict[str, list[str]] = {"ok": [], "wrong": [], "untried": [], "note": []}
        for line in self.output.splitlines():
            verdict, _, sentence = line.partition(" ")
            if verdict in found:
                found[verdict].append(sentence.strip())
        return found

    def application(self, application_id: str | None = None) -> dict[str, Any]:
        """What can be set of an application, as Telnyx has it."""
        found = self.simulator.world.applications[application_id or self.connection_id]
        return {name: value for name, value in found.items() if name != "updated_at"}

    def changes(self) -> list[str]:
        """What Telnyx was asked to change so far."""
        return [
            f"{entry.method} {entry.action}"
            for entry in self.simulator.ledger
            if entry.method != "GET"
        ]
