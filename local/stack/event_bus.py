"""The template's event bus on this machine: its API, its rules, the functions behind them.

moto matches the patterns, as EventBridge does. API destinations are outside of this machine and are
not called.
"""

import json
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from queue import SimpleQueue
from typing import Any

from moto.events.models import EventPattern
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.stack.handlers import Invoke
from local.stack.intrinsics import ACCOUNT_ID, REGION
from local.stack.queues import Queues, utc_now
from local.stack.template import Template, function_of

RETRIES = 2
"""Lambda's retries of an asynchronous invocation that failed."""

MAX_ENTRIES, MAX_PUT_BYTES = 10, 256 * 1024
"""The limits of PutEvents (AWS: EventBridge quotas)."""

InvokeAsync = Callable[[str, Mapping[str, Any]], None]
"""Give an event to a function (its logical id). Its errors do not reach the caller."""

BusEvent = dict[str, Any]
"""An event as consumers get it: `source`, `detail-type`, `detail` and EventBridge's own fields."""


@dataclass(frozen=True)
class Rule:
    """A rule and its target, a function's logical id."""

    name: str
    pattern: str
    target: str


def matches(pattern: str | Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether an event pattern of a rule or of an event source mapping matches an event."""
    text = pattern if isinstance(pattern, str) else json.dumps(pattern)
    return bool(EventPattern.load(text).matches_event(dict(event)))  # type: ignore[arg-type]


class Bus:
    """The bus. `now` tells the time, `routes` are its HTTP API: PutEvents."""

    def __init__(
        self,
        template: Template,
        invoke_async: InvokeAsync,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._invoke_async = invoke_async
        self._now = now
        self._rules = tuple(_rules(template))
        [(logical_id, _)] = template.of_type("AWS::Events::EventBus")
        self._name = template.resolver.resolve({"Ref": logical_id})
        self._followers: list[Callable[[BusEvent], object]] = []
        self._lock = threading.Lock()
        self._waiting: SimpleQueue[tuple[str, BusEvent]] = SimpleQueue()
        self.routes = [Route("/", self._put_events, methods=["POST"])]

    def follow(self, follower: Callable[[BusEvent], object]) -> None:
        """Call `follower` with each event from now on, in any thread."""
        self._followers.append(follower)

    def put(self, source: str, detail_type: str, detail: Any, event_id: str | None = None) -> str:
        """Put an event on the bus, invoke the functions of matching rules, return its id."""
        event, functions = self._publish(source, detail_type, detail, event_id)
        for function in functions:
            self._invoke_async(function, event)
        return str(event["id"])

    def run_due(self) -> int:
        """Invoke the functions for the events that came by the API; return how many there were."""
        done = 0
        while not self._waiting.empty():
            self._invoke_async(*self._waiting.get())
            done += 1
        return done

    def _publish(
        self, source: str, detail_type: str, detail: Any, event_id: str | None = None
    ) -> tuple[BusEvent, list[str]]:
        """Show an event to the followers; return the event and the functions of matching rules."""
        event: BusEvent = {
            "version": "0",
            "id": event_id or str(uuid.uuid4()),
            "detail-type": detail_type,
            "source": source,
            "account": ACCOUNT_ID,
            "time": self._now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": REGION,
            "resources": [],
            "detail": json.loads(json.dumps(detail)),
        }
        with self._lock:  # followers get the events in their order
            for follower in self._followers:
                follower(event)
        return event, [rule.target for rule in self._rules if matches(rule.pattern, event)]

    async def _put_events(self, request: Request) -> Response:
        entries = (await request.json())["Entries"]
        sizes = [len((e["Source"] + e["DetailType"] + e["Detail"]).encode()) for e in entries]
        if len(entries) > MAX_ENTRIES or sum(sizes) >= MAX_PUT_BYTES:
            return _error("ValidationException", "too many entries, or too large")
        if {entry["EventBusName"] for entry in entries} != {self._name}:
            return _error("ResourceNotFoundException", f"there is no bus but {self._name}")
        # In a thread of its own: followers may wait.
        results = [await run_in_threadpool(self._put_entry, entry) for entry in entries]
        failed = sum("ErrorCode" in result for result in results)
        return JSONResponse({"FailedEntryCount": failed, "Entries": results})

    def _put_entry(self, entry: Mapping[str, str]) -> dict[str, str]:
        try:
            detail = json.loads(entry["Detail"])
        except ValueError:
            return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
        event, functions = self._publish(entry["Source"], entry["DetailType"], detail)
        # Not now: the caller, a function perhaps, does not wait for the functions of the rules.
        for function in functions:
            self._waiting.put((function, event))
        return {"EventId": str(event["id"])}


def _error(code: str, message: str) -> Response:
    return JSONResponse({"__type": code, "message": message}, 400)


def invoke_async(
    template: Template, invoke: Invoke, queues: Queues, function: str, event: Mapping[str, Any]
) -> None:
    """Invoke a function as Lambda does asynchronously.

    A failed invocation is repeated at once. When all attempts have failed, the event goes to the
    destination in the function's EventInvokeConfig, in the shape of Lambda's own record.
    """
    for _ in range(1 + RETRIES):
        try:
            invoke(template.functions[function], dict(event))
        except Exception as error:  # noqa: BLE001 - any error leads to a retry
            failure = {"errorType": type(error).__name__, "errorMessage": str(error)}
        else:
            return
    destination = _on_failure(template, function)
    if destination:
        record = {
            "version": "1.0",
            "requestContext": {"condition": "RetriesExhausted", "functionArn": function},
            "requestPayload": event,
            "responsePayload": failure,
        }
        queues.send(destination, json.dumps(record))


def _rules(template: Template) -> list[Rule]:
    return [
        Rule(logical_id, json.dumps(properties["EventPattern"]), function_of(target["Arn"]))
        for logical_id, properties in template.properties_of("AWS::Events::Rule")
        for target in properties["Targets"]
        if ":api-destination/" not in target["Arn"]
    ]


def _on_failure(template: Template, function: str) -> str | None:
    for _, properties in template.properties_of("AWS::Lambda::EventInvokeConfig"):
        if properties["FunctionName"] == function:
            return str(properties["DestinationConfig"]["OnFailure"]["Destination"])
    return None
