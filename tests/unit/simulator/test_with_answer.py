"""The assistant of an answer: prepared before the answer, started with the answer."""

import pytest

from tests.support.simulator_harness import ASSISTANT, CALLER, US, SimulatorHarness


def test_the_answer_waits_for_the_assistants_preparation() -> None:
    harness = SimulatorHarness()
    leg = harness.telnyx.ring_in(CALLER, US)

    status, answer = harness.command(leg, "answer", assistant=ASSISTANT)

    assert (status, answer["data"]) == (200, {"result": "ok"})
    assert leg.answered_at is None
    harness.clock.advance(harness.settings.warm_up_secs)
    assert leg.answered_at == harness.clock.now()
    harness.clock.advance(harness.settings.warm_created_after_secs)
    assert harness.types == ["call.initiated", "call.answered", "call.conversation.created"]
    assert harness.telnyx.violations == []


def test_a_caller_may_hang_up_during_the_preparation() -> None:
    harness = SimulatorHarness()
    leg = harness.telnyx.ring_in(CALLER, US)
    harness.command(leg, "answer", assistant=ASSISTANT)

    harness.telnyx.hang_up(leg.call_control_id)
    harness.clock.advance(5)

    assert leg.answered_at is None
    assert harness.telnyx.conversations == []


@pytest.mark.violates
def test_a_start_after_an_answer_with_an_assistant_is_a_violation() -> None:
    harness = SimulatorHarness()
    leg = harness.telnyx.ring_in(CALLER, US)
    harness.command(leg, "answer", assistant=ASSISTANT)
    harness.clock.advance(5)

    harness.command(leg, "ai_assistant_start", assistant=ASSISTANT)

    assert len(harness.telnyx.violations) == 1
