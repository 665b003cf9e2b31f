"""Two clocks: the wall's, and one that only moves when a test says so."""

import heapq
import itertools
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

log = logging.getLogger(__name__)


@dataclass(order=True)
class Timer:
    """A callback that is due at `due`; of two due at once the one asked for first comes first."""

    due: datetime
    order: int
    fn: Callable[[], None] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Do not run it; harmless when it has run already."""
        self.cancelled = True


class Clock(Protocol):
    """What the simulator needs of time."""

    def now(self) -> datetime:
        """The present, aware, in UTC."""

    def call_later(self, delay_secs: float, fn: Callable[[], None]) -> Timer:
        """Run `fn` after `delay_secs`; the timer can be cancelled."""


class VirtualClock:
    """A clock that a test moves by hand; callbacks run on the thread that moves it, in order.

    A callback may move the clock itself: that is how a slow answer lets the world go on meanwhile.
    It starts far ahead: an embedded DynamoDB takes away what has expired by the clock on the wall.
    """

    def __init__(self, start: datetime = datetime(2036, 7, 1, 12, tzinfo=UTC)) -> None:
        self._now = start
        self._timers: list[Timer] = []
        self._order = itertools.count()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The present of the story."""
        return self._now

    def call_later(self, delay_secs: float, fn: Callable[[], None]) -> Timer:
        """Run `fn` once the clock has been moved that far."""
        with self._lock:
            due = self._now + timedelta(seconds=max(delay_secs, 0.0))
            timer = Timer(due, next(self._order), fn)
            heapq.heappush(self._timers, timer)
        return timer

    def advance(self, secs: float) -> None:
        """Move on by `secs`, running all that falls due, what it causes included."""
        target = self._now + timedelta(seconds=secs)
        while (timer := self._next(target)) is not None:
            self._now = max(self._now, timer.due)
            timer.fn()
        self._now = max(self._now, target)

    def run_until_idle(self, limit_secs: float = 60.0) -> None:
        """Run callbacks until none is due within `limit_secs` of the start.

        The clock stops at the last one that ran, so far-off limits do not drag time with them.
        """
        target = self._now + timedelta(seconds=limit_secs)
        while (timer := self._next(target)) is not None:
            self._now = max(self._now, timer.due)
            timer.fn()

    def _next(self, until: datetime) -> Timer | None:
        with self._lock:
            while self._timers and self._timers[0].due <= until:
                timer = heapq.heappop(self._timers)
                if not timer.cancelled:
                    return timer
        return None


class RealClock:
    """Wall-clock time; callbacks run one after another on one thread. `close` ends it."""

    def __init__(self) -> None:
        self._timers: list[Timer] = []
        self._order = itertools.count()
        self._wake = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="simulator-clock", daemon=True)
        self._thread.start()

    def now(self) -> datetime:
        """The present."""
        return datetime.now(UTC)

    def call_later(self, delay_secs: float, fn: Callable[[], None]) -> Timer:
        """Run `fn` on the clock's thread after `delay_secs`; after `close` it never runs."""
        due = self.now() + timedelta(seconds=max(delay_secs, 0.0))
        with self._wake:
            timer = Timer(due, next(self._order), fn)
            if not self._closed:
                heapq.heappush(self._timers, timer)
                self._wake.notify()
        return timer

    def close(self) -> None:
        """Forget what is still to come and end the thread; waits for a callback that runs now."""
        with self._wake:
            self._closed = True
            self._timers.clear()
            self._wake.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        while (timer := self._await_next()) is not None:
            try:
                timer.fn()
            except Exception:
                # One broken callback must not stop the time of everybody else.
                log.exception("a callback of the simulator failed")

    def _await_next(self) -> Timer | None:
        with self._wake:
            while not self._closed:
                if not self._timers:
                    self._wake.wait()
                    continue
                wait_secs = (self._timers[0].due - self.now()).total_seconds()
                if wait_secs > 0:
                    self._wake.wait(wait_secs)
                    continue
                timer = heapq.heappop(self._timers)
                if not timer.cancelled:
                    return timer
        return None
