"""What may be called, and when: asked before every dial, whoever wanted it.

It is seven in the morning in Chicago, where everybody's number is, when these stories begin.
"""

from collections.abc import Callable

import pytest

from local.simulator.model import Person
from local.stack.template import Template
from partyline.domain.model.routes import StoredRoute
from tests.support.lab import Lab, NewLab, minutes
from tests.support.people import DANA, DESK, HOST, KIM, LEE, OURS

Deployed = Callable[..., Template]

ASLEEP = "Dana may not be called at this hour of the day."
LISTED = "Dana may not be called: the number is on the do-not-call list."
JOINED = "Dana has joined the conversation."


def refusals(lab: Lab, conversation_id: str) -> list[tuple[str, str]]:
    """The rule that refused each call, and the number, masked."""
    events = [
        each["data"] for each in lab.timeline(conversation_id) if each["type"] == "leg.refused"
    ]
    return [(each["rule"], each["to"]) for each in events]


def listed(lab: Lab, *numbers: str) -> None:
    """Nobody may call these numbers."""
    for number in numbers:
        assert lab.ask("PUT", f"/do-not-call/{number}", {"reason": "asked us to"}).status == 200


def test_all_is_open_unless_it_is_shut(new_lab: NewLab) -> None:
    lab = new_lab()
    listed(lab, DANA)
    conversation_id = lab.inbound()
    lab.invite(conversation_id, DANA, name="Dana")
    lab.run(5)
    assert lab.joined() == ["Dana"]
    assert refusals(lab, conversation_id) == []


# Quiet hours


def test_nobody_is_called_while_it_is_night_where_they_are(
    new_lab: NewLab, deployed: Deployed
) -> None:
    lab = new_lab(template=deployed(QuietHours="21:00-07:05"))
    conversation_id = lab.inbound()
    lab.invite(conversation_id, DANA, name="Dana")
    assert refusals(lab, conversation_id) == [("quiet_hours", "***0112")]
    assert lab.told() == [ASLEEP]
    dana = lab.person(conversation_id, "Dana")
    assert (dana["status"], dana["outcome"]) == ("failed", "limited")
    assert dana["legs"][0]["failure"]["code"] == "quiet_hours"
    assert lab.dialled() == []
    lab.run(minutes(5))
    assert lab.status(conversation_id) == "active"
    lab.invite(conversation_id, DANA, name="Dana")
    lab.run(5)
    assert lab.told() == [ASLEEP, JOINED]
    lab.assert_clean()


def test_quiet_hours_are_looked_at_again_in_the_second_round(
    new_lab: NewLab, deployed: Deployed
) -> None:
    lab = new_lab([Person(DANA, behaviour="busy")], template=deployed(QuietHours="07:05-20:00"))
    conversation_id = lab.inbound()
    lab.invite(conversation_id, DANA, name="Dana", max_attempts=2, pause_secs=600)
    lab.run(minutes(15))
    assert lab.outcomes(conversation_id, "Dana") == ["busy", "limited"]
    assert refusals(lab, conversation_id) == [("quiet_hours", "***0112")]
    assert lab.dialled() == ["Dana"]
    assert lab.told() == [
        "Dana could not be reached: the line is busy. Another try follows in a while.",
        f"{ASLEEP} There is no other number to try.",
    ]
    lab.assert_clean()


def test_who_sleeps_in_the_first_round_is_called_in_the_second(
    new_lab: NewLab, deployed: Deployed
) -> None:
    lab = new_lab(template=deployed(QuietHours="21:00-07:05"))
    conversation_id = lab.inbound()
    lab.invite(conversation_id, DANA, name="Dana", max_attempts=2, pause_secs=600)
    assert lab.dialled() == []
    lab.run(minutes(12))
    assert lab.outcomes(conversation_id, "Dana") == ["limited", "human"]
    assert lab.told()[-1] == JOINED
    lab.assert_clean()


def test_a_host_is_not_woken_either(new_lab: NewLab, deployed: Deployed) -> None:
    lab = new_lab(template=deployed(QuietHours="21:00-08:00"))
    conversation_id = lab.start(HOST, participants=[{"to": DANA}])
    seen = lab.conversation(conversation_id)
    assert (seen["status"], seen["failure"]["code"]) == ("failed", "quiet_hours")
    assert lab.dialled() == []
    lab.run(minutes(2))
    lab.assert_no_leg_up()


# Do not call


