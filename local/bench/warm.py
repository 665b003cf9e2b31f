"""Measures the time from a webhook to the request to Telnyx, in a warm process.

The comparison is a bare handler with the minimum of work: check the signature, write an item, send
a request. Both handlers use the same clients. The time ends when the transport gets the request,
so the time of the network and of Telnyx is not included. The rows of a measured webhook are deleted
again, so the number of conversations is the same in every round.
"""

import base64
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from statistics import median
from typing import Any

import httpx
from nacl.signing import VerifyKey

from local.bench.goals import Figure
from local.stack.embedded_aws import SecretsInMemory
from local.stack.handlers import LambdaContext
from local.stack.local_stack import LocalStack, Options
from local.stack.sample_events import signed

GOAL_BARE = 1.5
GOAL_READS = 2
GOAL_FLAT = 1.25
SIZES = (1, 10, 100, 1000)
OTHER_ROWS = 4
"""The rows of a first step beside the state: a dedupe record, two pointers, an event."""

MAX_BATCH = 25
"""The maximum of rows in a batch of DynamoDB."""

ROUTE = "POST /webhooks/call.initiated"

Answer = dict[str, Any]
Row = dict[str, Any]


@dataclass(frozen=True)
class Measured:
    """Medians in milliseconds, and the maximum of our trips and requests in a round."""

    ours: float
    bare: float
    careful: float
    trips: int
    requests: int


@dataclass
class RecordingTelnyx:
    """A Telnyx that accepts requests. Records their times, the table's round trips and rows."""

    left_at: float = 0.0
    sent: int = 0
    trips: int = 0
    trips_before_request: int = 0
    rows: list[Row] = field(default_factory=list)
    transport: httpx.MockTransport = field(init=False)

    def __post_init__(self) -> None:
        self.transport = httpx.MockTransport(self._accept)

    def count(self, **_: Any) -> None:
        """Count a round trip to the table. A read in another thread runs beside a counted read."""
        self.trips += threading.current_thread() is threading.main_thread()

    def note(self, params: Answer, **_: Any) -> None:
        """Record the keys of the rows in a request."""
        puts = [item.get("Put", {}) for item in params.get("TransactItems", [params])]
        self.rows += [
            {name: put["Item"][name] for name in ("pk", "sk")} for put in puts if "Item" in put
        ]

    def begin(self) -> float:
        """Reset the records and return the present time."""
        self.left_at, self.sent, self.trips, self.rows = 0.0, 0, 0, []
        return time.perf_counter()

    def _accept(self, _: httpx.Request) -> httpx.Response:
        if not self.sent:
            self.left_at = time.perf_counter()
            self.trips_before_request = self.trips
        self.sent += 1
        return httpx.Response(200, json={"data": {"result": "ok"}})


