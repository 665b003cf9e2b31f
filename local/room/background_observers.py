"""What happens without a request: events on the bus, and webhooks out of the failover queue.

As the other taps, these stand beside the traffic and change nothing of it.
"""

import itertools
import json
import time
from typing import Any

from local.room.hub import Hub
from local.room.observers import Json, elapsed_ms, parse_body, timestamp_now
from local.stack.background import Background
from local.stack.event_bus import BusEvent
from local.stack.handlers import Invoke
from local.stack.pipe import Record
from local.stack.template import Function

FAILOVER = "failover"
"""The folder of the function that the failover queue's webhooks go to."""


class BusObserver:
    """On the bus and on the pipe that leads there: what came out, and what never will."""

    def __init__(self, hub: Hub) -> None:
        """Keep where it goes."""
        self._hub = hub
        self._count = itertools.count(1)

    def attach(self, behind: Background) -> None:
        """Listen from now on."""
        behind.bus.follow(self._published)
        behind.pipe.follow(self._dead)

    def _published(self, event: BusEvent) -> None:
        self._put({"event": event, "dead": False})

    def _dead(self, record: Record) -> None:
        # It never became a bus event, so this is what the table has of it.
        row = record["dynamodb"]["NewImage"]
        detail = {
            "conversation_id": row["conversation_id"]["S"],
            **json.loads(row["event"]["S"]),
        }
        self._put({"event": {"detail-type": detail["type"], "detail": detail}, "dead": True})

    def _put(self, fact: Json) -> None:
        self._hub.put("published", f"p{next(self._count):06d}", {"at": timestamp_now(), **fact})


class QueueObserver:
    """Around the functions: what the failover queue gives to its own, webhook by webhook."""

    def __init__(self, invoke: Invoke, hub: Hub) -> None:
        """Run functions with `invoke`."""
        self._invoke = invoke
        self._hub = hub
        self._count = itertools.count(1)

    def __call__(self, function: Function, event: Any) -> Any:
        """Run a function; tell what it took in and what has to come again."""
        if function.folder != FAILOVER:
            return self._invoke(function, event)
        at, began = timestamp_now(), time.perf_counter()
        left = {each["messageId"] for each in event["Records"]}
        try:
            answer = self._invoke(function, event)
            left = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
            return answer
        finally:
            for record in event["Records"]:
                fact = {
                    "at": at,
                    "took_ms": elapsed_ms(began),
                    "body": parse_body(record["body"].encode()),
                    "received": int(record["attributes"]["ApproximateReceiveCount"]),
                    "taken_in": record["messageId"] not in left,
                }
                self._hub.put("queued", f"q{next(self._count):06d}", fact)
