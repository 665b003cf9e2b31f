"""Injected faults of the API."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeVar

FaultKind = Literal["refuse", "drop", "lose_reply", "slow", "garble"]


@dataclass(kw_only=True)
class Limits:
    """How often a fault applies: `times` None is without limit, a seed decides `probability`."""

    times: int | None = 1
    probability: float = 1.0


F = TypeVar("F", bound=Limits)


def use_first(faults: Iterable[F], applies: Callable[[F], bool], rng: random.Random) -> F | None:
    """Return the first fault that applies, and count the use; None if no fault applies."""
    for fault in faults:
        if fault.times == 0 or not applies(fault):
            continue
        if fault.probability < 1.0 and rng.random() >= fault.probability:
            continue
        if fault.times is not None:
            fault.times -= 1
        return fault
    return None


@dataclass
class Fault(Limits):
    """A fault of matching requests.

    - `refuse`: an answer with `status` (403, 429 or 5xx), no effect; a 429 says `reset_secs`
    - `drop`: the connection breaks, no effect
    - `lose_reply`: the request takes effect, and no answer comes
    - `garble`: the request takes effect, and the answer is not JSON
    - `slow`: the request takes effect, and the answer comes `secs` later

    `action` is an action's name, e.g. `dial`, `ai_assistant_join`, or `*`.
    """

    kind: FaultKind
    action: str = "*"
    status: int = 500
    secs: float = 5.0
    reset_secs: int = 1


class Faults:
    """The active faults. The first matching fault applies to a request."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.active: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Activate a fault."""
        self.active.append(fault)

    def clear(self) -> None:
        """Remove all faults."""
        self.active.clear()

    def next_fault(self, action: str) -> Fault | None:
        """Return the fault for a request of `action` and count the use, or None."""
        return use_first(self.active, lambda fault: fault.action in (action, "*"), self.rng)
