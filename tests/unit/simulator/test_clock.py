"""Both clocks run due callbacks in order, once."""

import threading
from datetime import timedelta

from local.simulator.clock import RealClock, VirtualClock
from tests.support.patience import PATIENCE_SECS


def test_the_virtual_clock_runs_due_callbacks_in_order() -> None:
    clock, told = VirtualClock(), []
    clock.call_later(2, lambda: told.append("b"))
    clock.call_later(1, lambda: told.append("a"))
    clock.call_later(2, lambda: told.append("c"))
    clock.call_later(3, lambda: told.append("late"))

    clock.advance(2)

    assert told == ["a", "b", "c"]


def test_a_cancelled_timer_does_not_run() -> None:
    clock, told = VirtualClock(), []
    clock.call_later(1, lambda: told.append("a")).cancel()

    clock.advance(2)

    assert told == []


def test_a_callback_sees_its_due_time_and_may_move_the_clock() -> None:
    clock = VirtualClock()
    start, seen = clock.now(), []

    def look() -> None:
        seen.append(clock.now() - start)

    def slow() -> None:
        clock.advance(5)
        look()

    clock.call_later(1, slow)
    clock.call_later(3, look)
    clock.advance(2)

    assert seen == [timedelta(seconds=3), timedelta(seconds=6)]
    assert clock.now() - start == timedelta(seconds=6)


def test_running_until_idle_stops_at_the_last_callback_within_the_limit() -> None:
    clock, told = VirtualClock(), []
    start = clock.now()

    def chain() -> None:
        clock.call_later(1, lambda: told.append("chained"))

    clock.call_later(1, chain)
    clock.call_later(14400, lambda: told.append("far"))

    clock.run_until_idle(60)

    assert told == ["chained"]
    assert clock.now() - start == timedelta(seconds=2)


def test_the_real_clock_goes_on_after_a_failed_callback() -> None:
    clock, done = RealClock(), threading.Event()

    def break_down() -> None:
        raise ValueError("a broken callback")

    clock.call_later(0, break_down)
    clock.call_later(0.01, done.set)
    try:
        assert done.wait(PATIENCE_SECS)
    finally:
        clock.close()


def test_a_closed_real_clock_runs_no_callbacks() -> None:
    clock, told = RealClock(), []
    clock.call_later(0.05, lambda: told.append("a"))
    clock.close()
    clock.call_later(0, lambda: told.append("b"))
    threading.Event().wait(0.1)

    assert told == []
