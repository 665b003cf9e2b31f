"""The template's event bus on this machine: rules, functions behind them, and whoever listens.

Patterns are matched by moto, whose matcher follows EventBridge's own. What isn't on this machine
(an API destination) is not called.
"""

import json
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moto.events.models import EventPattern

from local.stack.handlers import Invoke
from local.stack.intrinsics import ACCOUNT_ID, REGION
from local.stack.queues import Queues, utc_now
from local.stack.template import Template, function_of

RETRIES = 2
"""How often Lambda tries again what a function that was called asynchronously failed at."""

BusEvent = dict[str, Any]
"""An event as consumers get it: `source`, `detail-type`, `detail` and what EventBridge adds."""


@dataclass(frozen=True)
class Rule:
    """A rule with a function behind it."""

    name: str
    pattern: str
    function: str


def matches(pattern: str | Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether an event pattern, as rules and pipes have it, takes an event."""
    text = pattern if isinstance(pattern, str) else json.dumps(pattern)
    return bool(EventPattern.load(text).matches_event(dict(event)))  # type: ignore[arg-type]


class Bus:
    """The bus; `now` is the time. `follow` names somebody to be told each event, in any thread."""

    def __init__(
        self,
        template: Template,
        invoke: Invoke,
        queues: Queues,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._template = template
        self._invoke = invoke
        self._queues = queues
        self._now = now
        self._rules = tuple(_rules(template))
        self._followers: list[Callable[[BusEvent], object]] = []
        self._lock = threading.Lock()

    def follow(self, follower: Callable[[BusEvent], object]) -> None:
        """Tell `follower` each event from now on."""
        self._followers.append(follower)

    def put(self, source: str, detail_type: str, detail: Any, event_id: str | None = None) -> str:
        """Put an event on the bus and give it to whom its rules name; its id."""
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
        with self._lock:  # one after the other, as they came
            for follower in self._followers:
                follower(event)
        for rule in self._rules:
            if matches(rule.pattern, event):
                call_later(self._template, self._invoke, self._queues, rule.function, event)
        return str(event["id"])


def call_later(
    template: Template, invoke: Invoke, queues: Queues, function: str, event: Mapping[str, Any]
) -> None:
    """Call a function as Lambda does for those who don't wait for its answer.

    It is tried again when it fails, at once here, and then goes where the function's
    EventInvokeConfig says, in the shape of Lambda's own record.
    """
    for _ in range(1 + RETRIES):
        try:
            invoke(template.functions[function], dict(event))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
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
    rules = []
    for logical_id, resource in template.of_type("AWS::Events::Rule"):
        properties = template.resolver.resolve(resource["Properties"])
        for target in properties["Targets"]:
            if ":function:" in target["Arn"]:
                pattern = json.dumps(properties["EventPattern"])
                rules.append(Rule(logical_id, pattern, function_of(target["Arn"])))
    return rules


def _on_failure(template: Template, function: str) -> str | None:
    for _, resource in template.of_type("AWS::Lambda::EventInvokeConfig"):
        properties = template.resolver.resolve(resource["Properties"])
        if properties["FunctionName"] == function:
            return str(properties["DestinationConfig"]["OnFailure"]["Destination"])
    return None
