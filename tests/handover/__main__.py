"""`make handover`: play every cell of the grid, and print a table.

    python -m tests.handover [words of a cell, such as "brief, declines"]

Ends with 1 if a rule was violated.
"""
# ruff: noqa: T201 - a command of the Makefile prints

import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from tests.faults.lab import silence_logs
from tests.handover.cells import BY_NAME, cells
from tests.handover.judging import Result, judge
from tests.handover.phases import PHASES

PROGRESS_STEP = 250


def main(words: list[str]) -> int:
    """Play the cells whose name has all the words, and print the table."""
    silence_logs()
    began = time.monotonic()
    wanted = [cell for cell in cells() if all(word in str(cell) for word in words)]
    results: list[Result] = []
    with ProcessPoolExecutor(os.cpu_count(), initializer=silence_logs) as pool:
        for result in pool.map(judge, wanted, chunksize=8):
            results.append(result)
            if len(results) % PROGRESS_STEP == 0:
                print(f"{len(results)} of {len(wanted)} cells", file=sys.stderr, flush=True)
            if result.violations:
                print(f"VIOLATED {result.cell}: {'; '.join(result.violations)}", flush=True)
    _print_table(results)
    violated = sum(bool(result.violations) for result in results)
    longest = max((result.longest_silence_secs for result in results), default=0.0)
    outcomes = Counter(outcome for result in results for outcome in result.outcomes)
    print("outcomes: " + ", ".join(f"{name} {count}" for name, count in outcomes.most_common()))
    print(
        f"{len(results)} cells, {violated} violated, longest silence {longest:.0f} s, "
        f"{time.monotonic() - began:.0f} s"
    )
    return 1 if violated else 0


def _print_table(results: Sequence[Result]) -> None:
    """Print a row for each event: in each phase the cells, and the violated cells if any."""
    groups = defaultdict[tuple[str, str], list[Result]](list)
    for result in results:
        groups[result.cell.event, result.cell.phase].append(result)
    print(f"{'':42}" + "".join(f"{phase:>14}" for phase in PHASES))
    for event in BY_NAME:
        row = (groups[event, phase] for phase in PHASES)
        print(f"{event:42}" + "".join(f"{_figure(own):>14}" for own in row))


def _figure(own: Sequence[Result]) -> str:
    violated = sum(bool(result.violations) for result in own)
    if not own:
        return "-"
    return f"{len(own)}, {violated} bad" if violated else str(len(own))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
