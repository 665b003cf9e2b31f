"""Observers of the gateway, the table, the log, the bus and the failover queue.

An observer puts the traffic on the page's hub and does not change the traffic.
"""

import itertools
import json
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.room.hub import Hub
from local.stack.background import Background
from local.stack.event_bus import BusEvent
from local.stack.handlers import Invoke
from local.stack.logs import Line
from local.stack.stream_mapping import Record
from local.stack.template import Function

Json = dict[str, Any]

WEBHOOK_PATHS = ("/webhooks", "/failover")
"""The paths that Telnyx sends webhooks to."""

CALL_HEADER = b"x-telnyx-call-control-id"
"""Names the call of a tool request when the body has no call."""

FAILOVER = "failover"
"""The folder of the function that gets the failover queue's webhooks."""


class Observer:
    """Base: puts numbered facts on the hub."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._numbers = itertools.count(1)

    def _put(self, kind: str, prefix: str, fact: Any) -> None:
        """Put a fact of a kind, with the prefix and the next number as its key."""
        self._hub.put(kind, f"{prefix}{next(self._numbers):06d}", fact)


class WireObserver(Observer):
    """In front of the gateway: observes webhooks, tool calls and other requests except GET."""

    def __init__(self, app: ASGIApp, hub: Hub) -> None:
        super().__init__(hub)
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request and its answer on, then put both on the hub."""
        if scope["type"] != "http" or scope["method"] == "GET":
            await self._app(scope, receive, send)
            return
        request_body, response_body = bytearray(), bytearray()
        status: int | None = None

        async def observed_receive() -> Message:
            message = await receive()
            request_body.extend(message.get("body", b""))
            return message

        async def observed_send(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            response_body.extend(message.get("body", b""))
            await send(message)

        headers = dict(scope["headers"])
        number = next(self._numbers)
        at, began = timestamp_now(), time.perf_counter()
        try:
            await self._app(scope, observed_receive, observed_send)
        finally:
            fact = {
                "at": at,
                "took_ms": elapsed_ms(began),
                "method": scope["method"],
                "path": scope["path"],
                "body": parse_body(bytes(request_body)),
                "call_control_id": headers.get(CALL_HEADER, b"").decode("latin-1") or None,
                "status": status,
                "answer": parse_body(bytes(response_body)),
            }
            webhook = scope["path"].startswith(WEBHOOK_PATHS)
            self._hub.put("webhook" if webhook else "request", f"w{number:06d}", fact)


class TableObserver(Observer):
    """On the table's client: observes each transaction, its rows and its cancellation reasons.

    `on_write` is called after each successful transaction, `on_change` with the conversations of
    that transaction.
    """

    def __init__(
        self, hub: Hub, on_write: Callable[[], None], on_change: Callable[[Iterable[str]], None]
    ) -> None:
        super().__init__(hub)
        self._on_write = on_write
        self._on_change = on_change

    def attach(self, client: Any) -> Callable[[], None]:
        """Observe a DynamoDB client through botocore's events; returns a function that stops."""
        events = client.meta.events
        handlers: dict[str, Callable[..., None]] = {
            "provide-client-params.dynamodb.TransactWriteItems": self._requested,
            "after-call.dynamodb.TransactWriteItems": self._answered,
        }
        for name, handler in handlers.items():
            events.register(name, handler)

        def detach() -> None:
            for name, handler in handlers.items():
                events.unregister(name, handler)

        return detach

    def _requested(self, params: Json, context: Json, **_: Any) -> None:
        context["partyline"] = (timestamp_now(), time.perf_counter(), params["TransactItems"])

    def _answered(self, parsed: Json, context: Json, **_: Any) -> None:
        at, began, items = context["partyline"]
        fact = {"at": at, "took_ms": elapsed_ms(began), **describe_transaction(items)}
        reasons = [reason.get("Code", "None") for reason in parsed.get("CancellationReasons", [])]
        error = parsed.get("Error")
        fact["reasons"] = (reasons or [error.get("Code")]) if error else None
        self._put("transaction", "t", fact)
        if not error:
            self._on_change([fact["conversation"]] if fact["conversation"] else [])
            self._on_write()


def describe_transaction(items: list[Json]) -> Json:
    """Return the state, the events and the dedupe key that a transaction writes."""
    rows = [item["Put"]["Item"] for item in items if "Put" in item]
    state = next((row for row in rows if row["sk"]["S"] == "STATE"), None)
    events = [json.loads(row["event"]["S"]) for row in rows if "event" in row]
    dedupe = next((row for row in rows if row["sk"]["S"].startswith(("DEDUPE#", "REQUEST"))), None)
    return {
        "conversation": state and state["pk"]["S"].partition("#")[2],
        "version": state and int(state["version"]["N"]),
        "document": state and json.loads(state["document"]["S"]),
        "events": events,
        "dedupe_key": dedupe and (dedupe["sk"]["S"].partition("#")[2] or dedupe["pk"]["S"]),
        "keys": [f"{row['pk']['S']} {row['sk']['S']}" for row in rows],
    }


class LogObserver(Observer):
    """Observes the functions' log."""

    def __call__(self, line: Line) -> None:
        """Put a line on the hub."""
        self._put("log", "l", line)


class BusObserver(Observer):
    """Observes the events on the bus, and the dead letters of the way from the table to the bus."""

    def attach(self, background: Background) -> None:
        """Observe from now on."""
        background.bus.follow(self._published)
        background.stream_mapping.follow(self._dead)

    def _published(self, event: BusEvent) -> None:
        self._put("published", "p", {"at": timestamp_now(), "event": event, "dead": False})

    def _dead(self, record: Record) -> None:
        # The record never became a bus event: its row in the table has the data.
        row = record["dynamodb"]["NewImage"]
        detail = {"conversation_id": row["conversation_id"]["S"], **json.loads(row["event"]["S"])}
        event = {"detail-type": detail["type"], "detail": detail}
        self._put("published", "p", {"at": timestamp_now(), "event": event, "dead": True})


class QueueObserver(Observer):
    """Around the functions: observes each webhook that the failover function gets."""

    def __init__(self, invoke: Invoke, hub: Hub) -> None:
        super().__init__(hub)
        self._invoke = invoke

    def __call__(self, function: Function, event: Any) -> Any:
        """Run a function. For the failover function, put each webhook and its result on the hub."""
        if function.folder != FAILOVER:
            return self._invoke(function, event)
        at, began = timestamp_now(), time.perf_counter()
        failed = {record["messageId"] for record in event["Records"]}
        try:
            answer = self._invoke(function, event)
            failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
            return answer
        finally:
            for record in event["Records"]:
                fact = {
                    "at": at,
                    "took_ms": elapsed_ms(began),
                    "body": parse_body(record["body"].encode()),
                    "received": int(record["attributes"]["ApproximateReceiveCount"]),
                    "taken_in": record["messageId"] not in failed,
                }
                self._put("queued", "q", fact)


class OwnObserver(Observer):
    """Observes what the people say and press, which their own phones do not hear."""

    def __call__(self, call: str, do: str, text: str) -> None:
        """Put the words or digits of a person on the hub."""
        self._put("own", "w", {"at": timestamp_now(), "call": call, "do": do, "text": text})


class CrashObserver(Observer):
    """Observes the functions that crash because the user switched a fault on."""

    def __call__(self, folder: str) -> None:
        """Put a crash on the hub, with the time of the crash."""
        self._put("crash", "h", {"at": timestamp_now(), "function": folder})


def parse_body(body: bytes) -> Any:
    """Parse a body as JSON; another body is returned as text."""
    text = body.decode("utf-8", "replace")
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


def timestamp_now() -> str:
    """Return the present time in the format of a fact."""
    return datetime.now(UTC).isoformat()


def elapsed_ms(began: float) -> float:
    """Return the milliseconds since a `time.perf_counter()`."""
    return round((time.perf_counter() - began) * 1000, 1)
