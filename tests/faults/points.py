"""The points at which a story touches the world outside of a process, and what goes wrong there."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import httpx
from botocore.exceptions import ClientError, ReadTimeoutError

from local.simulator.api import route
from local.simulator.clock import VirtualClock
from local.simulator.telnyx import Simulator
from tests.support.memory_table import MemoryTable, cancelled
from tests.support.simulator_transport import SimulatorTransport

T = TypeVar("T")

Place = Literal["table", "telnyx", "webhook", "request", "sweep"]

TABLE_TIMEOUT_SECS, TELNYX_TIMEOUT_SECS, WEBHOOK_TIMEOUT_SECS = 3.0, 2.0, 10.0

STALL_SECS = 7.0
"""Longer than a lease: somebody else may have taken the command over when the process wakes up."""


class Died(BaseException):
    """The process is no more. Nothing in it may catch this, so it is no Exception."""


@dataclass(frozen=True)
class Point:
    """One touch: `what` is the operation, e.g. `transact_write_items` or `dial`."""

    place: Place
    what: str


WRITES = frozenset({"transact_write_items", "put_item", "update_item", "delete_item"})


def faults(point: Point) -> Sequence[str]:
    """What can go wrong at a point."""
    if point.place == "table":
        some = ["dies before", "dies after", "times out", "500", "throttled", "stalls"]
        return [*some, "conflict"] if point.what in WRITES else some
    if point.place == "telnyx":
        once = ["dies before", "dies after", "times out", "429", "500", "unreachable", "stalls"]
        return [*once, "times out twice", "429 twice", "500 twice", "unreachable twice"]
    if point.place == "sweep":
        return ["dies before"]
    return ["dies before", "dies after", "times out", "429", "500"]


class Io:
    """Every touch of a story, in order; the fault for the nth one strikes there, once.

    With `meanwhile` the world goes on for as many seconds before the nth touch.
    """

    def __init__(
        self,
        clock: VirtualClock,
        strikes: Mapping[int, str] | None = None,
        meanwhile: Mapping[int, float] | None = None,
    ) -> None:
        """Nothing has been touched yet."""
        self._clock = clock
        self._strikes = dict(strikes or {})
        self._meanwhile = meanwhile or {}
        self._again: tuple[Point, str] | None = None
        self._observers = 0
        self.take_turns: Callable[[], None] = lambda: None
        """What several at the same time do at each point, see `baton`."""
        self.points: list[Point] = []
        self.struck: list[tuple[Point, str]] = []

    def strike(self, nth: int, fault: str) -> None:
        """Let a fault strike at the nth point."""
        self._strikes[nth] = fault

    @contextmanager
    def observed(self) -> Iterator[None]:
        """What is touched meanwhile belongs to the test, not to the story."""
        self._observers += 1
        try:
            yield
        finally:
            self._observers -= 1

    def meet(self, place: Place, what: str) -> str | None:
        """A point is reached; what goes wrong there."""
        if self._observers:
            return None
        self.take_turns()
        point, nth = Point(place, what), len(self.points)
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
        self.struck.append((point, fault))
        if fault.endswith(" twice"):
            fault = fault.removesuffix(" twice")
            self._again = (point, fault)
        if fault == "stalls":
            self._clock.advance(STALL_SECS)
            return None
        return fault

    def within(self, place: Place, what: str, work: Callable[[], T], fail: "Fail") -> T:
        """Do a touch's work, unless something goes wrong before it, or after."""
        fault = self.meet(place, what)
        if fault is None:
            return work()
        if fault == "dies before":
            raise Died
        if fault in ("dies after", "times out"):
            work()
            if fault == "dies after":
                raise Died
        raise fail(fault)


Fail = Callable[[str], Exception]


class FaultyTable:
    """The table, as a process reaches it. `events` are the keys of the events that it took."""

    def __init__(self, table: MemoryTable, io: Io, clock: VirtualClock) -> None:
        """Stand before `table`."""
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
            for each in request.get("TransactItems", []):
                item = each.get("Put", {}).get("Item", {})
                if item and item["sk"]["S"].startswith("EVENT#"):
                    self.events.append((item["pk"]["S"], item["sk"]["S"]))
            return answer

        count = len(request.get("TransactItems", []))
        return self._io.within(
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


class FaultyLine(httpx.BaseTransport):
    """The line to Telnyx, as a process reaches it."""

    def __init__(self, simulator: Simulator, io: Io, clock: VirtualClock) -> None:
        self._line = SimulatorTransport(simulator, clock)
        self._io = io
        self._clock = clock

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request, or fail."""
        path = request.url.raw_path.decode("ascii").partition("?")[0]
        found = route(request.method, path.removeprefix("/v2"))
        what = found[0] if found else path
        try:
            return self._io.within(
                "telnyx",
                what,
                lambda: self._line.handle_request(request),
                lambda fault: self._error(fault, request),
            )
        except _Refusal as refusal:
            return refusal.response

    def _error(self, fault: str, request: httpx.Request) -> Exception:
        if fault == "times out":
            self._clock.advance(TELNYX_TIMEOUT_SECS)
            return httpx.ReadTimeout("no answer came", request=request)
        if fault == "unreachable":
            return httpx.ConnectError("no way there", request=request)
        status, code = {"429": (429, "10011"), "500": (500, "10007")}[fault]
        body = {"errors": [{"code": code, "title": fault}]}
        headers = {"x-ratelimit-reset": "1"} if status == 429 else {}
        return _Refusal(httpx.Response(status, json=body, headers=headers, request=request))


class _Refusal(Exception):  # noqa: N818 - carries an answer, not an error
    def __init__(self, response: httpx.Response) -> None:
        super().__init__("refused")
        self.response = response
