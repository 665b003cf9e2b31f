"""The erasure of a person goes on wherever its process dies, and whatever request fails.

A run is repeated with a single fault at each of its points: each read and write of the table, each
request to Telnyx, to the queues and to the scheduler. `ERASURE_FAULTS=all` takes each fault of each
point; by default two of the faults that are not a death are taken at each point.
"""

import json
import os
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from local.simulator.clock import VirtualClock
from local.stack.logs import Logs
from local.stack.memory_table import MemoryTable
from local.stack.sqs_api import SqsClient
from partyline.aws_errors import AwsError
from partyline.bootstrap import App
from partyline.store import keys
from tests.faults.lab import deployment
from tests.faults.points import (
    FaultInjector,
    FaultyTable,
    FaultyTransport,
    Point,
    ProcessDiedError,
    faults,
)
from tests.support.backend import memory_backend
from tests.support.erasing import DEAD_LETTERS, ErasureLab, FakeScheduler, holds
from tests.support.lab import Lab
from tests.support.people import DANA
from tests.support.person_story import ERASED, whole_person
from tests.support.sampling import sampled
from tests.support.threads import at_once

PASSES = 40  # a pass a minute; the erasure of a person takes ten minutes without a fault

SERVICE_FAULTS = ("dies before", "dies after", "times out", "500")
"""The faults of the queues and of the scheduler; the table and Telnyx have more."""


class _FaultyService:
    """A queue or the scheduler with faults. `place` names its points."""

    def __init__(self, service: Any, io: FaultInjector) -> None:
        self._service = service
        self._io = io

    def __getattr__(self, operation: str) -> Any:
        work = getattr(self._service, operation)

        def call(*args: Any, **request: Any) -> Any:
            return self._io.perform("queue", operation, lambda: work(*args, **request), _failure)

        return call


def _failure(fault: str) -> Exception:
    if fault == "500":
        return ClientError({"Error": {"Code": "InternalError"}}, "Any")
    return ReadTimeoutError(endpoint_url="https://sqs.example")


@dataclass
class World:
    """The state before the erasure, which each run begins with."""

    lab: Lab
    table: MemoryTable
    messages: dict[str, list[Any]]
    ids: list[str]

    @cached_property
    def others(self) -> list[Any]:
        """The rows of the conversation in which Dana never was."""
        return rows_of(list(self.lab.table.items()), self.ids[-1])


def rows_of(items: list[Any], conversation_id: str) -> list[Any]:
    """The rows of a conversation, sorted."""
    own = [row for row in items if row["pk"]["S"] == keys.partition(conversation_id)]
    return sorted(own, key=lambda row: str(row["sk"]["S"]))


@pytest.fixture(scope="module")
def world() -> World:
    template = deployment()
    backend = memory_backend(template)
    lab = backend.new_lab(template, Logs())
    ids = whole_person(lab, ErasureLab(lab))
    waiting = {name: lab.gateway.queues.waiting(name) for name in DEAD_LETTERS}
    table = MemoryTable(template.table.create)
    for item in lab.table.items():
        table.put_item(TableName=template.table.name, Item=item)
    return World(lab, table, waiting, ids)


