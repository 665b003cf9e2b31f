"""What the API really answers is what docs/openapi.json says that it does."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from local import openapi_models as models
from local.openapi import OPERATIONS
from local.simulator.model import Person
from partyline.alarms import Alarms
from tests.scenario.people import CALLER, DANA, HOST, KIM, LEE, OURS
from tests.scenario.stage import Answer, Stage, Staged


def assert_described(answer: Answer, route: str) -> dict[str, Any]:
    """The answer, when its status and its body are those that are described for a route."""
    operation = OPERATIONS[route]
    if answer.status < 300:
        operation.says[answer.status].model_validate_json(answer.body)
        return answer.json
    error = models.Error.model_validate_json(answer.body).error
    assert error.code in operation.codes[answer.status]
    return answer.json


def assert_all_described(at: Stage, here: str) -> None:
    """Everything that can be asked about a conversation."""
    path = f"/conversations/{here}"
    assert_described(at.ask("GET", path), "GET /conversations/{id}")
    assert_described(at.ask("GET", f"{path}/timeline"), "GET /conversations/{id}/timeline")
    assert_described(at.ask("GET", "/conversations"), "GET /conversations")


def test_a_conversation_from_its_beginning_to_its_insights(stage: Staged) -> None:
    people = [Person(DANA, behaviour="busy"), Person(LEE), Person(KIM, behaviour="machine")]
    at = stage(people)
    body = {
        "to": HOST,
        "name": "Ada",
        "metadata": {"order": [7, None, {"é": 1.5}]},
        "assistant": {"greeting": "Hello.", "dynamic_variables": {"vip": True}},
        "participants": [{"to": [DANA, LEE], "name": "The desk"}],
    }
    started = at.ask("POST", "/conversations", body)
    here = assert_described(started, "POST /conversations")["id"]
    assert_all_described(at, here)
    at.run(30)
    invite = "POST /conversations/{id}/participants"
    path = f"/conversations/{here}/participants"
    plan = {"to": KIM, "machine_detection": "standard", "screening": {"say": "Press 1."}}
    guest = assert_described(at.ask("POST", path, plan), invite)["id"]
    message = {"role": "user", "content": "Hi."}
    said = at.ask("POST", f"/conversations/{here}/messages", message)
    assert_described(said, "POST /conversations/{id}/messages")
    assert_all_described(at, here)
    remove = "DELETE /conversations/{id}/participants/{participant_id}"
    assert_described(at.ask("DELETE", f"{path}/{guest}"), remove)
    assert_described(at.ask("DELETE", f"{path}/nobody"), remove)
    at.run(60)
    stopped = at.ask("POST", f"/conversations/{here}/stop", {"hang_up": True})
    assert_described(stopped, "POST /conversations/{id}/stop")
    at.run(120)
    assert at.conversation(here)["insights"]
    assert_all_described(at, here)
    assert_described(at.ask("POST", path, {"to": LEE}), invite)


def test_attached_inbound_and_failed_ones(stage: Staged) -> None:
    at = stage([Person(HOST, behaviour="busy")])
    leg = at.telnyx.outside_call(CALLER, OURS)
    answer = at.ask("POST", "/conversations", {"call_control_id": leg.call_control_id})
    assert answer.status == 201
    assert_described(answer, "POST /conversations")
    failed = at.start()
    at.inbound()
    at.run(30)
    assert at.status(failed) == "failed"
    for each in at.conversations():
        assert_all_described(at, each["id"])


class SilentAlarms(Alarms):
    """Alarms that are set and never ring."""

    def set(self, conversation_id: str, at: datetime) -> None: ...

    def clear(self, conversation_id: str) -> None: ...


def test_one_that_begins_later(stage: Staged) -> None:
    at = stage()
    at.wiring.alarms = SilentAlarms(None, "", "", "")
    begin = {"to": HOST, "start_at": (at.clock.now() + timedelta(hours=1)).isoformat()}
    answer = at.ask("POST", "/conversations", begin, idempotency_key="k-1")
    here = assert_described(answer, "POST /conversations")["id"]
    again = at.ask("POST", "/conversations", begin, idempotency_key="k-1")
    assert again.status == 200
    assert_described(again, "POST /conversations")
    path, route = f"/conversations/{here}", "/conversations/{id}"
    asked = [(method, at.ask(method, path)) for method in ("GET", "DELETE", "DELETE")]
    said = [assert_described(answer, f"{method} {route}")["status"] for method, answer in asked]
    assert said == ["scheduled", "cancelled", "cancelled"]
    assert_described(at.ask("DELETE", f"/conversations/{at.start()}"), f"DELETE {route}")


@pytest.mark.parametrize("number", [OURS, "default"])
def test_routes(stage: Staged, number: str) -> None:
    at = stage()
    path, route = f"/routes/{number}", "/routes/{number}"
    assert_described(at.ask("GET", path), f"GET {route}")
    body = {
        "assistant": {"id": "assistant-1", "tools": [{"type": "hangup"}]},
        "contacts": {"Billing": {"to": DANA, "screening": {"say": "Press 1."}}},
        "limits": {"minutes": 10},
        "words": {"joined": "{name} is here."},
    }
    assert_described(at.ask("PUT", path, body), f"PUT {route}")
    assert_described(at.ask("PUT", path, {}), f"PUT {route}")
    assert_described(at.ask("GET", path), f"GET {route}")
    assert_described(at.ask("GET", "/routes"), "GET /routes")
    assert_described(at.ask("DELETE", path), f"DELETE {route}")
    assert_described(at.ask("DELETE", path), f"DELETE {route}")


def test_the_do_not_call_list(stage: Staged) -> None:
    at = stage()
    path, route = f"/do-not-call/{DANA}", "/do-not-call/{number}"
    assert_described(at.ask("GET", path), f"GET {route}")
    for body in ({}, {"reason": "asked us to"}):
        assert_described(at.ask("PUT", path, body), f"PUT {route}")
        assert_described(at.ask("GET", path), f"GET {route}")
    assert_described(at.ask("DELETE", path), f"DELETE {route}")
    assert_described(at.ask("DELETE", path), f"DELETE {route}")


def test_a_field_that_is_not_described_is_found() -> None:
    with pytest.raises(ValueError, match="surprise"):
        models.Message.model_validate(
            {"conversation_id": "1", "role": "user", "content": "Hi.", "surprise": 1}
        )
