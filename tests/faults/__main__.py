"""`make faults`: every fault at every point of every story, and the table of what came of it.

    python -m tests.faults [words of a case]

Ends with 1 if anything was violated.
"""
# ruff: noqa: T201 - a command of the Makefile: it is there to print

import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from tests.faults.cases import Verdict, cases, judged
from tests.faults.lab import quiet
from tests.faults.stories import STORIES

SHOWN = 40


def main(words: list[str]) -> int:
    """Run the cases whose name has all the words, and print the table."""
    quiet()
    began = time.monotonic()
    wanted = [case for case in cases() if all(word in str(case) for word in words)]
    verdicts = []
    with ProcessPoolExecutor(os.cpu_count(), initializer=quiet) as pool:
        for verdict in pool.map(judged, wanted, chunksize=16):
            verdicts.append(verdict)
            if verdict.wrong:
                print(f"VIOLATED {verdict.case}: {'; '.join(verdict.wrong)}", flush=True)
    _table(verdicts)
    wrong = [each for each in verdicts if each.wrong]
    honest = [each for each in verdicts if each.honest and not each.wrong]
    for each in honest[:SHOWN]:
        print(f"failed honestly: {each.case}: {'; '.join(each.honest)}")
    secs = time.monotonic() - began
    print(
        f"{len(verdicts)} cases, {len(wrong)} violated, {len(honest)} failed honestly, {secs:.0f} s"
    )
    return 1 if wrong else 0


def _table(verdicts: list[Verdict]) -> None:
    print(f"{'story':26}{'points':>8}{'cases':>8}{'violated':>10}{'honest':>8}")
    for story in STORIES:
        own = [each for each in verdicts if each.case.story == story.name]
        _row(story.name, own)
    print(f"\n{'fault':26}{'points':>8}{'cases':>8}{'violated':>10}{'honest':>8}")
    for fault in dict.fromkeys((each.case.point.place, each.case.fault) for each in verdicts):
        own = [each for each in verdicts if (each.case.point.place, each.case.fault) == fault]
        _row(" ".join(fault), own)


def _row(name: str, own: list[Verdict]) -> None:
    points = len({(each.case.story, each.case.nth) for each in own})
    count = Counter(wrong=sum(bool(v.wrong) for v in own), honest=sum(bool(v.honest) for v in own))
    print(f"{name:26}{points:8}{len(own):8}{count['wrong']:10}{count['honest']:8}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
