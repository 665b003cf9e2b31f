"""The dial policy: quiet hours, the do-not-call list and allowed destinations before every dial.

Each scenario begins at 07:00 in Chicago, the area of all numbers here.
"""

from collections.abc import Callable

import pytest

from local.simulator.model import Person
from local.stack.template import Template
from partyline.domain.model.routes import StoredRoute
from tests.support.changes import CHANGE
from tests.support.lab import Lab, NewLab, minutes
from tests.support.people import DANA, DESK, HOST, KIM, LEE, OUR_NUMBER

Deployed = Callable[..., Template]

QUIET = "“Dana” may not be called at this hour of the day."
LISTED = "“Dana” may not be called: the number is on the do-not-call list."
JOINED = "“Dana” has joined the conversation."


def refusals(lab: Lab, conversation_id: str) -> list[tuple[str, str]]:
    """The rule and the masked number of each refused call."""
    events = [
        event["data"] for event in lab.timeline(conversation_id) if event["type"] == "leg.refused"
    ]
    return [(event["rule"], event["to"]) for event in events]


def add_to_do_not_call(lab: Lab, *numbers: str) -> None:
    """Add these numbers to the do-not-call list."""
    for number in numbers:
        assert lab.ask("PUT", f"/do-not-call/{number}", {"reason": "asked us to"}).status == 200


def test_without_dial_policy_parameters_a_listed_number_is_called(new_lab: NewLab) -> None:
    lab = new_lab()
    add_to_do_not_call(lab, DANA)
    conversation_id = lab.inbound()
    lab.invite(conversation_id, DANA, name="Dana")
    lab.run(5)
    assert lab.people_joined() == ["Dana"]
    assert refusals(lab, conversation_id) == []


# Quiet hours


def test_a_number_is_not_called_in_its_local_quiet_hours(
    new_lab: NewLab, deployed: Deployed
) -> None:
    lab = new_lab(template=deployed(QuietHours="21:00-07:05"))
    conversation_id = lab.inbound()
    lab.invite(conversation_id, DANA, name="Dana")
    assert refusals(lab, conversation_id) == [("quiet_hours", "***0112")]
    assert lab.messages_to_assistant() == [QUIET]
    dana = lab.person(conversation_id, "Dana")
    assert (dana["status"], dana["outcome"]) == ("failed", "limited")
    assert dana["legs"][0]["failure"]["code"] == "quiet_hours"
    assert lab.people_dialled() == []
    lab.run(minutes(5))
    assert lab.status(conversation_id) == "active"
    lab.invite(conversation_id, DANA, name="Dana")
    lab.run(5)
    assert lab.messages_to_assistant() == [QUIET, JOINED]
    lab.assert_clean()


def test_quiet_hours_are_checked_again_in_the_second_round(
    new_lab: NewLab, deployed: Deployed
) -> None:
    lab = new_lab([Person(DANA, behaviour="busy")], template=deployed(QuietHours="07:05-20:00"))
    conversation_id = lab.inbound()
    lab.invite(conversation_id, DANA, name="Dana", max_attempts=2, pause_secs=600)
    lab.run(minutes(15))
    assert lab.outcomes(conversation_id, "Dana") == ["busy", "limited"]
    assert refusals(lab, conversation_id) == [("quiet_hours", "***0112")]
    assert lab.people_dialled() == ["Dana"]
    assert lab.messages_to_assistant() == [
        "“Dana” could not be reached: the line is busy. Another try follows in a while.",
        f"{QUIET} There is no other number to try.",
    ]
    lab.assert_clean()


def test_a_number_in_quiet_hours_in_the_first_round_is_called_in_the_second(
    new_lab: NewLab, deployed: Deployed
) -> None:
    lab = new_lab(template=deployed(QuietHours="21:00-07:05"))
    conversation_id = lab.inbound()
    lab.invite(conversation_id, DANA, name="Dana", max_attempts=2, pause_secs=600)
    assert lab.people_dialled() == []
    lab.run(minutes(12))
    assert lab.outcomes(conversation_id, "Dana") == ["limited", "human"]
    assert lab.messages_to_assistant()[-1] == JOINED
    lab.assert_clean()


def test_a_host_is_not_called_in_quiet_hours(new_lab: NewLab, deployed: Deployed) -> None:
    lab = new_lab(template=deployed(QuietHours="21:00-08:00"))
    conversation_id = lab.start(HOST, participants=[{"to": DANA}])
    conversation = lab.conversation(conversation_id)
    assert (conversation["status"], conversation["failure"]["code"]) == ("failed", "quiet_hours")
    assert lab.people_dialled() == []
    lab.run(minutes(2))
    lab.assert_no_leg_up()


