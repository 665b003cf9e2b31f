"""Fault injection for functions: a crash at the start, after the write, or before the answer.

API Gateway answers a crash with 500, and Telnyx then delivers the webhook again. A queue, the
stream or a schedule gets an error.
"""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from local.simulator.faults import Limits, use_first
from local.stack.handlers import Invoke
from local.stack.template import Function

When = Literal["before", "after_write", "after"]

CRASH_RESPONSE: dict[str, Any] = {
    "statusCode": 500,
    "headers": {"content-type": "application/json"},
    "body": '{"message":"Internal Server Error"}',
}
"""API Gateway's answer when a function has crashed."""


class CrashError(BaseException):
    """The function's process has crashed. Not an Exception, so no handler can catch the crash."""


class FunctionCrashedError(Exception):
    """Reports a crash to a caller that is not API Gateway."""


@dataclass
class Crash(Limits):
    """How a function crashes: `function` is its folder, or `*` for any that answers a request.

    - `before`: at the start
    - `after_write`: the table has the new state, and no command was sent
    - `after`: all work is done, and the answer is lost
    """

    when: When
    function: str = "*"


class LambdaFaults:
    """An `Invoke` with crashes; `crashes` are in force, and the first that applies is used."""

    def __init__(self, invoke: Invoke, on_crash: Callable[[str], None] = lambda _: None) -> None:
        """Wrap `invoke`. `on_crash` is called with the folder of each function that crashes."""
        self.crashes: list[Crash] = []
        self._on_crash = on_crash
        self._invoke = invoke
        self._rng = random.Random(0)
        self._thread = threading.local()

    def reseed(self, seed: int) -> None:
        """Restart the random numbers."""
        self._rng = random.Random(f"crashes {seed}")

    def __call__(self, function: Function, event: Any) -> Any:
        """Run a function, or crash. Raises FunctionCrashedError when no request is answered."""
        names = {function.folder, "*"} if _answers_http(event) else {function.folder}
        crash = use_first(self.crashes, lambda crash: crash.function in names, self._rng)
        if crash is None:
            return self._invoke(function, event)
        if crash.when == "before":
            return self._crash(function, event)
        if crash.when == "after":
            self._invoke(function, event)
            return self._crash(function, event)
        self._thread.crash = crash
        try:
            answer = self._invoke(function, event)
        except CrashError:
            return self._crash(function, event)
        finally:
            self._thread.crash = None
        if crash.times is not None:
            crash.times += 1  # the function wrote nothing, so the crash is still to come
        return answer

    def _crash(self, function: Function, event: Any) -> dict[str, Any]:
        self._on_crash(function.folder)
        return _fail(event)

    def table_written(self) -> None:
        """Crash this thread's function if it is to crash after a write. Raises CrashError."""
        if getattr(self._thread, "crash", None) is not None:
            raise CrashError


def _answers_http(event: Any) -> bool:
    """Whether the event is a request to answer, not an authorizer's, a schedule's or a queue's."""
    return "routeKey" in event and event.get("type") != "REQUEST"


def _fail(event: Any) -> dict[str, Any]:
    if _answers_http(event):
        return CRASH_RESPONSE
    raise FunctionCrashedError("the function has crashed")
