"""The API refuses a bad request by naming the wrong field, without a stack trace."""

from typing import Any

import pytest

from local.simulator.model import Person
from tests.support.lab import Answer, Lab, NewLab
from tests.support.people import DANA, HOST, LEE

START, INVITE, MESSAGE = "", "/participants", "/messages"


def assert_refused(answer: Answer, status: int, field: str | None = None) -> None:
    """Check the status and the shape of an error, and that its details name the field."""
    assert answer.status == status
    assert set(answer.json["error"]) == {"code", "message", "details"}
    assert "Traceback" not in str(answer.json)
    if field:
        assert field in [detail["field"] for detail in answer.json["error"]["details"]]


@pytest.fixture
def live(new_lab: NewLab) -> tuple[Lab, str]:
    """A lab and the id of an active conversation, which a refused request must not change."""
    lab = new_lab()
    conversation_id = lab.start()
    lab.run(5)
    return lab, conversation_id


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "to"),
        ({"to": HOST, "call_control_id": "v3:abcdef"}, "to"),
        ({"to": "13125550111"}, "to"),
        ({"to": "+0312555"}, "to"),
        ({"to": f"{HOST},123"}, "to"),
        ({"to": "sip:robin@example.com"}, "to"),
        ({"to": 13125550111}, "to"),
        ({"to": "+442071234567"}, "to"),
        ({"to": HOST, "from": "me"}, "from"),
        ({"to": HOST, "colour": "red"}, "colour"),
        ({"to": HOST, "on_hangup": "explode"}, "on_hangup"),
        ({"to": HOST, "machine_detection": "maybe"}, "machine_detection"),
        ({"to": HOST, "ring_timeout_secs": 4}, "ring_timeout_secs"),
        ({"to": HOST, "assistant": {"id": ""}}, "assistant.id"),
        ({"to": HOST, "assistant": {"ego": "large"}}, "assistant.ego"),
        ({"to": HOST, "metadata": {"long": "x" * 9000}}, "metadata"),
        ({"to": HOST, "words": {"hello": "Hi"}}, "words"),
        ({"to": HOST, "participants": [{"to": "Dana"}]}, "participants.0.to"),
        ({"call_control_id": "v3:../../x"}, "call_control_id"),
    ],
)
def test_an_invalid_start_is_refused_and_no_call_is_dialled(
    new_lab: NewLab, body: dict[str, Any], field: str
) -> None:
    lab = new_lab()
    answer = lab.ask("POST", "/conversations", body)
    assert answer.status == 422
    named = [detail["field"] for detail in answer.json["error"]["details"]]
    assert any(name == field or name.startswith(f"{field}.") for name in named)
    assert lab.table.keys() == []
    assert lab.telnyx.ledger == []


BAD_INVITES: list[tuple[dict[str, Any], str]] = [
    ({}, "to"),
    ({"to": []}, "to"),
    ({"to": [DANA, DANA]}, "to"),
    ({"to": [f"+131255501{nth:02}" for nth in range(11)]}, "to"),
    ({"to": [DANA, "Lee"]}, "to"),
    ({"to": DANA, "ring_timeout_secs": 30, "deadline_secs": 20}, "deadline_secs"),
    ({"to": DANA, "screening": {"say": "Hi", "accept_digit": "12"}}, "screening.accept_digit"),
    ({"to": DANA, "screening": {"say": "Hi", "accept_digit": "a"}}, "screening.accept_digit"),
    ({"to": DANA, "screening": {}}, "screening.say"),
    ({"to": DANA, "strategy": "somehow"}, "strategy"),
    ({"to": DANA, "on_hangup": "never"}, "on_hangup"),
    ({"to": DANA, "max_attempts": 99}, "max_attempts"),
    ({"to": DANA, "tell_assistant": "yes"}, "tell_assistant"),
    ({"to": DANA, "name": ""}, "name"),
]


def test_invalid_invitations_are_refused_and_no_call_is_dialled(live: tuple[Lab, str]) -> None:
    lab, conversation_id = live
    before = lab.conversation(conversation_id)
    for body, field in BAD_INVITES:
        answer = lab.ask("POST", f"/conversations/{conversation_id}{INVITE}", body)
        assert answer.status == 422, body
        named = [detail["field"] for detail in answer.json["error"]["details"]]
        assert any(name == field or name.startswith(f"{field}.") for name in named), (body, named)
    assert lab.conversation(conversation_id) == before
    assert lab.people_dialled() == ["host"]


