"""The simulated Telnyx: requests in, webhooks out, and the people at the other end of the line.

It stands for Telnyx in the demo, on a laptop and in tests, as an independent second opinion: it
shares no code with what it judges.
"""

import json
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Literal
from urllib.parse import parse_qsl, unquote

from local.simulator.api import Api, Operation, route
from local.simulator.assistants import Assistants
from local.simulator.checks import check
from local.simulator.clock import Clock
from local.simulator.delivery import Deliverer, Post, inline
from local.simulator.errors import ApiError
from local.simulator.faults import Fault, Faults
from local.simulator.model import (
    JsonObject,
    LedgerEntry,
    Person,
    SimulatedConversation,
    SimulatedLeg,
)
from local.simulator.phones import Phones
from local.simulator.settings import Settings
from local.simulator.switchboard import Switchboard
from local.simulator.toolbox import ToolRequest

# Telnyx docs: a command_id repeated within 60 s is ignored.
_DUPLICATE_WINDOW = timedelta(seconds=60)
_BASE = "/v2"
_BODIED = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True)
class Reply:
    """What the caller of the API gets.

    `wire` says whether it reaches them: `answered`, `dropped` (the connection breaks, nothing was
    done) or `lost` (it was done, the answer never comes); it comes after `held_secs`. `after` gives
    the real answer of what has to wait for somebody else, outside of the simulator's lock.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    wire: Literal["answered", "dropped", "lost"] = "answered"
    held_secs: float = 0.0
    after: "Callable[[], Reply] | None" = None


class Simulator:
    """One Telnyx account with its calls; safe to use from several threads.

    `post` delivers webhooks; `run` starts a delivery, on the spot or on a thread; the same `seed`
    gives the same ids and the same luck.
    """

    def __init__(
        self,
        clock: Clock,
        settings: Settings,
        post: Post,
        people: Iterable[Person] = (),
        seed: int = 0,
        run: Callable[[Callable[[], None]], None] = inline,
    ) -> None:
        self.settings = settings
        # Apart, so that an added fault does not change the ids of a story.
        self.deliverer = Deliverer(
            clock, post, settings.signing_seed, random.Random(f"webhooks {seed}"), run
        )
        self.faults = Faults(random.Random(f"faults {seed}"))
        self._board = Switchboard(clock, settings, self.deliverer, random.Random(f"ids {seed}"))
        self._assistants = Assistants(self._board)
        self._phones = Phones(self._board, self._assistants)
        self._api = Api(self._board, self._phones, self._assistants)
        self._done: dict[tuple[str, str], tuple[LedgerEntry, JsonObject]] = {}
        self.world = self._board.world
        self.lock = self._board.lock
        for person in people:
            self.set_person(person)
        self._api.applications.create(
            {
                "application_name": "Partyline",
                "webhook_event_url": settings.webhook_url,
                "webhook_event_failover_url": settings.failover_url,
                "webhook_api_version": "2",
                "outbound": {"outbound_voice_profile_id": "1293384261075731499"},
            },
            settings.connection_id,
        )
        self.world.numbers.update(dict.fromkeys(settings.numbers, settings.connection_id))

    @property
    def public_key(self) -> str:
        """Base64 of the key that webhooks are signed with."""
        return self.deliverer.public_key

    @property
    def legs(self) -> list[SimulatedLeg]:
        """Every leg there ever was, oldest first."""
        return list(self.world.legs.values())

    @property
    def conversations(self) -> list[SimulatedConversation]:
        """Every conversation there ever was, oldest first."""
        return list(self.world.conversations.values())

    @property
    def ledger(self) -> list[LedgerEntry]:
        """Every request, oldest first."""
        return self.world.ledger

    @property
    def violations(self) -> list[str]:
        """What must never happen and did."""
        return self.world.violations

    def reseed(self, seed: int) -> None:
        """Begin the luck of webhooks and faults anew; the ids that are still to come stay."""
        self.deliverer.reseed(random.Random(f"webhooks {seed}"))
        self.faults.reseed(random.Random(f"faults {seed}"))

    def set_webhook_url(self, url: str | None, failover_url: str | None = None) -> None:
        """Set the application's webhook URLs, once it is known where the receiver listens."""
        with self.lock:
            application = self._api.applications.get(self.settings.connection_id)
            application["webhook_event_url"] = url
            application["webhook_event_failover_url"] = failover_url

    # The API

    def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Reply:
        """Answer one API request; `path` is as on the wire, percent-encoded, with its query."""
        with self.lock:
            reply = self._handle(method, path, headers, body)
        return reply.after() if reply.after else reply

    def _handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        entry = LedgerEntry(self._board.now(), method, path, None)
        self.world.ledger.append(entry)
        bare_path, _, query = path.partition("?")
        found = route(method, bare_path.removeprefix(_BASE))
        if found is None or not bare_path.startswith(_BASE + "/"):
            return _refuse(entry, ApiError("10005", "The requested resource could not be found"))
        entry.action, encoded = found
        subject = unquote(encoded)
        if self._api.is_command(entry.action) or entry.action == "retrieve":
            entry.call_control_id = subject
        entry.body = _readable(body) if method in _BODIED else None
        fault = self.faults.strike(entry.action)
        if fault is not None and fault.kind == "drop":
            return Reply(0, {}, b"", "dropped")
        if fault is not None and fault.kind == "refuse":
            return _fail(entry, fault)
        try:
            if _bearer(headers) != self.settings.api_key:
                raise ApiError("10009", "The required authentication headers were invalid")
            parsed = _parse(body) if method in _BODIED else {}
            entry.body, entry.command_id = parsed, parsed.get("command_id")
            operation = Operation(entry.action, subject, parsed, dict(parse_qsl(query)))
            if entry.action == "tool_test":
                reply = self._trial(entry, operation)
            else:
                reply = _answer(entry, self._perform(entry, operation))
        except ApiError as error:
            reply = _refuse(entry, error)
        if fault is not None:
            entry.lost = fault.kind == "lose_reply"
            wire: Literal["lost", "answered"] = "lost" if entry.lost else "answered"
            reply = Reply(reply.status, reply.headers, reply.body, wire, fault.secs)
        return reply

    def _trial(self, entry: LedgerEntry, operation: Operation) -> Reply:
        """Telnyx API: the answer has how the tool's URL answered."""
        request = self._api.trial(operation)

        def post() -> Reply:
            status = self.deliverer.post(request.url, request.body)
            # The simulator does not keep what the other end says, only the status.
            data = {
                "content_type": "application/json",
                "request": {"url": request.url, "body": request.body.decode()},
                "response": "",
                "status_code": status or 0,
                "success": status is not None and status < 300,
            }
            return _answer(entry, {"data": data})

        return Reply(0, {}, b"", after=post)

    def _perform(self, entry: LedgerEntry, operation: Operation) -> JsonObject:
        if entry.body:
            problems, entry.unknown_fields = check(
                operation.action, entry.body, self.settings.webhook_keys
            )
        elif entry.method in _BODIED:
            problems, _ = check(operation.action, {}, self.settings.webhook_keys)
        else:
            problems = []
        if operation.action != "dial" and entry.call_control_id is not None:
            # Which call it is comes before what is asked of it.
            self._api.leg(operation.subject)
        if problems:
            raise ApiError.of(problems)
        if entry.command_id is None:
            return self._api.perform(operation)
        scope = entry.call_control_id or operation.body["connection_id"]
        key = (scope, entry.command_id)
        if key in self._done:
            first, response = self._done[key]
            if entry.at - first.at <= _DUPLICATE_WINDOW:
                entry.duplicate = True
                same = self.settings.duplicate_reply == "same"
                return response if same else {"data": {"result": "ok"}}
        response = self._api.perform(operation)
        self._done[key] = (entry, response)
        return response

    # The people

    def set_person(self, person: Person) -> None:
        """Put `person` at their number, in place of whoever was there."""
        with self.lock:
            self.world.people[person.number] = person

    def ring_in(self, from_: str, to: str, connection_id: str | None = None) -> SimulatedLeg:
        """The person at `from_` calls our number `to`."""
        with self.lock:
            return self._phones.ring_in(from_, to, connection_id or self.settings.connection_id)

    def outside_call(self, from_: str, to: str, webhook_url: str | None = None) -> SimulatedLeg:
        """A live, answered call of another application of the account.

        Its webhooks from here on go to `webhook_url`, or nowhere; that it rang and was answered,
        only its own application heard.
        """
        with self.lock:
            outside = self._api.applications.create(
                {
                    "application_name": "Somebody else's",
                    "webhook_api_version": "2",
                }
            )
            leg = self._phones.ring_in(from_, to, outside["id"])
            self._phones.answer(leg)
            outside["webhook_event_url"] = webhook_url
            return leg

    def answer(self, call_control_id: str) -> None:
        """The person picks up."""
        with self.lock:
            self._phones.answer(self._ringing(call_control_id))

    def decline(self, call_control_id: str) -> None:
        """The person declines."""
        with self.lock:
            self._phones.refuse(self._ringing(call_control_id), "decline")

    def busy(self, call_control_id: str) -> None:
        """The person is on another call."""
        with self.lock:
            self._phones.refuse(self._ringing(call_control_id), "busy")

    def hang_up(self, call_control_id: str) -> None:
        """The person puts the phone down, or gives up ringing."""
        with self.lock:
            self._phones.hang_up(self.world.legs[call_control_id])

    def press(self, call_control_id: str, digits: str) -> None:
        """The person presses digits."""
        with self.lock:
            self._phones.press(self.world.legs[call_control_id], digits)

    def say(self, call_control_id: str, text: str) -> None:
        """The person says something; ApiError when no assistant is on the call."""
        with self.lock:
            self._assistants.say(self.world.legs[call_control_id], text)

    def end_assistant(self, call_control_id: str) -> None:
        """The assistant on the call ends by itself; ApiError when there is none."""
        with self.lock:
            self._assistants.give_up(self.world.legs[call_control_id])

    def use_tool(self, call_control_id: str, url: str, arguments: JsonObject) -> ToolRequest:
        """What is posted when the assistant on a call, live or over, uses a webhook tool.

        Whoever asks for it posts it, and hears what the model hears. The call is named in a preset
        field of the body, which is signed, and in a header, which is not (Telnyx docs: webhook
        tools, `preset_body_fields`).
        """
        call = self.world.legs[call_control_id].call_control_id
        body = json.dumps({**arguments, "call_control_id": call}).encode()
        headers = {**self.deliverer.signed(body), "x-telnyx-call-control-id": call}
        return ToolRequest(url, body, headers)

    def _ringing(self, call_control_id: str) -> SimulatedLeg:
        leg = self.world.legs[call_control_id]
        if leg.direction != "outgoing":
            raise ValueError("only somebody who was rung can take or refuse the call")
        return leg


