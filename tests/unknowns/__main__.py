"""`make unknowns`: run every story under the answers of the list, and print a table.

    python -m tests.unknowns [words of a run, such as join-path=host or "lost responses"]

Ends with 1 if a rule was violated.
"""
# ruff: noqa: T201 - a command of the Makefile prints

import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from local.simulator.unknowns import PLAYED, UNKNOWNS
from tests.faults.lab import silence_logs
from tests.unknowns.judging import judge
from tests.unknowns.matrix import (
    ANSWERS,
    ASSUMED,
    PLAYS,
    Result,
    Run,
    combinations,
    paired_runs,
    single_runs,
)
from tests.unknowns.pairwise import all_pairs, pairs_of


def main(words: list[str]) -> int:
    """Run the runs whose name has all the words, and print the table."""
    silence_logs()
    began = time.monotonic()
    assumed = [Run(story, "calm") for story in PLAYS]
    runs = [*assumed, *single_runs(), *paired_runs()]
    results: list[Result] = []
    with ProcessPoolExecutor(os.cpu_count(), initializer=silence_logs) as pool:
        wanted = [run for run in runs if all(word in str(run) for word in words)]
        for result in pool.map(judge, wanted, chunksize=16):
            results.append(result)
            if result.violations:
                print(f"VIOLATED {result.run}: {'; '.join(result.violations)}", flush=True)
    _print_table(results)
    violated = sum(bool(result.violations) for result in results)
    honest = sum(bool(result.failures) and not result.violations for result in results)
    pairs = len({pair for row in combinations() for pair in pairs_of(row)} & all_pairs(ANSWERS))
    print(
        f"{len(UNKNOWNS)} unknowns ({len(PLAYED)} about Telnyx), "
        f"{sum(map(len, ANSWERS.values()))} answers, {pairs} pairs in {len(combinations())} "
        f"combinations, {len(PLAYS)} stories, {len(results)} runs, {violated} violations, "
        f"{honest} failed honestly, {time.monotonic() - began:.0f} s"
    )
    return 1 if violated else 0


def _print_table(results: Sequence[Result]) -> None:
    """Print a row for each answer; `shown` counts the stories in which the answer shows alone."""
    print(f"{'unknown':28}{'answer':18}{'shown':>7}{'runs':>7}{'violated':>10}{'honest':>8}")
    traces = {result.run.story: result.trace for result in results if not result.run.answers}
    for name, answers in ANSWERS.items():
        for answer in answers:
            own = [result for result in results if _answer(result.run, name) == answer]
            alone = [result for result in own if result.run.answers == ((name, answer),)]
            count = Counter(
                shown=sum(result.trace != traces.get(result.run.story) for result in alone),
                violated=sum(bool(result.violations) for result in own),
                honest=sum(bool(result.failures) for result in own),
            )
            print(
                f"{name:28}{answer:18}{count['shown'] if alone else '-':>7}{len(own):7}"
                f"{count['violated']:10}{count['honest']:8}"
            )


def _answer(run: Run, name: str) -> str:
    return dict(run.answers).get(name, ASSUMED[name])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
