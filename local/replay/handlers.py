"""`partyline replay --handlers`: the steps of a file through the deployed code, with Telnyx's part
played from the file.

Webhooks are written again, signed, and go through the gateway to the webhook function. Requests and
incoming calls enter at the engine, because their ids and settings come from a request or a route
that the file does not have; so do timers. Sent commands go through the real executor and client to
a transport that answers as recorded. A refusal, a query and the dial rules are answered to the
engine, without a request, since they depend on an account and on settings that the file does not
have.

Each process of the recording is a thread. One thread runs at a time: it runs until it waits for a
command's result, and goes on when the file has the result. A process whose results are missing has
died.
"""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx

from local.replay import driver
from local.replay.export import commands_as_shown
from local.replay.stand_ins import BASE_URL
from local.replay.webhook_bodies import webhook_body
from local.simulator.signing import Signer
from local.stack.embedded_aws import EmbeddedAws, create_table
from local.stack.gateway import Gateway
from local.stack.http_api import HttpRequest
from local.stack.template import Template
from partyline.bootstrap import App, override
from partyline.domain.model import inputs, results
from partyline.domain.model.commands import FETCHES, Action, Command
from partyline.domain.model.conversation import Conversation
from partyline.services.command_executor import CommandExecutor
from partyline.services.engine import REQUESTS, Engine
from partyline.store import DedupeRecord, keys

Json = dict[str, Any]

PARAMETERS = {
    "TelnyxConnectionId": "1",
    "TelnyxPublicKeys": Signer().public_key,
    "DefaultNumber": "+13125550100",
    "DefaultAssistantId": "assistant-1",
    "ReleaseSha": "0" * 40,
}

QUERIES = (Action.LOOK, *FETCHES)
_REQUESTS = (
    *REQUESTS,
    inputs.RemoveParticipant,
    inputs.SetAssistantMode,
    inputs.StopConversation,
)

WAIT_SECS = 60.0  # a thread that takes longer is stuck


class ProcessDiedError(BaseException):
    """The process died before the result of its command."""


class _Waiting:
    """A thread that waits for the result of a command."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.released = threading.Event()
        self.result: Any = None  # None: the process has died


class RecordedTelnyx:
    """Answers commands as recorded: an executor for the engine, around the real executor."""

    def __init__(self) -> None:
        self.real: CommandExecutor | None = None
        self.waiting: list[_Waiting] = []
        self.paused = threading.Semaphore(0)
        """Counts the threads that have begun to wait, or have ended."""
        self._answer = threading.local()

    def execute(self, conversation: Conversation, command: Command) -> results.Result:
        """Wait for the recorded result of a command; send the command if the result allows it."""
        waiting = _Waiting(command.key)
        self.waiting.append(waiting)
        self.paused.release()
        if not waiting.released.wait(WAIT_SECS) or waiting.result is None:
            raise ProcessDiedError
        answer = None if command.reconcile else _answer_of(waiting.result)
        if answer is None or command.action in QUERIES or self.real is None:
            recorded: results.Result = waiting.result
            return recorded
        self._answer.value = answer
        return self.real.execute(conversation, command)

    def release(self, key: str, result: Any) -> bool:
        """Let the newest thread that waits for a command go on; False if no thread waits."""
        for waiting in reversed(self.waiting):
            if waiting.key == key:
                self.waiting.remove(waiting)
                waiting.result = result
                waiting.released.set()
                return True
        return False

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer a request of the real client."""
        answer = self._answer.value
        if isinstance(answer, type):
            raise answer("as recorded", request=request)
        return httpx.Response(answer[0], json=answer[1])


class _AnyDestination:
    """The dial rules: the file has their refusals."""

    def refusal(self, *_: Any) -> None:
        """Refuse no dial."""


class _NoQueue:
    """The timers' queue: the file has the timers."""

    def send_message(self, **_: Any) -> None:
        """Forget a timer."""


class _ApiKey:
    def field(self, name: str, *, fresh: bool = False) -> str:
        del name, fresh
        return "KEY"


