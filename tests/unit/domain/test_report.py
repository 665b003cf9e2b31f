"""What the report on a conversation waits for, and its sums."""

from datetime import timedelta
from typing import Any

import pytest

from partyline.domain.model.assistant import Assistant
from partyline.domain.model.commands import Action
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.costs import LegCost, OmittedLegs, RunCost
from partyline.domain.model.insight import StoredInsight
from partyline.domain.model.leg import Leg
from partyline.domain.model.participant import Participant
from partyline.domain.model.statuses import ConversationStatus, Direction, LegStatus
from partyline.domain.model.timeouts import COST_WAIT, REPORT_WAIT
from partyline.domain.rules import report as rules
from partyline.domain.rules.transition import Transition
from tests.support.domain_story import HOST_NUMBER, OURS, T0

PRICE = LegCost(total="0.02", currency="USD")
SECOND = timedelta(seconds=1)


def ended_leg(after_secs: float = 0, **more: Any) -> Leg:
    """A call that was answered a minute before the end of the conversation, and has its price."""
    fields = {
        "number": 1,
        "to": HOST_NUMBER,
        "status": LegStatus.ENDED,
        "created_at": T0 - timedelta(seconds=70),
        "answered_at": T0 - timedelta(seconds=60),
        "ended_at": T0 + timedelta(seconds=after_secs),
        "cost": PRICE,
        **more,
    }
    return Leg.model_validate(fields)


def over(*legs: Leg, **more: Any) -> Conversation:
    """A conversation that ended at `T0`, and that all has come of."""
    host = Participant(id="host", host=True, created_at=T0, legs=list(legs))
    fields = {
        "id": "c-1",
        "direction": Direction.OUTBOUND,
        "status": ConversationStatus.ENDED,
        "assistant": Assistant(id="a"),
        "connection_id": "1",
        "created_at": T0 - timedelta(seconds=80),
        "updated_at": T0,
        "active_at": T0 - timedelta(seconds=60),
        "ended_at": T0,
        "participants": [host],
        "run_costs": {0: RunCost(total="0.1", currency="USD")},
        **more,
    }
    return Conversation.model_validate(fields)


def waits(talk: Conversation, after: timedelta = SECOND) -> list[timedelta]:
    """How long after its end the report on a conversation waits, at most."""
    return [moment - T0 for moment in rules.report_moments(talk, T0 + after)]


def test_a_report_waits_for_nothing_once_all_has_come() -> None:
    assert waits(over(ended_leg())) == []


def test_a_report_waits_while_a_call_of_ours_is_up() -> None:
    up = ended_leg(status=LegStatus.ANSWERED, ended_at=None)
    assert waits(over(up)) == [REPORT_WAIT]
    up.owned = False
    assert waits(over(up)) == []


def test_a_report_waits_for_the_insights_into_each_run() -> None:
    insight = StoredInsight(digest="d", size=1)
    talk = over(ended_leg(), insights_poll_at=T0, insights={"0/i-1": insight})
    assert waits(talk) == []
    talk.previous_telnyx_ids, talk.run_costs[1] = ["t-1"], talk.run_costs[0]
    assert waits(talk) == [REPORT_WAIT]
    talk.insights["1/i-1"] = insight
    assert waits(talk) == []


def test_a_report_waits_for_the_last_fetch_of_insights() -> None:
    talk = over(ended_leg())
    Transition(talk, T0, "").add_command(Action.FETCH_INSIGHTS)
    assert waits(talk) == [REPORT_WAIT]


def test_a_report_waits_for_the_prices_of_our_answered_calls_and_of_each_run() -> None:
    assert waits(over(ended_leg(5, cost=None))) == [COST_WAIT + 5 * SECOND]
    assert waits(over(ended_leg(cost=None, owned=False))) == []
    assert waits(over(ended_leg(cost=None, answered_at=None))) == []
    assert waits(over(ended_leg(), run_costs={})) == [COST_WAIT]
    assert waits(over(ended_leg(), run_costs={}, active_at=None)) == []


def test_a_report_waits_for_no_price_beyond_its_time() -> None:
    late = REPORT_WAIT - SECOND
    talk = over(ended_leg(late.total_seconds(), cost=None))
    assert waits(talk, late) == [REPORT_WAIT]
    assert waits(talk, REPORT_WAIT) == []


def test_a_report_counts_the_calls_outside_of_the_document_and_no_time_below_zero() -> None:
    early = ended_leg(answered_at=T0 + 5 * SECOND)
    talk = over(early, omitted_legs=OmittedLegs(count=3, seconds=90))
    transition = Transition(talk, T0 + SECOND, "")
    rules.report(transition)
    [event] = transition.events
    assert event.data["duration_secs"] == 0
    assert event.data["rest"] == {"legs": 3, "seconds": 90}


def test_a_report_shows_no_number_and_the_newest_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_LEGS", 1)
    talk = over(ended_leg(number=2, created_at=T0), ended_leg(), route=OURS)
    transition = Transition(talk, T0 + SECOND, "")
    rules.report(transition)
    [event] = transition.events
    [leg] = event.data["people"][0]["legs"]
    assert (leg["number"], leg["to"]) == (2, f"***{HOST_NUMBER[-4:]}")
    assert event.data["route"] == f"***{OURS[-4:]}"
