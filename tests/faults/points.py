"""The points at which a process makes a request to the outside, and the faults at each point."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import httpx
from botocore.exceptions import ClientError, ReadTimeoutError

from local.simulator.api import route
from local.simulator.clock import VirtualClock
from local.simulator.telnyx import Simulator
from local.stack.memory_table import MemoryTable, cancelled
from local.stack.sqs_api import SqsClient
from partyline.domain.model.timeouts import LEASE, START_ANSWER_TIME, START_LEASE
from partyline.settings import ConversationSettings
from tests.support.refusing_transport import RefusingTransport

T = TypeVar("T")

Place = Literal["table", "telnyx", "queue", "webhook", "request", "timer", "sweep"]

TABLE_TIMEOUT_SECS, QUEUE_TIMEOUT_SECS, WEBHOOK_TIMEOUT_SECS = 3.0, 1.0, 10.0
LATE_SECS = 14 * 60
TELNYX_TIMEOUT_SECS: float = ConversationSettings.model_fields["telnyx_timeout_secs"].default

STALL_SECS = max(LEASE, START_LEASE).total_seconds() + 1
"""Longer than a lease: another process may have taken the command over meanwhile."""


class ProcessDiedError(BaseException):
    """The process has died. No code of the process may catch this, so it is no Exception."""


@dataclass(frozen=True)
class Point:
    """A request to the outside: `operation` is `transact_write_items` or `dial`, for example."""

    place: Place
    operation: str


WRITES = frozenset({"transact_write_items", "put_item", "update_item", "delete_item"})


ABOUT_CALLS = frozenset(
    {"answer", "hangup", "ai_assistant_stop", "ai_assistant_add_messages", "gather_using_speak"}
    | {"retrieve"}
)
"""Operations whose 404 is about a call. The 404 of a start or a join may be about the assistant."""


ANSWERED, HANGUP = "/call.answered", "/call.hangup"
VERSION_ONE = "version 1 body"

REPAIRED_WEBHOOKS = frozenset(
    {ANSWERED, HANGUP, "/call.conversation.created", "/call.conversation.ended"}
    | {"/call.conversation_insights.generated"}
)
"""The paths of webhooks whose facts a poll or another webhook tells too.

A body of API version 1 is ignored, so its facts are lost (see `tests.faults.lost`).
"""


def faults(point: Point) -> Sequence[str]:
    """Return the faults of a point.

    After `unreadable` Telnyx has done the work; `unreadable untaken` is the page of a proxy that
    never sent the request on.
    """
    if point.place == "table":
        some = ["dies before", "dies after", "times out", "500", "throttled", "stalls"]
        return [*some, "conflict"] if point.operation in WRITES else some
    if point.place == "telnyx":
        once = ["dies before", "dies after", "times out", "429", "500", "unreachable", "stalls"]
        once += ["unreadable", "unreadable untaken"]
        once += ["404"] if point.operation in ABOUT_CALLS else []
        twice = ["times out", "429", "500", "unreachable", "unreadable", "unreadable untaken"]
        return [*once, *(f"{fault} twice" for fault in twice)]
    if point.place == "queue":
        return ["dies before", "dies after", "times out", "500", "lost", "doubled", "late"]
    if point.place in ("sweep", "timer"):
        return ["dies before"]
    own = ["dies before", "dies after", "times out", "429", "500"]
    if point.place == "webhook":
        own += [VERSION_ONE] if point.operation in REPAIRED_WEBHOOKS else []
        own += ["other ids", "other ids of the leg"] if point.operation == ANSWERED else []
    return own


class FaultInjector:
    """Records the points of a story, in order, and injects the fault of the nth point, once.

    `meanwhile` holds the seconds by which time goes on before the nth point.
    """

    def __init__(
        self,
        clock: VirtualClock,
        strikes: Mapping[int, str] | None = None,
        meanwhile: Mapping[int, float] | None = None,
    ) -> None:
        """Start without points."""
        self._clock = clock
        self._strikes = dict(strikes or {})
        self._meanwhile = meanwhile or {}
        self._again: tuple[Point, str] | None = None
        self._observers = 0
        self.take_turns: Callable[[], None] = lambda: None
        """Called at each point, to interleave processes (see `tests.support.interleaving`)."""
        self.points: list[Point] = []
        self.injected: list[tuple[Point, str]] = []

    def add_fault(self, nth: int, fault: str) -> None:
        """Inject a fault at the nth point."""
        self._strikes[nth] = fault

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Record no points meanwhile: the requests belong to the test, not to the story."""
        self._observers += 1
        try:
            yield
        finally:
            self._observers -= 1

    def reach(self, place: Place, operation: str) -> str | None:
        """Record a point; returns the fault that is injected there."""
        if self._observers:
            return None
        self.take_turns()
        point, nth = Point(place, operation), len(self.points)
        self.points.append(point)
        fault = self._strikes.get(nth)
        if fault and fault not in faults(point):
            fault = None
        if fault is None and self._again and self._again[0] == point:
            (_, fault), self._again = self._again, None
        if nth in self._meanwhile:
            self._clock.advance(self._meanwhile[nth])
        if fault is None:
            return None
        self.injected.append((point, fault))
        if fault.endswith(" twice"):
            fault = fault.removesuffix(" twice")
            self._again = (point, fault)
        if fault == "stalls":
            self._clock.advance(STALL_SECS)
            return None
        return fault

    def perform(self, place: Place, operation: str, work: Callable[[], T], fail: "Fail") -> T:
        """Do the work of a request, unless a fault comes before or after the work."""
        fault = self.reach(place, operation)
        if fault is None:
            return work()
        if fault == "dies before":
            raise ProcessDiedError
        if fault in ("dies after", "times out", "unreadable"):
            work()
            if fault == "dies after":
                raise ProcessDiedError
        raise fail(fault)


