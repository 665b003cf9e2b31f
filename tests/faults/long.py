"""`make faults-long`: generated histories by the ten thousand, of the domain and of the engine.

    python -m tests.faults.long [how many histories of the domain] [of the engine]

Ends with 1 at the first history after which something is not right, told as short as it gets.
"""
# ruff: noqa: T201 - a command of the Makefile: it is there to print

import os
import sys
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from partyline.domain.model.statuses import OnHangup
from tests.faults.histories import HISTORIES, History, lived
from tests.faults.lab import quiet
from tests.support import domain_story
from tests.unit.domain import test_histories as domain

DOMAIN, ENGINE = 90_000, 10_000
BATCH = {"domain": 500, "engine": 100}


def batch(kind: str, nth: int, size: int) -> tuple[int, str]:
    """Live through so many histories; how many there were, and what was wrong if something was."""
    count = 0

    def of_engine(history: History) -> None:
        nonlocal count
        count += 1
        assert lived(history) == []

    def of_domain(how: str, on_host_hangup: OnHangup, turns: list[tuple[Any, ...]]) -> None:
        nonlocal count
        count += 1
        told = domain.test_whatever_happens_nobody_is_called_twice_and_all_comes_to_an_end
        told.hypothesis.inner_test(how, on_host_hangup, turns)  # type: ignore[attr-defined]
        domain_story.STATES.clear()  # so many histories fill the memory

    try:
        if kind == "engine":
            _run(given(history=HISTORIES)(of_engine), nth, size)
        else:
            turns = st.lists(domain.TURNS, max_size=40)
            how, goes = st.sampled_from(domain.BEGINNINGS), st.sampled_from(OnHangup)
            _run(given(how=how, on_host_hangup=goes, turns=turns)(of_domain), nth, size)
    except Exception:  # noqa: BLE001 - told to whoever asked for the batch
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


def main(domain_count: int, engine_count: int) -> int:
    """Run both kinds on every processor, and print honest counts."""
    began = time.monotonic()
    wanted = {"domain": domain_count, "engine": engine_count}
    lived_through = dict.fromkeys(wanted, 0)
    wrong = ""
    with ProcessPoolExecutor(os.cpu_count(), initializer=quiet) as pool:
        asked = {
            pool.submit(batch, kind, first, min(BATCH[kind], count - first)): kind
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
    print(wrong or f"nothing was done twice, nothing stayed open; {secs:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    given_counts = [int(each) for each in sys.argv[1:3]]
    sys.exit(main(*given_counts, *(DOMAIN, ENGINE)[len(given_counts) :]))
