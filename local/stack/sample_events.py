"""An event for every function: what Telnyx or a caller would send to one of its routes."""

import json
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from local.stack.http_api import HttpRequest, request_event
from local.stack.template import Route, Template
from local.webhook_fixtures import Signer, body_of, fixtures

ANY_EVENT = "call.hangup"
"""For the routes that take every type."""


def signed(route: Route, changes: Sequence[str] = ()) -> dict[str, Any]:
    """What Telnyx would send to a route: the fixture of its name or of any event, as a new one.

    `changes` are those of `local.webhook_fixtures.body_of`.
    """
    name = route.path.rpartition("/")[2]
    _, body = body_of(name if name in fixtures() else ANY_EVENT, changes)
    headers = list(Signer().headers(body).items())
    parameters = {"event_type": ANY_EVENT} if "{" in route.path else {}
    return request_event(HttpRequest("POST", route.path, "", headers, body), route, parameters)


def authorized(route: Route) -> dict[str, Any]:
    """A request that the authorizer let in, about something that isn't there."""
    names = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    body = b"" if route.method in {"GET", "DELETE"} else b"{}"
    headers = [("content-type", "application/json")]
    path = route.path.replace("{", "").replace("}", "")
    request = HttpRequest(route.method, path, "", headers, body)
    event = request_event(request, route, dict.fromkeys(names, "none-such"))
    event["requestContext"]["authorizer"] = {"lambda": {"key_id": "ops"}}
    return event


def queued() -> dict[str, Any]:
    """A batch of one webhook that waited in a queue, as Lambda takes it from SQS."""
    event_id, body = body_of(ANY_EVENT)
    headers = Signer().headers(body)
    record = {
        "messageId": event_id,
        "receiptHandle": "any",
        "body": body.decode(),
        "attributes": {"SentTimestamp": str(int(time.time() * 1000))},
        "messageAttributes": {
            name: {"stringValue": value, "dataType": "String"} for name, value in headers.items()
        },
        "eventSource": "aws:sqs",
    }
    return {"Records": [record]}


def streamed() -> list[dict[str, Any]]:
    """A batch of one event, as the pipe takes it from the table's stream."""
    # The stack has put the layer on the path.
    from partyline.domain.model.events import Event, EventType  # noqa: PLC0415

    event = Event(
        seq=1,
        type=EventType.CONVERSATION_ACTIVE,
        occurred_at=datetime.now(UTC),
        cause="any",
        data={},
    )
    image = {"conversation_id": {"S": "none-such"}, "event": {"S": event.model_dump_json()}}
    return [{"eventName": "INSERT", "dynamodb": {"NewImage": image}}]


def asked_for(rule: dict[str, Any]) -> dict[str, Any]:
    """An event on the bus that asks for a conversation, as the rule takes it."""
    pattern = rule["EventPattern"]
    return {
        "id": str(uuid.uuid4()),
        "source": "any",
        "detail-type": pattern["detail-type"][0],
        "detail": {"to": "+13125550123"},
    }


def sample(template: Template, function: str) -> Any:
    """An event that the function (its logical id) answers."""
    for route in template.routes:
        if route.function == function:
            return authorized(route) if route.authorizer else signed(route)
    for kind, named, event_of in _CALLERS:
        for _, resource in template.of_type(kind):
            properties = template.resolver.resolve(resource["Properties"])
            if f":function:{function}:" in json.dumps(named(properties)):
                return event_of(properties)
    # What is left waits for its time: the sweep takes any event, an alarm's names a conversation.
    return {"conversation_id": "none-such"}


_CALLERS: Sequence[tuple[str, Callable[[Any], Any], Callable[[Any], Any]]] = (
    ("AWS::Lambda::EventSourceMapping", lambda it: it["FunctionName"], lambda _: queued()),
    ("AWS::Pipes::Pipe", lambda it: it["Enrichment"], lambda _: streamed()),
    ("AWS::Events::Rule", lambda it: it["Targets"], asked_for),
)
"""Who calls without a request: the kind, what in it names the function, and what it sends."""
