"""Counts the AWS usage of a conversation with two guests, and calculates the cost.

The prices and their date are in prices.json; edit prices there. Telnyx's prices are not included.
"""

import io
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any

import boto3
from rich.console import Console

from local.bench.goals import Figure
from local.client import Client
from local.demo import runner, scenarios
from local.demo.driver import Demo
from local.stack.embedded_aws import SecretsInMemory
from local.stack.handlers import Invoke
from local.stack.local_stack import LocalStack, Options, in_process
from local.stack.logs import Logs
from local.stack.template import Function, Template

PRICES: dict[str, Any] = json.loads(Path(__file__).with_name("prices.json").read_text())
CONVERSATIONS = 1000
MINUTES_A_MONTH = 30 * 24 * 60
WRITES = {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"}
LOG_LINE_BYTES = 26
"""CloudWatch adds these bytes to each log line."""

METRICS_BYTES = 450
"""The size of an invocation's line of metrics, which the local stack doesn't write."""

MINUTE_FUNCTIONS = ("sweep", "census", "erase")
"""The functions that run every minute, and alone in an idle month."""

MINUTE_METRICS = ("SweepFailed", "CensusFailed", "DeadLetters")
"""The metrics of an idle month, which show that sweep and census run."""

COUNTS_OF_DEAD_LETTERS_AN_HOUR = 12
"""The census counts the messages of every dead-letter queue, with a request for each."""

MAX_IDLE_MONTH = 5
"""The most that a month without calls may cost, in USD, after the allowances of every account."""

QUEUE_POLLS_A_MINUTE = 15
"""Lambda polls an empty queue with five pollers, each of which waits for 20 seconds."""

WATCHING = ("alarm_metric_month", "dashboard_month", "metric_month")
QUERY_FUNCTIONS = {"query"}

_running: ContextVar[str | None] = ContextVar("running", default=None)


class Meter:
    """Counts the usage of each function by folder. Totals leave out the demo's own queries.

    `used` has invocations, GB seconds, round trips, and units of the table.
    """

    def __init__(self) -> None:
        self.used: dict[str, Counter[str]] = {}

    @contextmanager
    def metered(
        self,
        template: Template,
        environment: Mapping[str, str],
        logs: Logs,
        secrets: Mapping[str, str],
    ) -> Iterator[Invoke]:
        """Run the handlers in this process with the meter on (a Runner)."""
        with in_process(template, environment, logs, secrets) as invoke:
            from partyline.bootstrap import App, override  # noqa: PLC0415

            client = boto3.client("dynamodb", endpoint_url=environment["AWS_ENDPOINT_URL"])
            # The handler's result replaces the parameters, which the stubs don't know.
            client.meta.events.register("provide-client-params.dynamodb", _ask_for_capacity)  # type: ignore[arg-type]
            client.meta.events.register("after-call.dynamodb", self._add_capacity)
            override(App(dynamodb=client, secrets_client=SecretsInMemory(template, secrets)))
            yield partial(self._count, invoke)

    def _count(self, invoke: Invoke, function: Function, event: dict[str, Any]) -> Any:
        """Run a function and count its invocation."""
        token, began = _running.set(function.folder), time.perf_counter()
        try:
            return invoke(function, event)
        finally:
            secs = time.perf_counter() - began
            used = self.used.setdefault(function.folder, Counter())
            used["invocations"] += 1
            used["gb_seconds"] += secs * function.memory_mb / 1024  # type: ignore[assignment]
            _running.reset(token)

    def total(self, unit: str) -> float:
        """Return the sum over all functions except the query functions."""
        return sum(used[unit] for name, used in self.used.items() if name not in QUERY_FUNCTIONS)

    def requests(self, template: Template) -> float:
        """Return the number of invocations that answered an API request."""
        routed = {template.functions[route.function].folder for route in template.routes}
        return sum(
            self.used[name]["invocations"] for name in routed & self.used.keys() - QUERY_FUNCTIONS
        )

    def _add_capacity(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        consumed = parsed.get("ConsumedCapacity") or []
        units = consumed if isinstance(consumed, list) else [consumed]
        used = self.used.setdefault(_running.get() or "", Counter())
        kind = "writes" if model.name in WRITES else "reads"
        used[kind] += sum(unit["CapacityUnits"] for unit in units)
        used["trips"] += 1


def _ask_for_capacity(params: dict[str, Any], **_: Any) -> dict[str, Any]:
    return {**params, "ReturnConsumedCapacity": "TOTAL"}


def usage() -> list[Figure]:
    """Measure a conversation with two guests, and a minute without conversations."""
    meter = Meter()
    with LocalStack(Options(simulator=runner.simulator_settings()), meter.metered) as stack:
        if stack.simulator is None:
            raise RuntimeError("the simulator is needed")
        stack.sweep()
        minute = sum((meter.used.pop(name) for name in MINUTE_FUNCTIONS), Counter[str]())
        telnyx, client = stack.simulator.simulator, Client(stack.url, stack.api_key)
        for person in scenarios.PEOPLE:
            telnyx.set_person(person)
        demo = Demo(stack.url, client, telnyx, stack.logs.lines, Console(file=io.StringIO()))
        scenarios.outbound(demo)
        [played] = client.ask("GET", "/conversations")["conversations"]
        events = len(client.timeline(played["id"]))
        client.close()
        asked, template = len(telnyx.ledger), stack.template
        lines = [json.dumps(line) for line in stack.logs.lines()]
    invocations = meter.total("invocations")
    logged = sum(len(line) + LOG_LINE_BYTES for line in lines) + invocations * METRICS_BYTES
    requests = meter.requests(template)
    conversation = {
        "lambda_request": invocations,
        "lambda_gb_second_arm64": meter.total("gb_seconds"),
        "http_api_request": requests,
        "xray_trace": requests,
        "dynamodb_write_unit": meter.total("writes"),
        "dynamodb_read_unit": meter.total("reads"),
        "bus_event": events,
        "logs_gb": logged / 1e9,
    }
    idle = idle_month(template, minute)
    watching = {name: idle[name] for name in WATCHING}
    total = CONVERSATIONS * _cost(conversation)
    money = f"{PRICES['currency']}, prices of {PRICES['as_of']} in {PRICES['region']}"
    charged = cost_beyond_free(idle)
    return [
        Figure("a conversation with two guests: requests to our API", requests, unit=""),
        Figure("  functions run", invocations, unit=""),
        Figure("  requests to Telnyx", asked, unit=""),
        Figure("  round trips to the table", meter.total("trips"), unit=""),
        Figure("  write units", meter.total("writes"), unit=""),
        Figure("  read units", meter.total("reads"), unit=""),
        Figure("  events", events, unit=""),
        Figure("  memory, as measured here", meter.total("gb_seconds"), unit="GB s"),
        Figure("  log", logged / 1e3, unit="KB"),
        Figure(f"{CONVERSATIONS} such conversations", total, unit=money),
        Figure("a month without calls", _cost(idle), unit=money),
        Figure("  of that, alarms, dashboard and metrics", _cost(watching), unit=money),
        Figure("  beyond what AWS always gives for nothing", charged, MAX_IDLE_MONTH, money),
    ]


def idle_month(template: Template, minute: Mapping[str, float]) -> dict[str, float]:
    """Return the usage of a month without calls. `minute` is the usage of an idle minute."""
    runs = MINUTES_A_MONTH * len(MINUTE_FUNCTIONS)
    return {
        "lambda_request": runs,
        "lambda_gb_second_arm64": MINUTES_A_MONTH * minute["gb_seconds"],
        "scheduler_invocation": runs,
        "xray_trace": MINUTES_A_MONTH * _traced(template),
        "sqs_request": MINUTES_A_MONTH * QUEUE_POLLS_A_MINUTE * queue_readers(template)
        + 30 * 24 * COUNTS_OF_DEAD_LETTERS_AN_HOUR * _dead_letter_queues(template),
        "dynamodb_read_unit": MINUTES_A_MONTH * minute["reads"],
        "logs_gb": runs * METRICS_BYTES / 1e9,
        "metric_month": len(MINUTE_METRICS),
        "alarm_metric_month": _alarm_metrics(template),
        "dashboard_month": _count(template, "AWS::CloudWatch::Dashboard"),
        "secret_month": _count(template, "AWS::SecretsManager::Secret"),
    }


def cost_beyond_free(used: Mapping[str, float]) -> float:
    """Return the cost of a month's usage after the allowances that each account always has."""
    free = PRICES["always_free"]
    return _cost({name: max(0, units - free.get(name, 0)) for name, units in used.items()})


def _cost(used: Mapping[str, float]) -> float:
    return float(sum(PRICES[name] * units for name, units in used.items()))


def _count(template: Template, kind: str) -> int:
    return len(list(template.of_type(kind)))


def queue_readers(template: Template) -> int:
    """Count the mappings on queues. Lambda's reading of a DynamoDB stream is free."""
    queues = {
        template.resolver.resolve({"Fn::GetAtt": [name, "Arn"]})
        for name, _ in template.of_type("AWS::SQS::Queue")
    }
    mappings = template.properties_of("AWS::Lambda::EventSourceMapping")
    return sum(mapping["EventSourceArn"] in queues for _, mapping in mappings)


def _traced(template: Template) -> int:
    """Count the functions of every minute whose invocations X-Ray traces."""
    functions = template.of_type("AWS::Lambda::Function")
    return sum(
        function["Properties"].get("TracingConfig") == {"Mode": "Active"}
        for name, function in functions
        if template.functions[name].folder in MINUTE_FUNCTIONS
    )


def _dead_letter_queues(template: Template) -> int:
    return sum(name.endswith("DeadLetters") for name, _ in template.of_type("AWS::SQS::Queue"))


def _alarm_metrics(template: Template) -> int:
    """Return the number of metrics in all alarms: an alarm's price depends on its metrics."""
    metric_counts = [
        sum("MetricStat" in metric for metric in alarm["Properties"].get("Metrics", ()))
        for _, alarm in template.of_type("AWS::CloudWatch::Alarm")
    ]
    return sum(metrics or 1 for metrics in metric_counts)
