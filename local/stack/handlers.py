"""Run the template's functions in this process: the deployed handlers, unchanged."""

import importlib
import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from local.layer import use_layer
from local.stack.intrinsics import ACCOUNT_ID, REGION, TemplateError
from local.stack.template import Function

Invoke = Callable[[Function, Any], Any]
"""Run a function with an event; return its handler's result, or raise its handler's exception."""


RUNNING: ContextVar["LambdaContext | None"] = ContextVar("RUNNING", default=None)
"""The invocation that runs in this thread. The log of a function names the invocation."""


@dataclass(frozen=True)
class LambdaContext:
    """The second argument of a handler, with the fields of Lambda's Python page."""

    function_name: str
    memory_limit_in_mb: int
    timeout_secs: int
    function_version: str = "$LATEST"
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    _started: float = field(default_factory=time.monotonic)

    @property
    def invoked_function_arn(self) -> str:
        """The ARN of the invocation."""
        return f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the function may still run, in milliseconds."""
        left = self._started + self.timeout_secs - time.monotonic()
        return max(0, int(left * 1000))


class HandlersInProcess:
    """An `Invoke` that calls the handlers here, in the caller's thread.

    All functions share the process and its environment: the union of their variables, overridden by
    `overrides`, goes into os.environ at once. Raises TemplateError when two functions need
    different values for the same variable.
    """

    def __init__(self, functions: Iterable[Function], overrides: Mapping[str, str]) -> None:
        # Lambda has no profile, and a missing profile fails every AWS client.
        for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
            os.environ.pop(name, None)
        os.environ.update(shared_environment(functions) | dict(overrides))
        use_layer()
        self._importing = threading.Lock()

    def __call__(self, function: Function, event: dict[str, Any]) -> Any:
        """Call the function's handler. Event and result pass through JSON, as in Lambda."""
        module, _, name = f"functions.{function.folder}.{function.handler}".rpartition(".")
        with self._importing:
            handler = getattr(importlib.import_module(module), name)
        context = LambdaContext(function.logical_id, function.memory_mb, function.timeout_secs)
        running = RUNNING.set(context)
        try:
            return json.loads(json.dumps(handler(json.loads(json.dumps(event)), context)))
        finally:
            RUNNING.reset(running)


def shared_environment(functions: Iterable[Function]) -> dict[str, str]:
    """Return the union of the functions' environments; raise TemplateError where two disagree."""
    shared: dict[str, str] = {}
    for function in functions:
        for name, value in function.environment.items():
            if shared.setdefault(name, value) != value:
                raise TemplateError(
                    f"{function.logical_id} wants {name}={value!r}, another {shared[name]!r}"
                )
    return shared