def _bearer(headers: Mapping[str, str]) -> str:
    value = next((headers[name] for name in headers if name.lower() == "authorization"), "")
    scheme, _, token = value.partition(" ")
    return token if scheme.lower() == "bearer" else ""


def _parse(body: bytes) -> JsonObject:
    try:
        parsed = json.loads(body or b"{}")
    except ValueError as error:
        raise ApiError("10015", "The body is not JSON") from error
    if not isinstance(parsed, dict):
        raise ApiError("10015", "The body is not a JSON object")
    return parsed


def _readable(body: bytes) -> JsonObject | None:
    """The body for the books, also of a request that is refused before anybody reads it."""
    try:
        return _parse(body)
    except ApiError:
        return None


def _reply(entry: LedgerEntry, status: int, body: JsonObject) -> Reply:
    entry.status, entry.response = status, body
    headers = {"content-type": "application/json"}
    return Reply(status, headers, json.dumps(body).encode())


def _answer(entry: LedgerEntry, body: JsonObject) -> Reply:
    return _reply(entry, HTTPStatus.OK, body)


def _refuse(entry: LedgerEntry, error: ApiError) -> Reply:
    return _reply(entry, error.status, error.body())


def _fail(entry: LedgerEntry, fault: Fault) -> Reply:
    limited = fault.status == HTTPStatus.TOO_MANY_REQUESTS
    codes: dict[int, str] = {HTTPStatus.TOO_MANY_REQUESTS: "10011", HTTPStatus.FORBIDDEN: "10010"}
    told = "The simulator was told to refuse this"
    error = ApiError(codes.get(fault.status, "10007"), told)
    reply = _reply(entry, fault.status, error.body())
    if limited:
        # Telnyx docs, rate limiting: the reset is in seconds; there is no Retry-After.
        limits = {"x-ratelimit-limit": "30", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}
        reply.headers.update(limits)
    return reply
