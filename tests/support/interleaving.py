"""Several at the same time, one step of one of them after the other, in an order that luck decides.

Real threads come together where the machine lets them; here any order of their touches of the world
can be had, and the same one again.
"""

import threading
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

TURN_TIMEOUT_SECS = 30.0
"""How long a thread waits for its turn before something is wrong with the test itself."""


class Interleaving:
    """Whoever has it runs; at each touch (`pass_on`) it goes to one of those who are not done."""

    def __init__(self, random: Random) -> None:
        """Nobody runs yet."""
        self.switches = 0
        """How often it went from one to another."""
        self._random = random
        self._turn = threading.Condition()
        self._running: list[int] = []
        self._holder = -1
        self._thread = threading.local()

    def run(self, functions: Sequence[Callable[[], Any]]) -> list[Any]:
        """Do all of it; what each came to. Raises what any of them raised."""
        found: list[Any] = [None] * len(functions)
        wrong: list[BaseException] = []

        def one(nth: int) -> None:
            self._thread.nth = nth
            try:
                self._wait_for_turn(nth)
                found[nth] = functions[nth]()
            except BaseException as error:  # noqa: BLE001 - raised again by who waits for it
                wrong.append(error)
            with self._turn:
                self._running.remove(nth)
                self._choose_next()

        self._running = list(range(len(functions)))
        self._holder = self._random.choice(self._running)
        threads = [threading.Thread(target=one, args=(nth,)) for nth in self._running]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if wrong:
            raise wrong[0]
        return found

    def take_turns(self) -> None:
        """Let somebody go on, perhaps another; nothing to who is not in the race."""
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
            if not self._turn.wait_for(lambda: self._holder == nth, TURN_TIMEOUT_SECS):
                raise TimeoutError("the baton was dropped")
