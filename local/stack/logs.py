"""The log of the functions, kept in memory while the stack runs and not printed."""

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from local.stack.handlers import RUNNING

KEPT = 20_000

Line = dict[str, Any]


def _invocation() -> Line:
    """Return the fields of the invocation that logs.

    The functions of this process share a logger, and each invocation sets the logger's fields for
    all threads.
    """
    context = RUNNING.get()
    return (
        {
            "function_name": context.function_name,
            "function_memory_size": context.memory_limit_in_mb,
            "function_arn": context.invoked_function_arn,
            "function_request_id": context.aws_request_id,
        }
        if context
        else {}
    )


class Logs:
    """The newest lines of the functions' log, parsed from JSON; safe for threads."""

    def __init__(self) -> None:
        self._lines: deque[Line] = deque(maxlen=KEPT)
        self._lock = threading.Lock()
        self._followers: list[Callable[[Line], None]] = []

    def follow(self, follower: Callable[[Line], None]) -> None:
        """Call `follower` with each line from now on."""
        self._followers.append(follower)

    def write(self, text: str) -> int:
        """Take text from the logger, as a stream does."""
        for text_line in text.splitlines():
            if text_line.startswith("{"):
                line: Line = json.loads(text_line) | _invocation()
                with self._lock:
                    self._lines.append(line)
                for follower in self._followers:
                    follower(line)
        return len(text)

    def flush(self) -> None:
        """Do nothing: lines are not buffered."""

    def lines(self) -> list[Line]:
        """Return the lines so far."""
        with self._lock:
            return list(self._lines)

    @contextmanager
    def capture(self) -> Iterator[None]:
        """Capture the handlers' log while the `with` lasts."""
        # The layer is on the path only after the gateway has been made.
        from partyline.telemetry import logger  # noqa: PLC0415

        handler: Any = logger.registered_handler
        before = handler.setStream(self)
        try:
            yield
        finally:
            if before:
                handler.setStream(before)