def test_a_number_is_put_on_the_list_and_taken_off(new_lab: NewLab) -> None:
    lab = new_lab()
    assert lab.ask("GET", f"/do-not-call/{DANA}").json["error"]["code"] == "not_listed"
    put = lab.ask("PUT", f"/do-not-call/{DANA}", {"reason": "asked us to"})
    assert put.json == {
        "number": DANA,
        "reason": "asked us to",
        "added_at": "2036-07-01T12:00:00+00:00",
    }
    assert lab.ask("GET", f"/do-not-call/{DANA}").json == put.json
    assert lab.ask("PUT", f"/do-not-call/{DANA}").json["reason"] is None
    assert lab.ask("DELETE", f"/do-not-call/{DANA}").status == 200
    assert lab.ask("DELETE", f"/do-not-call/{DANA}").status == 404
    assert lab.ask("PUT", f"/do-not-call/{DANA}", {"why": "x"}).status == 422


def test_who_is_on_the_list_is_passed_over_and_the_next_number_is_tried(
    new_lab: NewLab, deployed: Deployed
) -> None:
    lab = new_lab([Person(KIM, behaviour="busy")], template=deployed(DoNotCall="on"))
    listed(lab, LEE)
    conversation_id = lab.inbound()
    lab.invite(conversation_id, [LEE, KIM, DANA], name="Dana")
    lab.run(10)
    assert refusals(lab, conversation_id) == [("do_not_call", "***0113")]
    assert lab.outcomes(conversation_id, "Dana") == ["limited", "busy", "human"]
    assert lab.told() == [
        f"{LISTED} The next number is being tried.",
        "Dana could not be reached: the line is busy. The next number is being tried.",
        JOINED,
    ]
    assert lab.dialled() == ["Kim", "Dana"]
    lab.assert_clean()


def test_of_an_at_once_plan_only_those_ring_who_may(new_lab: NewLab, deployed: Deployed) -> None:
    lab = new_lab([Person(KIM, behaviour="manual")], template=deployed(DoNotCall="on"))
    listed(lab, LEE)
    conversation_id = lab.inbound()
    lab.invite(conversation_id, [LEE, KIM, DANA], name="Dana", strategy="at_once")
    lab.run(5)
    assert lab.outcomes(conversation_id, "Dana") == ["limited", "cancelled", "human"]
    assert lab.told() == [JOINED]
    assert sorted(lab.up()) == ["Dana", "caller"]
    lab.assert_clean()


def test_who_is_put_on_the_list_between_two_rounds_is_not_called_again(
    new_lab: NewLab, deployed: Deployed
) -> None:
    lab = new_lab([Person(DANA, behaviour="busy")], template=deployed(DoNotCall="on"))
    conversation_id = lab.inbound()
    lab.invite(conversation_id, DANA, name="Dana", max_attempts=3, pause_secs=60)
    lab.run(10)
    listed(lab, DANA)
    lab.run(minutes(10))
    assert lab.dialled() == ["Dana"]
    assert lab.outcomes(conversation_id, "Dana") == ["busy", "limited", "limited"]


def test_the_assistant_s_own_invitation_passes_the_same_gates(
    new_lab: NewLab, deployed: Deployed
) -> None:
    lab = new_lab(template=deployed(DoNotCall="on"))
    listed(lab, DANA)
    lab.route(OURS, {"Dana": {"to": DANA}})
    conversation_id = lab.inbound()
    assert lab.use_tool("invite", name="Dana") == LISTED
    assert refusals(lab, conversation_id) == [("do_not_call", "***0112")]
    assert lab.told() == [LISTED]
    assert lab.dialled() == []


def test_the_words_for_a_refusal_are_the_conversation_s_own(
    new_lab: NewLab, deployed: Deployed
) -> None:
    lab = new_lab(template=deployed(DoNotCall="on"))
    listed(lab, DANA)
    lab.route(OURS, words={"do_not_call": "Never mind {name}."})
    conversation_id = lab.inbound()
    lab.invite(conversation_id, DANA, name="Dana")
    assert lab.told() == ["Never mind Dana."]


# Destinations


@pytest.mark.parametrize("numbers", ["+4420555501", [DANA, "+4420555501"]])
def test_where_calls_may_not_go_is_told_to_who_asks(
    new_lab: NewLab, numbers: str | list[str]
) -> None:
    lab = new_lab()
    conversation_id = lab.inbound()
    answer = lab.ask("POST", f"/conversations/{conversation_id}/participants", {"to": numbers})
    assert (answer.status, answer.json["error"]["code"]) == (422, "destination_not_allowed")
    assert answer.json["error"]["details"][0]["field"] == "to"
    body = {"to": HOST, "participants": [{"to": DANA}, {"to": numbers}]}
    answer = lab.ask("POST", "/conversations", body)
    assert answer.json["error"]["details"][0]["field"] == "participants.1.to"
    assert lab.dialled() == []


