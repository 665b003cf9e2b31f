"""Doing several things at the same time, on real threads."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def run_together(functions: Sequence[Callable[[], Any]]) -> list[Any]:
    """Do all of them at once; what each came to, in the order given. Raises what any raises."""
    gate = threading.Barrier(len(functions))

    def run(one: Callable[[], Any]) -> Any:
        gate.wait()
        return one()

    with ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(run, functions))
