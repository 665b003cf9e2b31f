"""The two steps of hooks: events of the bus become deliveries, and deliveries are attempted.

An event that fails three times and a message that fails five times (`maxReceiveCount`) go to the
dead letters: `partyline redrive hooks` gives them to their function again.
"""

from collections.abc import Callable
from typing import Any

from partyline.bootstrap import App, with_app
from partyline.services.hook_queue import Attempt
from partyline.telemetry import Metric, count, logger

Batch = dict[str, list[dict[str, str]]]


class FanOutError(Exception):
    """An event did not become deliveries; the text is the class of the error, without data."""


def fan_out_hooks() -> Callable[[dict[str, Any], Any], dict[str, int]]:
    """Return the handler of the bus's events. Its answer counts the attempts that were queued.

    The handler raises FanOutError: Lambda invokes it again twice, and then puts the event among the
    dead letters.
    """

    def handle(app: App, event: dict[str, Any], _context: Any) -> dict[str, int]:
        try:
            return {"queued": app.hook_fan_out.fan_out(event["detail"])}
        except Exception as error:  # noqa: BLE001 - the error that is raised has no data
            name = type(error).__name__
            count(Metric.HOOK_MESSAGE_FAILED)
            logger.error("event for hooks failed", extra={"error": name})
            raise FanOutError(name) from None

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