def test_invalid_messages_and_stops_are_refused(live: tuple[Lab, str]) -> None:
    lab, conversation_id = live
    path = f"/conversations/{conversation_id}/messages"
    assert_refused(lab.ask("POST", path, {"role": "boss", "content": "x"}), 422, "role")
    assert_refused(lab.ask("POST", path, {"role": "user"}), 422, "content")
    assert_refused(lab.ask("POST", path, {"role": "user", "content": ""}), 422, "content")
    assert_refused(
        lab.ask("POST", f"/conversations/{conversation_id}/stop", {"hang_up": "no"}), 422, "hang_up"
    )
    assert lab.messages_to_assistant() == []
    assert lab.status(conversation_id) == "active"


@pytest.mark.parametrize("body", [b"{", b"[]", b'"to"', b"NaN", b'{"to": "+1", "to": "+2"}'])
def test_a_body_that_is_not_a_json_object_is_refused(new_lab: NewLab, body: bytes) -> None:
    lab = new_lab()
    assert_refused(lab.ask("POST", "/conversations", body), 422)
    assert lab.telnyx.ledger == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "/timeline"),
        ("POST", "/participants"),
        ("POST", "/messages"),
        ("POST", "/stop"),
        ("DELETE", "/participants/guest-1"),
    ],
)
def test_an_unknown_conversation_is_not_found(new_lab: NewLab, method: str, path: str) -> None:
    lab = new_lab()
    bodies = {"/participants": {"to": DANA}, "/messages": {"role": "user", "content": "Hi"}}
    for unknown in ("00000000-0000-0000-0000-000000000000", "no%20id", "x" * 99):
        answer = lab.ask(method, f"/conversations/{unknown}{path}", bodies.get(path))
        assert_refused(answer, 404)
        assert answer.json["error"]["code"] == "unknown_conversation"


def test_an_unknown_participant_is_not_found(live: tuple[Lab, str]) -> None:
    lab, conversation_id = live
    answer = lab.ask("DELETE", f"/conversations/{conversation_id}/participants/guest-1")
    assert_refused(answer, 404)
    assert answer.json["error"]["code"] == "unknown_participant"


def test_an_invitation_above_the_participant_limit_is_refused(live: tuple[Lab, str]) -> None:
    lab, conversation_id = live
    most = lab.app.settings.max_participants
    lab.telnyx.set_person(Person(LEE, behaviour="busy", answer_after_secs=0.1))
    for _ in range(most - 1):  # the host counts, too
        lab.invite(conversation_id, LEE)
        lab.run(1)
    answer = lab.ask("POST", f"/conversations/{conversation_id}{INVITE}", {"to": LEE})
    assert_refused(answer, 409)
    assert answer.json["error"]["code"] == "too_many_participants"
    assert str(most) in answer.json["error"]["message"]
    assert lab.people_dialled() == ["host"] + ["Lee"] * (most - 1)


def test_a_request_without_a_valid_key_changes_nothing(new_lab: NewLab) -> None:
    lab = new_lab()
    keys = [None, "", "Bearer", "Bearer wrong", "Basic c2NlbmFyaW8ta2V5", "scenario-key"]
    for key in keys:
        answer = lab.ask("POST", "/conversations", {"to": HOST}, authorization=key)
        assert answer.status in (401, 403), key
    assert lab.table.keys() == []
    assert lab.telnyx.ledger == []


def test_conversations_are_listed_by_status_newest_first_page_by_page(new_lab: NewLab) -> None:
    lab = new_lab()
    ids = []
    for _ in range(3):
        ids.append(lab.start())
        lab.run(5)
    lab.stop(ids[1])
    lab.run(5)
    assert [conversation["id"] for conversation in lab.conversations()] == ids[::-1]
    active = lab.ask("GET", "/conversations?status=active&limit=1").json
    assert [conversation["id"] for conversation in active["conversations"]] == [ids[2]]
    rest = lab.ask("GET", f"/conversations?status=active&cursor={active['next_cursor']}").json
    assert [conversation["id"] for conversation in rest["conversations"]] == [ids[0]]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize("query", ["status=asleep", "limit=0", "limit=many", "cursor=x", "sort=up"])
def test_a_list_request_with_an_invalid_query_is_refused(new_lab: NewLab, query: str) -> None:
    lab = new_lab()
    assert_refused(lab.ask("GET", f"/conversations?{query}"), 422, query.partition("=")[0])
