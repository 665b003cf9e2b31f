"""The same request again, because its answer was lost."""

import pytest

from tests.scenario.people import DANA, HOST, LEE
from tests.scenario.stage import Staged


def test_the_same_start_again_is_the_same_conversation(stage: Staged) -> None:
    at = stage()
    first = at.ask("POST", "/conversations", {"to": HOST, "name": "Robin"}, idempotency_key="k1")
    at.run(5)
    # The order of the fields is not the request.
    again = at.ask("POST", "/conversations", {"name": "Robin", "to": HOST}, idempotency_key="k1")
    assert (first.status, again.status) == (202, 200)
    assert again.json["id"] == first.json["id"]
    assert again.json["status"] == "active"
    assert at.dialled() == ["host"]


def test_without_a_key_every_start_is_a_new_one(stage: Staged) -> None:
    at = stage()
    assert at.start() != at.start()
    assert at.dialled() == ["host", "host"]


def test_the_same_key_for_another_request_is_refused(stage: Staged) -> None:
    at = stage()
    at.ask("POST", "/conversations", {"to": HOST}, idempotency_key="k1")
    other = at.ask("POST", "/conversations", {"to": DANA}, idempotency_key="k1")
    assert other.status == 422
    assert other.json["error"]["code"] == "idempotency_key_reused"
    assert at.dialled() == ["host"]


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "schlüssel"])
def test_a_key_that_is_none_is_refused(stage: Staged, key: str) -> None:
    at = stage()
    answer = at.ask("POST", "/conversations", {"to": HOST}, idempotency_key=key)
    assert answer.status == 422
    assert answer.json["error"]["details"][0]["field"] == "Idempotency-Key"
    assert at.dialled() == []


def test_the_same_invitation_again_calls_nobody_twice(stage: Staged) -> None:
    at = stage()
    here = at.start()
    at.run(5)
    path = f"/conversations/{here}/participants"
    first = at.ask("POST", path, {"to": DANA, "name": "Dana"}, idempotency_key="k1")
    again = at.ask("POST", path, {"to": DANA, "name": "Dana"}, idempotency_key="k1")
    other = at.ask("POST", path, {"to": LEE, "name": "Lee"}, idempotency_key="k1")
    assert first.json["id"] == again.json["id"]
    assert other.status == 422
    at.run(5)
    assert at.dialled() == ["host", "Dana"]
    assert at.joined() == ["Dana"]


def test_the_same_message_again_is_said_once(stage: Staged) -> None:
    at = stage()
    here = at.start()
    at.run(5)
    body = {"role": "system", "content": "Robin is in a hurry."}
    for _ in range(3):
        answer = at.ask("POST", f"/conversations/{here}/messages", body, idempotency_key="hurry")
        assert answer.status == 202
    at.run(5)
    assert at.told() == ["Robin is in a hurry."]


def test_what_was_done_once_is_not_refused_the_second_time(stage: Staged) -> None:
    at = stage()
    here = at.start()
    at.run(5)
    path = f"/conversations/{here}/stop"
    assert at.ask("POST", path, {}, idempotency_key="s1").status == 202
    at.run(5)
    again = at.ask("POST", path, {}, idempotency_key="s1")
    assert (again.status, again.json["status"]) == (202, "ended")
    assert at.ask("POST", path, {}, idempotency_key="s2").status == 409


def test_the_same_start_five_times_at_the_same_time_calls_once(stage: Staged) -> None:
    at = stage()

    def start() -> tuple[int, str | None]:
        answer = at.ask("POST", "/conversations", {"to": HOST}, idempotency_key="k1")
        return answer.status, answer.json.get("id")

    answers = at.at_once([start] * 5)
    assert sorted(status for status, _ in answers)[:4] == [200] * 4
    assert {status for status, _ in answers} <= {200, 202}
    assert len({found for _, found in answers}) == 1
    at.run(10)
    assert at.dialled() == ["host"]
    assert at.asked() == ["dial host", "start host"]
    at.assert_clean()


def test_the_same_invitation_four_times_at_the_same_time_calls_once(stage: Staged) -> None:
    at = stage()
    here = at.start()
    at.run(5)
    path = f"/conversations/{here}/participants"

    def invite() -> tuple[int, str | None]:
        answer = at.ask("POST", path, {"to": DANA, "name": "Dana"}, idempotency_key="k1")
        return answer.status, answer.json.get("id")

    answers = at.at_once([invite] * 4)
    assert set(answers) == {(202, answers[0][1])}
    at.run(5)
    assert at.dialled() == ["host", "Dana"]
    assert at.joined() == ["Dana"]
    assert at.told() == ["Dana has joined the conversation."]
    at.assert_clean()


def test_different_invitations_at_the_same_time_all_come(stage: Staged) -> None:
    at = stage()
    here = at.start()
    at.run(5)
    path = f"/conversations/{here}/participants"
    people = {"Dana": DANA, "Lee": LEE}

    def invite(name: str) -> int:
        return at.ask("POST", path, {"to": people[name], "name": name}).status

    assert at.at_once([lambda: invite("Dana"), lambda: invite("Lee")]) == [202, 202]
    at.run(70)
    assert sorted(at.joined()) == ["Dana", "Lee"]
    assert sorted(at.told()) == [
        "Dana has joined the conversation.",
        "Lee has joined the conversation.",
    ]
    at.assert_clean()
