"""The stage of the scenarios on a table in memory, on which processes die and callers ask again."""

import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import cache, partial
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from local.simulator.delivery import version_one_body
from local.simulator.model import Person
from local.simulator.settings import Settings
from local.simulator.toolbox import ToolRequest
from local.stack.gateway import Gateway
from local.stack.http_api import HttpRequest
from local.stack.logs import Logs
from local.stack.memory_table import MemoryTable
from local.stack.sqs_api import SqsClient
from local.stack.template import Template
from partyline.bootstrap import App, override
from partyline.domain.model.statuses import DEPARTED
from partyline.domain.rules.calls import staying_calls
from partyline.services.secrets import Secret
from partyline.telemetry import logger
from tests.faults.points import (
    VERSION_ONE,
    WEBHOOK_TIMEOUT_SECS,
    FaultInjector,
    FaultyQueue,
    FaultyTable,
    FaultyTransport,
    ProcessDiedError,
)
from tests.scenario.conftest import PARAMETERS
from tests.support.lab import API_KEY, TIMERS, Answer, Json, Lab, minutes
from tests.support.table import Table
from tests.support.threads import at_once

MAX_REPAIR_SECS = minutes(5)
"""The longest time in which every fault is repaired."""

MAX_SETTLE_SECS = minutes(15)
"""The longest time after a story until its conversation has settled."""

STEP_SECS = 2.0
VISIBILITY_SECS = 60.0  # of the timers' queue
RETRY_PAUSES_SECS = (1.0, 2.0, 5.0, 10.0, 20.0, 40.0)

_SECRETS = {
    "api_key": Settings().api_key,
    "keys": [{"id": "caller", "sha256": sha256(API_KEY.encode()).hexdigest()}],
}


class _FakeSecretsManager:
    """A Secrets Manager whose only secret has all the keys."""

    def get_secret_value(self, **_request: Any) -> Json:
        return {"SecretString": json.dumps(_SECRETS)}


def silence_logs() -> None:
    """Log unplanned errors only: in these tests every failure is on purpose."""
    logger.setLevel("CRITICAL")


@cache
def deployment() -> Template:
    """The template with the parameters of the scenarios."""
    return Template({**PARAMETERS, "DailyBudget": "1000"})


@cache
def gateway() -> Gateway:
    """Return the gateway of all stories; its only memory is the valid bearer key."""
    return Gateway(deployment(), {"POWERTOOLS_METRICS_DISABLED": "true", "AWS_REGION": "none"})


@cache
def _secret() -> Secret:
    return Secret("all", _FakeSecretsManager, max_age_secs=10**9)


