"""The delay of a message to a queue."""

from datetime import timedelta

import pytest

from partyline.services.queue_batch import delay_secs


@pytest.mark.parametrize(
    ("left", "delay"),
    [(-2.5, 0), (0, 0), (0.2, 1), (4, 4), (4.001, 5), (899.5, 900), (900.5, 900), (86_400, 900)],
)
def test_a_message_is_never_early_unless_its_time_is_past_the_longest_delay(
    left: float, delay: int
) -> None:
    assert delay_secs(timedelta(seconds=left)) == delay
