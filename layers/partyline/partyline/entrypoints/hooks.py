"""The two queues of hooks: events of the bus become deliveries, and deliveries are attempted.

Both handlers answer the messages to deliver again. A message that fails three times goes to the
dead letters (`maxReceiveCount`): `partyline redrive hooks` sends the message again.
"""

import json
from collections.abc import Callable
from typing import Any

from partyline.bootstrap import App, with_app
from partyline.services.hook_queue import Attempt
from partyline.telemetry import Metric, count, logger

Batch = dict[str, list[dict[str, str]]]


def fan_out_hooks() -> Callable[[dict[str, Any], Any], Batch]:
    """Return the handler of the queue of events, whose messages the rule of the bus sends."""

    def handle(app: App, event: dict[str, Any], _context: Any) -> Batch:
        hooks = app.hook_fan_out.hooks()

        def fan_out(body: str) -> None:
            app.hook_fan_out.fan_out(hooks, json.loads(body)["detail"])

        return _each(event, fan_out)

    return with_app(handle)


def deliver_hooks() -> Callable[[dict[str, Any], Any], Batch]:
    """Return the handler of the queue of deliveries."""

    def handle(app: App, event: dict[str, Any], _context: Any) -> Batch:
        return _each(event, lambda body: app.hook_delivery.deliver(Attempt.parse(body)))

    return with_app(handle)


def _each(event: dict[str, Any], work: Callable[[str], None]) -> Batch:
    """Do the work for the body of each message; list the messages whose work failed."""
    failed = []
    for record in event["Records"]:
        logger.thread_safe_clear_keys()
        logger.thread_safe_append_keys(message_id=record["messageId"])
        try:
            work(record["body"])
        except Exception as error:  # noqa: BLE001 - the other messages go on
            count(Metric.HOOK_MESSAGE_FAILED)
            logger.error("message of a hook failed", extra={"error": type(error).__name__})
            failed.append({"itemIdentifier": str(record["messageId"])})
    return {"batchItemFailures": failed}
