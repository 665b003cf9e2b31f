"""The API's answers match docs/openapi.json."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema import ValidationError as SchemaError

from local.docs.openapi import document
from local.simulator.model import Person
from partyline.services.scheduler import StartScheduler
from tests.support.lab import Answer, Lab, NewLab
from tests.support.people import CALLER, DANA, HOST, KIM, LEE, OUR_NUMBER


@cache
def described() -> dict[str, Any]:
    """The document, made by the first test that needs it: not by the collection of each process."""
    return document()


def schema_of(route: str, status: int) -> dict[str, Any]:
    """The schema of an answer; a KeyError for a status that is not described."""
    method, _, path = route.partition(" ")
    answer = described()["paths"][path][method.lower()]["responses"][str(status)]
    schema: dict[str, Any] = answer["content"]["application/json"]["schema"]
    return {**schema, "components": described()["components"]}


def assert_described(answer: Answer, route: str) -> dict[str, Any]:
    """The answer, when its status and its body are those that are described for a route."""
    Draft202012Validator(schema_of(route, answer.status)).validate(answer.json)
    return answer.json


def assert_all_described(lab: Lab, conversation_id: str) -> None:
    """Check the answers of all queries about a conversation."""
    path = f"/conversations/{conversation_id}"
    assert_described(lab.ask("GET", path), "GET /conversations/{id}")
    assert_described(lab.ask("GET", f"{path}/timeline"), "GET /conversations/{id}/timeline")
    assert_described(lab.ask("GET", "/conversations"), "GET /conversations")


def test_every_answer_of_a_whole_conversation_matches_its_description(new_lab: NewLab) -> None:
    people = [Person(DANA, behaviour="busy"), Person(LEE), Person(KIM, behaviour="machine")]
    lab = new_lab(people)
    body = {
        "to": HOST,
        "name": "Ada",
        "metadata": {"order": [7, None, {"é": 1.5}]},
        "assistant": {"greeting": "Hello.", "dynamic_variables": {"vip": True}},
        "participants": [{"to": [DANA, LEE], "name": "The desk"}],
    }
    started = lab.ask("POST", "/conversations", body)
    conversation_id = assert_described(started, "POST /conversations")["id"]
    assert_all_described(lab, conversation_id)
    lab.run(30)
    invite = "POST /conversations/{id}/participants"
    path = f"/conversations/{conversation_id}/participants"
    plan = {"to": KIM, "machine_detection": "standard", "screening": {"say": "Press 1."}}
    guest = assert_described(lab.ask("POST", path, plan), invite)["id"]
    message = {"role": "user", "content": "Hi."}
    answer = lab.ask("POST", f"/conversations/{conversation_id}/messages", message)
    assert_described(answer, "POST /conversations/{id}/messages")
    assert_all_described(lab, conversation_id)
    remove = "DELETE /conversations/{id}/participants/{participant_id}"
    assert_described(lab.ask("DELETE", f"{path}/{guest}"), remove)
    assert_described(lab.ask("DELETE", f"{path}/unknown"), remove)
    lab.run(60)
    stopped = lab.ask("POST", f"/conversations/{conversation_id}/stop", {"hang_up": True})
    assert_described(stopped, "POST /conversations/{id}/stop")
    lab.run(120)
    assert lab.conversation(conversation_id)["insights"]
    assert_all_described(lab, conversation_id)
    assert_described(lab.ask("POST", path, {"to": LEE}), invite)


def test_attached_inbound_and_failed_conversations_match_their_description(new_lab: NewLab) -> None:
    lab = new_lab([Person(HOST, behaviour="busy")])
    leg = lab.telnyx.outside_call(CALLER, OUR_NUMBER)
    answer = lab.ask("POST", "/conversations", {"call_control_id": leg.call_control_id})
    assert answer.status == 201
    assert_described(answer, "POST /conversations")
    failed = lab.start()
    lab.inbound()
    lab.run(30)
    assert lab.status(failed) == "failed"
    for conversation in lab.conversations():
        assert_all_described(lab, conversation["id"])


class SilentScheduler(StartScheduler):
    """A scheduler that accepts every start and never runs one."""

    def schedule(self, conversation_id: str, at: datetime) -> None: ...

    def cancel(self, conversation_id: str) -> None: ...


def test_a_scheduled_conversation_matches_its_description(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.app.start_scheduler = SilentScheduler(None, "", "", "")
    begin = {"to": HOST, "start_at": (lab.clock.now() + timedelta(hours=1)).isoformat()}
    answer = lab.ask("POST", "/conversations", begin, idempotency_key="k-1")
    conversation_id = assert_described(answer, "POST /conversations")["id"]
    again = lab.ask("POST", "/conversations", begin, idempotency_key="k-1")
    assert again.status == 200
    assert_described(again, "POST /conversations")
    path, route = f"/conversations/{conversation_id}", "/conversations/{id}"
    answers = [(method, lab.ask(method, path)) for method in ("GET", "DELETE", "DELETE")]
    statuses = [
        assert_described(answer, f"{method} {route}")["status"] for method, answer in answers
    ]
    assert statuses == ["scheduled", "cancelled", "cancelled"]
    assert_described(lab.ask("DELETE", f"/conversations/{lab.start()}"), f"DELETE {route}")


@pytest.mark.parametrize("number", [OUR_NUMBER, "default"])
def test_the_answers_about_routes_match_their_description(new_lab: NewLab, number: str) -> None:
    lab = new_lab()
    path, route = f"/routes/{number}", "/routes/{number}"
    assert_described(lab.ask("GET", path), f"GET {route}")
    body = {
        "assistant": {"id": "assistant-1", "tools": [{"type": "hangup", "hangup": {}}]},
        "contacts": {"Billing": {"to": DANA, "screening": {"say": "Press 1."}}},
        "limits": {"minutes": 10},
        "words": {"joined": "“{name}” is here."},
    }
    assert_described(lab.ask("PUT", path, body), f"PUT {route}")
    assert_described(lab.ask("PUT", path, {}), f"PUT {route}")
    assert_described(lab.ask("GET", path), f"GET {route}")
    assert_described(lab.ask("GET", "/routes"), "GET /routes")
    assert_described(lab.ask("DELETE", path), f"DELETE {route}")
    assert_described(lab.ask("DELETE", path), f"DELETE {route}")


def test_the_answers_about_the_do_not_call_list_match_their_description(new_lab: NewLab) -> None:
    lab = new_lab()
    path, route = f"/do-not-call/{DANA}", "/do-not-call/{number}"
    assert_described(lab.ask("GET", path), f"GET {route}")
    for body in ({}, {"reason": "asked us to"}):
        assert_described(lab.ask("PUT", path, body), f"PUT {route}")
        assert_described(lab.ask("GET", path), f"GET {route}")
    assert_described(lab.ask("DELETE", path), f"DELETE {route}")
    assert_described(lab.ask("DELETE", path), f"DELETE {route}")


def test_a_field_that_is_not_described_is_found() -> None:
    validator = Draft202012Validator(schema_of("POST /conversations/{id}/messages", 202))
    text = {"role": "user", "content": "Hi.", "trigger_response": False}
    message: dict[str, object] = {"conversation_id": "1", **text}
    validator.validate(message)
    with pytest.raises(SchemaError, match="surprise"):
        validator.validate(message | {"surprise": 1})


def test_an_error_code_that_is_not_described_is_found() -> None:
    validator = Draft202012Validator(schema_of("POST /conversations", 409))
    error = {"code": "call_in_use", "message": "In use.", "details": []}
    validator.validate({"error": error})
    with pytest.raises(SchemaError):
        validator.validate({"error": error | {"code": "surprise"}})
