"""Any history over the engine: no action happens twice, no conversation stays open, and the export
of the conversation is decided the same again.

`make faults-long` runs many more histories.
"""

from hypothesis import HealthCheck, given, settings

from tests.faults.histories import HISTORIES, History, run_history
from tests.support.sampling import examples


@settings(max_examples=examples(25), suppress_health_check=list(HealthCheck), print_blob=True)
@given(history=HISTORIES)
def test_any_history_with_faults_ends_without_a_double_action_and_is_decided_the_same_again(
    history: History,
) -> None:
    assert run_history(history) == []
