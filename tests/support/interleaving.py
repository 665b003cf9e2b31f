"""Run functions on threads that take turns in a random but reproducible order.

Real threads interleave as the machine decides. Here every interleaving of their I/O is possible,
and a seed reproduces an interleaving.
"""

import threading
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from tests.support.patience import PATIENCE_SECS


class Interleaving:
    """Lets a single thread run. Each call of `take_turns` chooses the next thread at random."""

    def __init__(self, random: Random) -> None:
        """Prepare; no thread runs yet."""
        self.switches = 0
        """The number of changes from a thread to another."""
        self._random = random
        self._turn = threading.Condition()
        self._running: list[int] = []
        self._holder = -1
        self._thread = threading.local()

    def run(self, functions: Sequence[Callable[[], Any]]) -> list[Any]:
        """Run the functions. Returns their results in order; raises the first error."""
        results: list[Any] = [None] * len(functions)
        errors: list[BaseException] = []

        def run_one(nth: int) -> None:
            self._thread.nth = nth
            try:
                self._wait_for_turn(nth)
                results[nth] = functions[nth]()
            except BaseException as error:  # noqa: BLE001 - raised again after the join
                errors.append(error)
            with self._turn:
                self._running.remove(nth)
                self._choose_next()

        self._running = list(range(len(functions)))
        self._holder = self._random.choice(self._running)
        threads = [threading.Thread(target=run_one, args=(nth,)) for nth in self._running]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
        return results

    def take_turns(self) -> None:
        """Let a random thread continue. A thread outside of `run` continues at once."""
        nth = getattr(self._thread, "nth", None)
        if nth is None:
            return
        with self._turn:
            self._choose_next()
        self._wait_for_turn(nth)

    def _choose_next(self) -> None:
        if self._running:
            before, self._holder = self._holder, self._random.choice(self._running)
            self.switches += self._holder != before
            self._turn.notify_all()

    def _wait_for_turn(self, nth: int) -> None:
        with self._turn:
            if not self._turn.wait_for(lambda: self._holder == nth, PATIENCE_SECS):
                raise TimeoutError("no turn in time: another thread is blocked")
