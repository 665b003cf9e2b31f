"""Several at the same time, one step of one of them after the other, in an order that luck decides.

Real threads come together where the machine lets them; here any order of their touches of the world
can be had, and the same one again.
"""

import threading
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

PATIENCE_SECS = 30.0
"""How long a thread waits for its turn before something is wrong with the test itself."""


class Interleaving:
    """Whoever has it runs; at each touch (`pass_on`) it goes to one of those who are not done."""

    def __init__(self, luck: Random) -> None:
        """Nobody runs yet."""
        self.changes = 0
        """How often it went from one to another."""
        self._luck = luck
        self._turn = threading.Condition()
        self._running: list[int] = []
        self._holder = -1
        self._me = threading.local()

    def run(self, works: Sequence[Callable[[], Any]]) -> list[Any]:
        """Do all of it; what each came to. Raises what any of them raised."""
        found: list[Any] = [None] * len(works)
        wrong: list[BaseException] = []

        def one(nth: int) -> None:
            self._me.nth = nth
            try:
                self._wait(nth)
                found[nth] = works[nth]()
            except BaseException as error:  # noqa: BLE001 - raised again by who waits for it
                wrong.append(error)
            with self._turn:
                self._running.remove(nth)
                self._hand_on()

        self._running = list(range(len(works)))
        self._holder = self._luck.choice(self._running)
        threads = [threading.Thread(target=one, args=(nth,)) for nth in self._running]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if wrong:
            raise wrong[0]
        return found

    def pass_on(self) -> None:
        """Let somebody go on, perhaps another; nothing to who is not in the race."""
        nth = getattr(self._me, "nth", None)
        if nth is None:
            return
        with self._turn:
            self._hand_on()
        self._wait(nth)

    def _hand_on(self) -> None:
        if self._running:
            before, self._holder = self._holder, self._luck.choice(self._running)
            self.changes += self._holder != before
            self._turn.notify_all()

    def _wait(self, nth: int) -> None:
        with self._turn:
            if not self._turn.wait_for(lambda: self._holder == nth, PATIENCE_SECS):
                raise TimeoutError("the baton was dropped")
