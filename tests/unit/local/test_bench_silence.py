"""The bench of the silence after the answer compares both ways to start the assistant."""

import pytest

from local.bench import silence


def test_the_silence_of_each_way_to_start_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence, "LIVE_START_SECS", (0.4,))

    two_steps, with_answer, shorter = (figure.value for figure in silence.silence(calls=1))

    assert two_steps >= 0.4, "the simulated start takes that long"
    assert with_answer > 0
    assert shorter == two_steps - with_answer