class Run:
    """An erasure of Dana, with the fault `strikes` at its point."""

    def __init__(self, world: World, strikes: dict[int, str]) -> None:
        self.world, lab = world, world.lab
        self.clock = VirtualClock(lab.clock.now())
        self.io = FaultInjector(self.clock, strikes)
        self.table: Any = world.table.copy()
        self.table.follower = self._note
        self._erasures: dict[str, Any] = {}
        queues = lab.gateway.queues
        queues.now = self.clock.now
        for name, messages in world.messages.items():
            queues.take(name)
            for message in messages:
                queues.send(queues.arn(name), message.body, message.attributes)
        for conversation in lab.telnyx.conversations:
            conversation.deleted = False
        self.scheduler = FakeScheduler()
        self.erasure_ids: set[str] = set()

    def new_process(self) -> App:
        """A new process: it knows what the table says, and nothing else."""
        lab = self.world.lab
        app = App(
            begin=at_once,
            clock=self.clock.now,
            sleep=self.clock.advance,
            telnyx_transport=FaultyTransport(lab.telnyx, self.io, self.clock),
            dynamodb=FaultyTable(self.table, self.io, self.clock),
            sqs=_FaultyService(SqsClient(lab.gateway.queues), self.io),
        )
        app.telnyx_api_key, app.number_key = lab.app.telnyx_api_key, lab.app.number_key
        app.__dict__["start_scheduler"] = _FaultyService(self.scheduler, self.io)
        return app

    def play(self) -> "Run":
        """Ask for the erasure until the request is taken, then run passes until all are done."""
        while True:
            with suppress(ProcessDiedError, AwsError):
                requests = self.new_process().erasure_requests
                requests.erase_person(DANA, "ops", do_not_call=True)
                break
        for _ in range(PASSES):
            with suppress(ProcessDiedError, AwsError, ClientError, ReadTimeoutError):
                self.new_process().eraser.run(lambda: True)
            self.clock.advance(60)
            erasures = self.erasures()
            if all(erasure["status"] == "done" for erasure in erasures):
                return self
        raise AssertionError(f"not done: {erasures}")

    def items(self) -> list[Any]:
        """All rows."""
        items: list[Any] = self.table.scan(TableName=deployment().table.name)["Items"]
        return items

    def _note(self, _: str, row: Any) -> None:
        if row["sk"]["S"] == "ERASURE":
            self._erasures[row["pk"]["S"]] = json.loads(row["erasure"]["S"])

    def erasures(self) -> list[Any]:
        """The erasures: a request whose answer was lost was sent again, and made another."""
        return list(self._erasures.values())

    def check(self) -> None:
        """Nothing is left of Dana, everything is counted once, and others keep theirs."""
        items, lab = self.items(), self.world.lab
        assert not [row for row in items if holds(json.dumps(row), DANA)]
        gone = self.world.ids[:-1]
        for conversation_id in gone:
            left = [row["sk"]["S"] for row in rows_of(items, conversation_id)]
            assert all(sk.startswith(keys.DEDUPE) for sk in left), left
        assert rows_of(items, self.world.ids[-1]) == self.world.others
        queues = lab.gateway.queues
        bodies = [message.body for name in DEAD_LETTERS for message in queues.waiting(name)]
        assert len(bodies) == len(DEAD_LETTERS)
        counted = Counter[str]()
        rows = [row for row in items if row["sk"]["S"] == "ERASURE"]
        for erasure in [json.loads(row["erasure"]["S"]) for row in rows]:
            assert erasure["number"] is None
            assert not erasure["owed"]
            counted.update(erasure["counts"])
        # A message is deleted before it is counted, and the process may die in between.
        most = ERASED["queue_messages"]
        assert counted.pop("queue_messages") <= most
        assert counted == {name: most for name, most in ERASED.items() if name != "queue_messages"}
        erased = [row for row in items if "conversation.erased" in str(row.get("event"))]
        assert sorted(row["conversation_id"]["S"] for row in erased) == sorted(gone)
        [units] = [row["units"]["N"] for row in items if row["sk"]["S"] == "BOOKINGS"]
        assert units == "0"
        deleted = [conversation.deleted for conversation in lab.telnyx.conversations]
        assert sum(deleted) == ERASED["telnyx_conversations"]


def of_point(nth: int, point: Point) -> list[str]:
    """The faults to inject at a point."""
    every = SERVICE_FAULTS if point.place == "queue" else faults(point)
    if os.environ.get("ERASURE_FAULTS") == "all":
        return list(every)
    deaths = [fault for fault in every if fault.startswith("dies")]
    others = [fault for fault in every if fault not in deaths and fault != "stalls"]
    return [*deaths, others[nth % len(others)]]


def test_an_erasure_without_a_fault_is_complete(world: World) -> None:
    run = Run(world, {}).play()
    run.check()
    places = Counter(point.place for point in run.io.points)
    assert places["table"] > 50, places
    # Each deletion is repeated: the first answer has no body, the second proves the deletion.
    assert places["telnyx"] == 2 * ERASED["telnyx_conversations"]
    assert places["queue"] > 8, places


def test_an_erasure_goes_on_after_a_fault_at_any_of_its_points(world: World) -> None:
    points = Run(world, {}).play().io.points
    failed = {}
    for nth, point in sampled(list(enumerate(points))):
        for fault in of_point(nth, point):
            try:
                run = Run(world, {nth: fault}).play()
                assert [fault for _, fault in run.io.injected][:1] == [fault]
                run.check()
            except AssertionError as error:
                failed[nth, point.operation, fault] = str(error)[:300]
    assert not failed, f"{len(failed)} of {len(points)}: {dict(list(failed.items())[:5])}"
