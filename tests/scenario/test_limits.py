"""The limits of a conversation: participants, calls at the same time, minutes."""

from collections.abc import Callable
from typing import Any

import pytest

from local.simulator.model import Person
from local.stack.template import Template
from tests.scenario.conftest import EmbeddedBackend
from tests.support.lab import Lab, NewLab, minutes
from tests.support.people import DANA, HOST, KIM, LEE, OUR_NUMBER


@pytest.fixture
def backend(embedded_backend: EmbeddedBackend) -> EmbeddedBackend:
    """The embedded AWS: these scenarios compare the in-memory table with a real engine."""
    return embedded_backend


Deployed = Callable[..., Template]


def refused(lab: Lab, path: str, body: Any) -> tuple[int, str]:
    answer = lab.ask("POST", path, body)
    return answer.status, answer.json["error"]["code"]


def test_participants_who_have_left_count_towards_the_participant_limit(
    new_lab: NewLab, deployed: Deployed
) -> None:
    lab = new_lab(template=deployed(MaxParticipants="3"))
    conversation_id = lab.start()
    lab.run(5)
    for number in (DANA, LEE):
        lab.invite(conversation_id, number)
    path = f"/conversations/{conversation_id}/participants"
    assert refused(lab, path, {"to": KIM}) == (409, "too_many_participants")
    lab.run(5)
    lab.hang_up(DANA)
    lab.run(5)
    assert refused(lab, path, {"to": KIM}) == (409, "too_many_participants")
    assert lab.people_dialled() == ["host", "Dana", "Lee"]


def test_a_start_with_too_many_participants_is_refused_before_any_dial(
    new_lab: NewLab, deployed: Deployed
) -> None:
    lab = new_lab(template=deployed(MaxParticipants="3"))
    body = {"to": HOST, "participants": [{"to": number} for number in (DANA, LEE, KIM)]}
    assert refused(lab, "/conversations", body) == (409, "too_many_participants")
    body = {"to": HOST, "participants": [{"to": number} for number in (DANA, LEE)]}
    assert lab.ask("POST", "/conversations", body).status == 202
    assert lab.people_dialled() == ["host", "Dana", "Lee"]


