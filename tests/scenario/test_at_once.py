"""All numbers of a plan ring at once, and the first to accept wins."""

from collections.abc import Callable
from itertools import permutations

import pytest

from local.http_api import HttpRequest
from local.simulator.model import Person
from local.simulator.settings import Settings
from tests.scenario.people import DANA, HOST, KIM, LEE, WHO
from tests.scenario.stage import Stage, Staged, minutes

NUMBERS = [LEE, KIM, DANA]
JOINED = "Dana has joined the conversation."

Arrive = Callable[[Stage, list[HttpRequest]], object]


def in_order(at: Stage, webhooks: list[HttpRequest]) -> None:
    at.arrive(webhooks)


def reversed_(at: Stage, webhooks: list[HttpRequest]) -> None:
    at.arrive(webhooks[::-1])


def together(at: Stage, webhooks: list[HttpRequest]) -> None:
    """On real threads. Whatever could not be taken in is delivered again, as Telnyx does."""
    statuses = at.arrive_together(webhooks)
    assert set(statuses) <= {200, 503}
    at.arrive([each for each, status in zip(webhooks, statuses, strict=True) if status == 503])


arriving = pytest.mark.parametrize("arrive", [in_order, reversed_, together])


def ringing(stage: Staged, settings: Settings | None = None, **more: object) -> tuple[Stage, str]:
    """Three phones ring for Dana, and wait for what the test says."""
    at = stage(
        [Person(number, behaviour="manual") for number in NUMBERS],
        settings or Settings(accepts_conversation_keys=True),
    )
    here = at.start()
    at.run(5)
    at.invite(here, NUMBERS, name="Dana", strategy="at_once", **more)
    at.run(1)
    assert at.dialled() == ["host", "Lee", "Kim", "Dana"]
    return at, here


def assert_one_was_joined(at: Stage, here: str, *, of: list[str]) -> None:
    """One of the plan's phones is in the conversation, and nobody rings or waits any more."""
    assert len(at.commands("ai_assistant_join")) == 1
    (winner,) = at.joined()
    assert winner in {WHO[number] for number in of}
    assert sorted(at.up()) == sorted([winner, "host"])
    assert at.told() == [JOINED]
    dana = at.person(here, "Dana")
    assert dana["status"] == "joined"
    assert sorted(leg["outcome"] for leg in dana["legs"]) == ["cancelled", "cancelled", "human"]
    at.assert_clean()


def test_the_first_to_pick_up_is_joined_and_the_others_stop_ringing(stage: Staged) -> None:
    at, here = ringing(stage)
    at.pick_up(KIM)
    at.run(5)
    assert at.joined() == ["Kim"]
    assert_one_was_joined(at, here, of=[KIM])
    assert at.heard(LEE)[-1] == "the line is dead"


@arriving
def test_two_pick_up_in_the_same_instant(stage: Staged, arrive: Arrive) -> None:
    at, here = ringing(stage)
    at.hold()
    at.pick_up(LEE, KIM)
    arrive(at, at.release())
    at.run(minutes(2))
    assert_one_was_joined(at, here, of=[LEE, KIM])


@pytest.mark.parametrize("order", list(permutations(NUMBERS)))
def test_all_three_pick_up_and_any_order_of_webhooks_joins_one(
    stage: Staged, order: tuple[str, ...]
) -> None:
    at, here = ringing(stage)
    at.hold()
    at.pick_up(*order)
    at.arrive(at.release())
    at.run(5)
    assert_one_was_joined(at, here, of=NUMBERS)


def test_all_three_pick_up_and_the_webhooks_come_together(stage: Staged) -> None:
    at, here = ringing(stage)
    at.hold()
    at.pick_up(*NUMBERS)
    together(at, at.release())
    at.run(minutes(2))
    assert_one_was_joined(at, here, of=NUMBERS)


@arriving
def test_two_are_found_to_be_human_in_the_same_instant(stage: Staged, arrive: Arrive) -> None:
    at, here = ringing(stage, machine_detection="standard")
    at.pick_up(LEE, KIM)
    at.run(0.2)
    at.hold()
    at.run(1)
    arrive(at, at.release())
    at.run(minutes(2))
    assert_one_was_joined(at, here, of=[LEE, KIM])


