"""Numbers and names in every spelling, our own lines, and failing dial rules, at every door."""

import json
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest

from local.stack.template import Template
from partyline.domain.rules.apply_requests import FORGEABLE
from tests.support.lab import Lab, NewLab
from tests.support.people import CALLER, DANA, HOST, LEE, OUR_NUMBER

Deployed = Callable[..., Template]

SPELLINGS = [
    "+1-312-555-0100",
    "13125550100",
    "+13125550100@sip.example",
    "sip:+13125550100@sip.example",
    "312-555-0100",
    "+1\u2011312\u2011555\u20110100",
    "+1\u00b7312\u00b7555\u00b70100@sip.example",
    "<sip:+13125550100@sip.example>",
    '"Support" <sip:+13125550100@sip.example>;tag=1',
    "\uff0b\uff11\uff13\uff11\uff12\uff15\uff15\uff15\uff10\uff11\uff10\uff10",
]
OWN_LINE = "“Dana” cannot be called: the number is a line of this service."


def rules(lab: Lab, conversation_id: str) -> list[str]:
    """The rule of each refused call."""
    return [
        event["data"]["rule"]
        for event in lab.timeline(conversation_id)
        if event["type"] == "leg.refused"
    ]


@pytest.mark.parametrize("to", SPELLINGS)
def test_a_call_to_our_number_in_any_spelling_gets_the_route_of_the_number(
    new_lab: NewLab, to: str
) -> None:
    lab = new_lab()
    lab.route(OUR_NUMBER, {"Dana": {"to": DANA}}, assistant={"id": "assistant-night"})
    conversation_id = lab.inbound(to=to)
    assert lab.conversation(conversation_id)["assistant"]["id"] == "assistant-night"
    lab.use_tool("invite", name="Dana")
    lab.run(5)
    [dial] = lab.commands("dial")
    assert dial["from"] == OUR_NUMBER
    assert lab.people_joined() == ["Dana"]


@pytest.mark.parametrize("from_", ["13125550120", "+1-312-555-0120", "312-555-0120",
                                   "sip:+13125550120@sip.example"])  # fmt: skip
def test_a_callers_own_phone_is_not_rung_by_the_tool(new_lab: NewLab, from_: str) -> None:
    lab = new_lab()
    lab.route(OUR_NUMBER, {"Me": {"to": CALLER}}, dial_any_number=True)
    lab.inbound(from_)
    assert lab.use_tool("invite", name="Me") == FORGEABLE
    assert lab.use_tool("invite", number="+1 312 555 0120") == FORGEABLE
    assert lab.commands("dial") == []


