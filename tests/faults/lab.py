"""The stage of the scenarios on a table in memory, on which processes die and callers ask again."""

import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from local.simulator.model import Person
from local.simulator.settings import Settings
from local.stack.gateway import Gateway
from local.stack.http_api import HttpRequest
from local.stack.logs import Logs
from local.stack.template import Template
from partyline.bootstrap import App, override
from partyline.domain.model.statuses import DEPARTED, FINISHED
from partyline.services.secrets import Secret
from partyline.store import ConversationStore
from partyline.telemetry import logger
from tests.faults.points import WEBHOOK_TIMEOUT_SECS, Died, FaultyLine, FaultyTable, Io
from tests.scenario.conftest import PARAMETERS
from tests.support.lab import API_KEY, Answer, Json, Lab, minutes
from tests.support.memory_table import MemoryTable
from tests.support.table import Table

PATIENCE_SECS = minutes(5)
"""How long after something happened everything is right again, whatever went wrong."""

QUIET_SECS = minutes(15)
"""How long after the story all has come to rest at the latest."""

STEP_SECS = 2.0
ASK_AGAIN_SECS = (1.0, 2.0, 5.0, 10.0, 20.0, 40.0)

_SECRETS = {
    "api_key": Settings().api_key,
    "keys": [{"id": "caller", "sha256": sha256(API_KEY.encode()).hexdigest()}],
}


class _Vault:
    """A Secrets Manager in which one secret has all that is asked for."""

    def get_secret_value(self, **_request: Any) -> Json:
        return {"SecretString": json.dumps(_SECRETS)}


def quiet() -> None:
    """Log nothing but what nobody planned: here every failure is on purpose."""
    logger.setLevel("CRITICAL")


@cache
def deployment() -> Template:
    """The template with the parameters of the scenarios."""
    return Template(PARAMETERS)


@cache
def gateway() -> Gateway:
    """One for all stories: it keeps nothing of them but that the bearer key is good."""
    return Gateway(deployment(), {"POWERTOOLS_METRICS_DISABLED": "true", "AWS_REGION": "none"})


@cache
def _secret() -> Secret:
    return Secret("all", _Vault, max_age_secs=10**9)