class WarmBench:
    """Sends webhooks of inbound calls to a stack with its handlers in this process."""

    def __init__(self, stack: LocalStack) -> None:
        # The stack has put the layer on the path.
        from partyline.bootstrap import App, aws_client, override  # noqa: PLC0415

        self._telnyx = RecordingTelnyx()
        self._table = stack.template.table.name
        self._client = aws_client("dynamodb")
        self._client.meta.events.register("before-send.dynamodb", self._telnyx.count)
        self._client.meta.events.register("provide-client-params.dynamodb", self._telnyx.note)
        # The secrets are in memory, so the measured time has no read of a secret.
        secrets = SecretsInMemory(stack.template, Options().secrets())
        transport = self._telnyx.transport
        app = App(dynamodb=self._client, telnyx_transport=transport, secrets_client=secrets)
        # Some calls come from the same caller, and no call is to be refused.
        unlimited = {"max_conversations": 10**6, "max_calls_per_caller": 10**6}
        app.settings = app.settings.model_copy(update=unlimited)
        override(app)
        [self._route] = [route for route in stack.template.routes if route.key == ROUTE]
        function = stack.template.functions[self._route.function]
        self._handler = import_module(f"functions.{function.folder}.app").handler
        self._context = LambdaContext(function.logical_id, function.memory_mb, 10)
        keys = function.environment["TELNYX_PUBLIC_KEYS"].split(",")
        self._key = VerifyKey(base64.b64decode(keys[0]))
        self._http = httpx.Client(transport=self._telnyx.transport)

    def inbound_call_event(self) -> Answer:
        """Make the event of a new inbound call."""
        new = str(uuid.uuid4())
        caller = f"+1415555{int(new[:8], 16) % 10_000:04d}"
        return signed(
            self._route,
            [
                "payload.direction=incoming",
                "payload.client_state=null",
                f"payload.from={caller}",
                f"payload.call_control_id=v3:{new}",
                f"payload.call_leg_id={new}",
                f"payload.call_session_id={new}",
            ],
        )

    def ours(self, event: Answer) -> Answer:
        """Run the deployed handler."""
        answer: Answer = self._handler(event, self._context)
        return answer

    def bare(self, event: Answer) -> Answer:
        """Do the minimum of such a handler."""
        return self._by_hand(event, self._put)

    def careful(self, event: Answer) -> Answer:
        """Do the minimum with a read and a transaction, which make a duplicate webhook harmless."""
        return self._by_hand(event, self._read_and_put)

    def _put(self, item: Answer) -> None:
        self._client.put_item(TableName=self._table, Item=item)

    def _read_and_put(self, item: Answer) -> None:
        key = {"pk": item["pk"], "sk": item["sk"]}
        self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        condition = "attribute_not_exists(pk)"
        rows = [item, *(_item(item["pk"]["S"], f"{n}", "") for n in range(OTHER_ROWS))]
        self._client.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": self._table, "Item": row, "ConditionExpression": condition}}
                for row in rows
            ]
        )

    def _by_hand(self, event: Answer, write: Callable[[Answer], None]) -> Answer:
        body, headers = event["body"], event["headers"]
        message = f"{headers['telnyx-timestamp']}|{body}".encode()
        self._key.verify(message, base64.b64decode(headers["telnyx-signature-ed25519"]))
        call = json.loads(body)["data"]["payload"]["call_control_id"]
        write(_item(call, "STATE", body))
        url = f"http://telnyx.invalid/v2/calls/{call}/actions/answer"
        self._http.post(url, json={"command_id": str(uuid.uuid4())})
        return {"statusCode": 200}

    def time_handler(self, handler: Callable[[Answer], Answer]) -> float:
        """Return the milliseconds from the webhook to the request."""
        event = self.inbound_call_event()
        began = self._telnyx.begin()
        answer = handler(event)
        if answer["statusCode"] != 200 or not self._telnyx.sent:
            raise RuntimeError(f"no request was sent to Telnyx: {answer}")
        took = (self._telnyx.left_at - began) * 1000
        self._delete_rows(self._telnyx.rows)
        return took

    def measure(self, rounds: int) -> Measured:
        """Measure our handler, the bare and the careful handler in turns."""
        turns, trips, requests = [], 0, 0
        for _ in range(rounds):
            ours = self.time_handler(self.ours)
            trips = max(trips, self._telnyx.trips_before_request)
            requests = max(requests, self._telnyx.sent)
            turns.append((ours, self.time_handler(self.bare), self.time_handler(self.careful)))
        ours, bare, careful = (median(column) for column in zip(*turns, strict=True))
        return Measured(ours, bare, careful, trips, requests)

    def measure_at_sizes(
        self, rounds: int, sizes: tuple[int, ...]
    ) -> Iterator[tuple[int, Measured]]:
        """Measure with each number of active conversations in `sizes`, which ascend."""
        self.measure(20)  # warm
        going_on = 0
        for size in sizes:
            while going_on < size:
                self.ours(self.inbound_call_event())
                going_on += 1
            yield size, self.measure(rounds)

    def figures(self, rounds: int, sizes: tuple[int, ...] = SIZES) -> list[Figure]:
        """Return the figures that `make bench` prints."""
        measured = dict(self.measure_at_sizes(rounds, sizes))
        least, most = measured[sizes[0]], measured[sizes[-1]]
        growth, bare_growth = most.ours / least.ours, most.bare / least.bare
        figures = [
            Figure("webhook to request: ours / bare handler", least.ours / least.bare, GOAL_BARE),
            Figure("  with as many reads and writes", least.ours / least.careful),
            Figure("  ours in milliseconds", least.ours, unit="ms"),
        ]
        for size, result in measured.items():
            figures += [
                Figure(f"with {size} conversations going on", result.ours / result.bare),
                Figure("  round trips to the table first", result.trips, GOAL_READS, "trips"),
                Figure("  requests to Telnyx", result.requests, unit="requests"),
            ]
        return [
            *figures,
            Figure(f"growth from {sizes[0]} to {sizes[-1]}: ours", growth),
            Figure("  the bare handler's, which is the embedded AWS's own", bare_growth),
            Figure("  ours without that", growth / bare_growth, GOAL_FLAT),
        ]

    def _delete_rows(self, rows: list[Row]) -> None:
        """Delete the rows; a step writes some rows twice."""
        keys = {(row["pk"]["S"], row["sk"]["S"]): row for row in rows}
        requests = [{"DeleteRequest": {"Key": row}} for row in keys.values()]
        for begin in range(0, len(requests), MAX_BATCH):
            batch = requests[begin : begin + MAX_BATCH]
            self._client.batch_write_item(RequestItems={self._table: batch})


def _item(call: str, sort: str, body: str) -> Answer:
    return {"pk": {"S": f"BARE#{call}"}, "sk": {"S": sort}, "body": {"S": body}}
