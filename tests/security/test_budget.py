"""The budget of a day: what dials reserve, what prices settle, and what is refused."""

import json
from collections.abc import Iterable
from functools import partial

import pytest

from local.simulator.model import Person
from partyline.domain.model.costs import amount_of
from partyline.store import keys
from tests.security.test_tool_quotas import limited
from tests.support.lab import Lab, NewLab, minutes
from tests.support.people import CALLER, DANA, HOST, KIM, LEE, OUR_NUMBER


def spent(lab: Lab) -> str:
    """What the day of the lab's clock has spent and reserved."""
    key = keys.spend(lab.clock.now().date())
    row = lab.app.store.table.find([key]).get(key)
    return amount_of(int(row["units"]["N"])) if row else "0"


def with_budget(new_lab: NewLab, daily: str, people: Iterable[Person] = ()) -> Lab:
    lab = new_lab(people, DailyBudget=daily, ReservedPerCall="0.5")
    lab.settings.analyzed_after_secs = None  # so that calls alone have prices
    return lab


def rules_in(lab: Lab, conversation_id: str) -> list[str]:
    """The dial rules that refused calls, in order."""
    events = lab.ask("GET", f"/conversations/{conversation_id}/timeline").json["events"]
    return [event["data"]["rule"] for event in events if event["type"] == "leg.refused"]


def test_a_dial_reserves_an_amount_and_the_price_replaces_the_amount(new_lab: NewLab) -> None:
    lab = with_budget(new_lab, "2")
    conversation_id = lab.start()
    assert spent(lab) == "0.5"
    lab.run(30)
    assert spent(lab) == "0.5"
    lab.stop(conversation_id, hang_up=True)
    lab.run(60)
    assert spent(lab) == "0.007"
    leg = lab.conversation(conversation_id)["participants"][0]["legs"][0]
    assert leg["cost"] == {"total": "0.0070", "currency": "USD", "billed_secs": 60}


def test_a_request_beyond_the_budget_is_refused_and_told_what_is_left(new_lab: NewLab) -> None:
    lab = with_budget(new_lab, "1.2")
    lab.start()
    conversation_id = lab.start()
    answer = lab.ask("POST", "/conversations", {"to": HOST})
    assert answer.status == 429
    error = answer.json["error"]
    assert error["code"] == "budget_exceeded"
    assert error["details"] == [{"daily_budget": "1.2", "left": "0.2"}]
    path = f"/conversations/{conversation_id}/participants"
    assert lab.ask("POST", path, {"to": DANA}).json["error"]["code"] == "budget_exceeded"
    assert spent(lab) == "1"
    assert lab.people_dialled() == ["host"] * 2


def test_a_request_that_no_day_has_room_for_is_refused(new_lab: NewLab) -> None:
    lab = with_budget(new_lab, "0.4")
    answer = lab.ask("POST", "/conversations", {"to": HOST})
    assert answer.json["error"]["code"] == "budget_exceeded"
    assert lab.people_dialled() == []


def test_the_next_day_has_a_budget_of_its_own(new_lab: NewLab) -> None:
    lab = with_budget(new_lab, "0.5")
    lab.start()
    assert lab.ask("POST", "/conversations", {"to": HOST}).status == 429
    lab.run(minutes(24 * 60))
    assert lab.ask("POST", "/conversations", {"to": HOST}).status == 202


def test_of_six_starts_at_the_same_time_those_dial_that_the_budget_has_room_for(
    new_lab: NewLab,
) -> None:
    lab = with_budget(new_lab, "1")
    start = partial(lab.ask, "POST", "/conversations", {"to": HOST})
    answers = lab.run_together([start] * 6)
    assert sorted(answer.status for answer in answers) == [202] * 2 + [429] * 4
    assert (lab.people_dialled(), spent(lab)) == (["host"] * 2, "1")


