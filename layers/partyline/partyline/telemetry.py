"""Logs and metrics. Nothing that says who somebody is, or what was said, goes into either."""

import functools
import re
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

T = TypeVar("T")

logger = Logger(log_uncaught_exceptions=False)

WORD = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
"""What Telnyx's own words look like: `call.hangup`, `normal_clearing`, `90018`."""

MAX_DIGITS = 6
"""A word with more digits than this may be a number that somebody can be called at."""

UNREADABLE = "(unreadable)"


def log_safe(given: str | None) -> str | None:
    """A word of Telnyx's as the log may have it: what is free text, or a number, is not shown."""
    if given is None or (WORD.fullmatch(given) and sum(map(str.isdigit, given)) <= MAX_DIGITS):
        return given
    return UNREADABLE


# The local stack runs several invocations at once in one process, and each counts its own.
_counted: ContextVar[EphemeralMetrics | None] = ContextVar("counted", default=None)


def count(name: str, value: int = 1) -> None:
    """Count something that happened in this invocation, under the function's own dimensions."""
    metrics = _counted.get()
    if metrics:
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def measure_secs(name: str, secs: float) -> None:
    """Record how long something took or has been waiting."""
    metrics = _counted.get()
    if metrics:
        metrics.add_metric(name=name, unit=MetricUnit.Seconds, value=secs)


def measure_millis(name: str, millis: float) -> None:
    """Record how long something took that takes milliseconds."""
    metrics = _counted.get()
    if metrics:
        metrics.add_metric(name=name, unit=MetricUnit.Milliseconds, value=millis)


def lambda_handler(work: Callable[[dict[str, Any], Any], T]) -> Callable[[dict[str, Any], Any], T]:
    """A Lambda handler around `work` whose logs say which invocation, and whose counts go out."""

    @functools.wraps(work)
    @logger.inject_lambda_context(clear_state=True)
    def handler(event: dict[str, Any], context: Any) -> T:
        logger.thread_safe_clear_keys()
        metrics = EphemeralMetrics()
        token = _counted.set(metrics)
        try:
            return work(event, context)
        finally:
            _counted.reset(token)
            if metrics.metric_set:  # Powertools warns of an invocation that counts nothing
                metrics.flush_metrics()

    return handler
