"""From a webhook in to the Telnyx request out, in a process that is warm.

Against a bare handler that does the least that such a handler must: it checks the signature, writes
one item, and posts once. Both use the same clients; the request counts as out when it is handed to
the transport, so what the network and Telnyx take is in neither.
"""

import base64
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from statistics import median
from typing import Any

import httpx
from nacl.signing import VerifyKey

from local.bench.goals import Figure
from local.handlers import LambdaContext
from local.samples import signed
from local.stack import LocalStack

GOAL_BARE = 1.5
GOAL_READS = 2
GOAL_FLAT = 1.25
SIZES = (1, 10, 100, 1000)
OTHER_ROWS = 4
"""What a first step writes beside the state: its mark against doubles, two pointers, an event."""

ROUTE = "POST /webhooks/call.initiated"

Answer = dict[str, Any]


@dataclass
class Watched:
    """A Telnyx that says yes and notes when, and a count of the table's round trips."""

    left_at: float = 0.0
    sent: int = 0
    trips: int = 0
    trips_when_it_left: int = 0
    transport: httpx.MockTransport = field(init=False)

    def __post_init__(self) -> None:
        self.transport = httpx.MockTransport(self._say_yes)

    def count(self, **_: Any) -> None:
        """Count a round trip to the table."""
        self.trips += 1

    def begin(self) -> float:
        """Start anew; answers the moment."""
        self.left_at, self.sent, self.trips = 0.0, 0, 0
        return time.perf_counter()

    def _say_yes(self, _: httpx.Request) -> httpx.Response:
        if not self.sent:
            self.left_at = time.perf_counter()
            self.trips_when_it_left = self.trips
        self.sent += 1
        return httpx.Response(200, json={"data": {"result": "ok"}})


class WarmBench:
    """Rings our number again and again, in a stack whose handlers run in this process."""

    def __init__(self, stack: LocalStack) -> None:
        # The stack has put the layer on the path.
        from partyline.wiring import Wiring, aws_client, install  # noqa: PLC0415

        self._watched = Watched()
        self._table = stack.template.table.name
        self._client = aws_client("dynamodb")
        self._client.meta.events.register("before-send.dynamodb", self._watched.count)
        # The wiring's own client has the API key, so that no secret is read in what is measured.
        install(Wiring(dynamodb=self._client, telnyx_transport=self._watched.transport))
        [self._route] = [route for route in stack.template.routes if route.key == ROUTE]
        function = stack.template.functions[self._route.function]
        self._handler = import_module(f"functions.{function.folder}.app").handler
        self._context = LambdaContext(function.logical_id, function.memory_mb, 10)
        keys = function.environment["TELNYX_PUBLIC_KEYS"].split(",")
        self._key = VerifyKey(base64.b64decode(keys[0]))
        self._http = httpx.Client(transport=self._watched.transport)

    def ring(self) -> Answer:
        """An event: somebody rings our number, in a call that is new."""
        new = str(uuid.uuid4())
        return signed(
            self._route,
            [
                "payload.direction=incoming",
                "payload.client_state=null",
                f"payload.call_control_id=v3:{new}",
                f"payload.call_leg_id={new}",
                f"payload.call_session_id={new}",
            ],
        )

    def ours(self, event: Answer) -> Answer:
        """The handler that is deployed."""
        answer: Answer = self._handler(event, self._context)
        return answer

    def bare(self, event: Answer) -> Answer:
        """The least that such a handler must do."""
        return self._by_hand(event, self._put)

    def careful(self, event: Answer) -> Answer:
        """The same with a read and a transaction: a doubled webhook then does nothing twice."""
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

    def time(self, handler: Callable[[Answer], Answer]) -> float:
        """Milliseconds from the webhook to the request that leaves."""
        event = self.ring()
        began = self._watched.begin()
        answer = handler(event)
        if answer["statusCode"] != 200 or not self._watched.sent:
            raise RuntimeError(f"nothing was asked of Telnyx: {answer}")
        return (self._watched.left_at - began) * 1000

    def times(self, rounds: int) -> tuple[float, float, float]:
        """The medians of ours, the bare and the careful handler, measured in turns."""
        handlers = (self.ours, self.bare, self.careful)
        turns = [[self.time(each) for each in handlers] for _ in range(rounds)]
        ours, bare, careful = (median(column) for column in zip(*turns, strict=True))
        return ours, bare, careful

    def figures(self, rounds: int, sizes: tuple[int, ...] = SIZES) -> list[Figure]:
        """Measure with so many conversations going on as `sizes` say."""
        self.times(20)
        going_on, measured = 20, {}
        for size in sizes:
            while going_on < size:
                self.ours(self.ring())
                going_on += 1
            measured[size] = self.times(rounds)
            going_on += rounds
        self.time(self.ours)
        trips, sent = self._watched.trips_when_it_left, self._watched.sent
        ours, bare, careful = measured[sizes[0]]
        most, most_bare, _ = measured[sizes[-1]]
        return [
            Figure("webhook in to request out, against a bare handler", ours / bare, GOAL_BARE),
            Figure("  against one that reads and writes as often, by hand", ours / careful),
            Figure("  ours in milliseconds", ours, unit="ms"),
            Figure("round trips to the table before the request", trips, GOAL_READS, "trips"),
            Figure("requests to Telnyx for the webhook", sent, unit="requests"),
            *(
                Figure(f"  with {size} conversations going on", mine / its)
                for size, (mine, its, _) in measured.items()
            ),
            Figure(f"growth from {sizes[0]} to {sizes[-1]}: ours", most / ours),
            Figure("  the bare handler's, which is the embedded AWS's own", most_bare / bare),
            Figure("  ours without that", (most / ours) / (most_bare / bare), GOAL_FLAT),
        ]


def _item(call: str, sort: str, body: str) -> Answer:
    return {"pk": {"S": f"BARE#{call}"}, "sk": {"S": sort}, "body": {"S": body}}
