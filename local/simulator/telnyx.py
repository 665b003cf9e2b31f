"""The simulated Telnyx: API requests, webhooks, and the people at the other end of each call.

The simulator replaces Telnyx in the demo, on a laptop and in tests. The simulator shares no code
with Partyline, so that an error in Partyline's view of Telnyx shows.
"""

import json
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Literal
from urllib.parse import parse_qsl, unquote

from local.simulator import model
from local.simulator.api import CONFERENCING, CREATES, WITHOUT_BODY, Api, Operation, route
from local.simulator.assistants import Assistants
from local.simulator.checks import Problem, check
from local.simulator.clock import Clock
from local.simulator.delivery import Deliverer, Post, inline
from local.simulator.duplicates import Duplicates
from local.simulator.errors import ApiError
from local.simulator.faults import Fault, Faults
from local.simulator.history import History
from local.simulator.model import JsonObject, LedgerEntry, Person, SimulatedLeg
from local.simulator.phones import Phones
from local.simulator.settings import Settings
from local.simulator.switchboard import Switchboard
from local.simulator.toolbox import ToolRequest
from local.simulator.transfers import Transfers

_BASE = "/v2"
_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True)
class Reply:
    """The answer to an API request.

    `wire` is `answered`, `dropped` (the connection breaks, no effect) or `lost` (the request took
    effect, the answer is lost). The answer is sent after `held_secs`. `after` makes the real answer
    outside of the simulator's lock, if the answer has to wait for another server.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    wire: Literal["answered", "dropped", "lost"] = "answered"
    held_secs: float = 0.0
    after: "Callable[[], Reply] | None" = None


class Simulator:
    """A Telnyx account with its calls. Thread-safe.

    `post` delivers webhooks; `run` starts a delivery, at once or on a thread; the same `seed` gives
    the same ids and the same random faults. `ledger` has all requests, oldest first, `violations`
    the events that must never happen. `public_key` verifies the webhooks' signatures.
    """

    def __init__(
        self,
        clock: Clock,
        settings: Settings,
        post: Post,
        people: Iterable[Person] = (),
        seed: int = 0,
        run: Callable[[Callable[[], None]], object] = inline,
    ) -> None:
        self.settings = settings
        # A generator for each purpose, so that an added fault does not change the ids.
        self.deliverer = Deliverer(
            clock, post, settings.signing_seed, random.Random(f"webhooks {seed}"), run
        )
        self.deliverer.redelivery_id = settings.redelivery_id
        self.deliverer.redelivery_signature = settings.redelivery_signature
        self.faults = Faults(random.Random(f"faults {seed}"))
        self._board = Switchboard(clock, settings, self.deliverer, random.Random(f"ids {seed}"))
        self._assistants = Assistants(self._board)
        self._phones = Phones(self._board, self._assistants)
        self._transfers = Transfers(self._board, self._phones, self._assistants)
        history = History(self._board, self.deliverer)
        self._api = Api(self._board, self._phones, self._assistants, history)
        self._duplicates = Duplicates(settings)
        self.world = self._board.world
        self.lock = self._board.lock
        self.public_key = self.deliverer.signer.public_key
        self.ledger, self.violations = self.world.ledger, self.world.violations
        for person in people:
            self.set_person(person)
        profile_id = "1293384261075731499"
        self._api.profiles.create({"name": "Default"}, profile_id)
        self._api.applications.create(
            {
                "application_name": "Partyline",
                "webhook_event_url": settings.webhook_url,
                "webhook_event_failover_url": settings.failover_url,
                "webhook_api_version": "2",
                "call_cost_in_webhooks": True,
                "outbound": {"outbound_voice_profile_id": profile_id},
            },
            settings.connection_id,
        )
        self.world.numbers.update(dict.fromkeys(settings.numbers, settings.connection_id))

    @property
    def legs(self) -> list[SimulatedLeg]:
        """All legs, oldest first."""
        return list(self.world.legs.values())

    @property
    def conversations(self) -> list[model.SimulatedConversation]:
        """All conversations, oldest first."""
        return list(self.world.conversations.values())

    def reseed(self, seed: int) -> None:
        """Restart the random numbers of webhooks and faults; the sequence of ids goes on."""
        self.deliverer.rng = random.Random(f"webhooks {seed}")
        self.faults.rng = random.Random(f"faults {seed}")

    def set_webhook_url(self, url: str | None, failover_url: str | None = None) -> None:
        """Set the application's webhook URLs after the start of the receiver."""
        with self.lock:
            application = self._api.applications.get(self.settings.connection_id)
            application["webhook_event_url"] = url
            application["webhook_event_failover_url"] = failover_url

    # The API

    def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Reply:
        """Answer an API request; `path` is percent-encoded and includes the query."""
        with self.lock:
            reply = self._handle(method, path, headers, body)
        return reply.after() if reply.after else reply

    def _handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        entry = LedgerEntry(self._board.now(), method, path, None)
        self.world.ledger.append(entry)
        bare_path, _, query = path.partition("?")
        matched = route(method, bare_path.removeprefix(_BASE))
        if matched is None or not bare_path.startswith(_BASE + "/"):
            missing = ApiError.not_found()
            return _reply(entry, missing.status, missing.body())
        entry.action, encoded = matched
        subject = unquote(encoded)
        if self._api.is_command(entry.action) or entry.action == "retrieve":
            entry.call_control_id = subject
        entry.body = _readable(body) if method in _METHODS_WITH_BODY else None
        fault = self.faults.next_fault(entry.action)
        entry.fault = fault.kind if fault else None
        if fault is not None and fault.kind == "drop":
            return Reply(0, {}, b"", "dropped")
        if fault is not None and fault.kind == "refuse":
            return _fail(entry, fault)
        try:
            if _bearer(headers) != self.settings.api_key:
                raise ApiError("10009", "The required authentication headers were invalid")
            parsed = _parse(body) if method in _METHODS_WITH_BODY else {}
            entry.body, entry.command_id = parsed, parsed.get("command_id")
            operation = Operation(entry.action, subject, parsed, dict(parse_qsl(query)))
            if entry.action == "tool_test":
                reply = self._test_tool(entry, operation)
            else:
                status = HTTPStatus.CREATED if entry.action in CREATES else HTTPStatus.OK
                reply = _reply(entry, status, self._perform(entry, operation))
        except ApiError as error:
            reply = _reply(entry, error.status, error.body())
        if entry.action == "ai_assistant_start" and reply.status == HTTPStatus.OK:
            reply = replace(reply, held_secs=self.settings.start_held_secs)
        if fault is not None:
            entry.lost = fault.kind == "lose_reply"
            wire: Literal["lost", "answered"] = "lost" if entry.lost else "answered"
            body = b"<html>" if fault.kind == "garble" else reply.body
            reply = Reply(reply.status, reply.headers, body, wire, fault.secs)
        return reply

    def _test_tool(self, entry: LedgerEntry, operation: Operation) -> Reply:
        """Post a tool's test request. Telnyx API: the answer has the status of the tool's URL."""
        request = self._api.tool_test(operation)

        def post() -> Reply:
            status = self.deliverer.post(request.url, request.body)
            # The simulator keeps only the status of the tool's answer.
            data = {
                "content_type": "application/json",
                "request": {"url": request.url, "body": request.body.decode()},
                "response": "",
                "status_code": status or 0,
                "success": status is not None and status < 300,
            }
            return _reply(entry, HTTPStatus.OK, {"data": data})

        return Reply(0, {}, b"", after=post)

    def _perform(self, entry: LedgerEntry, operation: Operation) -> JsonObject:
        problems: list[Problem] = []
        if operation.action in CONFERENCING:
            entry.call_control_id = str(operation.body.get("call_control_id"))
        if entry.method in _METHODS_WITH_BODY:
            problems, entry.unknown_fields = check(
                operation.action,
                entry.body or {},
                self.settings.webhook_keys,
                texts_as_urls=self.settings.webhook_urls_form == "text",
            )
            for pointer in entry.unknown_fields:
                self._board.record_violation(
                    f"{entry.method} {entry.path}: Telnyx does not read {pointer}"
                )
        if self._api.is_command(operation.action) or operation.action == "retrieve":
            # Telnyx refuses an unknown call before a bad body.
            self._api.leg(operation.subject)

        def perform() -> JsonObject:
            if problems:
                raise ApiError.of(problems)
            return self._api.perform(operation)

        subject = entry.call_control_id or str(operation.body.get("connection_id"))
        return self._duplicates.perform(entry, subject, perform)

    # People

    def set_person(self, person: Person) -> None:
        """Put `person` at the person's number, in place of an earlier person."""
        with self.lock:
            self.world.people[person.number] = person

    def ring_in(self, from_: str, to: str, connection_id: str | None = None) -> SimulatedLeg:
        """Let the person at `from_` call our number `to`."""
        with self.lock:
            return self._phones.ring_in(from_, to, connection_id or self.settings.connection_id)

    def outside_call(self, from_: str, to: str, webhook_url: str | None = None) -> SimulatedLeg:
        """Create a live, answered call of another application of the account.

        Only the other application gets the webhooks of the ring and the answer. Later webhooks go
        to `webhook_url`, or are not sent.
        """
        with self.lock:
            body = {"application_name": "Somebody else's", "webhook_api_version": "2"}
            outside = self._api.applications.create(body)
            leg = self._phones.ring_in(from_, to, outside["id"])
            self._phones.answer(leg)
            outside["webhook_event_url"] = webhook_url
            return leg

    def answer(self, call_control_id: str) -> None:
        """Pick up as the person."""
        with self.lock:
            self._phones.answer(self._ringing(call_control_id))

    def decline(self, call_control_id: str) -> None:
        """Decline as the person."""
        with self.lock:
            self._phones.refuse(self._ringing(call_control_id), "decline")

    def busy(self, call_control_id: str) -> None:
        """Refuse with busy as the person."""
        with self.lock:
            self._phones.refuse(self._ringing(call_control_id), "busy")

    def hang_up(self, call_control_id: str) -> None:
        """Hang up as the person, or cancel an unanswered call."""
        with self.lock:
            self._phones.hang_up(self.world.legs[call_control_id])

    def press(self, call_control_id: str, digits: str) -> None:
        """Press digits as the person."""
        with self.lock:
            self._phones.press(self.world.legs[call_control_id], digits)

    def say(self, call_control_id: str, text: str, *, interrupts: bool = False) -> None:
        """Speak as the person; ApiError if the person is alone on the call."""
        with self.lock:
            leg = self.world.legs[call_control_id]
            if self._api.connections.say(leg, text):
                return
            self._assistants.say(self.world.legs[call_control_id], text, interrupts=interrupts)

    def end_assistant(self, call_control_id: str) -> None:
        """End the assistant on the call at its time limit; ApiError if there is no assistant."""
        with self.lock:
            self._assistants.end_at_time_limit(self.world.legs[call_control_id])

    def fail_start(self, call_control_id: str) -> None:
        """Let the assistant on the call fail after its start; ApiError without an assistant."""
        with self.lock:
            self._assistants.fail_start(self.world.legs[call_control_id])

    def transfer(self, call_control_id: str, to: str) -> SimulatedLeg:
        """Transfer the call to `to` by the assistant's stored tool; returns the new leg.

        ApiError if there is no assistant on the call.
        """
        with self.lock:
            return self._transfers.transfer(self.world.legs[call_control_id], to)

    def use_tool(self, call_control_id: str, url: str, arguments: JsonObject) -> ToolRequest:
        """Return the request of a webhook tool of the assistant on a call, live or over.

        The caller posts the request and gets the answer in place of the model. By the settings the
        call is named in a preset field of the signed body and in an unsigned header (Telnyx docs:
        webhook tools, `preset_body_fields`).
        """
        settings, leg = self.settings, self.world.legs[call_control_id]
        conversation = self.world.conversations.get(leg.conversation_id or "")
        call = leg.call_control_id
        if conversation is not None and settings.tool_names == "starting":
            call = conversation.starting_call
        presets = {
            "filled": {"call_control_id": call},
            "unfilled": {"call_control_id": "{{call_control_id}}"},
            "absent": {},
        }
        body = json.dumps({**arguments, **presets[settings.preset_fields]}).encode()
        headers = self.deliverer.signature_headers(body)
        if settings.tool_header:
            headers["x-telnyx-call-control-id"] = call
        return ToolRequest(url, body, headers, 1 + settings.tool_repeats)

    def change_ids(self, call_control_id: str, *, leg_id: bool = False) -> SimulatedLeg:
        """Give a call another call_control_id, and with `leg_id` another call_leg_id too."""
        with self.lock:
            leg = self.world.legs[call_control_id]
            self._board.change_ids(leg, leg_id=leg_id)
            return leg

    def _ringing(self, call_control_id: str) -> SimulatedLeg:
        leg = self.world.legs[call_control_id]
        if leg.direction != "outgoing":
            raise ValueError("only a called person can answer or refuse the call")
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
    """Return the body for the record, or None for a body that is not a JSON object."""
    try:
        return _parse(body)
    except ApiError:
        return None


def _reply(entry: LedgerEntry, status: int, body: JsonObject) -> Reply:
    entry.status, entry.response = status, body
    headers = {"content-type": "application/json"}
    has_body = status >= HTTPStatus.BAD_REQUEST or entry.action not in WITHOUT_BODY
    return Reply(status, headers, json.dumps(body).encode() if has_body else b"")


def _fail(entry: LedgerEntry, fault: Fault) -> Reply:
    codes: dict[int, str] = {HTTPStatus.TOO_MANY_REQUESTS: "10011", HTTPStatus.FORBIDDEN: "10010"}
    error = ApiError(codes.get(fault.status, "10007"), "A fault of the simulator refuses this")
    reply = _reply(entry, fault.status, error.body())
    if fault.status == HTTPStatus.TOO_MANY_REQUESTS:
        # Telnyx docs, rate limiting: the reset is in seconds; there is no Retry-After.
        limits = {"x-ratelimit-limit": "30", "x-ratelimit-remaining": "0"}
        reply.headers.update(limits, **{"x-ratelimit-reset": str(fault.reset_secs)})
    return reply
