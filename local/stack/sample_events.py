"""A sample event for every function: a request to a route, or the event of its caller."""

import json
import uuid
from collections.abc import Sequence
from typing import Any

from local.simulator.signing import Signer
from local.stack.http_api import HttpRequest, request_event
from local.stack.queues import Message, sqs_record, utc_now
from local.stack.template import Route, Template
from local.stack.webhook_fixtures import body_of, fixtures

ANY_EVENT = "call.hangup"
"""The event type for the routes that accept every type."""

TOOL_ARGUMENTS = {"name": "Dana", "call_control_id": "v3:none-such"}
"""What a model gives the tools, with the call's id."""


def signed(route: Route, changes: Sequence[str] = ()) -> dict[str, Any]:
    """Return a request of Telnyx for a route: a new event from the fixture of the route's name.

    A route of webhooks without a fixture of its name gets `ANY_EVENT`, a tool its arguments.
    `changes` are the changes to the fixture (see `local.stack.webhook_fixtures.body_of`).
    """
    name = route.path.rpartition("/")[2]
    if route.path.startswith("/tools/"):
        body = json.dumps(TOOL_ARGUMENTS).encode()
    else:
        _, body = body_of(name if name in fixtures() else ANY_EVENT, changes)
    headers = list(Signer().headers(body).items())
    parameters = {"event_type": ANY_EVENT} if "{" in route.path else {}
    return request_event(HttpRequest("POST", route.path, "", headers, body), route, parameters)


def authorized(route: Route) -> dict[str, Any]:
    """Return a request that the authorizer admitted; its path parameters name missing items."""
    names = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    body = b"" if route.method in {"GET", "DELETE"} else b"{}"
    headers = [("content-type", "application/json")]
    path = route.path.replace("{", "").replace("}", "")
    request = HttpRequest(route.method, path, "", headers, body)
    event = request_event(request, route, dict.fromkeys(names, "none-such"))
    event["requestContext"]["authorizer"] = {
        "lambda": {"key_id": "ops", "may": "start control read directory hooks erase"}
    }
    return event


def queue_batch(queue: str) -> dict[str, Any]:
    """Return a batch with a single message of a queue (its ARN), as Lambda reads it from SQS.

    It is a webhook, but for the queue of deliveries to hooks: an attempt.
    """
    now = utc_now()
    if queue.endswith("HookDeliveries"):
        moments = dict.fromkeys(("hook_made_at", "occurred_at", "since", "due"), now.isoformat())
        names = {"hook_id": "none-such", "event_id": "msg_none-such_1"}
        place = {"conversation_id": "none-such", "seq": 1, "number": 1}
        message = Message(json.dumps({**names, **place, **moments}), {}, now, now)
    else:
        _, body = body_of(ANY_EVENT)
        message = Message(body.decode(), Signer().headers(body), now, now)
    return {"Records": [sqs_record(message, queue)]}


def stream_batch() -> dict[str, Any]:
    """Return a batch with a single row, as Lambda reads it from the table's stream.

    The row has the fields of an event, and those of a conversation with a new number.
    """
    # The stack has put the layer on the path by now.
    from partyline.domain.model.events import Event, EventType  # noqa: PLC0415

    event = Event(
        seq=1,
        type=EventType.CONVERSATION_ACTIVE,
        occurred_at=utc_now(),
        cause="any",
        data={},
    )
    image = {"conversation_id": {"S": "none-such"}, "event": {"S": event.model_dump_json()}}
    image |= {"listed_at": {"S": "2026-11-22T09:00:00.000000Z#none-such"}}
    image |= {"new_numbers": {"S": "+13125550123"}}
    change = {"NewImage": image, "SequenceNumber": "100000000000000000001"}
    return {"Records": [{"eventName": "INSERT", "dynamodb": change}]}


def bus_event(rule: dict[str, Any]) -> dict[str, Any]:
    """Return an event on the bus that matches the rule.

    It requests a conversation, but for the rule of every event of ours, the rule of the hooks.
    """
    pattern, event_id = rule["EventPattern"], str(uuid.uuid4())
    detail: dict[str, Any]
    if "detail-type" in pattern:
        kind, detail = pattern["detail-type"][0], {"to": "+13125550123"}
    else:
        kind = "conversation.ended"
        detail = {"type": kind, "conversation_id": "none-such", "seq": 1}
    return {"id": event_id, "source": "any", "detail-type": kind, "detail": detail}


def sample(template: Template, function: str) -> Any:
    """Return an event that the function (its logical id) answers."""
    for route in template.routes:
        if route.function == function:
            return authorized(route) if route.authorizer else signed(route)
    for kind in ("AWS::Lambda::EventSourceMapping", "AWS::Events::Rule"):
        for _, caller in template.properties_of(kind):
            named = caller.get("FunctionName") or json.dumps(caller["Targets"])
            if f":function:{function}:" not in named:
                continue
            if kind == "AWS::Events::Rule":
                return bus_event(caller)
            source = caller["EventSourceArn"]
            return stream_batch() if ":dynamodb:" in source else queue_batch(source)
    # The rest runs on a schedule: the sweep takes any event, a start names its conversation.
    return {"conversation_id": "none-such"}
