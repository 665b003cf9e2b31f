"""Run functions at the same time, on real threads."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def run_together(functions: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run the functions at once. Returns their results in order; raises the first error."""
    gate = threading.Barrier(len(functions))

    def run(function: Callable[[], Any]) -> Any:
        gate.wait()
        return function()

    with ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(run, functions))


def at_once(work: Callable[[], T]) -> Callable[[], T]:
    """Do the work now, so that the order of requests is certain. Returns a getter of the result."""
    result = work()
    return lambda: result