class FaultLab(Lab):
    """A deployment whose processes may die at every request to the outside."""

    def __init__(
        self,
        people: Iterable[Person] = (),
        settings: Settings | None = None,
        strikes: dict[int, str] | None = None,
        meanwhile: dict[int, float] | None = None,
        refuses: Iterable[str] = (),
    ) -> None:
        """Set up the lab; `strikes` has the faults by the number of their point.

        `refuses` holds what this Telnyx refuses (see `RefusingTransport`).
        """
        self._refuses = refuses
        os.environ.setdefault("AWS_DEFAULT_REGION", "none")
        memory: Any = MemoryTable(deployment().table.create)
        name = deployment().table.name
        super().__init__(gateway(), memory, Table(memory, name), Logs(), people, settings)
        self.io = FaultInjector(self.clock, strikes, meanwhile)
        self.faulty = FaultyTable(memory, self.io, self.clock)
        self.faulty_queue = FaultyQueue(SqsClient(self.gateway.queues), self.io, self.clock)
        self.conversation_id = ""
        self.refused: list[str] = []
        self.unexpected: list[str] = []
        """Results of the story that are not as expected."""
        self._requests = 0
        self._memory = memory
        self.new_process()

    def new_process(self) -> None:
        """Start a new Lambda process, which has only its configuration."""
        self.app = App(
            begin=at_once,
            clock=self.clock.now,
            sleep=self._sleep,
            telnyx_transport=FaultyTransport(self.telnyx, self.io, self.clock, self._refuses),
            dynamodb=self.faulty,
            sqs=self.faulty_queue,
        )
        self.app.telnyx_api_key = self.app.bearer_keys = _secret()
        override(self.app)

    # The application: it repeats a request, with the same key, until an answer comes

    def ask(
        self, method: str, path: str, body: Json | bytes | None = None, **headers: str | None
    ) -> Answer:
        """Send an API request, and repeat it until an answer comes."""
        if method == "GET":
            with self.io.paused():
                return super().ask(method, path, body, **headers)
        self._requests += 1
        headers.setdefault("idempotency_key", f"request-{self._requests}")
        asking = super().ask
        for pause_secs in RETRY_PAUSES_SECS:
            fault = self.io.reach("request", f"{method} {path[:20]}")
            answer = self._perform(fault, lambda: asking(method, path, body, **headers))
            if isinstance(answer, Answer) and answer.status < 500 and answer.status != 429:
                return answer
            self.clock.advance(pause_secs)
        raise AssertionError(f"{method} {path} was never answered")

    def start_conversation(self, **body: Any) -> None:
        """Start the conversation of the story."""
        answer = self.ask("POST", "/conversations", body)
        assert answer.status in (200, 201, 202), answer.json
        self.conversation_id = self.poller.watch(str(answer.json["id"]))

    def request(self, method: str, path: str, body: Json | None = None) -> None:
        """Send a request about the conversation, which may be over by now, or never have begun."""
        if not self.has_conversation():
            return
        answer = self.ask(method, f"/conversations/{self.conversation_id}{path}", body or {})
        if answer.status not in (200, 202):
            self.refused.append(str(answer.json["error"]["code"]))

    def invite_guest(self, to: str | list[str], name: str, **more: Any) -> None:
        """Invite a guest."""
        self.request("POST", "/participants", {"to": to, "name": name, **more})

    def wait_until(self, true: Callable[[], bool], secs: float = MAX_REPAIR_SECS) -> bool:
        """Let time pass until a condition is true; returns whether it became true."""
        left = secs
        while not true() and left > 0:
            self.run(STEP_SECS)
            left -= STEP_SECS
        return true()

    def wait_until_joined(self, *names: str) -> bool:
        """Wait until the assistant was told that these people have joined."""
        said = {f"“{name}” has joined the conversation." for name in names}
        return self.wait_until(
            lambda: bool(self.telnyx.conversations) and said <= set(self.messages_to_assistant())
        )

    def wait_until_active(self) -> bool:
        """Wait until the conversation is active."""
        return self.wait_until(
            lambda: self.has_conversation() and self.current_status() == "active"
        )

    def current_status(self) -> str:
        """Return the status of the conversation, read from the table."""
        stored = self.stored.load(self.conversation_id)
        return stored.status if stored else ""

    def has_departed(self, name: str) -> bool:
        """Whether a person has failed or left."""
        stored = self.stored.load(self.conversation_id)
        people = stored.participants if stored else []
        return any(person.name == name and person.status in DEPARTED for person in people)

    def settle(self) -> None:
        """Let time pass until the conversation is over and no timer runs."""
        left = MAX_SETTLE_SECS
        while left > 0 and not self._is_settled():
            self.run(60)
            left -= 60
        self.run(60)  # for webhooks that are delivered again

    def _is_settled(self) -> bool:
        stored = self.stored.load(self.conversation_id)
        if stored is None or stored.report_seq is None:
            return False
        only_polls = stored.insights_poll_at is None and stored.transcript_is_final
        only_polls = only_polls and not stored.has_pending_commands
        staying = staying_calls(stored, self.clock.now())
        return stored.due_at is None or (only_polls and bool(staying))

    def has_conversation(self) -> bool:
        """Whether the conversation of the story exists."""
        if not self.conversation_id:
            with self.io.paused():
                listed = self.conversations()
            if listed:
                self.conversation_id = self.poller.watch(str(listed[0]["id"]))
        return bool(self.conversation_id)

    # Faults

    def _perform(self, fault: str | None, work: Callable[[], Any]) -> Any:
        """Do the work of a request and return its reply; `None` if a fault prevents the reply."""
        if fault == "dies before":
            return None
        if fault in ("429", "500"):
            return int(fault)
        try:
            reply = work()
        except ProcessDiedError:
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
        self.poll()
        return status

    def post_tool(self, request: ToolRequest) -> int | None:
        """Send the request of a tool; returns the status of the answer, `None` without."""
        return self._receive_webhook(request.url, request.body, request.headers)

    def receive(self, request: HttpRequest) -> int | None:
        """Handle a webhook; returns the status of the answer, `None` without an answer."""
        fault = self.io.reach("webhook", request.path.removeprefix("/webhooks"))
        change = ODD_WEBHOOKS.get(fault or "")
        if change:
            fault, request = None, self._signed_again(request, change(self, request.body))
        status: int | None = self._perform(fault, lambda: self.gateway.handle(request).status)
        return status

    def _signed_again(self, request: HttpRequest, body: bytes) -> HttpRequest:
        signature = self.telnyx.deliverer.signature_headers(body)
        unsigned = [header for header in request.headers if header[0] not in signature]
        return replace(request, body=body, headers=[*unsigned, *signature.items()])

    def _drain(self) -> None:
        visible = [
            message
            for message in self.gateway.queues.waiting(TIMERS)
            if message.visible_at <= self.clock.now()
        ]
        if visible and self.io.reach("timer", "timer"):
            for message in visible:  # received, and never deleted
                message.visible_at += timedelta(seconds=VISIBILITY_SECS)
        try:
            super()._drain()
        except ProcessDiedError:
            self.new_process()
            self._drain_later()

    def _sweep(self) -> None:
        with suppress(Exception):  # an invocation that failed: the next minute's is another
            try:
                for folder in ("sweep", "census"):
                    if self.io.reach("sweep", folder) is None:
                        self.gateway.invoke_schedule(folder)
            except ProcessDiedError:
                self.new_process()
        self.poll()
        self._sweep_later()

    def poll(self) -> None:
        """Poll the API for the state of the conversation."""
        with self.io.paused():
            self.poller.poll()


def _version_one(_: FaultLab, body: bytes) -> bytes:
    return version_one_body(json.loads(body)["data"])


def _other_ids(lab: FaultLab, body: bytes, *, leg_id: bool = False) -> bytes:
    """Give the call of a webhook other ids at Telnyx, and the webhook too."""
    envelope = json.loads(body)
    payload = envelope["data"]["payload"]
    leg = lab.telnyx.change_ids(payload["call_control_id"], leg_id=leg_id)
    payload |= {"call_control_id": leg.call_control_id, "call_leg_id": leg.call_leg_id}
    return json.dumps(envelope).encode()


ODD_WEBHOOKS: dict[str, Callable[[FaultLab, bytes], bytes]] = {
    VERSION_ONE: _version_one,
    "other ids": _other_ids,
    "other ids of the leg": partial(_other_ids, leg_id=True),
}
"""The faults that change the body of a webhook before its delivery."""
