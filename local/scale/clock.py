"""A virtual clock for invocations that overlap."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from local.simulator.clock import Timer, VirtualClock

T = TypeVar("T")


class InvocationClock(VirtualClock):
    """A virtual clock with a time of its own for the running invocation.

    An invocation runs to its end before the next event, and its waits add up to its duration. So
    thousands of invocations overlap in virtual time on a single thread. Two steps of the same
    conversation never interleave: the fault tests cover that.
    """

    def __init__(self) -> None:
        super().__init__()
        self._spent = timedelta()

    def now(self) -> datetime:
        """Return the present time of the running invocation, or of the run."""
        return super().now() + self._spent

    def sleep(self, secs: float) -> None:
        """Let the running invocation wait."""
        self._spent += timedelta(seconds=secs)

    def call_later(self, delay_secs: float, fn: Callable[[], object]) -> Timer:
        """Run `fn` when `delay_secs` from the invocation's time have passed."""
        return super().call_later(self._spent.total_seconds() + max(delay_secs, 0.0), fn)

    def invocation(self, work: Callable[[], T]) -> tuple[T, float]:
        """Do the work of an invocation; return its result and its duration in seconds."""
        try:
            result = work()
            return result, self._spent.total_seconds()
        finally:
            self._spent = timedelta()

    def beside(self, work: Callable[[], T]) -> Callable[[], T]:
        """Do work of another thread of the invocation, whose wait overlaps; return a getter."""
        spent = self._spent
        result = work()
        self._spent = spent
        return lambda: result
