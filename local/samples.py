"""An event for every function: what Telnyx or a caller would send to one of its routes."""

import time
from collections.abc import Sequence
from typing import Any

from local.http_api import HttpRequest, request_event
from local.template import Route, Template
from local.trigger import Signer, body_of, fixtures

ANY_EVENT = "call.hangup"
"""For the routes that take every type."""


def signed(route: Route, changes: Sequence[str] = ()) -> dict[str, Any]:
    """What Telnyx would send to a route: the fixture of its name or of any event, as a new one.

    `changes` are those of `local.trigger.body_of`.
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


def sample(template: Template, function: str) -> dict[str, Any]:
    """An event that the function (its logical id) answers."""
    for route in template.routes:
        if route.function == function:
            return authorized(route) if route.authorizer else signed(route)
    for _, mapping in template.of_type("AWS::Lambda::EventSourceMapping"):
        if f":{function}:" in template.resolver.resolve(mapping["Properties"]["FunctionName"]):
            return queued()
    return {"version": "0", "detail-type": "any", "detail": {}, "headers": {}}
