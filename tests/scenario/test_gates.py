"""What may be called, and when: asked before every dial, whoever wanted it.

It is seven in the morning in Chicago, where everybody's number is, when these stories begin.
"""

from collections.abc import Callable

import pytest

from local.simulator.model import Person
from local.template import Template
from tests.scenario.people import DANA, DESK, HOST, KIM, LEE, OURS
from tests.scenario.stage import Stage, Staged, minutes

Deployed = Callable[..., Template]

ASLEEP = "Dana may not be called at this hour of the day."
LISTED = "Dana may not be called: the number is on the do-not-call list."
JOINED = "Dana has joined the conversation."


def refusals(at: Stage, here: str) -> list[tuple[str, str]]:
    """The rule that refused each call, and the number, masked."""
    events = [each["data"] for each in at.timeline(here) if each["type"] == "leg.refused"]
    return [(each["rule"], each["to"]) for each in events]


def listed(at: Stage, *numbers: str) -> None:
    """Nobody may call these numbers."""
    for number in numbers:
        assert at.ask("PUT", f"/do-not-call/{number}", {"reason": "asked us to"}).status == 200


def test_all_is_open_unless_it_is_shut(stage: Staged) -> None:
    at = stage()
    listed(at, DANA)
    here = at.inbound()
    at.invite(here, DANA, name="Dana")
    at.run(5)
    assert at.joined() == ["Dana"]
    assert refusals(at, here) == []


# Quiet hours


def test_nobody_is_called_while_it_is_night_where_they_are(
    stage: Staged, deployed: Deployed
) -> None:
    at = stage(template=deployed(QuietHours="21:00-07:05"))
    here = at.inbound()
    at.invite(here, DANA, name="Dana")
    assert refusals(at, here) == [("quiet_hours", "***0112")]
    assert at.told() == [ASLEEP]
    dana = at.person(here, "Dana")
    assert (dana["status"], dana["outcome"]) == ("failed", "limited")
    assert dana["legs"][0]["failure"]["code"] == "quiet_hours"
    assert at.dialled() == []
    at.run(minutes(5))
    assert at.status(here) == "active"
    at.invite(here, DANA, name="Dana")
    at.run(5)
    assert at.told() == [ASLEEP, JOINED]
    at.assert_clean()


def test_quiet_hours_are_looked_at_again_in_the_second_round(
    stage: Staged, deployed: Deployed
) -> None:
    at = stage([Person(DANA, behaviour="busy")], template=deployed(QuietHours="07:05-20:00"))
    here = at.inbound()
    at.invite(here, DANA, name="Dana", max_attempts=2, pause_secs=600)
    at.run(minutes(15))
    assert at.outcomes(here, "Dana") == ["busy", "limited"]
    assert refusals(at, here) == [("quiet_hours", "***0112")]
    assert at.dialled() == ["Dana"]
    assert at.told() == [
        "Dana could not be reached: the line is busy. Another try follows in a while.",
        f"{ASLEEP} There is no other number to try.",
    ]
    at.assert_clean()


def test_who_sleeps_in_the_first_round_is_called_in_the_second(
    stage: Staged, deployed: Deployed
) -> None:
    at = stage(template=deployed(QuietHours="21:00-07:05"))
    here = at.inbound()
    at.invite(here, DANA, name="Dana", max_attempts=2, pause_secs=600)
    assert at.dialled() == []
    at.run(minutes(12))
    assert at.outcomes(here, "Dana") == ["limited", "human"]
    assert at.told()[-1] == JOINED
    at.assert_clean()


def test_a_host_is_not_woken_either(stage: Staged, deployed: Deployed) -> None:
    at = stage(template=deployed(QuietHours="21:00-08:00"))
    here = at.start(HOST, participants=[{"to": DANA}])
    seen = at.conversation(here)
    assert (seen["status"], seen["failure"]["code"]) == ("failed", "quiet_hours")
    assert at.dialled() == []
    at.run(minutes(2))
    at.assert_no_leg_up()


# Do not call


