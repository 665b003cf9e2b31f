"""The bounds of a conversation: how many people, how many calls at once, how long."""

from collections.abc import Callable
from typing import Any

import pytest

from local.simulator.model import Person
from local.template import Template
from tests.scenario.people import DANA, HOST, KIM, LEE, OURS
from tests.scenario.stage import Stage, Staged, minutes

Deployed = Callable[..., Template]


def refused(at: Stage, path: str, body: Any) -> tuple[int, str]:
    answer = at.ask("POST", path, body)
    return answer.status, answer.json["error"]["code"]


def test_no_more_people_than_may_in_a_conversation_s_whole_life(
    stage: Staged, deployed: Deployed
) -> None:
    at = stage(template=deployed(MaxParticipants="3"))
    here = at.start()
    at.run(5)
    for number in (DANA, LEE):
        at.invite(here, number)
    path = f"/conversations/{here}/participants"
    assert refused(at, path, {"to": KIM}) == (409, "too_many_participants")
    at.run(5)
    at.hang_up(DANA)
    at.run(5)
    assert refused(at, path, {"to": KIM}) == (409, "too_many_participants")
    assert at.dialled() == ["host", "Dana", "Lee"]


def test_a_start_with_too_many_is_refused_before_anybody_is_called(
    stage: Staged, deployed: Deployed
) -> None:
    at = stage(template=deployed(MaxParticipants="3"))
    body = {"to": HOST, "participants": [{"to": each} for each in (DANA, LEE, KIM)]}
    assert refused(at, "/conversations", body) == (422, "too_many_participants")
    body = {"to": HOST, "participants": [{"to": each} for each in (DANA, LEE)]}
    assert at.ask("POST", "/conversations", body).status == 202
    assert at.dialled() == ["host", "Dana", "Lee"]


def test_the_route_s_bounds_go_before_the_deployment_s(stage: Staged, deployed: Deployed) -> None:
    at = stage(template=deployed(MaxParticipants="2", MaxLegsAtOnce="1"))
    at.route(OURS, limits={"participants": 4, "legs_at_once": 2})
    here = at.inbound()
    path = f"/conversations/{here}/participants"
    at.invite(here, [DANA, LEE], strategy="at_once")
    plan = {"to": [DANA, LEE, KIM], "strategy": "at_once"}
    assert refused(at, path, plan) == (409, "too_many_legs")
    at.run(5)
    for number in (LEE, KIM):
        at.invite(here, number)
    assert refused(at, path, {"to": HOST}) == (409, "too_many_participants")


def test_who_would_be_one_call_too_many_waits_for_a_free_line(
    stage: Staged, deployed: Deployed
) -> None:
    at = stage(
        [Person(DANA, behaviour="manual"), Person(LEE, behaviour="manual")],
        template=deployed(MaxLegsAtOnce="2"),
    )
    here = at.start()
    at.run(5)
    for number, name in ((DANA, "Dana"), (LEE, "Lee"), (KIM, "Kim")):
        at.invite(here, number, name=name)
    at.run(5)
    assert at.dialled() == ["host", "Dana", "Lee"]
    assert at.person(here, "Kim")["status"] == "dialing"
    at.telnyx.busy(at.leg(DANA).call_control_id)
    at.run(5)
    assert at.dialled() == ["host", "Dana", "Lee", "Kim"]
    assert at.joined() == ["Kim"]
    at.pick_up(LEE)
    at.run(5)
    assert sorted(at.joined()) == ["Kim", "Lee"]
    at.assert_clean()


def test_a_whole_at_once_plan_waits_until_all_its_calls_have_room(
    stage: Staged, deployed: Deployed
) -> None:
    at = stage([Person(DANA, behaviour="manual")], template=deployed(MaxLegsAtOnce="2"))
    here = at.start()
    at.run(5)
    at.invite(here, DANA, name="Dana")
    at.invite(here, [LEE, KIM], name="Lee", strategy="at_once")
    at.run(5)
    assert at.dialled() == ["host", "Dana"]
    at.pick_up(DANA)
    at.run(5)
    assert at.dialled() == ["host", "Dana", "Lee", "Kim"]
    assert at.person(here, "Lee")["status"] == "joined"
    at.assert_clean()


def test_who_waits_in_vain_for_a_free_line_is_given_up_at_the_deadline(
    stage: Staged, deployed: Deployed
) -> None:
    at = stage([Person(DANA, behaviour="manual")], template=deployed(MaxLegsAtOnce="1"))
    here = at.start()
    at.run(5)
    at.invite(here, DANA, name="Dana", ring_timeout_secs=300)
    at.invite(here, KIM, name="Kim", deadline_secs=60)
    at.run(minutes(3))
    assert at.dialled() == ["host", "Dana"]
    kim = at.person(here, "Kim")
    assert (kim["status"], kim["outcome"], kim["legs"]) == ("failed", "limited", [])
    assert at.told() == ["Kim could not be reached in time."]


def test_more_calls_at_once_than_may_are_refused_by_the_field(
    stage: Staged, deployed: Deployed
) -> None:
    at = stage(template=deployed(MaxLegsAtOnce="1"))
    plan = {"to": [DANA, LEE], "strategy": "at_once"}
    answer = at.ask("POST", "/conversations", {"to": HOST, "participants": [plan]})
    assert (answer.status, answer.json["error"]["code"]) == (422, "too_many_legs")
    assert answer.json["error"]["details"][0]["field"] == "participants.0.to"
    here = at.start()
    at.run(5)
    assert refused(at, f"/conversations/{here}/participants", plan) == (409, "too_many_legs")
    assert at.dialled() == ["host"]


@pytest.mark.parametrize("by_route", [True, False])
def test_after_its_minutes_a_conversation_is_ended_by_the_sweep(
    stage: Staged, deployed: Deployed, by_route: bool
) -> None:
    at = stage(template=deployed(MaxMinutes="120" if by_route else "4"))
    if by_route:
        at.route(OURS, limits={"minutes": 4})
    here = at.inbound()
    at.invite(here, DANA, name="Dana")
    at.run(minutes(3))
    assert at.status(here) == "active"
    assert sorted(at.up()) == ["Dana", "caller"]
    at.run(minutes(3))
    assert at.status(here) == "ended"
    (stopping,) = [each for each in at.timeline(here) if each["type"] == "conversation.stopping"]
    assert stopping["data"]["reason"] == "time_limit"
    at.assert_no_leg_up()
    at.assert_clean()
