"""Events in: a `StartConversation` event on the bus begins a conversation."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from partyline.bootstrap import bootstrap
from partyline.entrypoints.api.app import Request
from partyline.services.scheduling import start_or_schedule
from partyline.settings import BusSettings
from partyline.telemetry import Metric, count, lambda_handler, logger


def start_from_event() -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """The handler behind the bus. The event's detail is the body of `POST /conversations`.

    The event's id is the Idempotency-Key: EventBridge delivers at least once. Raises the ApiError
    that a request would be answered; Lambda then tries again, and in the end the event is among
    the dead letters with the error beside it.
    """

    @lambda_handler
    def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
        request = request_of(event)
        logger.thread_safe_append_keys(request_id=request.request_id, key_id=request.key_id)
        count(Metric.START_ASKED)
        status, view = start_or_schedule(request)
        return {"status": status, "id": view["id"]}

    return handler


def request_of(event: Mapping[str, Any]) -> Request:
    """The request that an event amounts to; who asks is the event's source."""
    reached = bootstrap().settings.public_base_url or BusSettings.from_environment().api_url
    scheme, _, host = reached.partition("://")
    asked = {
        "rawPath": "/conversations",
        "headers": {"idempotency-key": event["id"], "x-forwarded-proto": scheme},
        "body": json.dumps(event["detail"]),
        "requestContext": {
            "requestId": event["id"],
            "domainName": host,
            "http": {"method": "POST"},
        },
    }
    return Request(asked, f"bus/{event['source']}")