def test_a_number_is_put_on_the_list_and_taken_off(stage: Staged) -> None:
    at = stage()
    assert at.ask("GET", f"/do-not-call/{DANA}").json["error"]["code"] == "not_listed"
    put = at.ask("PUT", f"/do-not-call/{DANA}", {"reason": "asked us to"})
    assert put.json == {
        "number": DANA,
        "reason": "asked us to",
        "added_at": "2036-07-01T12:00:00+00:00",
    }
    assert at.ask("GET", f"/do-not-call/{DANA}").json == put.json
    assert at.ask("PUT", f"/do-not-call/{DANA}").json["reason"] is None
    assert at.ask("DELETE", f"/do-not-call/{DANA}").status == 200
    assert at.ask("DELETE", f"/do-not-call/{DANA}").status == 404
    assert at.ask("PUT", f"/do-not-call/{DANA}", {"why": "x"}).status == 422


def test_who_is_on_the_list_is_passed_over_and_the_next_number_is_tried(
    stage: Staged, deployed: Deployed
) -> None:
    at = stage([Person(KIM, behaviour="busy")], template=deployed(DoNotCall="on"))
    listed(at, LEE)
    here = at.inbound()
    at.invite(here, [LEE, KIM, DANA], name="Dana")
    at.run(10)
    assert refusals(at, here) == [("do_not_call", "***0113")]
    assert at.outcomes(here, "Dana") == ["limited", "busy", "human"]
    assert at.told() == [
        f"{LISTED} The next number is being tried.",
        "Dana could not be reached: the line is busy. The next number is being tried.",
        JOINED,
    ]
    assert at.dialled() == ["Kim", "Dana"]
    at.assert_clean()


def test_of_an_at_once_plan_only_those_ring_who_may(stage: Staged, deployed: Deployed) -> None:
    at = stage([Person(KIM, behaviour="manual")], template=deployed(DoNotCall="on"))
    listed(at, LEE)
    here = at.inbound()
    at.invite(here, [LEE, KIM, DANA], name="Dana", strategy="at_once")
    at.run(5)
    assert at.outcomes(here, "Dana") == ["limited", "cancelled", "human"]
    assert at.told() == [JOINED]
    assert sorted(at.up()) == ["Dana", "caller"]
    at.assert_clean()


def test_who_is_put_on_the_list_between_two_rounds_is_not_called_again(
    stage: Staged, deployed: Deployed
) -> None:
    at = stage([Person(DANA, behaviour="busy")], template=deployed(DoNotCall="on"))
    here = at.inbound()
    at.invite(here, DANA, name="Dana", max_attempts=3, pause_secs=60)
    at.run(10)
    listed(at, DANA)
    at.run(minutes(10))
    assert at.dialled() == ["Dana"]
    assert at.outcomes(here, "Dana") == ["busy", "limited", "limited"]


def test_the_assistant_s_own_invitation_passes_the_same_gates(
    stage: Staged, deployed: Deployed
) -> None:
    at = stage(template=deployed(DoNotCall="on"))
    listed(at, DANA)
    at.route(OURS, {"Dana": {"to": DANA}})
    here = at.inbound()
    assert at.use_tool("invite", name="Dana") == LISTED
    assert refusals(at, here) == [("do_not_call", "***0112")]
    assert at.told() == [LISTED]
    assert at.dialled() == []


def test_the_words_for_a_refusal_are_the_conversation_s_own(
    stage: Staged, deployed: Deployed
) -> None:
    at = stage(template=deployed(DoNotCall="on"))
    listed(at, DANA)
    at.route(OURS, words={"do_not_call": "Never mind {name}."})
    here = at.inbound()
    at.invite(here, DANA, name="Dana")
    assert at.told() == ["Never mind Dana."]


# Destinations


@pytest.mark.parametrize("numbers", ["+4420555501", [DANA, "+4420555501"]])
def test_where_calls_may_not_go_is_told_to_who_asks(
    stage: Staged, numbers: str | list[str]
) -> None:
    at = stage()
    here = at.inbound()
    answer = at.ask("POST", f"/conversations/{here}/participants", {"to": numbers})
    assert (answer.status, answer.json["error"]["code"]) == (422, "destination_not_allowed")
    assert answer.json["error"]["details"][0]["field"] == "to"
    body = {"to": HOST, "participants": [{"to": DANA}, {"to": numbers}]}
    answer = at.ask("POST", "/conversations", body)
    assert answer.json["error"]["details"][0]["field"] == "participants.1.to"
    assert at.dialled() == []