def test_a_call_without_an_answer_costs_nothing(new_lab: NewLab) -> None:
    lab = with_budget(new_lab, "1", [Person(DANA, behaviour="busy")])
    conversation_id = lab.start()
    lab.run(10)
    lab.invite(conversation_id, [DANA, LEE])
    lab.run(30)
    assert lab.people_dialled() == ["host", "Dana", "Lee"]
    assert spent(lab) == "1"


def test_a_later_number_beyond_the_budget_is_not_dialled(new_lab: NewLab) -> None:
    lab = with_budget(new_lab, "1", [Person(DANA, behaviour="machine")])
    conversation_id = lab.start()
    lab.run(10)
    guest = lab.invite(conversation_id, [DANA, LEE], machine_detection="premium")
    lab.run(60)
    people = lab.conversation(conversation_id)["participants"]
    [person] = [person for person in people if person["id"] == guest]
    # Dana's machine has answered, so the call has cost an amount that is not known yet.
    assert (person["status"], person["outcome"]) == ("failed", "limited")
    assert lab.people_dialled() == ["host", "Dana"]
    assert rules_in(lab, conversation_id) == ["budget"]
    assert spent(lab) == "0.507"


def test_later_numbers_at_the_same_time_never_dial_beyond_the_budget(new_lab: NewLab) -> None:
    people = [Person(phone, behaviour="busy") for phone in (DANA, LEE)]
    lab = with_budget(new_lab, "2", people)
    conversation_id = lab.start()
    lab.run(10)
    for phone in (DANA, LEE):
        lab.invite(conversation_id, [phone, KIM])
    other = lab.start()  # takes what the two next numbers would need
    lab.run(60)
    dialled = lab.people_dialled()
    assert dialled.count("Kim") <= 2
    assert other
    assert float(spent(lab)) <= 2


def test_the_tool_says_that_the_limit_is_reached(new_lab: NewLab) -> None:
    lab = with_budget(new_lab, "0.6")
    lab.route(OUR_NUMBER, {"Dana": {"to": DANA}, "Lee": {"to": LEE}})
    lab.inbound()
    assert spent(lab) == "0"
    assert lab.use_tool("invite", name="Dana") == "Calling “Dana” now."
    assert lab.use_tool("invite", name="Lee") == limited("Lee")
    assert lab.people_dialled() == ["Dana"]


def test_inbound_calls_are_answered_and_their_prices_count(new_lab: NewLab) -> None:
    lab = with_budget(new_lab, "0.01")
    conversation_id = lab.inbound()
    lab.run(70)
    assert lab.status(conversation_id) == "active"
    lab.hang_up(CALLER)
    lab.run(60)
    assert spent(lab) == "0.014"


def test_a_price_that_comes_twice_counts_once(new_lab: NewLab) -> None:
    lab = with_budget(new_lab, "2")
    conversation_id = lab.start()
    lab.run(10)
    lab.stop(conversation_id, hang_up=True)
    lab.hold()
    lab.run(10)
    prices = lab.release(lambda event_type: event_type == "call.cost")
    assert len(prices) == 1
    for nth in range(2):
        body = json.loads(prices[0].body)
        body["data"]["id"] = f"price-{nth}"
        raw, signer = json.dumps(body).encode(), lab.telnyx.deliverer.signer
        lab.post("/webhooks", raw, signer.headers(raw, lab.clock.now().timestamp()))
    assert spent(lab) == "0.007"


def test_without_a_budget_nothing_is_counted(new_lab: NewLab) -> None:
    lab = new_lab(ReservedPerCall="0.5")
    conversation_id = lab.start()
    lab.run(10)
    lab.stop(conversation_id, hang_up=True)
    lab.run(60)
    rows = lab.table.keys()
    assert not [key for key in rows if key[0].startswith("SPEND")]
    assert lab.conversation(conversation_id)["participants"][0]["legs"][0]["cost"]


@pytest.mark.parametrize("amount", ["12.50", "0"])
def test_an_amount_of_the_template_is_read_exactly(new_lab: NewLab, amount: str) -> None:
    lab = new_lab(DailyBudget=amount)
    assert lab.app.settings.budget_units == (12_500_000 if amount == "12.50" else None)