@arriving
def test_two_press_the_digit_in_the_same_instant(stage: Staged, arrive: Arrive) -> None:
    at, here = ringing(stage, screening={"say": "Press 1."})
    at.pick_up(LEE, KIM)
    at.run(1)
    assert at.joined() == []
    at.hold()
    at.press(LEE, "1")
    at.press(KIM, "1")
    arrive(at, at.release())
    at.run(minutes(2))
    assert_one_was_joined(at, here, of=[LEE, KIM])


def test_who_declines_leaves_it_to_the_others(stage: Staged) -> None:
    at, _here = ringing(stage, screening={"say": "Press 1."})
    at.pick_up(LEE, KIM)
    at.run(1)
    at.press(LEE, "2")
    at.run(1)
    assert at.joined() == []
    assert sorted(at.up()) == ["Dana", "Kim", "host"]
    at.press(KIM, "1")
    at.run(5)
    assert at.joined() == ["Kim"]
    assert sorted(at.up()) == ["Kim", "host"]
    assert at.told() == [JOINED]
    at.assert_clean()


def test_a_machine_does_not_win(stage: Staged) -> None:
    at, here = ringing(stage, machine_detection="standard")
    at.telnyx.set_person(Person(LEE, behaviour="machine"))
    at.pick_up(LEE)
    at.run(2)
    assert at.joined() == []
    assert sorted(at.up()) == ["Dana", "Kim", "host"]
    at.pick_up(KIM)
    at.run(5)
    assert at.joined() == ["Kim"]
    assert at.outcomes(here, "Dana") == ["machine", "human", "cancelled"]
    assert at.told() == [JOINED]


def test_nobody_picks_up_and_the_assistant_is_told_once(stage: Staged) -> None:
    at, here = ringing(stage, ring_timeout_secs=10)
    at.run(minutes(1))
    assert at.person(here, "Dana")["status"] == "failed"
    assert at.told() == ["Dana did not answer the call. There is no other number to try."]
    assert at.up() == ["host"]


def test_the_winner_hangs_up_in_the_instant_of_winning(stage: Staged) -> None:
    at, here = ringing(stage)
    at.hold()
    at.pick_up(LEE)
    at.hang_up(LEE)
    at.arrive(at.release())
    at.run(minutes(2))
    assert JOINED not in at.told()
    assert len(at.told()) == 1
    assert at.joined() == []
    assert at.up() == ["host"]
    assert at.status(here) == "active"


@arriving
def test_two_pick_up_as_the_host_hangs_up(stage: Staged, arrive: Arrive) -> None:
    at, here = ringing(stage)
    at.hold()
    at.pick_up(LEE, KIM)
    at.hang_up(HOST)
    arrive(at, at.release())
    at.run(minutes(3))
    assert at.status(here) == "ended"
    at.assert_no_leg_up()
    at.assert_clean()


def test_a_join_that_is_refused_does_not_join_another(stage: Staged) -> None:
    at, here = ringing(stage)
    at.line.refuse("ai_assistant_join", 422, "10015", "No.")
    at.pick_up(LEE)
    at.run(5)
    assert at.person(here, "Dana")["status"] == "failed"
    assert at.joined() == []
    assert at.up() == ["host"]


def test_a_refused_dial_leaves_it_to_the_others(stage: Staged) -> None:
    at = stage([Person(number, behaviour="manual") for number in NUMBERS])
    here = at.start()
    at.run(5)
    at.line.refuse("dial", 422, "10016", "No such number.")
    at.invite(here, NUMBERS, name="Dana", strategy="at_once")
    at.run(1)
    assert at.dialled() == ["host", "Kim", "Dana"]
    at.pick_up(KIM)
    at.run(5)
    assert at.outcomes(here, "Dana") == ["error", "human", "cancelled"]
    assert sorted(at.up()) == ["Kim", "host"]
    assert at.told() == [JOINED]
