"""Start a conversation from a `StartConversation` event on the bus."""

from typing import Any

from partyline.bootstrap import App, with_app
from partyline.entrypoints.http import Handler
from partyline.services.bearer_keys import BUS_ID
from partyline.services.conversations import Started
from partyline.services.requester import identify
from partyline.services.requests import StartRequest
from partyline.services.validation import validate
from partyline.settings import BusSettings
from partyline.telemetry import Metric, count, logger


def start_from_event() -> Handler:
    """Make the handler behind the bus. The event's detail is the body of `POST /conversations`.

    The event's id is the Idempotency-Key: EventBridge delivers at least once. The handler raises
    the RequestError that the API would answer; Lambda then tries again, and in the end puts the
    event among the dead letters with the error beside the event.
    """
    return with_app(_start)


def _start(app: App, event: dict[str, Any], _context: Any) -> dict[str, Any]:
    api_url = BusSettings.from_environment().api_url
    requester = identify(
        key_id=BUS_ID,
        request_id=event["id"],
        base_url=app.settings.public_base_url or api_url,
        gateway_url=api_url,
        idempotency_key=event["id"],
        operation="POST /conversations",
        body=event["detail"],
        by_key=False,
    )
    logger.thread_safe_append_keys(request_id=requester.request_id, key_id=requester.key_id)
    count(Metric.START_ASKED)
    result = app.scheduling.start_or_schedule(validate(StartRequest, event["detail"]), requester)
    if isinstance(result, Started):
        return {"id": result.conversation.id, "status": result.conversation.status}
    return {"id": result.scheduled.id, "status": result.scheduled.status}