def test_the_limits_of_a_route_may_be_fewer_than_those_of_the_deployment(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.route(OUR_NUMBER, limits={"participants": 4, "legs_at_once": 2})
    conversation_id = lab.inbound()
    path = f"/conversations/{conversation_id}/participants"
    lab.invite(conversation_id, [DANA, LEE], strategy="at_once")
    plan = {"to": [DANA, LEE, KIM], "strategy": "at_once"}
    assert refused(lab, path, plan) == (409, "too_many_legs")
    lab.run(5)
    for number in (LEE, KIM):
        lab.invite(conversation_id, number)
    assert refused(lab, path, {"to": HOST}) == (409, "too_many_participants")


def test_the_limits_of_a_route_do_not_exceed_the_limits_of_the_deployment(
    new_lab: NewLab, deployed: Deployed
) -> None:
    lab = new_lab(template=deployed(MaxParticipants="2", MaxLegsAtOnce="1", MaxMinutes="5"))
    lab.route(OUR_NUMBER, limits={"participants": 20, "legs_at_once": 20, "minutes": 240})
    conversation_id = lab.inbound()
    path = f"/conversations/{conversation_id}/participants"
    plan = {"to": [DANA, LEE], "strategy": "at_once"}
    assert refused(lab, path, plan) == (409, "too_many_legs")
    lab.invite(conversation_id, DANA)
    assert refused(lab, path, {"to": LEE}) == (409, "too_many_participants")
    lab.run(minutes(7))
    assert lab.status(conversation_id) == "ended"


def test_a_guest_above_the_limit_of_calls_waits_until_a_call_ends(
    new_lab: NewLab, deployed: Deployed
) -> None:
    lab = new_lab(
        [Person(DANA, behaviour="manual"), Person(LEE, behaviour="manual")],
        template=deployed(MaxLegsAtOnce="2"),
    )
    conversation_id = lab.start()
    lab.run(5)
    for number, name in ((DANA, "Dana"), (LEE, "Lee"), (KIM, "Kim")):
        lab.invite(conversation_id, number, name=name)
    lab.run(5)
    assert lab.people_dialled() == ["host", "Dana", "Lee"]
    assert lab.person(conversation_id, "Kim")["status"] == "dialing"
    lab.telnyx.busy(lab.leg(DANA).call_control_id)
    lab.run(5)
    assert lab.people_dialled() == ["host", "Dana", "Lee", "Kim"]
    assert lab.people_joined() == ["Kim"]
    lab.pick_up(LEE)
    lab.run(5)
    assert sorted(lab.people_joined()) == ["Kim", "Lee"]
    lab.assert_clean()


def test_an_at_once_plan_waits_until_all_its_calls_fit_the_limit(
    new_lab: NewLab, deployed: Deployed
) -> None:
    lab = new_lab([Person(DANA, behaviour="manual")], template=deployed(MaxLegsAtOnce="2"))
    conversation_id = lab.start()
    lab.run(5)
    lab.invite(conversation_id, DANA, name="Dana")
    lab.invite(conversation_id, [LEE, KIM], name="Lee", strategy="at_once")
    lab.run(5)
    assert lab.people_dialled() == ["host", "Dana"]
    lab.pick_up(DANA)
    lab.run(5)
    assert lab.people_dialled() == ["host", "Dana", "Lee", "Kim"]
    assert lab.person(conversation_id, "Lee")["status"] == "joined"
    lab.assert_clean()


def test_a_guest_who_waits_for_a_free_call_fails_at_the_deadline(
    new_lab: NewLab, deployed: Deployed
) -> None:
    lab = new_lab([Person(DANA, behaviour="manual")], template=deployed(MaxLegsAtOnce="1"))
    conversation_id = lab.start()
    lab.run(5)
    lab.invite(conversation_id, DANA, name="Dana", ring_timeout_secs=300)
    lab.invite(conversation_id, KIM, name="Kim", deadline_secs=60)
    lab.run(minutes(3))
    assert lab.people_dialled() == ["host", "Dana"]
    kim = lab.person(conversation_id, "Kim")
    assert (kim["status"], kim["outcome"], kim["legs"]) == ("failed", "limited", [])
    assert lab.messages_to_assistant() == ["“Kim” could not be reached in time."]


def test_a_plan_with_more_calls_at_once_than_the_limit_is_refused_by_its_field(
    new_lab: NewLab, deployed: Deployed
) -> None:
    lab = new_lab(template=deployed(MaxLegsAtOnce="1"))
    plan = {"to": [DANA, LEE], "strategy": "at_once"}
    answer = lab.ask("POST", "/conversations", {"to": HOST, "participants": [plan]})
    assert (answer.status, answer.json["error"]["code"]) == (409, "too_many_legs")
    assert answer.json["error"]["details"][0]["field"] == "participants.0.to"
    conversation_id = lab.start()
    lab.run(5)
    assert refused(lab, f"/conversations/{conversation_id}/participants", plan) == (
        409,
        "too_many_legs",
    )
    assert lab.people_dialled() == ["host"]


@pytest.mark.parametrize("by_route", [True, False])
def test_the_sweep_ends_a_conversation_at_its_time_limit(
    new_lab: NewLab, deployed: Deployed, by_route: bool
) -> None:
    lab = new_lab(template=deployed(MaxMinutes="120" if by_route else "4"))
    if by_route:
        lab.route(OUR_NUMBER, limits={"minutes": 4})
    conversation_id = lab.inbound()
    lab.invite(conversation_id, DANA, name="Dana")
    lab.run(minutes(3))
    assert lab.status(conversation_id) == "active"
    assert sorted(lab.legs_up()) == ["Dana", "caller"]
    lab.run(minutes(3))
    assert lab.status(conversation_id) == "ended"
    (stopping,) = [
        event for event in lab.timeline(conversation_id) if event["type"] == "conversation.stopping"
    ]
    assert stopping["data"]["reason"] == "time_limit"
    lab.assert_no_leg_up()
    lab.assert_clean()
