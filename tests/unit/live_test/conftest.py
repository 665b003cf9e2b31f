from collections.abc import Iterator

import pytest

from local.simulator.violations import observed_violations

PROVOKED = ("was joined twice", "dialled twice for client_state")
"""The live test repeats a join and a dial on purpose."""


@pytest.fixture(autouse=True)
def no_violations() -> Iterator[None]:
    """Fail a test in which a simulator has recorded a violation that is not provoked."""
    with observed_violations() as violations:
        yield
    assert [text for text in violations if not any(word in text for word in PROVOKED)] == []
