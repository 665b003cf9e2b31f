"""Webhooks of one conversation at the same time, in many orders of what each reads and writes."""

from collections.abc import Callable
from functools import partial
from random import Random

import pytest

from local.simulator.model import Person
from local.stack.http_api import HttpRequest
from tests.faults.invariants import broken, end_of
from tests.faults.lab import FaultLab
from tests.support.interleaving import Interleaving
from tests.support.lab import event_type
from tests.support.people import DANA, HOST, KIM, LEE

ORDERS = 10

Moment = Callable[[FaultLab], list[HttpRequest]]


def host_and_guest_answer(lab: FaultLab) -> list[HttpRequest]:
    lab.begin(to=HOST, participants=[{"to": DANA, "name": "Dana"}])
    lab.hold()
    lab.run(1.5)
    return lab.release()


def the_same_answer_three_times(lab: FaultLab) -> list[HttpRequest]:
    lab.begin(to=HOST, participants=[{"to": DANA, "name": "Dana"}])
    lab.hold()
    lab.run(1.5)
    return [each for each in lab.release() if event_type(each) == "call.answered"][:1] * 3


def everybody_hangs_up(lab: FaultLab) -> list[HttpRequest]:
    lab.begin(to=HOST, participants=[{"to": DANA, "name": "Dana"}])
    lab.wait_for("Dana")
    lab.hold()
    lab.hang_up(HOST)
    lab.hang_up(DANA)
    lab.run(5)
    return lab.release()


def two_of_a_plan_pick_up(lab: FaultLab) -> list[HttpRequest]:
    lab.begin(to=HOST)
    lab.talking()
    lab.asks_in([LEE, KIM], "Dana", strategy="at_once")
    lab.run(1)
    lab.hold()
    lab.pick_up(LEE, KIM)
    return lab.release()


def a_guest_picks_up_as_the_host_hangs_up(lab: FaultLab) -> list[HttpRequest]:
    lab.begin(to=HOST)
    lab.talking()
    lab.asks_in(LEE, "Lee")
    lab.run(1)
    lab.hold()
    lab.pick_up(LEE)
    lab.hang_up(HOST)
    lab.run(1)
    return lab.release()


MOMENTS: list[Moment] = [
    host_and_guest_answer,
    the_same_answer_three_times,
    everybody_hangs_up,
    two_of_a_plan_pick_up,
    a_guest_picks_up_as_the_host_hangs_up,
]


@pytest.mark.parametrize("moment", MOMENTS)
def test_in_whatever_order_they_are_taken_in(moment: Moment) -> None:
    changes = [_taken_in(moment, seed) for seed in range(ORDERS)]
    assert min(changes) > 1, "they never met, so this showed nothing"


def _taken_in(moment: Moment, seed: int) -> int:
    """Take the webhooks of a moment in, together; how often one gave way to another."""
    lab = FaultLab([Person(LEE, behaviour="manual"), Person(KIM, behaviour="manual")])
    webhooks = moment(lab)
    baton = Interleaving(Random(seed))
    lab.io.take_turns = baton.take_turns
    # Time stands still meanwhile: what else is due would be taken in by whoever lets it pass.
    sleep, lab.app.engine._sleep = lab.app.engine._sleep, lambda _secs: None
    statuses = baton.run([partial(lab.receive, each) for each in webhooks])
    lab.app.engine._sleep = sleep
    assert set(statuses) <= {200, 503}, seed
    again = [each for each, status in zip(webhooks, statuses, strict=True) if status == 503]
    lab.run(7)
    assert {lab.receive(each) for each in again} <= {200}, seed
    lab.run(90)
    for leg in lab.telnyx.legs:
        lab.telnyx.hang_up(leg.call_control_id)
    lab.rest()
    assert broken(lab) == [], seed
    ended = end_of(lab)
    assert len(set(ended.joined)) == len(ended.joined) <= 1, seed
    assert len(set(ended.told)) == len(ended.told), seed
    assert (ended.up, ended.assistants) == ((), 1), seed
    return baton.switches
