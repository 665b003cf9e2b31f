"""Prices, their sums, and what a conversation spends of the budget of a day."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from partyline.domain.model.assistant import Assistant
from partyline.domain.model.conversation import Conversation, Limits
from partyline.domain.model.costs import LegCost, RunCost, amount_of, units_of
from partyline.domain.model.events import Cost, CostLine
from partyline.domain.model.inputs import CallCost, CallRef
from partyline.domain.model.leg import Leg
from partyline.domain.model.participant import Participant
from partyline.domain.model.plan import Plan
from partyline.domain.model.statuses import Direction
from partyline.domain.rules.apply_costs import record_call_cost, record_run_cost
from partyline.domain.rules.costs import (
    MAX_ENDED_LEGS,
    answered_seconds,
    costs_of_assistant,
    costs_of_calls,
    every_leg,
    keep_ended,
    spending,
    spent,
)
from partyline.domain.rules.transition import Transition
from tests.support.domain_story import HOST_NUMBER, OURS, T0

RESERVED = units_of("0.5")
DAY = T0.date()


def leg(number: int, price: str | None = None, *, answered: bool = True, secs: int = 60) -> Leg:
    began = T0 + timedelta(seconds=number)
    return Leg(
        number=number,
        to=HOST_NUMBER,
        created_at=began,
        answered_at=began if answered else None,
        ended_at=began + timedelta(seconds=secs),
        hangup_cause="normal_clearing",
        cost=LegCost(total=price, currency="USD") if price else None,
    )


def conversation(*legs: Leg, reserved: int | None = RESERVED) -> Conversation:
    host = Participant(
        id="host",
        host=True,
        created_at=T0,
        legs=list(legs),
        plan=Plan(to=[HOST_NUMBER], from_=OURS),
    )
    return Conversation(
        id="c-1",
        direction=Direction.OUTBOUND,
        assistant=Assistant(id="a"),
        connection_id="1",
        created_at=T0,
        updated_at=T0,
        participants=[host],
        limits=Limits(reserved_per_call=reserved),
    )


def units(talk: Conversation) -> dict[date, int]:
    return {day: amount for day, amount in spent(talk).items() if amount}


def test_a_call_counts_as_its_reservation_until_its_price_is_known() -> None:
    assert units(conversation(leg(1))) == {DAY: RESERVED}
    assert units(conversation(leg(1, "0.02"))) == {DAY: 20_000}


def test_a_call_without_an_answer_counts_as_nothing_until_a_price_comes() -> None:
    assert units(conversation(leg(1, answered=False))) == {}
    assert units(conversation(leg(1, "0.001", answered=False))) == {DAY: 1_000}


def test_a_call_counts_on_the_day_of_its_dial() -> None:
    later = leg(2)
    later.created_at = T0 + timedelta(days=1)
    assert units(conversation(leg(1), later)) == {
        DAY: RESERVED,
        DAY + timedelta(days=1): RESERVED,
    }


def test_a_run_of_the_assistant_counts_on_the_day_of_the_conversation() -> None:
    talk = conversation()
    talk.run_costs[0] = RunCost(total="0.3", currency="USD")
    assert units(talk) == {DAY: 300_000}


def test_a_call_that_we_did_not_dial_reserves_nothing_also_outside_of_the_document() -> None:
    talk = conversation(leg(1))
    talk.host.plan = None
    assert units(talk) == {}
    keep_ended(talk, talk.host, talk.host.legs.pop())
    assert units(talk) == {}


def test_a_price_that_comes_after_the_call_left_the_document_settles_the_reservation() -> None:
    talk, ended = conversation(), leg(1)
    ended.call_leg_id = "leg-1"
    keep_ended(talk, talk.host, ended)
    price = LegCost(total="0.02", currency="USD")
    record_call_cost(
        Transition(talk, T0, ""), CallCost(id="", call=CallRef(call_leg_id="leg-1"), cost=price)
    )
    assert units(talk) == {DAY: 20_000}


def test_a_call_that_ended_before_its_answer_by_the_times_of_telnyx_was_no_second_long() -> None:
    assert answered_seconds(leg(1, secs=-5)) == 0


def test_a_step_spends_the_difference() -> None:
    before, after = conversation(leg(1)), conversation(leg(1, "0.02"), leg(2))
    assert spending(None, before) == {DAY: RESERVED}
    assert spending(before, after) == {DAY: 20_000}
    assert spending(after, after) == {}


def test_without_a_budget_nothing_is_spent() -> None:
    assert units(conversation(leg(1, "0.02"), reserved=None)) == {}


def test_an_analysis_counts_the_calls_only_while_no_call_has_a_price() -> None:
    talk, lines = (
        conversation(leg(1)),
        [("ai-voice-assistant", "0.06"), ("siptrunking-cdrs", "0.01")],
    )
    breakdown = [CostLine(product=product, cost=cost) for product, cost in lines]
    record_run_cost(talk, 0, Cost(total="0.07", currency="USD", breakdown=breakdown))
    assert costs_of_assistant(talk) == {"USD": Decimal("0.07")}
    talk.host.legs[0].cost = LegCost(total="0.012", currency="USD")
    assert costs_of_assistant(talk) == {"USD": Decimal("0.06")}
    assert costs_of_calls(talk) == {"USD": Decimal("0.012")}


def test_an_analysis_with_more_for_the_calls_than_in_all_is_no_credit() -> None:
    talk = conversation(leg(1, "0.012"))
    talk.run_costs[0] = RunCost(total="0.01", currency="USD", of_calls="0.02")
    assert costs_of_assistant(talk) == {"USD": Decimal(0)}


def test_a_second_analysis_of_a_run_replaces_the_first() -> None:
    talk = conversation()
    for total in ("0.05", "0.06"):
        record_run_cost(talk, 0, Cost(total=total, currency="USD"))
    record_run_cost(talk, 1, Cost(total="0.01", currency="USD"))
    record_run_cost(talk, 2, Cost())
    assert costs_of_assistant(talk) == {"USD": Decimal("0.07")}


def test_costs_are_summed_by_currency() -> None:
    talk = conversation(leg(1, "0.1"), leg(2, "0.2"))
    talk.host.legs[1].cost = LegCost(total="0.2", currency="EUR")
    assert costs_of_calls(talk) == {"USD": Decimal("0.1"), "EUR": Decimal("0.2")}


def test_calls_that_leave_the_document_change_neither_sums_nor_spending() -> None:
    legs = [
        leg(nth, *(["0.001"] if nth % 3 else []), answered=bool(nth % 2))
        for nth in range(1, MAX_ENDED_LEGS + 21)
    ]
    talk = conversation(*legs)
    talk.run_costs[0] = RunCost(total="0.3", currency="USD")
    before = units(talk), costs_of_calls(talk)
    for ended in legs[:-1]:
        talk.host.legs.remove(ended)
        keep_ended(talk, talk.host, ended)
        assert (units(talk), costs_of_calls(talk)) == before
    assert len(list(every_leg(talk))) == MAX_ENDED_LEGS + 1
    assert talk.omitted_legs is not None
    assert (talk.omitted_legs.count, talk.omitted_legs.seconds) == (19, 600)
    assert [kept.number for kept in talk.host.ended_legs] == [*range(20, MAX_ENDED_LEGS + 20)]
    assert Conversation.model_validate_json(talk.model_dump_json()) == talk


def test_of_a_call_that_leaves_the_document_neither_the_number_nor_long_words_stay() -> None:
    talk, ended = conversation(leg(1)), leg(1)
    ended.call_leg_id, ended.hangup_cause = "x" * 500, "y" * 500
    kept = keep_ended(talk, talk.host, ended)
    assert (kept.to, kept.call_leg_id, kept.hangup_cause) == (f"***{HOST_NUMBER[-4:]}", None, None)


@pytest.mark.parametrize(
    ("amount", "expected"), [("0.0000001", 1), ("1.5", 1_500_000), ("-2", 0), ("9" * 15, 10**12)]
)
def test_amounts_are_counted_in_whole_units(amount: str, expected: int) -> None:
    assert units_of(amount) == expected


@pytest.mark.parametrize("amount", ["0", "0.5", "12.5", "100", "0.000001"])
def test_units_are_shown_as_an_amount(amount: str) -> None:
    assert format(Decimal(amount_of(units_of(amount))), "f") == format(Decimal(amount), "f")
    assert "E" not in amount_of(units_of(amount))
