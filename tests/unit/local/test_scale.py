"""`make scale` in a small form: the goals at sixty conversations with many lost webhooks."""

import pytest

from local.scale.__main__ import sizes
from local.scale.clock import InvocationClock
from local.scale.report import figures, growth, percentile
from local.scale.run import Result, run

CONVERSATIONS, LOST_SHARE = 60, 0.04


@pytest.fixture(scope="module")
def result() -> Result:
    return run(CONVERSATIONS, LOST_SHARE)


def test_a_run_meets_the_goals_of_timers_lost_hangups_and_requests(result: Result) -> None:
    missed = [figure.name for figure in figures(result) if figure.met is False]
    assert missed == []
    assert len(result.lateness_secs) > 10, "timers fired"
    assert len(result.known_secs) > 3, "hangups were lost"


def test_a_run_ends_with_every_conversation_over_and_no_call_up(result: Result) -> None:
    assert result.wrong == []


def test_a_conversation_of_a_larger_run_takes_no_more_units(result: Result) -> None:
    small = run(10, lost_share=0.0)
    assert all(figure.met for figure in growth(small, result))


def test_overlapping_invocations_each_have_their_own_duration() -> None:
    clock, began = InvocationClock(), []

    def work() -> None:
        began.append(clock.now())
        clock.sleep(5)
        clock.call_later(1, lambda: began.append(clock.now()))

    for delay_secs in (1, 2):
        clock.call_later(delay_secs, lambda: clock.invocation(work))
    start = clock.now()
    clock.advance(10)
    assert [(moment - start).total_seconds() for moment in began] == [1, 2, 7, 8]


def test_the_sizes_of_the_runs_end_with_the_number_that_was_asked_for() -> None:
    assert sizes(60) == [60]
    assert sizes(2_000) == [100, 2_000]
    assert sizes(10_000) == [100, 1_000, 10_000]


def test_a_percentile_is_a_value_of_the_list() -> None:
    assert percentile([3.0, 1.0, 2.0, 4.0], 0.5) == 2.0
    assert percentile([], 0.99) == 0.0