Fail = Callable[[str], Exception]


class FaultyTable:
    """The table with faults. `events` are the keys of the stored events."""

    def __init__(self, table: MemoryTable, io: FaultInjector, clock: VirtualClock) -> None:
        """Wrap `table`."""
        self._table = table
        self._io = io
        self._clock = clock
        self.events: list[tuple[str, str]] = []

    def __getattr__(self, operation: str) -> Any:
        work = getattr(self._table, operation)
        if operation in ("exceptions", "get_paginator"):  # paged are only queries of the API
            return work
        return lambda **request: self._run(operation, work, request)

    def _run(self, operation: str, work: Callable[..., Any], request: dict[str, Any]) -> Any:
        def carry_out() -> Any:
            answer = work(**request)
            for write in request.get("TransactItems", []):
                item = write.get("Put", {}).get("Item", {})
                if item and item["sk"]["S"].startswith("EVENT#"):
                    self.events.append((item["pk"]["S"], item["sk"]["S"]))
            return answer

        count = len(request.get("TransactItems", []))
        return self._io.perform(
            "table", operation, carry_out, lambda fault: self._error(fault, operation, count)
        )

    def _error(self, fault: str, operation: str, count: int) -> Exception:
        if fault == "times out":
            self._clock.advance(TABLE_TIMEOUT_SECS)
            return ReadTimeoutError(endpoint_url="https://dynamodb.example")
        if count and fault in ("conflict", "throttled"):
            code = "TransactionConflict" if fault == "conflict" else "ThrottlingError"
            return cancelled([{"Code": code}, *[{"Code": "None"}] * (count - 1)])
        codes = {
            "500": "InternalServerError",
            "throttled": "ProvisionedThroughputExceededException",
            "conflict": "TransactionConflictException",
        }
        return ClientError({"Error": {"Code": codes[fault], "Message": fault}}, operation)


class FaultyQueue:
    """The timers' queue with faults. A lost, doubled or late message is taken without an error."""

    def __init__(self, queue: SqsClient, io: FaultInjector, clock: VirtualClock) -> None:
        """Wrap `queue`."""
        self._queue = queue
        self._io = io
        self._clock = clock

    def send_message(self, **message: Any) -> Any:
        """Send a message, or fail."""
        return self._send("send_message", message)

    def send_message_batch(self, **batch: Any) -> Any:
        """Send messages, or fail."""
        return self._send("send_message_batch", batch)

    def get_queue_attributes(self, **request: Any) -> Any:
        """Count messages, without a fault: the figure changes no conversation."""
        return self._queue.get_queue_attributes(**request)

    def _send(self, operation: str, request: dict[str, Any]) -> Any:
        send = getattr(self._queue, operation)
        try:
            return self._io.perform("queue", operation, lambda: send(**request), self._error)
        except _TakenError as taken:
            if taken.fault == "late":
                late = {"DelaySeconds": LATE_SECS}
                entries = [{**entry, **late} for entry in request.get("Entries", ())]
                request = {**request, "Entries": entries} if entries else {**request, **late}
            for _ in range({"lost": 0, "late": 1, "doubled": 2}[taken.fault]):
                send(**request)
            return {}

    def _error(self, fault: str) -> Exception:
        if fault == "times out":
            self._clock.advance(QUEUE_TIMEOUT_SECS)
            return ReadTimeoutError(endpoint_url="https://sqs.example")
        if fault == "500":
            return ClientError({"Error": {"Code": "InternalError"}}, "SendMessage")
        return _TakenError(fault)


class _TakenError(Exception):
    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault


class FaultyTransport(httpx.BaseTransport):
    """The transport to Telnyx with faults."""

    def __init__(
        self,
        simulator: Simulator,
        io: FaultInjector,
        clock: VirtualClock,
        refuses: Iterable[str] = (),
    ) -> None:
        self._line = RefusingTransport(simulator, clock, refuses)
        self._io = io
        self._clock = clock

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request, or fail."""
        path = request.url.raw_path.decode("ascii").partition("?")[0]
        routed = route(request.method, path.removeprefix("/v2"))
        operation = routed[0] if routed else path
        try:
            return self._io.perform(
                "telnyx",
                operation,
                lambda: self._line.handle_request(request),
                lambda fault: self._error(fault, request, operation),
            )
        except _RefusedError as refusal:
            return refusal.response

    def _error(self, fault: str, request: httpx.Request, operation: str) -> Exception:
        if fault == "times out":
            start = operation == "ai_assistant_start"
            secs = START_ANSWER_TIME.total_seconds() if start else TELNYX_TIMEOUT_SECS
            self._clock.advance(secs)
            return httpx.ReadTimeout("no answer came", request=request)
        if fault == "unreachable":
            return httpx.ConnectError("no way there", request=request)
        if fault.startswith("unreadable"):
            return _RefusedError(httpx.Response(200, text="<html>", request=request))
        codes = {"429": (429, "10011"), "500": (500, "10007"), "404": (404, "10005")}
        status, code = codes[fault]
        body = {"errors": [{"code": code, "title": fault}]}
        headers = {"x-ratelimit-reset": "1"} if status == 429 else {}
        return _RefusedError(httpx.Response(status, json=body, headers=headers, request=request))


class _RefusedError(Exception):
    def __init__(self, response: httpx.Response) -> None:
        super().__init__("refused")
        self.response = response
