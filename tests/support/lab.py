"""The driver of the scenario tests: real handlers, a table, a simulated Telnyx and virtual time.

No code is patched. Webhooks go through the gateway's routing and the real signature check, and
commands go through the real client into the simulator. Time is virtual, so an hour takes a moment,
and a scenario has the same result each time.
"""

import json
import re
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from local.simulator.clock import VirtualClock
from local.simulator.faults import Fault
from local.simulator.model import Person, SimulatedConversation, SimulatedLeg
from local.simulator.settings import Settings
from local.simulator.telnyx import Simulator
from local.stack.gateway import Gateway
from local.stack.http_api import HttpRequest, HttpResponse
from local.stack.logs import Logs
from local.stack.sqs_api import SqsClient
from partyline.bootstrap import App, override
from partyline.domain.model.conversation import Conversation
from partyline.store import ConversationStore
from tests.support.people import ACTION_WORDS, CALLER, HOST, NAMES, OUR_NUMBER
from tests.support.poller import Poller
from tests.support.refusing_transport import RefusingTransport
from tests.support.table import Table
from tests.support.threads import at_once, run_together

Json = dict[str, Any]

API_KEY = "scenario-key"
URL = "https://partyline.example"

TIMERS = "TimersQueue"

SWEEP_SECS = 60.0
STEP_SECS = 10.0
QUEUE_SECS = 1.0


