"""`make faults-long`: generated histories by the ten thousand, of the domain and of the engine.

    python -m tests.faults.long [how many histories of the domain] [of the engine] [first seed]

The same seed gives the same histories; another first seed, a million further on, gives others. Ends
with 1 at the first history that violates an invariant, in its shortest form.
"""
# ruff: noqa: T201 - a command of the Makefile prints

import os
import sys
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.faults.histories import HISTORIES, History, run_history
from tests.faults.lab import silence_logs
from tests.support import domain_story
from tests.unit.domain import test_histories as domain

DOMAIN, ENGINE = 90_000, 10_000
SAME = "every export was decided the same again"
BATCH = {"domain": 500, "engine": 100}


def batch(kind: str, nth: int, size: int) -> tuple[int, str]:
    """Run a number of histories; returns how many ran, and the error if a history failed."""
    count = 0

    def of_engine(history: History) -> None:
        nonlocal count
        count += 1
        assert run_history(history) == []

    def of_domain(**history: Any) -> None:
        nonlocal count
        count += 1
        test = domain.test_any_history_ends_without_a_double_call
        test.hypothesis.inner_test(**history)  # type: ignore[attr-defined]
        domain_story.STATES.clear()  # so many histories fill the memory

    try:
        if kind == "engine":
            _run(given(history=HISTORIES)(of_engine), nth, size)
        else:
            _run(given(**domain.PARTS)(of_domain), nth, size)
    except Exception:  # noqa: BLE001 - returned to the caller
        return count, traceback.format_exc()
    return count, ""


def _run(test: Callable[[], None], nth: int, size: int) -> None:
    limits = settings(
        max_examples=size,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    seed(nth)(limits(test))()


def main(domain_count: int, engine_count: int, first_seed: int = 0) -> int:
    """Run both kinds on every processor, and print honest counts."""
    began = time.monotonic()
    wanted = {"domain": domain_count, "engine": engine_count}
    lived_through = dict.fromkeys(wanted, 0)
    wrong = ""
    with ProcessPoolExecutor(os.cpu_count(), initializer=silence_logs) as pool:
        asked = {
            pool.submit(batch, kind, first_seed + first, min(BATCH[kind], count - first)): kind
            for kind, count in wanted.items()
            for first in range(0, count, BATCH[kind])
        }
        for done in as_completed(asked):
            count, said = done.result()
            lived_through[asked[done]] += count
            if said:
                wrong = said
                pool.shutdown(cancel_futures=True)
                break
    secs = time.monotonic() - began
    for kind, count in lived_through.items():
        print(f"{count} histories of the {kind}, of {wanted[kind]}")
    print(wrong or f"nothing was done twice, nothing stayed open, {SAME}; {secs:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    numbers = [int(number) for number in sys.argv[1:4]]
    sys.exit(main(*numbers, *(DOMAIN, ENGINE)[len(numbers) :]))
