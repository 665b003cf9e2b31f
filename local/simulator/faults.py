"""Faults of the API, so that a story can be told with a bad line to Telnyx."""

import random
from dataclasses import dataclass
from typing import Literal

FaultKind = Literal["refuse", "drop", "lose_reply", "slow"]


@dataclass
class Fault:
    """What goes wrong with matching requests.

    - `refuse`: answered with `status` (403, 429 or 5xx) before it has an effect
    - `drop`: the connection breaks before it has an effect
    - `lose_reply`: it has its effect, then the answer never comes
    - `slow`: it has its effect, and the answer comes `secs` later

    `action` is an action's name, e.g. `dial`, `ai_assistant_join`, or `*`; `times` None is for
    ever; `probability` is decided by the simulator's seed.
    """

    kind: FaultKind
    action: str = "*"
    times: int | None = 1
    probability: float = 1.0
    status: int = 500
    secs: float = 5.0


class Faults:
    """The faults in force; at most one hits a request, the first that matches."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.active: list[Fault] = []

    def reseed(self, rng: random.Random) -> None:
        """Take other luck."""
        self._rng = rng

    def add(self, fault: Fault) -> None:
        """Put a fault in force."""
        self.active.append(fault)

    def clear(self) -> None:
        """All is well again."""
        self.active.clear()

    def strike(self, action: str) -> Fault | None:
        """The fault that hits a request for `action`, used up by one."""
        for fault in self.active:
            if fault.action not in (action, "*") or fault.times == 0:
                continue
            if fault.probability < 1.0 and self._rng.random() >= fault.probability:
                continue
            if fault.times is not None:
                fault.times -= 1
            return fault
        return None
