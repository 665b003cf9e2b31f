"""Functions that die: before they do anything, right after their write, or with their answer lost.

What API Gateway then answers is a 500, and what Telnyx then does is deliver the webhook again. Who
calls a function without a request, such as a queue or the pipe, learns that it has failed.
"""

import random
import threading
from dataclasses import dataclass
from typing import Any, Literal

from local.stack.handlers import Invoke
from local.stack.template import Function

When = Literal["before", "after_write", "after"]

CRASH_RESPONSE: dict[str, Any] = {
    "statusCode": 500,
    "headers": {"content-type": "application/json"},
    "body": '{"message":"Internal Server Error"}',
}
"""What API Gateway answers for a function that has died."""


class CrashError(BaseException):
    """The process is gone. Not an Exception: no handler may catch it and go on."""


class FunctionCrashedError(Exception):
    """What whoever called the function learns of it, when no request waits for an answer."""


@dataclass
class Crash:
    """How a function dies: `function` is its folder, or `*` for any that answers a request.

    - `before`: at once
    - `after_write`: the table has the new state, and no command has left
    - `after`: all is done, and the answer never comes

    `times` None is for ever; `probability` is decided by the seed.
    """

    when: When
    function: str = "*"
    times: int | None = 1
    probability: float = 1.0


class LambdaFaults:
    """An `Invoke` that lets functions die as told; `deaths` are in force, the first that fits."""

    def __init__(self, invoke: Invoke) -> None:
        """Run functions with `invoke`; at first all live."""
        self.crashes: list[Crash] = []
        self._invoke = invoke
        self._rng = random.Random(0)
        self._thread = threading.local()

    def reseed(self, seed: int) -> None:
        """Begin the luck anew."""
        self._rng = random.Random(f"deaths {seed}")

    def __call__(self, function: Function, event: Any) -> Any:
        """Run a function, or let it die. Raises FunctionDiedError where nobody asked for a 500."""
        death = self._next_crash(function.folder, _answers_http(event))
        if death is None:
            return self._invoke(function, event)
        if death.when == "before":
            return _fail(event)
        if death.when == "after":
            self._invoke(function, event)
            return _fail(event)
        self._thread.by = death
        try:
            answer = self._invoke(function, event)
        except CrashError:
            return _fail(event)
        finally:
            self._thread.by = None
        if death.times is not None:
            death.times += 1  # it wrote nothing, so it has not died yet
        return answer

    def table_written(self) -> None:
        """The table has taken a write of this thread's function; raises Died if that is its end."""
        if getattr(self._thread, "by", None) is not None:
            raise CrashError

    def _next_crash(self, folder: str, asked: bool) -> Crash | None:
        for death in self.crashes:
            hit = death.function == folder or (death.function == "*" and asked)
            if not hit or death.times == 0:
                continue
            if death.probability < 1.0 and self._rng.random() >= death.probability:
                continue
            if death.times is not None:
                death.times -= 1
            return death
        return None


def _answers_http(event: Any) -> bool:
    """Whether a function is to answer a request: not an authorizer, a schedule or a queue's."""
    return "routeKey" in event and event.get("type") != "REQUEST"


def _fail(event: Any) -> dict[str, Any]:
    if _answers_http(event):
        return CRASH_RESPONSE
    raise FunctionCrashedError("the function has died")
