"""What runs behind the API without a request: queues, the pipe to the bus, its rules, schedules."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from local.stack.event_bus import Bus
from local.stack.gateway import Gateway
from local.stack.pipe import Pipe
from local.stack.queues import utc_now
from local.stack.scheduler import Scheduler
from local.stack.template import Template


class Background:
    """All of it, for the API that `gateway` serves; nothing moves but in `turn`.

    `dynamodb` and `streams` are clients of the table's DynamoDB and of its streams.
    """

    def __init__(
        self,
        template: Template,
        gateway: Gateway,
        dynamodb: Any,
        streams: Any,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        invoke, queues = gateway.invoke, gateway.queues
        queues.now = now
        self.queues = queues
        self.bus = Bus(template, invoke, queues, now)
        self.pipe = Pipe(template, dynamodb, streams, invoke, self.bus, queues)
        self.scheduler = Scheduler(template, invoke, queues, now)

    def turn(self) -> int:
        """Do what is due behind the API, once; how many things that were."""
        return self.queues.drain() + self.scheduler.run_due() + self.pipe.carry()
