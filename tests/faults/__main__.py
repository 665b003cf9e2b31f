"""`make faults`: run every fault at every point of every story, and print a table.

    python -m tests.faults [words of a case]

Ends with 1 if an invariant was violated.
"""
# ruff: noqa: T201 - a command of the Makefile prints

import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from tests.faults.cases import Verdict, cases, judge
from tests.faults.lab import silence_logs
from tests.faults.stories import STORIES

SHOWN = 40


def main(words: list[str]) -> int:
    """Run the cases whose name has all the words, and print the table."""
    silence_logs()
    began = time.monotonic()
    wanted = [case for case in cases() if all(word in str(case) for word in words)]
    verdicts: list[Verdict] = []
    with ProcessPoolExecutor(os.cpu_count(), initializer=silence_logs) as pool:
        for verdict in pool.map(judge, wanted, chunksize=16):
            verdicts.append(verdict)
            if verdict.violations:
                print(f"VIOLATED {verdict.case}: {'; '.join(verdict.violations)}", flush=True)
    _table(verdicts)
    wrong = [verdict for verdict in verdicts if verdict.violations]
    honest = [v for v in verdicts if v.reported_failures and not v.violations]
    for verdict in honest[:SHOWN]:
        print(f"failed honestly: {verdict.case}: {'; '.join(verdict.reported_failures)}")
    secs = time.monotonic() - began
    print(
        f"{len(verdicts)} cases, {len(wrong)} violated, {len(honest)} failed honestly, {secs:.0f} s"
    )
    return 1 if wrong else 0


def _table(verdicts: list[Verdict]) -> None:
    print(f"{'story':26}{'points':>8}{'cases':>8}{'violated':>10}{'honest':>8}")
    for story in STORIES:
        own = [verdict for verdict in verdicts if verdict.case.story == story.name]
        _row(story.name, own)
    print(f"\n{'fault':26}{'points':>8}{'cases':>8}{'violated':>10}{'honest':>8}")
    for fault in dict.fromkeys((v.case.point.place, v.case.fault) for v in verdicts):
        own = [v for v in verdicts if (v.case.point.place, v.case.fault) == fault]
        _row(" ".join(fault), own)


def _row(name: str, own: list[Verdict]) -> None:
    points = len({(verdict.case.story, verdict.case.nth) for verdict in own})
    count = Counter(
        wrong=sum(bool(v.violations) for v in own),
        honest=sum(bool(v.reported_failures) for v in own),
    )
    print(f"{name:26}{points:8}{len(own):8}{count['wrong']:10}{count['honest']:8}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
