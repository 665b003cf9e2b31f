"""Two clocks: wall-clock time, and virtual time that a test moves."""

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
    """A callback that runs at `due`. Timers of the same time run in the order of creation."""

    due: datetime
    order: int
    fn: Callable[[], object] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Cancel the callback; harmless if the callback has run already."""
        self.cancelled = True


class Clock(Protocol):
    """The clock interface of the simulator."""

    def now(self) -> datetime:
        """Return the present time, with the zone UTC."""

    def call_later(self, delay_secs: float, fn: Callable[[], object]) -> Timer:
        """Run `fn` after `delay_secs`; the returned timer can be cancelled."""


class VirtualClock:
    """A clock that a test moves; callbacks run in order, on the thread that moves the clock.

    A callback may move the clock, so that other events happen during a slow answer. The clock
    starts far in the future: an embedded DynamoDB deletes items that expired by wall-clock time.
    """

    def __init__(self, start: datetime = datetime(2036, 7, 1, 12, tzinfo=UTC)) -> None:
        self._now = start
        self._timers: list[Timer] = []
        self._order = itertools.count()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the present virtual time."""
        return self._now

    def call_later(self, delay_secs: float, fn: Callable[[], object]) -> Timer:
        """Run `fn` when the clock has moved by `delay_secs`."""
        with self._lock:
            due = self._now + timedelta(seconds=max(delay_secs, 0.0))
            timer = Timer(due, next(self._order), fn)
            heapq.heappush(self._timers, timer)
        return timer

    def advance(self, secs: float) -> None:
        """Move by `secs` and run all due callbacks, also callbacks that other callbacks add."""
        target = self._now + timedelta(seconds=secs)
        self.run_until_idle(secs)
        self._now = max(self._now, target)

    def run_until_idle(self, limit_secs: float = 60.0) -> None:
        """Run callbacks until none is due within `limit_secs` of the start.

        The clock stops at the last callback that ran, so a distant timer does not move the clock.
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
    """Wall-clock time; callbacks run in order on a single thread, until `close`."""

    def __init__(self) -> None:
        self._timers: list[Timer] = []
        self._order = itertools.count()
        self._wake = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="simulator-clock", daemon=True)
        self._thread.start()

    def now(self) -> datetime:
        """Return the present time."""
        return datetime.now(UTC)

    def call_later(self, delay_secs: float, fn: Callable[[], object]) -> Timer:
        """Run `fn` on the clock's thread after `delay_secs`, unless the clock is closed."""
        due = self.now() + timedelta(seconds=max(delay_secs, 0.0))
        with self._wake:
            timer = Timer(due, next(self._order), fn)
            if not self._closed:
                heapq.heappush(self._timers, timer)
                self._wake.notify()
        return timer

    def close(self) -> None:
        """Drop all timers and end the thread; waits for a running callback."""
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
                # A failed callback must not stop the clock.
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
