"""Start a conversation at its time: EventBridge Scheduler calls this function."""

from typing import Any

from partyline.bootstrap import App, with_app
from partyline.entrypoints.http import Handler
from partyline.telemetry import logger


def start_scheduled() -> Handler:
    """Make the handler that the schedules call. The answer says whether a conversation started.

    The handler raises the error that delays the start; Lambda then calls again, and in the end
    puts the event among the dead letters.
    """
    return with_app(_start)


def _start(app: App, event: dict[str, Any], _context: Any) -> dict[str, str]:
    conversation_id = str(event["conversation_id"])
    logger.thread_safe_append_keys(conversation_id=conversation_id)
    started = app.scheduling.start_due(conversation_id)
    return {"status": "started" if started else "not_started"}
