"""The parts of the stack that run without a request: queues, table stream, bus rules, schedules."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from starlette.applications import Starlette

from local.stack import sqs_api
from local.stack.event_bus import Bus, invoke_async
from local.stack.gateway import Gateway
from local.stack.queues import utc_now
from local.stack.scheduler import Scheduler
from local.stack.stream_mapping import EVENT_RELAY, StreamMapping, stream_mappings
from local.stack.template import Template


class Background:
    """The background parts of the API that `gateway` serves. They run only during `turn`.

    `dynamodb` and `streams` are clients of the table's DynamoDB and of its streams. `app` is the
    HTTP API of EventBridge, EventBridge Scheduler and SQS, for `local.serving.serve`.
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
        call_async = partial(invoke_async, template, invoke, queues)
        self.bus = Bus(template, call_async, now)
        clients = dynamodb, streams
        self._mappings = {
            name: StreamMapping(template, *clients, invoke, queues, name)
            for name in stream_mappings(template)
        }
        self.stream_mapping = self._mappings[EVENT_RELAY]
        self.scheduler = Scheduler(call_async, now)
        self.app = Starlette(
            routes=[*self.bus.routes, *self.scheduler.routes, *sqs_api.routes(queues)]
        )

    def turn(self) -> int:
        """Do the work that is due, once; return the number of records, events and so on."""
        records = sum(mapping.poll() for mapping in self._mappings.values())
        return records + self.bus.run_due() + self.queues.drain() + self.scheduler.run_due()

    @staticmethod
    def environment(url: str) -> dict[str, str]:
        """Return the variables that send a function's AWS clients to `app`, served at `url`."""
        return {
            "AWS_ENDPOINT_URL_EVENTBRIDGE": url,
            "AWS_ENDPOINT_URL_SCHEDULER": url,
            "AWS_ENDPOINT_URL_SQS": f"{url}{sqs_api.PATH}",
        }
