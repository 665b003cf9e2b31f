"""`make histories`: generated histories of transcripts, by the ten thousand.

    python -m tests.histories [how many] [the number of the first]

Ends with 1 if a history has another transcript than what was said.
"""
# ruff: noqa: T201 - a command of the Makefile prints

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from tests.faults.lab import silence_logs
from tests.histories.histories import History

MANY = 10_000


def check(number: int) -> tuple[int, list[str]]:
    """Run the history of a number; returns the number and what is wrong."""
    return number, History(number).run()


def main(count: int = MANY, first: int = 0) -> int:
    """Run histories on every processor, and print what is wrong."""
    began, wrong = time.monotonic(), 0
    with ProcessPoolExecutor(os.cpu_count(), initializer=silence_logs) as pool:
        for number, violations in pool.map(check, range(first, first + count), chunksize=20):
            wrong += bool(violations)
            for violation in violations[:3]:
                print(f"history {number}: {violation}")
    secs = time.monotonic() - began
    print(f"{count} histories; {wrong} with another transcript than what was said; {secs:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
