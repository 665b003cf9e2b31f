"""Long lists of cases: `make test` runs a sample of each list, `make check` runs every case.

A list is long if its cases repeat a story with another fault, order or answer. The sample of a list
is the same in each run.
"""

import os
from collections.abc import Sequence
from typing import TypeVar

Case = TypeVar("Case")

VARIABLE = "EVERY_CASE"
"""The environment variable that asks for every case, if its value is 1."""

EVERY_CASE = os.environ.get(VARIABLE) == "1"

ONE_OF = 7
"""A sample has one of so many cases. No list repeats a feature every seventh case."""


def sampled(cases: Sequence[Case]) -> list[Case]:
    """Return the cases to run: all cases if the environment asks for them, else a sample."""
    return list(cases if EVERY_CASE else cases[::ONE_OF])


def examples(count: int) -> int:
    """Return how many generated examples to run, if `count` are every case."""
    return count if EVERY_CASE else -(-count // ONE_OF)
