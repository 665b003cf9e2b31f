"""The timers' queue: time passes for the conversation that a message names."""

from collections.abc import Callable
from typing import Any

from partyline.bootstrap import App, with_app
from partyline.entrypoints.sweep import pass_time
from partyline.services.timers import TimerMessage
from partyline.telemetry import Metric, count, logger

Batch = dict[str, list[dict[str, str]]]


def timer() -> Callable[[dict[str, Any], Any], Batch]:
    """The handler of the queue's function; its answer lists the messages to deliver again.

    A message that is not ours is counted and dropped. When a conversation fails, after an outage or
    a bug, the message of a timer is delivered again, twice at most (`maxReceiveCount`). The sweep
    makes a new message of its own.
    """

    def handle(app: App, event: dict[str, Any], _context: Any) -> Batch:
        failed = []
        for record in event["Records"]:
            logger.thread_safe_clear_keys()
            logger.thread_safe_append_keys(message_id=record["messageId"])
            message = TimerMessage.parse(record["body"])
            if message is None:
                count(Metric.TIMER_DROPPED)
                logger.warning("timer message unreadable")
            elif not _fire(app, message) and message.moment:
                failed.append({"itemIdentifier": str(record["messageId"])})
        return {"batchItemFailures": failed}

    return with_app(handle)


def _fire(app: App, message: TimerMessage) -> bool:
    """Let time pass for a conversation; return False when the conversation fails."""
    now = app.clock()
    if message.moment and message.moment <= now:
        count(Metric.TIMER_LATE, (now - message.moment).total_seconds())
    passed = pass_time(app, message.conversation_id, message.input("timer"))
    if passed is None:
        return False
    if passed.conversation is None:
        count(Metric.TIMER_DROPPED)
        logger.warning("timer of no conversation")
        return True
    is_set_for = message.moment == passed.conversation.awaited_at
    if message.moment and is_set_for and message.moment > now:
        # The message is early: a queue delays a message by 15 minutes at most.
        app.timers.start(message.conversation_id, message.moment)
    return True
