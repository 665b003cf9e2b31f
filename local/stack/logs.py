"""What the functions log, kept while the stack runs instead of printed between other things."""

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

KEPT = 20_000

Line = dict[str, Any]


class Logs:
    """The newest lines of the functions' log, each as the object it is; for any thread.

    `follow` names somebody to be called with each line as it comes.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self._lines: deque[Line] = deque(maxlen=KEPT)
        self._lock = threading.Lock()
        self._followers: list[Callable[[Line], None]] = []

    def follow(self, follower: Callable[[Line], None]) -> None:
        """Tell `follower` each line from now on."""
        self._followers.append(follower)

    def write(self, text: str) -> int:
        """Be the stream that the logger writes to."""
        for each in text.splitlines():
            if each.startswith("{"):
                line: Line = json.loads(each)
                with self._lock:
                    self._lines.append(line)
                for follower in self._followers:
                    follower(line)
        return len(text)

    def flush(self) -> None:
        """Be a stream: nothing is held back."""

    def lines(self) -> list[Line]:
        """The lines so far."""
        with self._lock:
            return list(self._lines)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Take the handlers' log while the `with` lasts."""
        # The gateway puts the layer on the path when it is made, not before.
        from partyline.telemetry import logger  # noqa: PLC0415

        handler: Any = logger.registered_handler
        before = handler.setStream(self)
        try:
            yield
        finally:
            if before:
                handler.setStream(before)
