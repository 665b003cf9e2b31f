"""`make replays`, the second part: generated histories that run every line of the rules they can.

Of many generated histories, as few as possible are kept (a greedy cover of the domain's lines), and
written to tests/replays beside the calls of the demo.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from local.replay import driver, replay_file
from local.replay.demo import FOLDER
from tests.faults import histories
from tests.faults.histories import HISTORIES, History
from tests.faults.lab import FaultLab, silence_logs
from tests.support.exports import exported

COUNT, SEED = 400, 14
MOST_FILES = 24

Line = tuple[str, int]


@contextmanager
def lines_run(lines: set[Line]) -> Iterator[None]:
    """Collect the lines of the rules that run."""

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        name = frame.f_code.co_filename
        if "/domain/rules/" not in name:
            return None
        if event == "line":
            lines.add((Path(name).name, frame.f_lineno))
        return trace

    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(None)


def generated(count: int) -> list[list[dict[str, Any]]]:
    """Run histories; return the steps of each conversation."""
    exports = []
    settle = histories._settle

    def settle_and_export(lab: FaultLab) -> list[str]:
        violations = settle(lab)
        if lab.has_conversation():
            exports.append(exported(lab, lab.conversation_id))
        return violations

    @seed(SEED)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(history=HISTORIES)
    def run(history: History) -> None:
        assert histories.run_history(history) == []

    histories._settle = settle_and_export
    try:
        run()
    finally:
        histories._settle = settle
    return exports


def main() -> None:
    """Write the files anew."""
    silence_logs()
    for old in FOLDER.glob("history-*.replay"):
        old.unlink()
    known = set[Line]()
    with lines_run(known):
        for file in sorted(FOLDER.glob("*.replay")):
            driver.replay(replay_file.read(file))
    left = []
    for steps in generated(COUNT):
        lines = set[Line]()
        with lines_run(lines):
            driver.replay(steps)
        left.append((lines, steps))
    for nth in range(1, MOST_FILES + 1):
        best = max(left, key=lambda export: (len(export[0] - known), -len(export[1])))
        if not best[0] - known:
            break
        left.remove(best)
        known |= best[0]
        replay_file.write(FOLDER / f"history-{nth:02}.replay", best[1])
    print(f"{nth} histories; {len(known)} lines of the rules run")  # noqa: T201


if __name__ == "__main__":
    main()
