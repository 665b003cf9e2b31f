"""Routes: the assistant and the contacts of each dialled number."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from local.simulator.model import Person
from local.stack.template import Template
from tests.support.lab import Lab, NewLab, minutes
from tests.support.people import CALLER, DANA, LEE, OUR_NUMBER

SALES, SUPPORT = "+13125550101", "+13125550102"

ROUTE: dict[str, Any] = {
    "assistant": {
        "id": "assistant-sales",
        "greeting": "Hello, this is the sales desk.",
        "dynamic_variables": {"team": "sales", "open": True},
    },
    "contacts": {"Dana": {"to": [DANA, LEE], "strategy": "at_once", "from": SALES}},
    "dial_any_number": True,
    "limits": {"participants": 3},
    "words": {"joined": "{name} is on the line now."},
    "on_host_hangup": "continue_conversation",
}


def listed_numbers(lab: Lab, limit: int) -> list[list[str]]:
    """The numbers with routes, as one list for each page."""
    pages: list[list[str]] = []
    cursor = ""
    while True:
        page = lab.ask("GET", f"/routes?limit={limit}{cursor}").json
        pages.append([route["number"] for route in page["routes"]])
        if page["next_cursor"] is None:
            return pages
        cursor = "&cursor=" + page["next_cursor"].replace("+", "%2B")


def test_a_route_can_be_created_read_changed_and_deleted(new_lab: NewLab) -> None:
    lab = new_lab()
    assert lab.ask("GET", f"/routes/{SALES}").json["error"]["code"] == "unknown_route"
    put = lab.ask("PUT", f"/routes/{SALES}", ROUTE)
    changed_at = put.json.pop("changed_at")
    assert datetime.fromisoformat(changed_at) == lab.clock.now()
    assert put.json.pop("changed_by") == "scenario", "the id of the bearer key"
    assert (put.status, put.json) == (200, {"number": SALES, **ROUTE})
    put.json.update(changed_at=changed_at, changed_by="scenario")
    assert lab.ask("GET", f"/routes/{SALES}").json == put.json
    assert lab.ask("GET", "/routes").json == {"routes": [put.json], "next_cursor": None}

    changed = {"assistant": {"id": "assistant-night"}}
    assert lab.ask("PUT", f"/routes/{SALES}", changed).status == 200
    shown = lab.ask("GET", f"/routes/{SALES}").json
    assert shown.items() >= {"number": SALES, **changed}.items()
    assert shown.keys() == {"number", "assistant", "changed_at", "changed_by"}

    deleted = lab.ask("DELETE", f"/routes/{SALES}")
    assert (deleted.status, deleted.json) == (200, {"number": SALES, "deleted": True})
    assert lab.ask("DELETE", f"/routes/{SALES}").status == 404
    assert lab.ask("GET", "/routes").json == {"routes": [], "next_cursor": None}


def test_routes_are_listed_by_number_page_by_page(new_lab: NewLab) -> None:
    lab = new_lab()
    numbers = [f"+131255501{nth:02}" for nth in range(5)]
    for number in [*reversed(numbers), "default"]:
        lab.route(number)
    assert listed_numbers(lab, 2) == [numbers[:2], numbers[2:4], [numbers[4], "default"]]
    assert listed_numbers(lab, 6) == [[*numbers, "default"]]
    assert lab.conversations() == []


@pytest.mark.parametrize("query", ["cursor=x", "limit=0", "limit=51", "surprise=1"])
def test_an_invalid_list_query_names_its_parameter(new_lab: NewLab, query: str) -> None:
    answer = new_lab().ask("GET", f"/routes?{query}")
    assert answer.status == 422
    assert answer.json["error"]["details"][0]["field"] == query.partition("=")[0]


def test_a_call_is_answered_with_the_route_of_its_number(new_lab: NewLab) -> None:
    lab = new_lab([Person(LEE, behaviour="manual")])
    lab.ask("PUT", f"/routes/{SALES}", ROUTE)
    conversation_id = lab.inbound(to=SALES)
    conversation = lab.conversation(conversation_id)
    assert (
        conversation["assistant"]["id"]
        == lab.telnyx_conversation().assistant_id
        == "assistant-sales"
    )
    (start,) = lab.commands("ai_assistant_start")
    assert start["assistant"]["greeting"] == "Hello, this is the sales desk."
    assert start["assistant"]["dynamic_variables"] == {"team": "sales", "open": True}
    assert "assistant: Hello, this is the sales desk." in lab.heard_by(CALLER)
    assert conversation["participants"][0]["on_hangup"] == "continue_conversation"

    assert lab.use_tool("invite", name="Dana") == "Calling “Dana” now."
    lab.run(5)
    assert lab.messages_to_assistant() == ["“Dana” is on the line now."]
    assert {command["from"] for command in lab.commands("dial")} == {SALES}
    path = f"/conversations/{conversation_id}/participants"
    assert lab.ask("POST", path, {"to": LEE}).status == 202
    refused = lab.ask("POST", path, {"to": LEE})
    assert (refused.status, refused.json["error"]["code"]) == (409, "too_many_participants")
    lab.assert_clean()


def test_one_deployment_serves_several_numbers_with_their_own_assistants(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.route(SALES, {"help": {"to": DANA, "name": "Dana"}})
    lab.route(SUPPORT, {"help": {"to": LEE, "name": "Lee"}}, assistant={"id": "assistant-support"})
    sales = lab.inbound(to=SALES)
    first_leg = lab.leg(CALLER)
    support = lab.inbound(from_="+13125550121", to=SUPPORT)
    other = lab.inbound(from_="+13125550122")
    ids = [
        lab.conversation(conversation_id)["assistant"]["id"]
        for conversation_id in (sales, support, other)
    ]
    assert ids == ["assistant-sales", "assistant-support", "assistant-default"]

    second_leg = lab.leg("+13125550121")
    assert lab.use_tool("invite", second_leg, name="help") == "Calling “Lee” now."
    assert lab.use_tool("invite", first_leg, name="help") == "Calling “Dana” now."
    third = lab.leg("+13125550122")
    assert lab.use_tool("invite", third, name="help") == (
        "There is no contact named “help”. Known are: nobody."
    )
    lab.run(5)
    dials = {command["to"]: command["from"] for command in lab.commands("dial")}
    assert dials == {DANA: SALES, LEE: SUPPORT}
    assert lab.person(sales, "Dana")["status"] == lab.person(support, "Lee")["status"] == "joined"


def test_a_guest_is_called_from_the_number_that_the_caller_dialled(
    new_lab: NewLab,
) -> None:
    lab = new_lab()
    lab.route(SALES)
    conversation_id = lab.inbound(to=SALES)
    lab.invite(conversation_id, DANA, name="Dana")
    lab.invite(conversation_id, LEE, name="Lee", **{"from": SUPPORT})
    assert [command["from"] for command in lab.commands("dial")] == [SALES, SUPPORT]


def test_the_guests_of_a_start_are_called_from_the_starts_own_number(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.start(participants=[{"to": DANA}], **{"from": SALES})
    assert [command["from"] for command in lab.commands("dial")] == [SALES, SALES]


def test_a_number_without_a_route_uses_the_default_route(
    new_lab: NewLab, deployed: Callable[..., Template]
) -> None:
    lab = new_lab(template=deployed(DefaultAssistantId=""))
    lab.ring_in(to=SUPPORT)
    lab.run(5)
    assert lab.conversations() == []
    lab.route("default", {"Dana": {"to": DANA}}, assistant={"id": "assistant-anywhere"})
    conversation_id = lab.inbound(from_="+13125550121", to=SUPPORT)
    assert lab.conversation(conversation_id)["assistant"]["id"] == "assistant-anywhere"
    assert lab.use_tool("invite", name="dana") == "Calling “Dana” now."


def test_after_the_deletion_of_its_route_a_number_uses_the_default_assistant(
    new_lab: NewLab,
) -> None:
    lab = new_lab()
    lab.route(SALES)
    lab.ask("DELETE", f"/routes/{SALES}")
    conversation_id = lab.inbound(to=SALES)
    assert lab.conversation(conversation_id)["assistant"]["id"] == "assistant-default"


def test_an_outbound_call_has_the_contacts_of_its_number(
    new_lab: NewLab,
) -> None:
    lab = new_lab()
    lab.route(OUR_NUMBER, {"Dana": {"to": DANA}})
    conversation_id = lab.start()
    lab.run(5)
    assert lab.use_tool("invite", name="Dana") == "Calling “Dana” now."
    lab.run(5)
    assert lab.person(conversation_id, "Dana")["status"] == "joined"
    lab.run(minutes(1))
    lab.assert_clean()


CONTACT = {"to": DANA}
BAD: list[tuple[dict[str, Any], str]] = [
    ({"assistant": {}}, "assistant.id"),
    ({"assistant": None}, "assistant"),
    ({"assistant": {"id": "assistant-1", "greeting": ""}}, "assistant.greeting"),
    ({"assistant": {"id": "a", "instructions": "x" * 20_001}}, "assistant.instructions"),
    (
        {"assistant": {"id": "a", "tools": [{"type": "hangup", "hangup": {"a": "x" * 100_001}}]}},
        "assistant",
    ),
    ({"contacts": {"Dana": {}}}, "contacts.Dana.to"),
    ({"contacts": {"Dana": {"to": []}}}, "contacts.Dana.to"),
    ({"contacts": {"Dana": {"to": [DANA, DANA]}}}, "contacts.Dana.to"),
    ({"contacts": {"Dana": {"to": "+4420555501"}}}, "contacts.Dana.to"),
    ({"contacts": {"Dana": {"call_control_id": "v3:live-call"}}}, "contacts.Dana.call_control_id"),
    ({"contacts": {"Dana": {**CONTACT, "deadline_secs": 6}}}, "contacts.Dana.deadline_secs"),
    (
        {"contacts": {"Dana": {**CONTACT, "screening": {"say": "Hi", "accept_digit": "x"}}}},
        "contacts.Dana.screening.accept_digit",
    ),
    ({"contacts": {"Dana": CONTACT, " dana": CONTACT}}, "contacts"),
    ({"contacts": {"  ": CONTACT}}, "contacts.  "),
    ({"contacts": {f"c{nth}": CONTACT for nth in range(51)}}, "contacts"),
    ({"dial_any_number": "yes"}, "dial_any_number"),
    ({"limits": {"participants": 0}}, "limits.participants"),
    ({"limits": {"legs_at_once": 21}}, "limits.legs_at_once"),
    ({"limits": {"minutes": 241}}, "limits.minutes"),
    (
        {
            "contacts": {"Night": {"to": [DANA, LEE], "strategy": "at_once"}},
            "limits": {"legs_at_once": 1},
        },
        "contacts.Night.to",
    ),
    ({"words": {"jonied": "{name}"}}, "words"),
    ({"on_host_hangup": "explode"}, "on_host_hangup"),
    ({"surprise": 1}, "surprise"),
]


@pytest.mark.parametrize(
    ("changes", "field"), BAD, ids=[f"{nth}-{f}" for nth, (_, f) in enumerate(BAD)]
)
def test_an_invalid_route_is_refused_by_its_field(
    new_lab: NewLab, changes: dict[str, Any], field: str
) -> None:
    lab = new_lab()
    answer = lab.ask("PUT", f"/routes/{SALES}", {"assistant": {"id": "assistant-1"}, **changes})
    assert answer.status == 422
    assert field in [detail["field"] for detail in answer.json["error"]["details"]]
    assert lab.table.keys() == []


@pytest.mark.parametrize("number", ["13125550101", "+1", "+13125550101,,1", "anybody", "%20"])
@pytest.mark.parametrize("path", ["/routes", "/do-not-call"])
def test_a_path_that_is_not_a_number_is_refused(new_lab: NewLab, path: str, number: str) -> None:
    lab = new_lab()
    for method, body in (("PUT", {"assistant": {"id": "a-1"}}), ("GET", {}), ("DELETE", {})):
        answer = lab.ask(method, f"{path}/{number}", body if path == "/routes" else {})
        assert answer.status == 422
        assert answer.json["error"]["details"][0]["field"] == "number"
    assert lab.table.keys() == []


def test_default_is_not_a_number_for_the_do_not_call_list(new_lab: NewLab) -> None:
    lab = new_lab()
    for method in ("PUT", "GET", "DELETE"):
        answer = lab.ask(method, "/do-not-call/default")
        assert answer.status == 422
        [detail] = answer.json["error"]["details"]
        assert detail["field"] == "number"
        assert "not a phone number in E.164" in json.dumps(answer.json)
    assert lab.table.keys() == []


def test_a_request_without_a_key_neither_reads_nor_changes_routes(new_lab: NewLab) -> None:
    lab = new_lab()
    for method, path in (
        ("GET", "/routes"),
        ("GET", f"/routes/{SALES}"),
        ("PUT", f"/routes/{SALES}"),
        ("DELETE", f"/routes/{SALES}"),
        ("PUT", f"/do-not-call/{DANA}"),
    ):
        assert lab.ask(method, path, ROUTE, authorization=None).status == 401
        assert lab.ask(method, path, ROUTE, authorization="Bearer wrong").status == 403
    assert lab.table.keys() == []
