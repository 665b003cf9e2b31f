"""Violations: events that must never happen, such as a request with a field that Telnyx ignores."""

from collections.abc import Iterator
from contextlib import contextmanager

_observers: list[list[str]] = []


class Violations(list[str]):
    """The violations of a simulator, oldest first."""

    def record(self, violation: str) -> None:
        """Add a violation, and report the violation to `observed_violations`."""
        self.append(violation)
        for observed in _observers:
            observed.append(violation)


@contextmanager
def observed_violations() -> Iterator[list[str]]:
    """Collect the violations of all simulators of this process while the block runs."""
    observed: list[str] = []
    _observers.append(observed)
    try:
        yield observed
    finally:
        # By identity: two observers with the same violations are equal lists.
        _observers[:] = [other for other in _observers if other is not observed]
