"""The functions in virtual time, and the timers' queue before its function."""

import heapq
import importlib
import itertools
import os
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from local.scale.clock import InvocationClock
from local.stack.handlers import shared_environment
from local.stack.template import Function, Template

SWEEP_SECS = 60.0
QUEUE_SECS = 0.02
"""The time of a request to SQS, and the time until a message reaches an idle function."""


@dataclass(frozen=True)
class Context:
    """The second argument of a handler, with the time that is left in virtual time."""

    function_name: str
    memory_limit_in_mb: int
    timeout_secs: int
    clock: InvocationClock
    began: datetime
    aws_request_id: str = "scale"

    @property
    def invoked_function_arn(self) -> str:
        """The ARN of the invocation."""
        return f"arn:aws:lambda:us-east-1:000000000000:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the function may still run, in milliseconds."""
        ran_secs = (self.clock.now() - self.began).total_seconds()
        return max(0, int((self.timeout_secs - ran_secs) * 1000))


MINUTE_FUNCTIONS = ("sweep", "census")
"""The functions that run every minute."""


class Functions:
    """Runs the real handlers. `used` counts invocations and GB seconds, `peaks` the concurrency."""

    def __init__(self, template: Template, clock: InvocationClock) -> None:
        os.environ.update(shared_environment(template.functions.values()))
        self.used: Counter[str] = Counter()
        self.peaks: dict[str, int] = {}
        self.by_folder = {function.folder: function for function in template.functions.values()}
        self._running: dict[str, list[datetime]] = {}
        self._clock = clock

    def __call__(self, function: Function, event: dict[str, Any]) -> Any:
        """Run a function (an `Invoke`)."""
        return self.run(function.folder, event)[0]

    def run(self, folder: str, event: dict[str, Any]) -> tuple[Any, float]:
        """Run a function; return its answer and its duration in seconds."""
        function, clock = self.by_folder[folder], self._clock
        module = importlib.import_module(f"functions.{folder}.app")
        began = clock.now()
        limits = function.memory_mb, function.timeout_secs
        context = Context(function.logical_id, *limits, clock, began)
        answer, secs = clock.invocation(lambda: module.handler(event, context))
        self.used["invocations"] += 1
        self.used[f"invocations of {folder}"] += 1
        self.used["gb_seconds"] += secs * function.memory_mb / 1024  # type: ignore[assignment]
        self._count_concurrency(folder, began, began + timedelta(seconds=secs))
        return answer, secs

    def _count_concurrency(self, folder: str, began: datetime, ends: datetime) -> None:
        running = self._running.setdefault(folder, [])
        heapq.heappush(running, ends)
        while running[0] <= began and len(running) > 1:
            heapq.heappop(running)
        self.peaks[folder] = max(self.peaks.get(folder, 0), len(running))


@dataclass
class _Message:
    id: str
    body: str
    receives: int = field(default=0)


class TimersQueue:
    """The timers' queue, as a client of SQS, and its function.

    The delays, the size of a batch, the bound of the concurrency and the visibility timeout are
    those of the template.
    """

    def __init__(self, template: Template, functions: Functions, clock: InvocationClock) -> None:
        mapping = dict(template.properties_of("AWS::Lambda::EventSourceMapping"))["TimersMapping"]
        queue = dict(template.properties_of("AWS::SQS::Queue"))["TimersQueue"]
        self._batch = int(mapping["BatchSize"])
        self._concurrency = int(mapping["ScalingConfig"]["MaximumConcurrency"])
        self._visibility_secs = float(queue["VisibilityTimeout"])
        self._max_receives = int(queue["RedrivePolicy"]["maxReceiveCount"])
        self._functions = functions
        self._clock = clock
        self._visible: deque[_Message] = deque()
        self._busy = 0
        self._ids = map(str, itertools.count())
        self.requests = 0
        self.dead = 0

    def send_message(
        self,
        *,
        QueueUrl: str,  # noqa: N803, ARG002 - AWS's own names
        MessageBody: str,  # noqa: N803
        DelaySeconds: int = 0,  # noqa: N803
    ) -> dict[str, Any]:
        """SQS API: SendMessage."""
        self._request()
        self._send(MessageBody, DelaySeconds)
        return {}

    def send_message_batch(
        self,
        *,
        QueueUrl: str,  # noqa: N803, ARG002 - AWS's own names
        Entries: Sequence[Mapping[str, Any]],  # noqa: N803
    ) -> dict[str, Any]:
        """SQS API: SendMessageBatch."""
        self._request()
        for entry in Entries:
            self._send(entry["MessageBody"], entry.get("DelaySeconds", 0))
        return {}

    def get_queue_attributes(self, *, AttributeNames: Sequence[str], **_: str) -> dict[str, Any]:  # noqa: N803
        """SQS API: GetQueueAttributes. Dead letters are empty; `dead` counts the lost timers."""
        self._request()
        return {"Attributes": dict.fromkeys(AttributeNames, "0")}

    def _request(self) -> None:
        self._clock.sleep(QUEUE_SECS)
        self.requests += 1

    def _send(self, body: str, delay_secs: float) -> None:
        self._arrive_after(delay_secs, _Message(next(self._ids), body))

    def _arrive_after(self, secs: float, message: _Message) -> None:
        def arrive() -> None:
            self._visible.append(message)
            self._work()

        self._clock.call_later(secs + QUEUE_SECS, arrive)

    def _work(self) -> None:
        while self._visible and self._busy < self._concurrency:
            batch = [self._visible.popleft() for _ in range(min(self._batch, len(self._visible)))]
            self._busy += 1
            self._deliver(batch)

    def _deliver(self, batch: Sequence[_Message]) -> None:
        records = [{"messageId": message.id, "body": message.body} for message in batch]
        answer, secs = self._functions.run("timer", {"Records": records})
        self.requests += 2  # a receive and a deletion
        failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
        for message in batch:
            message.receives += 1
            if message.id in failed and message.receives < self._max_receives:
                self._arrive_after(self._visibility_secs, message)
            elif message.id in failed:
                self.dead += 1
        self._clock.call_later(secs, self._end)

    def _end(self) -> None:
        self._busy -= 1
        self._work()


def run_each_minute(functions: Functions, clock: InvocationClock) -> None:
    """Run the sweep and the census each minute of virtual time, from now on."""

    def start(folder: str) -> None:
        functions.run(folder, {})
        clock.call_later(SWEEP_SECS, partial(start, folder))

    for folder in MINUTE_FUNCTIONS:
        clock.call_later(SWEEP_SECS, partial(start, folder))
