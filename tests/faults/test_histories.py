"""Any history over the engine: no action happens twice, and no conversation stays open.

`make faults-long` runs many more histories.
"""

from hypothesis import HealthCheck, given, settings

from tests.faults.histories import HISTORIES, History, run_history


@settings(max_examples=25, suppress_health_check=list(HealthCheck), print_blob=True)
@given(history=HISTORIES)
def test_any_history_with_faults_ends_without_a_double_action(
    history: History,
) -> None:
    assert run_history(history) == []
