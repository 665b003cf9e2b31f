"""`make scale`: runs of 100 conversations and more, up to N. Exits with 1 when a goal is missed.

`python -m local.scale 2000` runs 100 and 2,000 conversations, `python -m local.scale 10000` runs
100, 1,000 and 10,000. A conversation takes about 0.2 s of a core.
"""

import argparse
import sys
import time

from rich.console import Console

from local.bench.goals import Figure, show
from local.scale.report import figures, growth
from local.scale.run import Result, run

SIZES = (100, 1_000, 10_000)


def sizes(most: int) -> list[int]:
    """Return the sizes of the runs: each of `SIZES` that is far below the largest, and that."""
    return [*(size for size in SIZES if size * 5 <= most), most]


def main() -> int:
    """Run, print, and compare with the goals."""
    parser = argparse.ArgumentParser(prog="make scale", description=__doc__)
    parser.add_argument("conversations", type=int, nargs="?", default=2_000, help="of the last run")
    most = parser.parse_args().conversations
    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False)
    every: list[Figure] = []
    results: list[Result] = []
    for size in sizes(most):
        began = time.monotonic()
        result = run(size)
        took = f"{size} conversations, {result.run_secs:.0f} s in {time.monotonic() - began:.0f} s"
        part = [*figures(result), Figure("wrong", len(result.wrong), 0, "")]
        show(console, took, part)
        for wrong in result.wrong:
            console.print(wrong)
        results.append(result)
        every += part
    if len(results) > 1:
        part = list(growth(results[0], results[-1]))
        show(console, "Growth", part)
        every += part
    missed = [figure.name.strip() for figure in every if figure.met is False]
    console.print(f"missed: {', '.join(missed)}" if missed else "Every goal is met.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
