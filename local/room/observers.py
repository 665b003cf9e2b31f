"""Where the page's facts come from: what really went over the wires, into the table, into the log.

Each tap stands beside the traffic and changes nothing of it.
"""

import itertools
import json
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.room.hub import Hub
from local.stack.logs import Line

Json = dict[str, Any]

WEBHOOK_PATHS = ("/webhooks", "/failover")
"""Where Telnyx's webhooks come in."""

CALL_HEADER = b"x-telnyx-call-control-id"
"""Names the call that an assistant uses a tool on, where the body does not."""


class WireObserver:
    """In front of the gateway: every webhook, tool call and request that changes something."""

    def __init__(self, app: ASGIApp, hub: Hub) -> None:
        """Stand in front of `app`."""
        self._app = app
        self._hub = hub
        self._count = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, and tell what was."""
        if scope["type"] != "http" or scope["method"] == "GET":
            await self._app(scope, receive, send)
            return
        asked, answered = bytearray(), bytearray()
        status: int | None = None

        async def hear() -> Message:
            message = await receive()
            asked.extend(message.get("body", b""))
            return message

        async def say(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            answered.extend(message.get("body", b""))
            await send(message)

        headers = dict(scope["headers"])
        number = next(self._count)
        at, began = timestamp_now(), time.perf_counter()
        try:
            await self._app(scope, hear, say)
        finally:
            fact = {
                "at": at,
                "took_ms": elapsed_ms(began),
                "method": scope["method"],
                "path": scope["path"],
                "body": parse_body(bytes(asked)),
                "call_control_id": headers.get(CALL_HEADER, b"").decode("latin-1") or None,
                "status": status,
                "answer": parse_body(bytes(answered)),
            }
            webhook = scope["path"].startswith(WEBHOOK_PATHS)
            self._hub.put("webhook" if webhook else "request", f"w{number:06d}", fact)


class TableObserver:
    """On the table's client: every transaction, what it wrote or why it did not.

    `wrote` is called when the table has taken one, `moved` with the conversations that it is about.
    """

    def __init__(
        self, hub: Hub, wrote: Callable[[], None], moved: Callable[[Iterable[str]], None]
    ) -> None:
        """Keep whom to tell."""
        self._hub = hub
        self._wrote = wrote
        self._moved = moved
        self._count = itertools.count(1)

    def attach(self, client: Any) -> Callable[[], None]:
        """Listen on a DynamoDB client (botocore's own events); call what it returns to stop."""
        events = client.meta.events
        ears: dict[str, Callable[..., None]] = {
            "provide-client-params.dynamodb.TransactWriteItems": self._asked,
            "after-call.dynamodb.TransactWriteItems": self._answered,
        }
        for name, ear in ears.items():
            events.register(name, ear)

        def detach() -> None:
            for name, ear in ears.items():
                events.unregister(name, ear)

        return detach

    def _asked(self, params: Json, context: Json, **_: Any) -> None:
        context["partyline"] = (timestamp_now(), time.perf_counter(), params["TransactItems"])

    def _answered(self, parsed: Json, context: Json, **_: Any) -> None:
        at, began, items = context["partyline"]
        fact = {
            "at": at,
            "took_ms": elapsed_ms(began),
            **describe_transaction(items),
            "reasons": None,
        }
        if parsed.get("Error"):
            fact["reasons"] = [
                each.get("Code", "None") for each in parsed.get("CancellationReasons", [])
            ] or [parsed["Error"].get("Code")]
        self._hub.put("transaction", f"t{next(self._count):06d}", fact)
        if fact["reasons"] is None:
            self._moved([fact["conversation"]] if fact["conversation"] else [])
            self._wrote()


def describe_transaction(items: list[Json]) -> Json:
    """What a transaction is about: the state, the events and the mark that it wants to write."""
    rows = [each["Put"]["Item"] for each in items if "Put" in each]
    state = next((row for row in rows if row["sk"]["S"] == "STATE"), None)
    events = [json.loads(row["event"]["S"]) for row in rows if "event" in row]
    inbox = next((row for row in rows if row["sk"]["S"].startswith(("DEDUPE#", "REQUEST"))), None)
    return {
        "conversation": state and state["pk"]["S"].partition("#")[2],
        "version": state and int(state["version"]["N"]),
        "document": state and json.loads(state["document"]["S"]),
        "events": events,
        "inbox": inbox and (inbox["sk"]["S"].partition("#")[2] or inbox["pk"]["S"]),
        "keys": [f"{row['pk']['S']} {row['sk']['S']}" for row in rows],
    }


class LogObserver:
    """The functions' log, line by line."""

    def __init__(self, hub: Hub) -> None:
        """Keep where it goes."""
        self._hub = hub
        self._count = itertools.count(1)

    def __call__(self, line: Line) -> None:
        """Tell a line."""
        self._hub.put("log", f"l{next(self._count):06d}", line)


def parse_body(body: bytes) -> Any:
    """A body as JSON, else as the text that it is."""
    text = body.decode("utf-8", "replace")
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


def timestamp_now() -> str:
    """This moment, as a fact has it."""
    return datetime.now(UTC).isoformat()


def elapsed_ms(began: float) -> float:
    """Milliseconds since a `time.perf_counter()`."""
    return round((time.perf_counter() - began) * 1000, 1)