# Do not call


def test_a_number_is_added_to_the_do_not_call_list_and_removed(new_lab: NewLab) -> None:
    lab = new_lab()
    assert lab.ask("GET", f"/do-not-call/{DANA}").json["error"]["code"] == "not_listed"
    put = lab.ask("PUT", f"/do-not-call/{DANA}", {"reason": "asked us to"})
    assert put.json == {
        "number": DANA,
        "reason": "asked us to",
        "added_at": "2036-07-01T12:00:00+00:00",
        "changed_by": "scenario",
    }
    assert lab.ask("GET", f"/do-not-call/{DANA}").json == put.json
    assert lab.ask("PUT", f"/do-not-call/{DANA}").json["reason"] is None
    assert lab.ask("DELETE", f"/do-not-call/{DANA}").status == 200
    assert lab.ask("DELETE", f"/do-not-call/{DANA}").status == 404
    assert lab.ask("PUT", f"/do-not-call/{DANA}", {"why": "x"}).status == 422


def test_a_number_on_the_do_not_call_list_is_skipped_and_the_next_number_is_tried(
    new_lab: NewLab, deployed: Deployed
) -> None:
    lab = new_lab([Person(KIM, behaviour="busy")], template=deployed(DoNotCall="on"))
    add_to_do_not_call(lab, LEE)
    conversation_id = lab.inbound()
    lab.invite(conversation_id, [LEE, KIM, DANA], name="Dana")
    lab.run(10)
    assert refusals(lab, conversation_id) == [("do_not_call", "***0113")]
    assert lab.outcomes(conversation_id, "Dana") == ["limited", "busy", "human"]
    assert lab.messages_to_assistant() == [
        f"{LISTED} The next number is being tried.",
        "“Dana” could not be reached: the line is busy. The next number is being tried.",
        JOINED,
    ]
    assert lab.people_dialled() == ["Kim", "Dana"]
    lab.assert_clean()


def test_an_at_once_plan_skips_a_number_on_the_do_not_call_list(
    new_lab: NewLab, deployed: Deployed
) -> None:
    lab = new_lab([Person(KIM, behaviour="manual")], template=deployed(DoNotCall="on"))
    add_to_do_not_call(lab, LEE)
    conversation_id = lab.inbound()
    lab.invite(conversation_id, [LEE, KIM, DANA], name="Dana", strategy="at_once")
    lab.run(5)
    assert lab.outcomes(conversation_id, "Dana") == ["limited", "cancelled", "human"]
    assert lab.messages_to_assistant() == [JOINED]
    assert sorted(lab.legs_up()) == ["Dana", "caller"]
    lab.assert_clean()


def test_a_number_added_to_the_do_not_call_list_between_two_rounds_is_not_called_again(
    new_lab: NewLab, deployed: Deployed
) -> None:
    lab = new_lab([Person(DANA, behaviour="busy")], template=deployed(DoNotCall="on"))
    conversation_id = lab.inbound()
    lab.invite(conversation_id, DANA, name="Dana", max_attempts=3, pause_secs=60)
    lab.run(10)
    add_to_do_not_call(lab, DANA)
    lab.run(minutes(10))
    assert lab.people_dialled() == ["Dana"]
    assert lab.outcomes(conversation_id, "Dana") == ["busy", "limited", "limited"]


def test_the_dial_policy_applies_to_the_assistants_invitations(
    new_lab: NewLab, deployed: Deployed
) -> None:
    lab = new_lab(template=deployed(DoNotCall="on"))
    add_to_do_not_call(lab, DANA)
    lab.route(OUR_NUMBER, {"Dana": {"to": DANA}})
    conversation_id = lab.inbound()
    assert lab.use_tool("invite", name="Dana") == LISTED
    assert refusals(lab, conversation_id) == [("do_not_call", "***0112")]
    assert lab.messages_to_assistant() == [LISTED]
    assert lab.people_dialled() == []


def test_a_refusal_is_worded_by_the_conversations_own_phrase(
    new_lab: NewLab, deployed: Deployed
) -> None:
    lab = new_lab(template=deployed(DoNotCall="on"))
    add_to_do_not_call(lab, DANA)
    lab.route(OUR_NUMBER, words={"do_not_call": "Never mind {name}."})
    conversation_id = lab.inbound()
    lab.invite(conversation_id, DANA, name="Dana")
    assert lab.messages_to_assistant() == ["Never mind “Dana”."]


# Destinations