class HandlersReplay:
    """A deployment without phones, for the replay of a conversation.

    `dynamodb` is a client of a DynamoDB with the template's table, which is empty.
    """

    def __init__(self, template: Template, dynamodb: Any, environment: Mapping[str, str]) -> None:
        self._gateway = Gateway(template, environment)
        self._telnyx = RecordedTelnyx()
        self._now = datetime.now(UTC)
        self._signer = Signer()
        app = App(
            clock=lambda: self._now,
            telnyx_transport=httpx.MockTransport(self._telnyx.answer),
            dynamodb=dynamodb,
            sqs=_NoQueue(),
            sleep=lambda _: None,
        )
        app.telnyx_api_key = _ApiKey()  # type: ignore[assignment]
        policy: Any = _AnyDestination()
        self._telnyx.real = CommandExecutor(app.call_control, policy, app.clock)
        executor: Any = self._telnyx
        app.engine = Engine(app.store, executor, app.timers, app.clock, lambda _: None)
        self._app = app

    def replay(self, conversation_id: str, steps: Sequence[Json]) -> Json | None:
        """Replay the steps; return the first difference as `driver.replay` does, or None."""
        override(self._app)
        try:
            for step in steps:
                if step["inputs"][0]["type"] == "CommandResult":
                    self._give_results(step)
                else:
                    self._now = datetime.fromisoformat(step["at"])
                    self._run(conversation_id, step["inputs"][0])
        finally:
            for waiting in list(self._telnyx.waiting):
                self._telnyx.release(waiting.key, None)
                self._telnyx.paused.acquire(timeout=WAIT_SECS)
            override(None)
        return self._first_difference(conversation_id, steps)

    def _give_results(self, step: Json) -> None:
        *first, last = step["inputs"]
        for recorded in first:
            self._give(recorded)
        self._now = datetime.fromisoformat(step["at"])
        self._give(last)

    def _give(self, recorded: Json) -> None:
        result = driver.input_of(recorded).result
        if self._telnyx.release(recorded["key"], result):
            self._telnyx.paused.acquire(timeout=WAIT_SECS)

    def _run(self, conversation_id: str, recorded: Json) -> None:
        """Run the process of an input until it waits or ends."""

        def process() -> None:
            try:
                self._feed(conversation_id, recorded)
            except ProcessDiedError:
                pass
            finally:
                self._telnyx.paused.release()

        threading.Thread(target=process, daemon=True).start()
        self._telnyx.paused.acquire(timeout=WAIT_SECS)

    def _feed(self, conversation_id: str, recorded: Json) -> None:
        body = webhook_body(recorded, conversation_id)
        if body is None:
            input_: inputs.Input = driver.input_of(recorded)
            load = self._app.store.loader(conversation_id)
            self._app.engine.ingest(load, input_, self._dedupe(input_))
            return
        headers = self._signer.headers(body, self._now.timestamp())
        host = ("host", BASE_URL.removeprefix("https://"))
        request = HttpRequest(
            method="POST",
            path="/webhooks",
            headers=[*headers.items(), host],
            body=body,
            scheme="https",
        )
        self._gateway.handle(request)

    def _dedupe(self, input_: inputs.Input) -> DedupeRecord | None:
        """A request with an Idempotency-Key is a step, also when it changes nothing."""
        if not isinstance(input_, _REQUESTS):
            return None
        return DedupeRecord(keys.request(f"{input_.id}#{self._now.isoformat()}"), "replay")

    def _first_difference(self, conversation_id: str, steps: Sequence[Json]) -> Json | None:
        replayed = self._stored_steps(conversation_id)
        for step in steps:
            recorded = {"events": step["events"], "commands": step["commands"]}
            decided = replayed.get(step["version"], {"events": [], "commands": []})
            if driver.canonical(recorded) != driver.canonical(decided):
                types = [recorded_input["type"] for recorded_input in step["inputs"]]
                difference = {"version": step["version"], "at": step["at"], "inputs": types}
                return difference | {"recorded": recorded, "replayed": decided}
        return None

    def _stored_steps(self, conversation_id: str) -> dict[int, Json]:
        """Return the events and commands of each step in the table, by its version."""
        store = self._app.store
        shown = map(driver.shown_event, store.timeline(conversation_id).items)
        events = [driver.as_decided(event) for event in shown]
        stored, newest = dict[int, Json](), 0
        for step in map(json.loads, store.steps(conversation_id).items):
            of_step = [event for event in events if newest < event["seq"] <= step["seq"]]
            newest = step["seq"]
            commands = commands_as_shown(step["commands"])
            stored[step["version"]] = {"events": of_step, "commands": commands}
        return stored


@contextmanager
def embedded_replay() -> Iterator[HandlersReplay]:
    """Start an embedded AWS with an empty table, for the replay of a file."""
    template = Template(PARAMETERS)
    with EmbeddedAws() as aws:
        dynamodb = aws.access.dynamodb()
        create_table(dynamodb, template)
        environment = {**aws.access.environment(), "POWERTOOLS_METRICS_DISABLED": "true"}
        yield HandlersReplay(template, dynamodb, environment)


def _answer_of(result: results.Result) -> Any:
    """Return Telnyx's answer that leads to a result: status and body, or an error of the network.

    None for a result that no answer alone leads to.
    """
    if isinstance(result, results.Succeeded):
        ids = {
            "call_control_id": result.call_control_id,
            "call_leg_id": result.call_leg_id,
            "call_session_id": result.call_session_id,
            "conversation_id": result.telnyx_conversation_id,
        }
        present = {name: id_ for name, id_ in ids.items() if id_ is not None}
        return 200, {"data": {"result": "ok"} | present}
    if not isinstance(result, results.Retryable) or result.retry_after is not None:
        return None
    if result.had_no_effect:
        return httpx.ConnectError
    return httpx.ReadTimeout if result.unanswered else (503, {})
