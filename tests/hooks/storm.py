"""A receiver that fails and a sender that dies: every event arrives, a double with the same id.

The parts of the hooks run in virtual time. Each request to the table, to a queue or to the receiver
may be the last of its process, before or after the request takes effect. Lambda then repeats an
event, and SQS a message after its visibility timeout. After three invocations or five receives they
are among the dead letters, which an operator sends again.
"""

import heapq
import json
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from standardwebhooks import Webhook

from local.stack.template import Template
from partyline.domain.model.hooks import DeliveryStatus
from partyline.services.hook_queue import Attempt
from partyline.services.hook_sender import Answer
from tests.support.hook_lab import DEAD_LETTERS, DELIVERIES, HookLab, Request

FAILS, DIES = 0.3, 0.02
"""The shares of attempts that the receiver does not take, and of requests that end a process."""

HOOKS = 4
EVENTS = "events"
MAX_RECEIVES = {EVENTS: 3, DELIVERIES: 5}
PAUSE = {EVENTS: timedelta(minutes=1), DELIVERIES: timedelta(minutes=3)}
"""How often and after which pause the event or the message of a dead process comes again."""


class DiedError(BaseException):
    """The process ends at this point. No part of the code handles the error."""


@dataclass
class Mortal:
    """A client whose process may die with each request, before or after the request's effect."""

    client: Any
    dies: Callable[[], bool]

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self.client, name)

        def call(**request: Any) -> Any:
            if self.dies():
                raise DiedError
            answer = operation(**request)
            if self.dies():
                raise DiedError
            return answer

        return call


@dataclass
class Result:
    """The counts of a storm, and the rules that it violated."""

    deliveries: int
    requests: int = 0
    doubles: int = 0
    deaths: int = 0
    dead_letters: int = 0
    violations: list[str] = field(default_factory=list)


class Storm:
    """A storm of deliveries to `HOOKS` hooks; `seed` makes a storm repeatable."""

    def __init__(self, template: Template, deliveries: int, seed: int = 1) -> None:
        self._chance = random.Random(seed)
        self._lab = HookLab(template)
        self._events = deliveries // HOOKS
        self.result = Result(self._events * HOOKS)
        self._taken: dict[tuple[str, str], int] = defaultdict(int)
        self._bodies: dict[str, set[bytes]] = defaultdict(set)
        self._messages: list[tuple[datetime, int, str, str, int]] = []
        self._order = count()
        self._mortal = True
        self._secrets = {
            f"https://hook-{nth}.example.com/": Webhook(
                self._lab.put(f"hook-{nth}", f"https://hook-{nth}.example.com/")
            )
            for nth in range(HOOKS)
        }
        self._lab.receiver.answer = self._receive
        self._lab.sqs.send_message_batch = self._send  # type: ignore[method-assign]
        # From now on the parts die; the set-up above does not.
        store_table = self._lab.store._table
        store_table._client = Mortal(self._lab.dynamodb, self._dies)
        mortal_sqs = Mortal(self._lab.sqs, self._dies)
        for queue in (self._lab.delivery._queue, self._lab.delivery._dead_letters):
            queue._client = lambda: mortal_sqs
        self._lab.fan_out._queue._client = lambda: mortal_sqs

    def run(self) -> Result:
        """Emit all events, handle all messages, and check the rules."""
        for seq in range(1, self._events + 1):
            detail = self._lab.store_event(f"c-{seq % 97}", seq)
            self._push(EVENTS, json.dumps(detail), self._lab.now)
        while self._messages:
            due, _, queue, body, receives = heapq.heappop(self._messages)
            self._lab.now = max(self._lab.now, due)
            self._handle(queue, body, receives)
        self._mortal = False
        self._check()
        return self.result

    def _handle(self, queue: str, body: str, receives: int) -> None:
        try:
            if queue == EVENTS:
                self._lab.fan_out.fan_out(json.loads(body))
            else:
                self._lab.delivery.deliver(Attempt.parse(body))
        except DiedError:
            self.result.deaths += 1
            if receives + 1 >= MAX_RECEIVES[queue]:
                self.result.dead_letters += 1
                receives = -1  # the operator sends the dead letter again
            self._push(queue, body, self._lab.now + PAUSE[queue], receives + 1)

    def _push(self, queue: str, body: str, due: datetime, receives: int = 0) -> None:
        heapq.heappush(self._messages, (due, next(self._order), queue, body, receives))

    def _send(self, *, QueueUrl: str, Entries: list[Any]) -> Any:  # noqa: N803
        for entry in Entries:
            due = self._lab.now + timedelta(seconds=entry["DelaySeconds"])
            if QueueUrl == DEAD_LETTERS:
                self.result.dead_letters += 1
            self._push(DELIVERIES, entry["MessageBody"], due)
        return {}

    def _dies(self) -> bool:
        return self._mortal and self._chance.random() < DIES

    def _receive(self, request: Request) -> Answer:
        self.result.requests += 1
        self._bodies[request.event_id].add(request.body)
        at = datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), UTC)
        signature = self._secrets[request.url].sign(request.event_id, at, request.body.decode())
        if request.headers["webhook-signature"] != signature:
            self.result.violations.append(f"{request.event_id}: not signed")
        if self._dies():
            raise DiedError
        if self._chance.random() < FAILS:
            return Answer(self._chance.choice((500, 503, 429, 404, 301)))
        if self._chance.random() < FAILS / 3:
            self._taken[request.url, request.event_id] += 1
            return Answer(error="timeout")  # the receiver took the event, and the answer was lost
        self._taken[request.url, request.event_id] += 1
        if self._dies():
            raise DiedError
        return Answer(204)

    def _check(self) -> None:
        result = self.result
        result.doubles = sum(times - 1 for times in self._taken.values())
        if len(self._taken) != result.deliveries:
            result.violations.append(f"{result.deliveries - len(self._taken)} deliveries are lost")
        if len(self._bodies) != self._events:
            result.violations.append("an event has two ids, or two events have the same id")
        if any(len(bodies) > 1 for bodies in self._bodies.values()):
            result.violations.append("an event was sent with two bodies")
        for nth in range(HOOKS):
            hook = self._lab.store.get(f"hook-{nth}")
            if hook is None or not hook.enabled:
                result.violations.append(f"hook-{nth} is off")
            page = self._lab.store.deliveries(f"hook-{nth}", result.deliveries, None)
            others = [d for d in page.items if d.status is not DeliveryStatus.DELIVERED]
            if others or len(page.items) != self._events:
                result.violations.append(f"hook-{nth} lists {len(others)} deliveries wrongly")