@pytest.mark.parametrize("numbers", ["+442071234567", [DANA, "+442071234567"]])
def test_a_request_with_a_destination_that_is_not_allowed_is_refused(
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
    assert lab.people_dialled() == []


# Extensions and SIP addresses


def test_an_extension_is_called_if_digits_after_a_number_are_switched_on(
    new_lab: NewLab, deployed: Deployed
) -> None:
    lab = new_lab(template=deployed(DigitsAfterNumber="on"))
    conversation_id = lab.inbound()
    lab.invite(conversation_id, f"{DANA},200", name="Dana")
    lab.run(5)
    assert lab.people_joined() == ["Dana"]
    [dialled] = [
        event["data"] for event in lab.timeline(conversation_id) if event["type"] == "leg.dialing"
    ]
    assert dialled["to"] == "***0112", "the last digits of the number without the extension"
    refused = lab.ask(
        "POST", f"/conversations/{conversation_id}/participants", {"to": "+442071234567,1"}
    )
    assert refused.json["error"]["code"] == "destination_not_allowed"


@pytest.mark.parametrize("digits", ["", "abc", "1 2", "1,2", "1W", "\u0661", "1" * 33])
def test_the_digits_after_a_number_must_be_keys_of_a_phone(
    new_lab: NewLab, deployed: Deployed, digits: str
) -> None:
    lab = new_lab(template=deployed(DigitsAfterNumber="on"))
    refused = lab.ask("POST", "/conversations", {"to": f"{DANA},{digits}"})
    assert refused.status == 422
    assert [detail["field"] for detail in refused.json["error"]["details"]] == ["to"]
    assert lab.people_dialled() == []


def test_an_extension_of_a_number_on_the_do_not_call_list_is_not_called(
    new_lab: NewLab, deployed: Deployed
) -> None:
    lab = new_lab(template=deployed(DigitsAfterNumber="on", DoNotCall="on"))
    add_to_do_not_call(lab, DANA)
    conversation_id = lab.inbound()
    lab.invite(conversation_id, f"{DANA},200", name="Dana")
    assert refusals(lab, conversation_id) == [("do_not_call", "***0112")]
    assert lab.people_dialled() == []


def test_a_sip_address_is_called_in_an_allowed_domain_only(
    new_lab: NewLab, deployed: Deployed
) -> None:
    template = deployed(AllowedSipDomains="pbx.example.com", QuietHours="21:00-08:00")
    lab = new_lab(template=template)
    conversation_id = lab.inbound()
    lab.invite(conversation_id, DESK, name="Dana")
    lab.run(5)
    assert lab.people_joined() == ["Dana's desk"], (
        "a SIP address has the time of UTC, which is noon"
    )
    other_domain = {"to": DESK.replace("pbx", "sbc")}
    refused = lab.ask("POST", f"/conversations/{conversation_id}/participants", other_domain)
    assert refused.json["error"]["code"] == "destination_not_allowed"
    assert lab.people_dialled() == ["Dana's desk"]


def test_the_assistants_tool_calls_plain_numbers_only(new_lab: NewLab, deployed: Deployed) -> None:
    lab = new_lab(template=deployed(AllowedSipDomains="pbx.example.com", DigitsAfterNumber="on"))
    route = {"assistant": {"id": "assistant-1"}, "dial_any_number": True}
    assert lab.ask("PUT", f"/routes/{OUR_NUMBER}", route).status == 200
    lab.inbound()
    for number in (DESK, f"{DANA},200"):
        assert lab.use_tool("invite", number=number).startswith("That is not a phone number.")
    assert lab.people_dialled() == []


def test_a_contact_stored_before_destinations_were_restricted_is_refused_at_the_dial(
    new_lab: NewLab, deployed: Deployed
) -> None:
    lab = new_lab(template=deployed(AllowedDestinationPrefixes=DANA))
    contact = {"to": [LEE, DANA], "name": "Dana"}
    route = {"assistant": {"id": "assistant-1"}, "contacts": {"Dana": contact}}
    assert lab.ask("PUT", f"/routes/{OUR_NUMBER}", route).status == 422
    lab.app.directory.put_route(OUR_NUMBER, StoredRoute.model_validate(route), CHANGE)
    conversation_id = lab.inbound()
    assert lab.use_tool("invite", name="Dana") == "Calling “Dana” now."
    lab.run(5)
    assert refusals(lab, conversation_id) == [("destination_not_allowed", "***0113")]
    assert lab.messages_to_assistant() == [
        "“Dana” cannot be called from this line. The next number is being tried.",
        JOINED,
    ]
    assert lab.people_dialled() == ["Dana"]
    lab.assert_clean()
