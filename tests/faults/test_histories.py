"""Any history over the engine: whatever goes wrong, nothing happens twice and nothing stays open.

`make faults-long` lives through very many more of them.
"""

from hypothesis import HealthCheck, given, settings

from tests.faults.histories import HISTORIES, History, lived


@settings(max_examples=25, suppress_health_check=list(HealthCheck), print_blob=True)
@given(history=HISTORIES)
def test_whatever_goes_wrong_nothing_happens_twice_and_nothing_stays_open(
    history: History,
) -> None:
    assert lived(history) == []