# Extensions and SIP addresses


def test_an_extension_is_called_where_that_is_switched_on(
    new_lab: NewLab, deployed: Deployed
) -> None:
    lab = new_lab(template=deployed(DigitsAfterNumber="on"))
    conversation_id = lab.inbound()
    lab.invite(conversation_id, f"{DANA},200", name="Dana")
    lab.run(5)
    assert lab.joined() == ["Dana"]
    [dialled] = [
        each["data"] for each in lab.timeline(conversation_id) if each["type"] == "leg.dialing"
    ]
    assert dialled["to"] == "***0112", "the number's end, not the extension's"
    refused = lab.ask(
        "POST", f"/conversations/{conversation_id}/participants", {"to": "+442071234567,1"}
    )
    assert refused.json["error"]["code"] == "destination_not_allowed"


@pytest.mark.parametrize("digits", ["", "abc", "1 2", "1,2", "1W", "\u0661", "1" * 33])
def test_what_follows_a_number_is_what_a_phone_can_send(
    new_lab: NewLab, deployed: Deployed, digits: str
) -> None:
    lab = new_lab(template=deployed(DigitsAfterNumber="on"))
    refused = lab.ask("POST", "/conversations", {"to": f"{DANA},{digits}"})
    assert refused.status == 422
    assert [each["field"] for each in refused.json["error"]["details"]] == ["to"]
    assert lab.dialled() == []


def test_an_extension_is_not_called_at_a_number_that_wants_no_calls(
    new_lab: NewLab, deployed: Deployed
) -> None:
    lab = new_lab(template=deployed(DigitsAfterNumber="on", DoNotCall="on"))
    listed(lab, DANA)
    conversation_id = lab.inbound()
    lab.invite(conversation_id, f"{DANA},200", name="Dana")
    assert refusals(lab, conversation_id) == [("do_not_call", "***0112")]
    assert lab.dialled() == []


def test_a_sip_address_is_called_at_the_domains_that_are_allowed(
    new_lab: NewLab, deployed: Deployed
) -> None:
    template = deployed(AllowedSipDomains="pbx.example.com", QuietHours="21:00-08:00")
    lab = new_lab(template=template)
    conversation_id = lab.inbound()
    lab.invite(conversation_id, DESK, name="Dana")
    lab.run(5)
    assert lab.joined() == ["Dana's desk"], "by UTC it is noon there"
    elsewhere = {"to": DESK.replace("pbx", "sbc")}
    refused = lab.ask("POST", f"/conversations/{conversation_id}/participants", elsewhere)
    assert refused.json["error"]["code"] == "destination_not_allowed"
    assert lab.dialled() == ["Dana's desk"]


def test_the_model_calls_numbers_and_nothing_else(new_lab: NewLab, deployed: Deployed) -> None:
    lab = new_lab(template=deployed(AllowedSipDomains="pbx.example.com", DigitsAfterNumber="on"))
    route = {"assistant": {"id": "assistant-1"}, "dial_any_number": True}
    assert lab.ask("PUT", f"/routes/{OURS}", route).status == 200
    lab.inbound()
    for number in (DESK, f"{DANA},200"):
        assert lab.use_tool("invite", number=number).startswith("That is not a phone number.")
    assert lab.dialled() == []


def test_a_contact_of_before_the_destinations_grew_narrower_is_refused_at_the_dial(
    new_lab: NewLab, deployed: Deployed
) -> None:
    lab = new_lab(template=deployed(AllowedDestinationPrefixes=DANA))
    contact = {"to": [LEE, DANA], "name": "Dana"}
    route = {"assistant": {"id": "assistant-1"}, "contacts": {"Dana": contact}}
    assert lab.ask("PUT", f"/routes/{OURS}", route).status == 422
    lab.wiring.directory.put_route(OURS, StoredRoute.model_validate(route))
    conversation_id = lab.inbound()
    assert lab.use_tool("invite", name="Dana") == "Calling Dana now."
    lab.run(5)
    assert refusals(lab, conversation_id) == [("destination_not_allowed", "***0113")]
    assert lab.told() == [
        "Dana cannot be called from this line. The next number is being tried.",
        JOINED,
    ]
    assert lab.dialled() == ["Dana"]
    lab.assert_clean()
