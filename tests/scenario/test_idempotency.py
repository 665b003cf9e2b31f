"""A caller repeats a request whose answer was lost."""

import pytest

from tests.scenario.conftest import EmbeddedBackend
from tests.support.lab import NewLab
from tests.support.people import DANA, HOST, LEE


@pytest.fixture
def backend(embedded_backend: EmbeddedBackend) -> EmbeddedBackend:
    """The embedded AWS: these scenarios write to the table on several threads."""
    return embedded_backend


def test_repeating_a_start_with_its_key_returns_the_same_conversation(new_lab: NewLab) -> None:
    lab = new_lab()
    first = lab.ask("POST", "/conversations", {"to": HOST, "name": "Robin"}, idempotency_key="k1")
    lab.run(5)
    # The order of the fields does not change the request.
    again = lab.ask("POST", "/conversations", {"name": "Robin", "to": HOST}, idempotency_key="k1")
    assert (first.status, again.status) == (202, 200)
    assert again.json["id"] == first.json["id"]
    assert again.json["status"] == "active"
    assert lab.people_dialled() == ["host"]


def test_without_a_key_every_start_is_a_new_conversation(new_lab: NewLab) -> None:
    lab = new_lab()
    assert lab.start() != lab.start()
    assert lab.people_dialled() == ["host", "host"]


def test_the_same_key_for_another_request_is_refused(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.ask("POST", "/conversations", {"to": HOST}, idempotency_key="k1")
    other = lab.ask("POST", "/conversations", {"to": DANA}, idempotency_key="k1")
    assert other.status == 422
    assert other.json["error"]["code"] == "idempotency_key_reused"
    assert lab.people_dialled() == ["host"]


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "schlüssel"])
def test_an_invalid_key_is_refused(new_lab: NewLab, key: str) -> None:
    lab = new_lab()
    answer = lab.ask("POST", "/conversations", {"to": HOST}, idempotency_key=key)
    assert answer.status == 422
    assert answer.json["error"]["details"][0]["field"] == "Idempotency-Key"
    assert lab.people_dialled() == []


def test_repeating_an_invitation_with_its_key_calls_once(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.run(5)
    path = f"/conversations/{conversation_id}/participants"
    first = lab.ask("POST", path, {"to": DANA, "name": "Dana"}, idempotency_key="k1")
    again = lab.ask("POST", path, {"to": DANA, "name": "Dana"}, idempotency_key="k1")
    other = lab.ask("POST", path, {"to": LEE, "name": "Lee"}, idempotency_key="k1")
    assert first.json["id"] == again.json["id"]
    assert other.status == 422
    lab.run(5)
    assert lab.people_dialled() == ["host", "Dana"]
    assert lab.people_joined() == ["Dana"]


def test_repeating_a_message_with_its_key_sends_the_message_once(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.run(5)
    body = {"role": "system", "content": "Robin is in a hurry."}
    for _ in range(3):
        answer = lab.ask(
            "POST", f"/conversations/{conversation_id}/messages", body, idempotency_key="hurry"
        )
        assert answer.status == 202
    lab.run(5)
    assert lab.messages_to_assistant() == ["Robin is in a hurry."]


def test_repeating_a_stop_with_its_key_after_the_end_is_not_refused(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.run(5)
    path = f"/conversations/{conversation_id}/stop"
    assert lab.ask("POST", path, {}, idempotency_key="s1").status == 202
    lab.run(5)
    again = lab.ask("POST", path, {}, idempotency_key="s1")
    assert (again.status, again.json["status"]) == (202, "ended")
    assert lab.ask("POST", path, {}, idempotency_key="s2").status == 409


def test_five_identical_starts_at_the_same_time_call_once(new_lab: NewLab) -> None:
    lab = new_lab()

    def start() -> tuple[int, str | None]:
        answer = lab.ask("POST", "/conversations", {"to": HOST}, idempotency_key="k1")
        return answer.status, answer.json.get("id")

    answers = lab.run_together([start] * 5)
    assert sorted(status for status, _ in answers)[:4] == [200] * 4
    assert {status for status, _ in answers} <= {200, 202}
    assert len({conversation_id for _, conversation_id in answers}) == 1
    lab.run(10)
    assert lab.people_dialled() == ["host"]
    assert lab.commands_in_words() == ["dial host", "start host"]
    lab.assert_clean()


def test_four_identical_invitations_at_the_same_time_call_once(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.run(5)
    path = f"/conversations/{conversation_id}/participants"

    def invite() -> tuple[int, str | None]:
        answer = lab.ask("POST", path, {"to": DANA, "name": "Dana"}, idempotency_key="k1")
        return answer.status, answer.json.get("id")

    answers = lab.run_together([invite] * 4)
    assert set(answers) == {(202, answers[0][1])}
    lab.run(5)
    assert lab.people_dialled() == ["host", "Dana"]
    assert lab.people_joined() == ["Dana"]
    assert lab.messages_to_assistant() == ["“Dana” has joined the conversation."]
    lab.assert_clean()


def test_different_invitations_at_the_same_time_are_all_carried_out(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.run(5)
    path = f"/conversations/{conversation_id}/participants"
    people = {"Dana": DANA, "Lee": LEE}

    def invite(name: str) -> int:
        return lab.ask("POST", path, {"to": people[name], "name": name}).status

    assert lab.run_together([lambda: invite("Dana"), lambda: invite("Lee")]) == [202, 202]
    lab.run(70)
    assert sorted(lab.people_joined()) == ["Dana", "Lee"]
    assert sorted(lab.messages_to_assistant()) == [
        "“Dana” has joined the conversation.",
        "“Lee” has joined the conversation.",
    ]
    lab.assert_clean()
