"""What a conversation uses of AWS, counted in one that is played, and what that costs.

The prices are in prices.json, with their date: edit them there. Telnyx's own are not in it.
"""

import io
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import boto3
from rich.console import Console

from local import demo
from local.bench.goals import Figure
from local.client import Client
from local.handlers import HandlersInProcess, Invoke
from local.logs import Logs
from local.stack import LocalStack, Options
from local.template import Function, Template

PRICES: dict[str, Any] = json.loads(Path(__file__).with_name("prices.json").read_text())
CONVERSATIONS = 1000
MINUTES_A_MONTH = 30 * 24 * 60
WRITES = {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"}
LOG_LINE_BYTES = 26
"""What CloudWatch adds to each log line's own size."""

_running: ContextVar[str | None] = ContextVar("running", default=None)


class Meter:
    """Counts, for each function (its folder), what it uses; the demo's own looking on is left out.

    `used` has invocations, seconds of memory, round trips, and units of the table.
    """

    def __init__(self) -> None:
        self.used: dict[str, Counter[str]] = {}

    @contextmanager
    def metered(
        self, template: Template, environment: Mapping[str, str], logs: Logs
    ) -> Iterator[Invoke]:
        """Run the handlers in this process with the meter on (a Runner, see `local.stack`)."""
        invoke = HandlersInProcess(template.functions.values(), environment)
        from partyline.wiring import Wiring, install  # noqa: PLC0415

        client = boto3.client("dynamodb", endpoint_url=environment["AWS_ENDPOINT_URL"])
        # Its answer takes the place of the parameters, which the stubs don't know.
        client.meta.events.register("provide-client-params.dynamodb", _ask_for_capacity)  # type: ignore[arg-type]
        client.meta.events.register("after-call.dynamodb", self._add_capacity)
        install(Wiring(dynamodb=client))

        def counted(function: Function, event: dict[str, Any]) -> Any:
            token, began = _running.set(function.folder), time.perf_counter()
            try:
                return invoke(function, event)
            finally:
                secs = time.perf_counter() - began
                used = self.used.setdefault(function.folder, Counter())
                used["invocations"] += 1
                used["gb_seconds"] += secs * function.memory_mb / 1024  # type: ignore[assignment]
                _running.reset(token)

        with logs.taken():
            try:
                yield counted
            finally:
                install(None)

    def total(self, what: str) -> float:
        """The sum over all functions but those that only read for the demo's own curiosity."""
        looked_on = {"get_conversation", "get_timeline", "list_conversations"}
        return sum(used[what] for name, used in self.used.items() if name not in looked_on)

    def _add_capacity(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        consumed = parsed.get("ConsumedCapacity") or []
        units = consumed if isinstance(consumed, list) else [consumed]
        used = self.used.setdefault(_running.get() or "", Counter())
        kind = "writes" if model.name in WRITES else "reads"
        used[kind] += sum(each["CapacityUnits"] for each in units)
        used["trips"] += 1


def _ask_for_capacity(params: dict[str, Any], **_: Any) -> dict[str, Any]:
    return {**params, "ReturnConsumedCapacity": "TOTAL"}


def usage() -> list[Figure]:
    """Play one conversation with two guests, and one run of the sweep over nothing."""
    meter = Meter()
    with LocalStack(Options(simulator=demo.settings()), meter.metered) as stack:
        if stack.simulator is None:
            raise RuntimeError("the simulator is needed")
        stack.sweep()
        swept = meter.used.pop("sweep")
        telnyx, client = stack.simulator.simulator, Client(stack.url, Options().api_key)
        for person in demo.PEOPLE:
            telnyx.set_person(person)
        stage = demo.Demo(stack.url, client, telnyx, stack.logs.lines, Console(file=io.StringIO()))
        demo.outbound(stage)
        client.close()
        asked = len(telnyx.ledger)
        lines = [json.dumps(line) for line in stack.logs.lines()]
    requests = meter.total("invocations")
    gb = sum(len(line) + LOG_LINE_BYTES for line in lines) / 1e9
    conversation = (
        requests * (PRICES["lambda_request"] + PRICES["http_api_request"])
        + meter.total("gb_seconds") * PRICES["lambda_gb_second_arm64"]
        + meter.total("writes") * PRICES["dynamodb_write_unit"]
        + meter.total("reads") * PRICES["dynamodb_read_unit"]
        + gb * PRICES["logs_gb"]
    )
    idle = 2 * PRICES["secret_month"] + MINUTES_A_MONTH * (
        PRICES["lambda_request"]
        + swept["gb_seconds"] * PRICES["lambda_gb_second_arm64"]
        + swept["reads"] * PRICES["dynamodb_read_unit"]
    )
    money = f"{PRICES['currency']}, prices of {PRICES['as_of']} in {PRICES['region']}"
    return [
        Figure("a conversation with two guests: requests to our functions", requests, unit=""),
        Figure("  requests to Telnyx", asked, unit=""),
        Figure("  round trips to the table", meter.total("trips"), unit=""),
        Figure("  write units", meter.total("writes"), unit=""),
        Figure("  read units", meter.total("reads"), unit=""),
        Figure("  memory, as measured here", meter.total("gb_seconds"), unit="GB s"),
        Figure("  log", gb * 1e6, unit="KB"),
        Figure(f"{CONVERSATIONS} such conversations", conversation * CONVERSATIONS, unit=money),
        Figure(
            "a month in which nobody calls: read units", swept["reads"] * MINUTES_A_MONTH, unit=""
        ),
        Figure("  in all, alarms and dashboard left out", idle, unit=money),
    ]
