"""Injected faults of the API."""

import random
from dataclasses import dataclass
from typing import Literal

FaultKind = Literal["refuse", "drop", "lose_reply", "slow"]


@dataclass
class Fault:
    """A fault of matching requests.

    - `refuse`: an answer with `status` (403, 429 or 5xx), no effect
    - `drop`: the connection breaks, no effect
    - `lose_reply`: the request takes effect, and no answer comes
    - `slow`: the request takes effect, and the answer comes `secs` later

    `action` is an action's name, e.g. `dial`, `ai_assistant_join`, or `*`; `times` None is without
    limit; the simulator's seed decides with `probability`.
    """

    kind: FaultKind
    action: str = "*"
    times: int | None = 1
    probability: float = 1.0
    status: int = 500
    secs: float = 5.0


class Faults:
    """The active faults. The first matching fault applies to a request."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.active: list[Fault] = []

    def reseed(self, rng: random.Random) -> None:
        """Replace the random number generator."""
        self._rng = rng

    def add(self, fault: Fault) -> None:
        """Activate a fault."""
        self.active.append(fault)

    def clear(self) -> None:
        """Remove all faults."""
        self.active.clear()

    def next_fault(self, action: str) -> Fault | None:
        """Return the fault for a request of `action` and count the use, or None."""
        for fault in self.active:
            if fault.action not in (action, "*") or fault.times == 0:
                continue
            if fault.probability < 1.0 and self._rng.random() >= fault.probability:
                continue
            if fault.times is not None:
                fault.times -= 1
            return fault
        return None