# Extensions and SIP addresses


def test_an_extension_is_called_where_that_is_switched_on(
    stage: Staged, deployed: Deployed
) -> None:
    at = stage(template=deployed(DigitsAfterNumber="on"))
    here = at.inbound()
    at.invite(here, f"{DANA},200", name="Dana")
    at.run(5)
    assert at.joined() == ["Dana"]
    [dialled] = [each["data"] for each in at.timeline(here) if each["type"] == "leg.dialing"]
    assert dialled["to"] == "***0112", "the number's end, not the extension's"
    refused = at.ask("POST", f"/conversations/{here}/participants", {"to": "+442071234567,1"})
    assert refused.json["error"]["code"] == "destination_not_allowed"


@pytest.mark.parametrize("digits", ["", "abc", "1 2", "1,2", "1W", "\u0661", "1" * 33])
def test_what_follows_a_number_is_what_a_phone_can_send(
    stage: Staged, deployed: Deployed, digits: str
) -> None:
    at = stage(template=deployed(DigitsAfterNumber="on"))
    refused = at.ask("POST", "/conversations", {"to": f"{DANA},{digits}"})
    assert refused.status == 422
    assert [each["field"] for each in refused.json["error"]["details"]] == ["to"]
    assert at.dialled() == []


def test_an_extension_is_not_called_at_a_number_that_wants_no_calls(
    stage: Staged, deployed: Deployed
) -> None:
    at = stage(template=deployed(DigitsAfterNumber="on", DoNotCall="on"))
    listed(at, DANA)
    here = at.inbound()
    at.invite(here, f"{DANA},200", name="Dana")
    assert refusals(at, here) == [("do_not_call", "***0112")]
    assert at.dialled() == []


def test_a_sip_address_is_called_at_the_domains_that_are_allowed(
    stage: Staged, deployed: Deployed
) -> None:
    template = deployed(AllowedSipDomains="pbx.example.com", QuietHours="21:00-08:00")
    at = stage(template=template)
    here = at.inbound()
    at.invite(here, DESK, name="Dana")
    at.run(5)
    assert at.joined() == ["Dana's desk"], "by UTC it is noon there"
    elsewhere = {"to": DESK.replace("pbx", "sbc")}
    refused = at.ask("POST", f"/conversations/{here}/participants", elsewhere)
    assert refused.json["error"]["code"] == "destination_not_allowed"
    assert at.dialled() == ["Dana's desk"]


def test_the_model_calls_numbers_and_nothing_else(stage: Staged, deployed: Deployed) -> None:
    at = stage(template=deployed(AllowedSipDomains="pbx.example.com", DigitsAfterNumber="on"))
    route = {"assistant": {"id": "assistant-1"}, "dial_any_number": True}
    assert at.ask("PUT", f"/routes/{OURS}", route).status == 200
    at.inbound()
    for number in (DESK, f"{DANA},200"):
        assert at.use_tool("invite", number=number).startswith("That is not a phone number.")
    assert at.dialled() == []


def test_a_contact_of_before_the_destinations_grew_narrower_is_refused_at_the_dial(
    stage: Staged, deployed: Deployed
) -> None:
    at = stage(template=deployed(AllowedDestinationPrefixes=DANA))
    contact = {"to": [LEE, DANA], "name": "Dana"}
    route = {"assistant": {"id": "assistant-1"}, "contacts": {"Dana": contact}}
    assert at.ask("PUT", f"/routes/{OURS}", route).status == 422
    at.wiring.directory.put_route(OURS, route)
    here = at.inbound()
    assert at.use_tool("invite", name="Dana") == "Calling Dana now."
    at.run(5)
    assert refusals(at, here) == [("destination_not_allowed", "***0113")]
    assert at.told() == [
        "Dana cannot be called from this line. The next number is being tried.",
        JOINED,
    ]
    assert at.dialled() == ["Dana"]
    at.assert_clean()