class Answer:
    """The API's answer to a request."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.body = body
        self.json: Json = json.loads(body)


class Lab:
    """A deployment, the telephone network around the deployment, and a client of the API."""

    def __init__(
        self,
        gateway: Gateway,
        dynamodb: Any,
        table: Table,
        logs: Logs,
        people: Iterable[Person] = (),
        settings: Settings | None = None,
    ) -> None:
        self.gateway = gateway
        self.table = table
        self.logs = logs
        self.clock = VirtualClock()
        self.settings = settings or Settings(accepts_conversation_keys=True)
        self.settings.webhook_url = f"{URL}/webhooks"
        self.telnyx = Simulator(self.clock, self.settings, self._receive_webhook, people)
        self.transport = RefusingTransport(self.telnyx, self.clock)
        # Not the store of the handlers, which a test may break.
        self.stored = ConversationStore(dynamodb, table._name)
        self.poller = Poller(self._load)
        self.held_webhooks: list[HttpRequest] = []
        self.holds_webhooks = False
        self.uses_threads = False
        self.webhooks_down = False
        self.app = App(
            begin=at_once,
            clock=self.clock.now,
            sleep=self._sleep,
            telnyx_transport=self.transport,
            dynamodb=dynamodb,
            sqs=SqsClient(gateway.queues),
        )
        override(self.app)
        gateway.queues.now = self.clock.now
        gateway.queues.take(TIMERS)  # those of an earlier lab
        self._sweep_later()
        self._drain_later()

    # Requests of an application

    def ask(
        self, method: str, path: str, body: Json | bytes | None = None, **headers: str | None
    ) -> Answer:
        """Send a request to the API with the bearer key.

        Args:
            method: The HTTP method.
            path: The path with an optional query.
            body: The JSON body, or bytes that are sent unchanged.
            headers: Headers with underscores for hyphens. None removes a default header.
        """
        response = self.ask_raw(method, path, body, **headers)
        return Answer(response.status, response.body)

    def ask_raw(
        self, method: str, path: str, body: Json | bytes | None = None, **headers: str | None
    ) -> HttpResponse:
        """Send a request to the API with the bearer key, and return the whole response."""
        path, _, query = path.partition("?")
        all_headers = {"authorization": f"Bearer {API_KEY}", "content-type": "application/json"}
        all_headers |= {name.replace("_", "-"): value for name, value in headers.items()}  # type: ignore[misc]
        request = HttpRequest(
            method=method,
            path=path,
            query=query,
            headers=[
                *((name, value) for name, value in all_headers.items() if value is not None),
                ("host", "partyline.example"),
            ],
            body=body if isinstance(body, bytes) else json.dumps(body or {}).encode(),
            scheme="https",
        )
        return self.gateway.handle(request)

    def start(self, to: str | list[str] = HOST, **more: Any) -> str:
        """Start a conversation by calling the host. Returns the conversation's id."""
        answer = self.ask("POST", "/conversations", {"to": to, **more})
        assert answer.status in (201, 202), answer.json
        return self._watch(answer)

    def attach(self, leg: SimulatedLeg, **more: Any) -> str:
        """Attach the assistant to a live call. Returns the conversation's id."""
        body = {"call_control_id": leg.call_control_id, **more}
        answer = self.ask("POST", "/conversations", body)
        assert answer.status in (201, 202), answer.json
        return self._watch(answer)

    def invite(self, conversation_id: str, to: str | list[str], **more: Any) -> str:
        """Invite a guest. Returns the participant's id."""
        path = f"/conversations/{conversation_id}/participants"
        answer = self.ask("POST", path, {"to": to, **more})
        assert answer.status == 202, answer.json
        return str(answer.json["id"])

    def stop(self, conversation_id: str, *, hang_up: bool = False) -> Json:
        """Stop the assistant."""
        answer = self.ask("POST", f"/conversations/{conversation_id}/stop", {"hang_up": hang_up})
        assert answer.status == 202, answer.json
        return answer.json

    def remove(self, conversation_id: str, participant_id: str) -> Json:
        """Hang a participant up."""
        path = f"/conversations/{conversation_id}/participants/{participant_id}"
        answer = self.ask("DELETE", path)
        assert answer.status == 202, answer.json
        return answer.json

    def message(self, conversation_id: str, content: str, role: str = "system") -> Answer:
        """Put a message into the conversation."""
        path = f"/conversations/{conversation_id}/messages"
        return self.ask("POST", path, {"role": role, "content": content})

    def use_tool(self, tool: str, leg: SimulatedLeg | None = None, /, **arguments: Any) -> str:
        """Let the assistant use a tool. Returns the message for the model.

        Args:
            tool: `invite` or `status`.
            leg: The call. By default the call of the newest conversation.
            arguments: The tool's arguments.
        """
        call = leg.call_control_id if leg else self.telnyx_conversation().starting_call
        request = self.telnyx.use_tool(call, f"{URL}/tools/{tool}", arguments)
        answer = self.post(f"/tools/{tool}", request.body, request.headers)
        assert answer.status == 200, answer.json
        return str(answer.json["message"])

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Send a request as Telnyx and return the answer."""
        host = ("host", "partyline.example")
        request = HttpRequest(
            method="POST", path=path, headers=[*headers.items(), host], body=body, scheme="https"
        )
        response = self.gateway.handle(request)
        return Answer(response.status, response.body)

    def route(self, number: str, contacts: Json | None = None, **more: Any) -> Json:
        """Store the route of a number. Returns the route as the API shows the route."""
        body = {"assistant": {"id": "assistant-sales"}, "contacts": contacts or {}, **more}
        answer = self.ask("PUT", f"/routes/{number}", body)
        assert answer.status == 200, answer.json
        return answer.json

    def conversation(self, conversation_id: str) -> Json:
        """The conversation as the API shows it."""
        answer = self.ask("GET", f"/conversations/{conversation_id}")
        assert answer.status == 200, answer.json
        return answer.json

    def status(self, conversation_id: str) -> str:
        """The conversation's status."""
        return str(self.conversation(conversation_id)["status"])

    def conversations(self) -> list[Json]:
        """All conversations, newest first."""
        conversations: list[Json] = self.ask("GET", "/conversations").json["conversations"]
        return conversations

    def person(self, conversation_id: str, name_or_id: str) -> Json:
        """A participant by id or name."""
        people = self.conversation(conversation_id)["participants"]
        person: Json = next(p for p in people if name_or_id in (p["id"], p["name"]))
        return person

    def outcomes(self, conversation_id: str, name_or_id: str) -> list[str | None]:
        """The outcome of each call to a participant."""
        return [leg["outcome"] for leg in self.person(conversation_id, name_or_id)["legs"]]

    def timeline(self, conversation_id: str) -> list[Json]:
        """The conversation's events, in order."""
        events: list[Json] = self.ask("GET", f"/conversations/{conversation_id}/timeline").json[
            "events"
        ]
        return events

    def event_types(self, conversation_id: str) -> list[str]:
        """The types of the events, in order."""
        return [event["type"] for event in self.timeline(conversation_id)]

    # Time and people

    def run(self, secs: float = 10.0) -> None:
        """Let time pass."""
        self.clock.advance(secs)

    def run_until(self, condition: Callable[[], bool], secs: float) -> bool:
        """Let time pass until a condition holds, at most `secs`. Returns whether it holds."""
        for _ in range(int(secs / STEP_SECS)):
            if condition():
                return True
            self.run(STEP_SECS)
        return condition()

    def ring_in(self, from_: str = CALLER, to: str = OUR_NUMBER) -> SimulatedLeg:
        """Call a number of the deployment."""
        return self.telnyx.ring_in(from_, to)

    def inbound(self, from_: str = CALLER, to: str = OUR_NUMBER) -> str:
        """Call the deployment and wait for the answer. Returns the conversation's id."""
        self.ring_in(from_, to)
        self.run(5)
        return self.poller.watch(str(self.conversations()[0]["id"]))

    def leg(self, number: str, nth: int = -1) -> SimulatedLeg:
        """The newest call with the person at a number, or the `nth`."""
        return [leg for leg in self.telnyx.legs if leg.person_number == number][nth]

    def hang_up(self, number: str) -> None:
        """The person at a number puts the phone down."""
        self.telnyx.hang_up(self.leg(number).call_control_id)

    def pick_up(self, *numbers: str) -> None:
        """Let people with the behaviour `manual` answer at the same moment."""
        for number in numbers:
            self.telnyx.answer(self.leg(number).call_control_id)

    def press(self, number: str, digits: str) -> None:
        """The person at a number presses digits."""
        self.telnyx.press(self.leg(number).call_control_id, digits)

    def fail(
        self,
        action: str,
        kind: Any,
        times: int | None = 1,
        status: int = 500,
        reset_secs: int = 1,
    ) -> None:
        """Make the simulator fail the next requests for an action (see `Fault`).

        Args:
            action: Telnyx's action, or `*`.
            kind: `refuse`, `drop`, `slow` or `lose_reply`.
            times: The number of requests. None means every request.
            status: The HTTP status of a refusal.
            reset_secs: The `x-ratelimit-reset` of a 429.
        """
        fault = Fault(kind, action, times=times, status=status, reset_secs=reset_secs)
        self.telnyx.faults.add(fault)

    # Webhooks that a test delivers itself

    def hold(self) -> None:
        """Hold webhooks back from now on, as if each webhook were still on the way."""
        self.holds_webhooks = True

    def release(self, selects: Callable[[str], bool] = lambda _: True) -> list[HttpRequest]:
        """Stop holding webhooks back. Returns the held webhooks whose event type is selected."""
        self.clock.advance(0)  # also hold the webhooks of this moment
        self.holds_webhooks = False
        webhooks = [webhook for webhook in self.held_webhooks if selects(event_type(webhook))]
        self.held_webhooks = []
        return webhooks

    def deliver(self, webhooks: Sequence[HttpRequest]) -> list[int]:
        """Deliver webhooks one after the other. Returns the status of each answer."""
        return [self._handle_and_poll(webhook) for webhook in webhooks]

    def deliver_together(self, webhooks: Sequence[HttpRequest]) -> list[int]:
        """Deliver webhooks at once, each on its own thread. Returns the status of each answer."""
        return self.run_together([partial(self._handle, webhook) for webhook in webhooks])

    def run_together(self, functions: Sequence[Callable[[], Any]]) -> list[Any]:
        """Run functions at once, each on its own thread. Returns their results in order."""
        self.uses_threads = True
        try:
            return run_together(functions)
        finally:
            self.uses_threads = False

    # Observations

    def commands(self, action: str | None = None) -> list[Json]:
        """The commands that took effect at Telnyx, in order and without duplicates."""
        return [
            {**(entry.body or {}), "action": entry.action, "call_control_id": entry.call_control_id}
            for entry in self.telnyx.ledger
            if entry.method == "POST" and not entry.duplicate and entry.status == 200
            if action in (None, entry.action)
        ]

    def commands_in_words(self) -> list[str]:
        """The same commands in words: `dial host`, `start host`, `join Dana`."""
        return [
            f"{ACTION_WORDS[command['action']]} {self._person_called(command)}"
            for command in self.commands()
        ]

    def people_dialled(self) -> list[str]:
        """The people whose phones rang, in order."""
        return [NAMES[leg.to] for leg in self.telnyx.legs if leg.direction == "outgoing"]

    def telnyx_conversation(self, nth: int = -1) -> SimulatedConversation:
        """The newest of the assistant's conversations at Telnyx, or the `nth`."""
        return self.telnyx.conversations[nth]

    def messages_to_assistant(self) -> list[str]:
        """The system messages that the assistant got, in order."""
        return [
            message.content
            for message in self.telnyx_conversation().messages
            if message.role == "system"
        ]

    def people_joined(self) -> list[str]:
        """The people who were ever joined to the assistant's conversation, in order."""
        return [
            NAMES[self.telnyx.world.legs[participant.call_control_id].person_number]
            for participant in self.telnyx_conversation().participants
        ]

    def heard_by(self, number: str) -> list[str]:
        """The notices of the person at a number, such as `assistant: Hello`."""
        return [notice for _, notice in self.leg(number).heard]

    def legs_up(self) -> list[str]:
        """The people whose phones ring or are in a call."""
        return [NAMES[leg.person_number] for leg in self.telnyx.legs if leg.state != "ended"]

    def assert_clean(self) -> None:
        """Check Telnyx's rules, the order of statuses, and the logs."""
        assert self.telnyx.violations == []
        assert self.poller.backward_changes == []
        logged = json.dumps([{**line, "timestamp": ""} for line in self.logs.lines()])
        assert re.findall(r"\+\d{7,}", logged) == []

    def assert_no_leg_up(self) -> None:
        """Check that no phone rings or is in a call."""
        assert self.legs_up() == []

    # Connections between the parts

    def _watch(self, answer: Answer) -> str:
        return self.poller.watch(str(answer.json["id"]))

    def _load(self, conversation_id: str) -> Conversation | None:
        return self.stored.load(conversation_id)

    def _person_called(self, command: Json) -> str:
        if command["action"] == "dial":
            return NAMES[command["to"]]
        return NAMES[self.telnyx.world.legs[command["call_control_id"]].person_number]

    def _receive_webhook(self, url: str, body: bytes, headers: dict[str, str]) -> int | None:
        address = urlsplit(url)
        request = HttpRequest(
            method="POST",
            path=address.path,
            headers=[*headers.items(), ("host", address.netloc)],
            body=body,
            scheme="https",
        )
        if self.webhooks_down and address.path.startswith("/webhooks"):
            return 500  # API Gateway's answer when a function fails
        if self.holds_webhooks:
            self.held_webhooks.append(request)
            return 200
        return self._handle_and_poll(request)

    def _handle_and_poll(self, request: HttpRequest) -> int:
        status = self._handle(request)
        self.poller.poll()
        return status

    def _handle(self, request: HttpRequest) -> int:
        return self.gateway.handle(request).status

    def _sleep(self, secs: float) -> None:
        (time.sleep if self.uses_threads else self.clock.advance)(secs)

    def _drain_later(self) -> None:
        self.clock.call_later(QUEUE_SECS, self._drain)

    def _drain(self) -> None:
        if self.gateway.queues.drain():
            self.poller.poll()
        self._drain_later()

    def _sweep_later(self) -> None:
        self.clock.call_later(SWEEP_SECS, self._sweep)

    def _sweep(self) -> None:
        if self.gateway.invoke_schedule("sweep")["touched"]:
            self.poller.poll()
        if self.gateway.invoke_schedule("census")["missing"]:
            self.poller.poll()
        self._sweep_later()


NewLab = Callable[..., Lab]


def event_type(webhook: HttpRequest) -> str:
    """The event type of a webhook."""
    return str(json.loads(webhook.body)["data"]["event_type"])


def minutes(count: float) -> float:
    """Minutes as seconds."""
    return timedelta(minutes=count).total_seconds()