class FaultLab(Lab):
    """A deployment whose processes may die at every touch of the world outside of them."""

    def __init__(
        self,
        people: Iterable[Person] = (),
        settings: Settings | None = None,
        strikes: dict[int, str] | None = None,
        meanwhile: dict[int, float] | None = None,
    ) -> None:
        """Set the stage; `strikes` has the faults by the number of the point they strike."""
        os.environ.setdefault("AWS_DEFAULT_REGION", "none")
        memory: Any = MemoryTable(deployment().table.create)
        name = deployment().table.name
        self.stored = ConversationStore(memory, name)
        super().__init__(gateway(), memory, Table(memory, name), Logs(), people, settings)
        self.io = Io(self.clock, strikes, meanwhile)
        self.faulty = FaultyTable(memory, self.io, self.clock)
        self.here = ""
        self.refused: list[str] = []
        self._requests = 0
        self._memory = memory
        self.new_process()

    def new_process(self) -> None:
        """What a Lambda that starts afresh has: nothing but its configuration."""
        self.app = App(
            clock=self.clock.now,
            sleep=self._sleep,
            telnyx_transport=FaultyLine(self.telnyx, self.io, self.clock),
            dynamodb=self.faulty,
        )
        self.app.telnyx_api_key = self.app.bearer_keys = _secret()
        override(self.app)

    # What the application does: it asks again, with the same key, until it is answered

    def ask(
        self, method: str, path: str, body: Json | bytes | None = None, **headers: str | None
    ) -> Answer:
        """Ask the API; whatever is no answer is asked again."""
        if method == "GET":
            with self.io.observed():
                return super().ask(method, path, body, **headers)
        self._requests += 1
        headers.setdefault("idempotency_key", f"request-{self._requests}")
        asking = super().ask
        for pause_secs in ASK_AGAIN_SECS:
            answer = self._answered(
                "request", f"{method} {path[:20]}", lambda: asking(method, path, body, **headers)
            )
            if isinstance(answer, Answer) and answer.status < 500 and answer.status != 429:
                return answer
            self.clock.advance(pause_secs)
        raise AssertionError(f"{method} {path} was never answered")

    def begin(self, **body: Any) -> None:
        """Start a conversation, which the story is then about."""
        answer = self.ask("POST", "/conversations", body)
        assert answer.status in (200, 201, 202), answer.json
        self.here = self.poller.watch(str(answer.json["id"]))

    def demand(self, method: str, path: str, body: Json | None = None) -> None:
        """Ask something of the conversation, which may be over by now."""
        answer = self.ask(method, f"/conversations/{self.here}{path}", body or {})
        if answer.status not in (200, 202):
            self.refused.append(str(answer.json["error"]["code"]))

    def asks_in(self, to: str | list[str], name: str, **more: Any) -> None:
        """Invite somebody."""
        self.demand("POST", "/participants", {"to": to, "name": name, **more})

    def wait(self, true: Callable[[], bool], secs: float = PATIENCE_SECS) -> bool:
        """Let time pass until something is so; whether it is."""
        left = secs
        while not true() and left > 0:
            self.run(STEP_SECS)
            left -= STEP_SECS
        return true()

    def wait_for(self, *who: str) -> bool:
        """Wait until the assistant was told that these have joined."""
        said = {f"{each} has joined the conversation." for each in who}
        return self.wait(
            lambda: bool(self.telnyx.conversations) and said <= set(self.messages_to_assistant())
        )

    def talking(self) -> bool:
        """Wait until the assistant runs and we know it."""
        return self.wait(lambda: self.begun() and self.now_is() == "active")

    def now_is(self) -> str:
        """Where the conversation stands, read from the table."""
        found = self.stored.load(self.here)
        return found.status if found else ""

    def gone(self, name: str) -> bool:
        """Whether a person was given up, or has left."""
        found = self.stored.load(self.here)
        people = found.participants if found else []
        return any(each.name == name and each.status in DEPARTED for each in people)

    def rest(self) -> None:
        """Let time pass until nothing is owed or awaited any more."""
        left = QUIET_SECS
        while left > 0 and not self._at_rest():
            self.run(60)
            left -= 60
        self.run(60)  # for what is still being delivered again

    def _at_rest(self) -> bool:
        found = self.stored.load(self.here)
        return found is not None and found.status in FINISHED and found.due_at is None

    def begun(self) -> bool:
        """Whether there is a conversation, which the story is then about."""
        if not self.here:
            with self.io.observed():
                found = self.conversations()
            if found:
                self.here = self.poller.watch(str(found[0]["id"]))
        return bool(self.here)

    # What dies, and who notices

    def _answered(self, place: Any, what: str, work: Callable[[], Any]) -> Any:
        """What a reply brings; None when none came."""
        fault = self.io.meet(place, what)
        if fault == "dies before":
            return None
        if fault in ("429", "500"):
            return int(fault)
        try:
            reply = work()
        except Died:
            self.new_process()
            return None
        if fault == "times out":
            self.clock.advance(WEBHOOK_TIMEOUT_SECS)
        return None if fault else reply

    def _receive_webhook(self, url: str, body: bytes, headers: dict[str, str]) -> int | None:
        address = urlsplit(url)
        request = HttpRequest(
            method="POST",
            path=address.path,
            headers=[*headers.items(), ("host", address.netloc)],
            body=body,
            scheme="https",
        )
        if self.holds_webhooks:
            self.held_webhooks.append(request)
            return 200
        status = self.receive(request)
        self.look()
        return status

    def receive(self, request: HttpRequest) -> int | None:
        """A webhook arrives; what it was answered, None for nothing."""
        what = request.path.removeprefix("/webhooks")
        status: int | None = self._answered(
            "webhook", what, lambda: self.gateway.handle(request).status
        )
        return status

    def _sweep(self) -> None:
        with suppress(Exception):  # an invocation that failed: the next minute's is another
            try:
                if self.io.meet("sweep", "sweep") is None:
                    self.gateway.invoke_schedule("sweep")
            except Died:
                self.new_process()
        self.look()
        self._sweep_later()

    def look(self) -> None:
        """See what the API shows now."""
        with self.io.observed():
            self.poller.poll()
