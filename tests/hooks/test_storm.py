"""A receiver that fails 30 % of the attempts and a sender that dies lose nothing."""

import pytest

from local.stack.template import Template
from partyline.services import hook_delivery
from partyline.services.hook_queue import HookQueue
from tests.hooks.storm import Storm


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_lost_and_doubles_have_the_same_id(template: Template, seed: int) -> None:
    result = Storm(template, 300, seed).run()
    assert result.violations == []
    assert result.requests > result.deliveries == 300
    assert result.deaths
    assert result.doubles


def test_the_storm_finds_a_sender_that_writes_the_row_before_the_next_message(
    template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The judge itself: with the two steps in the wrong order, a death loses a delivery."""
    waiting = []
    send, record = HookQueue.send, hook_delivery.HookDelivery._record

    def later(self: HookQueue, attempts: object) -> None:
        waiting.append((self, attempts))

    def record_then_send(self: object, *args: object, **more: object) -> None:
        record(self, *args, **more)  # type: ignore[arg-type]
        while waiting:
            send(*waiting.pop())  # type: ignore[arg-type]

    def failed(self: object, *args: object) -> None:
        monkeypatch.setattr(HookQueue, "send", later)
        try:
            original(self, *args)  # type: ignore[arg-type]
        finally:
            monkeypatch.setattr(HookQueue, "send", send)
            waiting.clear()

    original = hook_delivery.HookDelivery._failed
    monkeypatch.setattr(hook_delivery.HookDelivery, "_record", record_then_send)
    monkeypatch.setattr(hook_delivery.HookDelivery, "_failed", failed)
    result = Storm(template, 300, 1).run()
    assert any("lost" in violation for violation in result.violations)
