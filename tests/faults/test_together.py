"""Webhooks of a conversation at the same time, in many orders of their reads and writes."""

from collections.abc import Callable
from functools import partial
from random import Random

import pytest

from local.simulator.model import Person
from local.stack.http_api import HttpRequest
from tests.faults.invariants import ending_of, violations_of
from tests.faults.lab import FaultLab
from tests.support.interleaving import Interleaving
from tests.support.lab import event_type
from tests.support.people import DANA, HOST, KIM, LEE

ORDERS = 10

Scene = Callable[[FaultLab], list[HttpRequest]]


def host_and_guest_answer(lab: FaultLab) -> list[HttpRequest]:
    lab.start_conversation(to=HOST, participants=[{"to": DANA, "name": "Dana"}])
    lab.hold()
    lab.run(1.5)
    return lab.release()


def the_same_answer_three_times(lab: FaultLab) -> list[HttpRequest]:
    lab.start_conversation(to=HOST, participants=[{"to": DANA, "name": "Dana"}])
    lab.hold()
    lab.run(1.5)
    return [webhook for webhook in lab.release() if event_type(webhook) == "call.answered"][:1] * 3


def everybody_hangs_up(lab: FaultLab) -> list[HttpRequest]:
    lab.start_conversation(to=HOST, participants=[{"to": DANA, "name": "Dana"}])
    lab.wait_until_joined("Dana")
    lab.hold()
    lab.hang_up(HOST)
    lab.hang_up(DANA)
    lab.run(5)
    return lab.release()


def two_of_a_plan_pick_up(lab: FaultLab) -> list[HttpRequest]:
    lab.start_conversation(to=HOST)
    lab.wait_until_active()
    lab.invite_guest([LEE, KIM], "Dana", strategy="at_once")
    lab.run(1)
    lab.hold()
    lab.pick_up(LEE, KIM)
    return lab.release()


def a_guest_picks_up_as_the_host_hangs_up(lab: FaultLab) -> list[HttpRequest]:
    lab.start_conversation(to=HOST)
    lab.wait_until_active()
    lab.invite_guest(LEE, "Lee")
    lab.run(1)
    lab.hold()
    lab.pick_up(LEE)
    lab.hang_up(HOST)
    lab.run(1)
    return lab.release()


SCENES: list[Scene] = [
    host_and_guest_answer,
    the_same_answer_three_times,
    everybody_hangs_up,
    two_of_a_plan_pick_up,
    a_guest_picks_up_as_the_host_hangs_up,
]


@pytest.mark.sampled
@pytest.mark.parametrize("scene", SCENES)
def test_webhooks_at_the_same_time_in_any_order_violate_no_invariant(scene: Scene) -> None:
    changes = [_run_order(scene, seed) for seed in range(ORDERS)]
    assert min(changes) > 1, "the webhooks never interleaved"


def _run_order(scene: Scene, seed: int) -> int:
    """Handle the webhooks of a scene together; returns the number of switches between them."""
    lab = FaultLab([Person(LEE, behaviour="manual"), Person(KIM, behaviour="manual")])
    webhooks = scene(lab)
    interleaving = Interleaving(Random(seed))
    lab.io.take_turns = interleaving.take_turns
    # Time stands still meanwhile, so that no timer fires in between.
    sleep, lab.app.engine._sleep = lab.app.engine._sleep, lambda _secs: None
    statuses = interleaving.run([partial(lab.receive, webhook) for webhook in webhooks])
    lab.app.engine._sleep = sleep
    assert set(statuses) <= {200, 503}, seed
    again = [webhook for webhook, status in zip(webhooks, statuses, strict=True) if status == 503]
    lab.run(7)
    assert {lab.receive(webhook) for webhook in again} <= {200}, seed
    lab.run(90)
    for leg in lab.telnyx.legs:
        lab.telnyx.hang_up(leg.call_control_id)
    lab.settle()
    assert violations_of(lab) == [], seed
    ended = ending_of(lab)
    assert len(set(ended.joined)) == len(ended.joined) <= 1, seed
    assert len(set(ended.messages)) == len(ended.messages), seed
    assert (ended.up, ended.assistants) == ((), 1), seed
    return interleaving.switches
