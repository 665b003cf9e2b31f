"""Webhooks of one conversation at the same time, in many orders of what each reads and writes."""

from collections.abc import Callable
from functools import partial
from random import Random

import pytest

from local.http_api import HttpRequest
from local.simulator.model import Person
from tests.faults.baton import Baton
from tests.faults.invariants import broken, end_of
from tests.faults.stage import FaultStage
from tests.scenario.people import DANA, HOST, KIM, LEE
from tests.scenario.stage import event_type

ORDERS = 10

Moment = Callable[[FaultStage], list[HttpRequest]]


def host_and_guest_answer(at: FaultStage) -> list[HttpRequest]:
    at.begin(to=HOST, participants=[{"to": DANA, "name": "Dana"}])
    at.hold()
    at.run(1.5)
    return at.release()


def the_same_answer_three_times(at: FaultStage) -> list[HttpRequest]:
    at.begin(to=HOST, participants=[{"to": DANA, "name": "Dana"}])
    at.hold()
    at.run(1.5)
    return [each for each in at.release() if event_type(each) == "call.answered"][:1] * 3


def everybody_hangs_up(at: FaultStage) -> list[HttpRequest]:
    at.begin(to=HOST, participants=[{"to": DANA, "name": "Dana"}])
    at.wait_for("Dana")
    at.hold()
    at.hang_up(HOST)
    at.hang_up(DANA)
    at.run(5)
    return at.release()


def two_of_a_plan_pick_up(at: FaultStage) -> list[HttpRequest]:
    at.begin(to=HOST)
    at.talking()
    at.asks_in([LEE, KIM], "Dana", strategy="at_once")
    at.run(1)
    at.hold()
    at.pick_up(LEE, KIM)
    return at.release()


def a_guest_picks_up_as_the_host_hangs_up(at: FaultStage) -> list[HttpRequest]:
    at.begin(to=HOST)
    at.talking()
    at.asks_in(LEE, "Lee")
    at.run(1)
    at.hold()
    at.pick_up(LEE)
    at.hang_up(HOST)
    at.run(1)
    return at.release()


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
    at = FaultStage([Person(LEE, behaviour="manual"), Person(KIM, behaviour="manual")])
    webhooks = moment(at)
    baton = Baton(Random(seed))
    at.io.take_turns = baton.pass_on
    # Time stands still meanwhile: what else is due would be taken in by whoever lets it pass.
    sleep, at.wiring.engine._sleep = at.wiring.engine._sleep, lambda _secs: None
    statuses = baton.run([partial(at.receive, each) for each in webhooks])
    at.wiring.engine._sleep = sleep
    assert set(statuses) <= {200, 503}, seed
    again = [each for each, status in zip(webhooks, statuses, strict=True) if status == 503]
    at.run(7)
    assert {at.receive(each) for each in again} <= {200}, seed
    at.run(90)
    for leg in at.telnyx.legs:
        at.telnyx.hang_up(leg.call_control_id)
    at.rest()
    assert broken(at) == [], seed
    ended = end_of(at)
    assert len(set(ended.joined)) == len(ended.joined) <= 1, seed
    assert len(set(ended.told)) == len(ended.told), seed
    assert (ended.up, ended.assistants) == ((), 1), seed
    return baton.changes