def test_a_caller_without_a_number_is_shown_as_telnyx_sends_the_caller(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.inbound("anonymous")
    assert lab.conversation(conversation_id)["participants"][0]["legs"][0]["from"] == "anonymous"


@pytest.mark.parametrize(
    "number",
    [
        "+1-312-555-0112",
        "+1 (312) 555-0112",
        "+1\u2212312\u22125550112",
        "+1\u00b7312\u00b7555\u00b70112",
        "+\u0661\u0663\u0661\u06625550112",
    ],
)
def test_requests_take_a_number_in_any_spelling_with_a_plus(
    new_lab: NewLab, deployed: Deployed, number: str
) -> None:
    lab = new_lab(template=deployed(DoNotCall="on"))
    put = lab.ask("PUT", f"/do-not-call/{number}", {})
    assert (put.status, put.json["number"]) == (200, DANA)
    conversation_id = lab.start(HOST)
    lab.invite(conversation_id, [number, LEE], name="Dana")
    lab.run(5)
    assert rules(lab, conversation_id) == ["do_not_call"]
    assert lab.ask("DELETE", f"/do-not-call/{number}").json["number"] == DANA
    assert (
        lab.ask("PUT", f"/routes/{number}", {"assistant": {"id": "assistant-1"}}).json["number"]
        == DANA
    )
    assert lab.ask("GET", f"/routes/{DANA}").status == 200
    body = {"to": [DANA, number]}
    twice = lab.ask("POST", f"/conversations/{conversation_id}/participants", body)
    assert twice.status == 422, "the same number twice"


@pytest.mark.parametrize("to", [f"{DANA}0", f"{DANA}9999", "+1911000", f"+1{DANA}"])
def test_a_number_that_cannot_exist_is_refused_by_its_field(new_lab: NewLab, to: str) -> None:
    lab = new_lab()
    for body, field in (
        ({"to": to}, "to"),
        ({"to": HOST, "participants": [{"to": [DANA, to]}]}, "participants.0.to.1"),
        ({"to": HOST, "from": to}, "from"),
    ):
        answer = lab.ask("POST", "/conversations", body)
        assert answer.status == 422, answer.json
        assert [detail["field"] for detail in answer.json["error"]["details"]] == [field]
    assert lab.ask("PUT", f"/do-not-call/{to}").status == 422
    assert lab.people_dialled() == []


@pytest.mark.parametrize("to", ["+18765550100", "+19005550100", "+17005550100", "+13129760100"])
def test_the_default_calls_neither_other_countries_nor_special_numbers(
    new_lab: NewLab, to: str
) -> None:
    answer = new_lab().ask("POST", "/conversations", {"to": to})
    assert (answer.status, answer.json["error"]["code"]) == (422, "destination_not_allowed")
    assert answer.json["error"]["details"][0]["field"] == "to"


def test_the_number_in_a_sip_address_is_asked_for(new_lab: NewLab, deployed: Deployed) -> None:
    lab = new_lab(template=deployed(DoNotCall="on", AllowedSipDomains="gw.example"))
    assert lab.ask("PUT", f"/do-not-call/{DANA}").status == 200
    conversation_id = lab.start(HOST)
    lab.invite(conversation_id, f"sip:{DANA}@gw.example", name="Dana")
    assert rules(lab, conversation_id) == ["do_not_call"]
    body = {"to": "sip:18765550100@gw.example"}
    answer = lab.ask("POST", f"/conversations/{conversation_id}/participants", body)
    assert answer.json["error"]["code"] == "destination_not_allowed"


# Our own lines


def test_the_line_of_the_conversation_is_not_called(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.inbound(to="+13125550155")
    lab.invite(conversation_id, "+13125550155", name="Dana")
    assert rules(lab, conversation_id) == ["own_line"]
    assert lab.messages_to_assistant() == [OWN_LINE]
    assert lab.commands("dial") == []
    assert lab.person(conversation_id, "Dana")["outcome"] == "limited"


def test_the_number_that_the_conversation_calls_from_is_not_called(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start(HOST, **{"from": LEE})
    lab.run(5)
    lab.invite(conversation_id, [LEE, DANA], name="Dana")
    lab.run(5)
    assert rules(lab, conversation_id) == ["own_line"]
    assert "Dana" in lab.people_joined()


def test_a_number_with_a_route_is_not_called(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.route(OUR_NUMBER, {"Dana": {"to": "+13125550155"}})
    lab.route("+13125550155")
    conversation_id = lab.inbound()
    assert lab.use_tool("invite", name="Dana") == OWN_LINE
    assert rules(lab, conversation_id) == ["own_line"]
    assert lab.commands("dial") == []


# A dial rule that fails


def test_a_dial_rule_that_raises_refuses_the_call_and_is_logged_by_name(
    new_lab: NewLab, deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a layer without the time zones: every start was answered with 500 after its commit."""

    def missing(*_: Any) -> list[str]:
        raise ModuleNotFoundError("No module named 'phonenumbers.tzdata'")

    monkeypatch.setattr("partyline.domain.numbers.time_zones", missing)
    lab = new_lab(template=deployed(QuietHours="01:00-01:01"))
    conversation_id = lab.inbound()
    lab.invite(conversation_id, DANA, name="Dana")
    assert lab.person(conversation_id, "Dana")["outcome"] == "error"
    answer = lab.ask("POST", "/conversations", {"to": HOST})
    assert (answer.status, answer.json["status"]) == (202, "failed")
    assert answer.json["failure"]["code"] == "dial_rule_failed"
    assert rules(lab, answer.json["id"]) == ["dial_rule_failed"]
    lines = [line for line in lab.logs.lines() if line["message"] == "a dial rule failed"]
    named = [(line["rule"], line["error"]) for line in lines]
    assert named == [("quiet_hours", "ModuleNotFoundError")] * 2
    assert lab.commands("dial") == []


# Names


def test_a_contact_is_known_by_its_name_in_every_form(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.route(OUR_NUMBER, {unicodedata.normalize("NFC", "José Strauß"): {"to": DANA}})
    lab.inbound()
    name = unicodedata.normalize("NFD", "JOSÉ  STRAUSS")
    assert lab.use_tool("invite", name=name).startswith("Calling ")
    two = {unicodedata.normalize(form, "José"): {"to": DANA} for form in ("NFC", "NFD")}
    body = {"assistant": {"id": "assistant-1"}, "contacts": two}
    assert lab.ask("PUT", f"/routes/{OUR_NUMBER}", body).status == 422


def test_a_placeholder_in_a_name_is_text(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start(HOST)
    lab.run(5)
    lab.invite(conversation_id, DANA, name="Dana {reason} {name}")
    lab.run(5)
    lab.hang_up(DANA)
    lab.run(5)
    assert lab.messages_to_assistant() == [
        "“Dana {reason} {name}” has joined the conversation.",
        "“Dana {reason} {name}” has left the conversation.",
    ]


def test_a_timeline_masks_numbers_in_every_form(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start(HOST)
    lab.run(5)
    lab.message(conversation_id, "Call +1 (312) 555-0187, 312-555-0188 or sip:alice@corp.example.")
    lab.run(5)
    shown = json.dumps(lab.timeline(conversation_id))
    assert "***0187, ***0188 or ***@***" in shown
    for part in ("555-01", "alice"):
        assert part not in shown
