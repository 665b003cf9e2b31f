"""How calls to each of our numbers are answered, and whom they reach."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from local.simulator.model import Person
from local.template import Template
from tests.scenario.people import CALLER, DANA, LEE, OURS
from tests.scenario.stage import Stage, Staged, minutes

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


def listed(at: Stage, limit: int) -> list[list[str]]:
    """The numbers that have routes, page by page."""
    found: list[list[str]] = []
    cursor = ""
    while True:
        page = at.ask("GET", f"/routes?limit={limit}{cursor}").json
        found.append([each["number"] for each in page["routes"]])
        if page["next_cursor"] is None:
            return found
        cursor = "&cursor=" + page["next_cursor"].replace("+", "%2B")


def test_a_route_is_put_and_shown_and_changed_and_deleted(stage: Staged) -> None:
    at = stage()
    assert at.ask("GET", f"/routes/{SALES}").json["error"]["code"] == "unknown_route"
    put = at.ask("PUT", f"/routes/{SALES}", ROUTE)
    assert (put.status, put.json) == (200, {"number": SALES, **ROUTE})
    assert at.ask("GET", f"/routes/{SALES}").json == put.json
    assert at.ask("GET", "/routes").json == {"routes": [put.json], "next_cursor": None}

    changed = {"assistant": {"id": "assistant-night"}}
    assert at.ask("PUT", f"/routes/{SALES}", changed).status == 200
    assert at.ask("GET", f"/routes/{SALES}").json == {"number": SALES, **changed}

    deleted = at.ask("DELETE", f"/routes/{SALES}")
    assert (deleted.status, deleted.json) == (200, {"number": SALES, "deleted": True})
    assert at.ask("DELETE", f"/routes/{SALES}").status == 404
    assert at.ask("GET", "/routes").json == {"routes": [], "next_cursor": None}


def test_routes_are_listed_by_number_page_by_page(stage: Staged) -> None:
    at = stage()
    numbers = [f"+131255501{nth:02}" for nth in range(5)]
    for number in [*reversed(numbers), "default"]:
        at.route(number)
    assert listed(at, 2) == [numbers[:2], numbers[2:4], [numbers[4], "default"]]
    assert listed(at, 6) == [[*numbers, "default"]]
    assert at.conversations() == []


@pytest.mark.parametrize("query", ["cursor=x", "limit=0", "limit=51", "surprise=1"])
def test_a_wrong_question_names_what_is_wrong_with_it(stage: Staged, query: str) -> None:
    answer = stage().ask("GET", f"/routes?{query}")
    assert answer.status == 422
    assert answer.json["error"]["details"][0]["field"] == query.partition("=")[0]


def test_a_call_is_answered_as_its_number_s_route_says(stage: Staged) -> None:
    at = stage([Person(LEE, behaviour="manual")])
    at.ask("PUT", f"/routes/{SALES}", ROUTE)
    here = at.inbound(to=SALES)
    seen = at.conversation(here)
    assert seen["assistant"]["id"] == at.ai().assistant_id == "assistant-sales"
    (start,) = at.commands("ai_assistant_start")
    assert start["assistant"]["greeting"] == "Hello, this is the sales desk."
    assert start["assistant"]["dynamic_variables"] == {"team": "sales", "open": True}
    assert "assistant: Hello, this is the sales desk." in at.heard(CALLER)
    assert seen["participants"][0]["on_hangup"] == "continue_conversation"

    assert at.use_tool("invite", name="Dana") == "Calling Dana now."
    at.run(5)
    assert at.told() == ["Dana is on the line now."]
    assert {each["from"] for each in at.commands("dial")} == {SALES}
    path = f"/conversations/{here}/participants"
    assert at.ask("POST", path, {"to": LEE}).status == 202
    refused = at.ask("POST", path, {"to": LEE})
    assert (refused.status, refused.json["error"]["code"]) == (409, "too_many_participants")
    at.assert_clean()


def test_many_numbers_and_assistants_live_on_one_deployment(stage: Staged) -> None:
    at = stage()
    at.route(SALES, {"help": {"to": DANA, "name": "Dana"}})
    at.route(SUPPORT, {"help": {"to": LEE, "name": "Lee"}}, assistant={"id": "assistant-support"})
    sales = at.inbound(to=SALES)
    first_leg = at.leg(CALLER)
    support = at.inbound(from_="+13125550121", to=SUPPORT)
    other = at.inbound(from_="+13125550122")
    ids = [at.conversation(each)["assistant"]["id"] for each in (sales, support, other)]
    assert ids == ["assistant-sales", "assistant-support", "assistant-default"]

    second_leg = at.leg("+13125550121")
    assert at.use_tool("invite", second_leg, name="help") == "Calling Lee now."
    assert at.use_tool("invite", first_leg, name="help") == "Calling Dana now."
    third = at.leg("+13125550122")
    assert at.use_tool("invite", third, name="help") == (
        "There is no contact named help. Known are: nobody."
    )
    at.run(5)
    dials = {each["to"]: each["from"] for each in at.commands("dial")}
    assert dials == {DANA: SALES, LEE: SUPPORT}
    assert at.person(sales, "Dana")["status"] == at.person(support, "Lee")["status"] == "joined"


def test_whom_an_application_invites_is_called_from_the_number_that_was_dialled(
    stage: Staged,
) -> None:
    at = stage()
    at.route(SALES)
    here = at.inbound(to=SALES)
    at.invite(here, DANA, name="Dana")
    at.invite(here, LEE, name="Lee", **{"from": SUPPORT})
    assert [each["from"] for each in at.commands("dial")] == [SALES, SUPPORT]


def test_the_guests_of_a_start_are_called_from_its_own_number(stage: Staged) -> None:
    at = stage()
    at.start(participants=[{"to": DANA}], **{"from": SALES})
    assert [each["from"] for each in at.commands("dial")] == [SALES, SALES]


def test_a_number_without_a_route_takes_the_default_one(
    stage: Staged, deployed: Callable[..., Template]
) -> None:
    at = stage(template=deployed(DefaultAssistantId=""))
    at.ring_in(to=SUPPORT)
    at.run(5)
    assert at.conversations() == []
    at.route("default", {"Dana": {"to": DANA}}, assistant={"id": "assistant-anywhere"})
    here = at.inbound(from_="+13125550121", to=SUPPORT)
    assert at.conversation(here)["assistant"]["id"] == "assistant-anywhere"
    assert at.use_tool("invite", name="dana") == "Calling Dana now."


def test_a_route_that_is_deleted_leaves_its_calls_to_the_default(stage: Staged) -> None:
    at = stage()
    at.route(SALES)
    at.ask("DELETE", f"/routes/{SALES}")
    here = at.inbound(to=SALES)
    assert at.conversation(here)["assistant"]["id"] == "assistant-default"


def test_the_assistant_of_an_outbound_call_knows_the_contacts_of_its_number(stage: Staged) -> None:
    at = stage()
    at.route(OURS, {"Dana": {"to": DANA}})
    here = at.start()
    at.run(5)
    assert at.use_tool("invite", name="Dana") == "Calling Dana now."
    at.run(5)
    assert at.person(here, "Dana")["status"] == "joined"
    at.run(minutes(1))
    at.assert_clean()


CONTACT = {"to": DANA}
BAD: list[tuple[dict[str, Any], str]] = [
    ({"assistant": {}}, "assistant.id"),
    ({"assistant": None}, "assistant"),
    ({"assistant": {"id": "assistant-1", "greeting": ""}}, "assistant.greeting"),
    ({"assistant": {"id": "a", "instructions": "x" * 20_001}}, "assistant.instructions"),
    ({"assistant": {"id": "a", "voice_settings": {"a": "x" * 100_001}}}, "assistant"),
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
    ({"contacts": {"  ": CONTACT}}, "contacts"),
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
    ("given", "field"), BAD, ids=[f"{nth}-{f}" for nth, (_, f) in enumerate(BAD)]
)
def test_a_route_that_cannot_be_is_refused_by_its_field(
    stage: Staged, given: dict[str, Any], field: str
) -> None:
    at = stage()
    answer = at.ask("PUT", f"/routes/{SALES}", {"assistant": {"id": "assistant-1"}, **given})
    assert answer.status == 422
    assert field in [each["field"] for each in answer.json["error"]["details"]]
    assert at.table.keys() == []


@pytest.mark.parametrize("number", ["13125550101", "+1", "+13125550101,,1", "anybody", "%20"])
@pytest.mark.parametrize("path", ["/routes", "/do-not-call"])
def test_what_is_no_number_has_no_route_and_is_on_no_list(
    stage: Staged, path: str, number: str
) -> None:
    at = stage()
    for method, body in (("PUT", {"assistant": {"id": "a-1"}}), ("GET", {}), ("DELETE", {})):
        answer = at.ask(method, f"{path}/{number}", body if path == "/routes" else {})
        assert answer.status == 422
        assert answer.json["error"]["details"][0]["field"] == "number"
    assert at.table.keys() == []


def test_the_default_route_is_no_number_to_be_left_alone(stage: Staged) -> None:
    at = stage()
    for method in ("PUT", "GET", "DELETE"):
        answer = at.ask(method, "/do-not-call/default")
        assert answer.status == 422
        [detail] = answer.json["error"]["details"]
        assert detail["field"] == "number"
        assert "not a phone number in E.164" in json.dumps(answer.json)
    assert at.table.keys() == []


def test_nobody_without_a_key_sees_or_changes_routes(stage: Staged) -> None:
    at = stage()
    for method, path in (
        ("GET", "/routes"),
        ("GET", f"/routes/{SALES}"),
        ("PUT", f"/routes/{SALES}"),
        ("DELETE", f"/routes/{SALES}"),
        ("PUT", f"/do-not-call/{DANA}"),
    ):
        assert at.ask(method, path, ROUTE, authorization=None).status == 401
        assert at.ask(method, path, ROUTE, authorization="Bearer wrong").status == 403
    assert at.table.keys() == []
