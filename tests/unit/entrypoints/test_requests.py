"""The API's answers to valid, repeated and late requests, and to unknown ids."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any
from unittest.mock import Mock

import pytest

from tests.support.deployment import GUEST_NUMBER, HOST_NUMBER, Deployment

UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
START = {"to": HOST_NUMBER}


def active(deployment: Deployment) -> str:
    conversation = deployment.start()
    deployment.deliver_for(
        "call.answered", deployment.dials()[-1], f"v3:{len(deployment.dials()) - 1}"
    )
    return str(conversation["id"])


def ended(deployment: Deployment) -> str:
    conversation_id = active(deployment)
    deployment.deliver_for("call.hangup", deployment.dials()[0], hangup_cause="normal_clearing")
    assert deployment.conversation(conversation_id)["status"] == "ended"
    return conversation_id


def code(answer: tuple[int, Any]) -> tuple[int, str]:
    return answer[0], answer[1]["error"]["code"]


def test_the_same_key_starts_one_conversation(deployment: Deployment) -> None:
    first = deployment.ask("start_conversation", START, key="k-1")
    again = deployment.ask("start_conversation", START, key="k-1")
    assert (first[0], again[0]) == (202, 200)
    assert first[1] == again[1]
    assert len(deployment.dials()) == 1
    other = deployment.ask("start_conversation", START, key="k-2")
    without = deployment.ask("start_conversation", START)
    assert len({first[1]["id"], other[1]["id"], without[1]["id"]}) == 3


def test_a_repeated_request_may_have_its_fields_in_another_order(deployment: Deployment) -> None:
    deployment.ask("start_conversation", {"to": HOST_NUMBER, "name": "Ada"}, key="k-1")
    again = deployment.ask("start_conversation", {"name": "Ada", "to": HOST_NUMBER}, key="k-1")
    assert again[0] == 200


def test_the_same_idempotency_key_of_another_caller_is_another_key(deployment: Deployment) -> None:
    first = deployment.ask("start_conversation", START, key="k-1")
    other = deployment.ask("start_conversation", START, key="k-1", key_id="another caller")
    assert (first[0], other[0]) == (202, 202)
    assert first[1]["id"] != other[1]["id"]


def test_a_key_with_another_body_is_refused(deployment: Deployment) -> None:
    reused = (422, "idempotency_key_reused")
    first = deployment.ask("start_conversation", START, key="k-1")[1]["id"]
    assert code(deployment.ask("start_conversation", {"to": GUEST_NUMBER}, key="k-1")) == reused
    live = {"call_control_id": "v3:live-call"}
    assert code(deployment.ask("start_conversation", live, key="k-1")) == reused
    path = f"/conversations/{first}/stop"
    assert code(deployment.ask("stop_conversation", key="k-1", id=first, path=path)) == reused
    assert deployment.conversation(first)["status"] == "connecting"
    assert len(deployment.dials()) == 1


def test_a_key_with_another_path_is_refused(deployment: Deployment) -> None:
    first, other = deployment.start()["id"], deployment.start()["id"]
    path = "/conversations/{}/stop"
    assert (
        deployment.ask("stop_conversation", key="k-1", id=first, path=path.format(first))[0] == 202
    )
    answer = deployment.ask("stop_conversation", key="k-1", id=other, path=path.format(other))
    assert code(answer) == (422, "idempotency_key_reused")
    assert deployment.conversation(other)["status"] == "connecting"


def test_a_start_repeated_after_the_end_gets_the_same_conversation(deployment: Deployment) -> None:
    first = deployment.ask("start_conversation", START, key="k-1")[1]["id"]
    deployment.deliver_for("call.answered", deployment.dials()[0])
    deployment.deliver_for("call.hangup", deployment.dials()[0], hangup_cause="normal_clearing")
    status, again = deployment.ask("start_conversation", START, key="k-1")
    assert (status, again["id"], again["status"]) == (200, first, "ended")
    assert len(deployment.dials()) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (START, "from"),
        (
            {"call_control_id": "v3:live", "participants": [{"to": GUEST_NUMBER}]},
            "participants.0.from",
        ),
    ],
)
def test_without_a_default_number_a_dial_needs_a_number_to_call_from(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, body: dict[str, Any], field: str
) -> None:
    monkeypatch.setenv("DEFAULT_NUMBER", "")
    status, answer = deployment.ask("start_conversation", body)
    assert (status, answer["error"]["code"]) == (422, "invalid_request")
    assert [detail["field"] for detail in answer["error"]["details"]] == [field]
    assert deployment.telnyx.sent == []


@pytest.mark.parametrize("key", ["", " ", "é", "a\tb", "x" * 256])
def test_an_invalid_key_is_refused(deployment: Deployment, key: str) -> None:
    answer = deployment.ask("start_conversation", START, key=key or "\x7f")
    assert answer[0] == 422
    assert answer[1]["error"]["details"][0]["field"] == "Idempotency-Key"
    assert deployment.telnyx.sent == []


@pytest.mark.parametrize("key", ["x", "x" * 255, "a b", "~!"])
def test_a_key_of_1_to_255_printable_characters_is_accepted(
    deployment: Deployment, key: str
) -> None:
    answers = [deployment.ask("start_conversation", START, key=key) for _ in range(2)]
    assert [status for status, _ in answers] == [202, 200]
    assert len(deployment.dials()) == 1


@pytest.mark.parametrize(
    ("function", "body", "status"),
    [
        ("invite_participant", {"to": GUEST_NUMBER}, 202),
        ("hand_over", {"to": GUEST_NUMBER}, 202),
        ("send_message", {"role": "system", "content": "Hello."}, 202),
        ("set_assistant_mode", {"mode": "silent"}, 202),
        ("stop_conversation", {"hang_up": True}, 202),
    ],
)
def test_only_a_repeated_answer_has_the_header_idempotent_replayed(
    deployment: Deployment, function: str, body: Any, status: int
) -> None:
    conversation_id = active(deployment)
    ask = partial(deployment.ask, function, id=conversation_id, path=f"/{function}")
    assert ask(body, key="k-1")[0] == status
    assert "idempotent-replayed" not in deployment.headers
    assert ask(body, key="k-1")[0] == status
    assert deployment.headers["idempotent-replayed"] == "true"


def test_an_answer_of_the_api_says_when_to_ask_again(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_DIALS_PER_MINUTE", "1")
    assert deployment.ask("start_conversation", START)[0] == 202
    assert "retry-after" not in deployment.headers
    assert code(deployment.ask("start_conversation", START)) == (429, "too_many_dials")
    assert deployment.headers["retry-after"] == "15"


def test_a_start_and_a_booking_that_come_again_are_marked_as_replayed(
    deployment: Deployment,
) -> None:
    start_at = (deployment.clock() + timedelta(hours=1)).isoformat()
    deployment.app.__dict__["start_scheduler"] = Mock()
    for body, key in ((START, "k-1"), (START | {"start_at": start_at}, "k-2")):
        assert deployment.ask("start_conversation", body, key=key)[0] == 202
        assert "idempotent-replayed" not in deployment.headers
        assert deployment.ask("start_conversation", body, key=key)[0] == 200
        assert deployment.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize(
    ("function", "body", "status"),
    [
        ("invite_participant", {"to": GUEST_NUMBER}, 202),
        ("hand_over", {"to": GUEST_NUMBER}, 202),
        ("send_message", {"role": "system", "content": "Hello."}, 202),
        ("stop_conversation", {"hang_up": True}, 202),
    ],
)
def test_a_repeated_request_gets_the_same_status_even_after_the_end(
    deployment: Deployment, function: str, body: Any, status: int
) -> None:
    conversation_id = active(deployment)
    ask = partial(deployment.ask, function, key="k-1", id=conversation_id, path=f"/{function}")
    assert ask(body)[0] == status
    sent = len(deployment.telnyx.sent)
    assert ask(body)[0] == status
    assert len(deployment.telnyx.sent) == sent
    deployment.deliver_for("call.hangup", deployment.dials()[0], hangup_cause="normal_clearing")
    deployment.deliver_for("call.conversation.ended", deployment.dials()[0])
    assert deployment.conversation(conversation_id)["status"] == "ended"
    sent = len(deployment.telnyx.sent)
    assert ask(body)[0] == status
    assert len(deployment.telnyx.sent) == sent


def test_two_identical_requests_at_once_make_one_conversation_and_one_call(
    deployment: Deployment,
) -> None:
    # The clock stands still while the repetitions wait for the first request.
    deployment.app._sleep = lambda _secs: time.sleep(0.01)
    barrier = Barrier(6)

    def ask(_: int) -> tuple[int, Any]:
        barrier.wait()
        return deployment.ask("start_conversation", START, key="k-1")

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, range(6)))

    assert sorted(status for status, _ in answers) == [200] * 5 + [202]
    assert len({body["id"] for _, body in answers}) == 1
    assert len(deployment.dials()) == 1


def test_invitations_at_the_same_time_are_all_stored(deployment: Deployment) -> None:
    conversation_id = active(deployment)
    barrier = Barrier(4)

    def invite(nth: int) -> int:
        barrier.wait()
        body = {"to": f"+131255501{50 + nth}"}
        return deployment.ask("invite_participant", body, id=conversation_id)[0]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(invite, range(4))) == [202] * 4
    assert len(deployment.conversation(conversation_id)["participants"]) == 5
    assert len({dial.body["to"] for dial in deployment.dials()}) == len(deployment.dials()) == 5


def test_an_assistant_starts_on_a_live_call(deployment: Deployment) -> None:
    live = {"call_control_id": "v3:live-call"}
    status, body = deployment.ask("start_conversation", live)
    assert status == 201
    assert (body["status"], body["direction"]) == ("active", "attached")
    assert deployment.telnyx.only_request("ai_assistant_start").call == "v3:live-call"
    assert code(deployment.ask("start_conversation", live)) == (409, "call_in_use")
    assert deployment.telnyx.sent_actions() == ["ai_assistant_start"]
    path = f"/conversations/{body['id']}/stop"
    assert deployment.ask("stop_conversation", id=body["id"], path=path)[0] == 202
    assert deployment.telnyx.sent_actions() == ["ai_assistant_start", "ai_assistant_stop"]


@pytest.mark.parametrize(
    ("function", "body"),
    [
        ("get_conversation", None),
        ("get_timeline", None),
        ("invite_participant", {"to": GUEST_NUMBER}),
        ("hand_over", {"to": GUEST_NUMBER}),
        ("send_message", {"role": "system", "content": "Hello."}),
        ("stop_conversation", None),
        ("remove_participant", None),
    ],
)
@pytest.mark.parametrize("conversation_id", [UNKNOWN_ID, "", "x" * 65, "a/b", "é", "#"])
def test_an_unknown_conversation_is_not_found(
    deployment: Deployment, function: str, body: Any, conversation_id: str
) -> None:
    assert code(deployment.ask(function, body, id=conversation_id)) == (404, "unknown_conversation")
    assert deployment.item_count() == 0


def test_an_unknown_participant_is_not_found(deployment: Deployment) -> None:
    for participant_id in ("guest-unknown", "", "\0", "x" * 5000):
        answer = deployment.ask(
            "remove_participant", id=active(deployment), participant_id=participant_id
        )
        assert code(answer) == (404, "unknown_participant")
    assert "hangup" not in deployment.telnyx.sent_actions()


def test_a_removed_participant_is_hung_up(deployment: Deployment) -> None:
    conversation_id = active(deployment)
    guest = deployment.ask("invite_participant", {"to": GUEST_NUMBER}, id=conversation_id)[1]
    deployment.deliver_for("call.answered", deployment.dials()[1], "v3:1")
    status, body = deployment.ask(
        "remove_participant", id=conversation_id, participant_id=guest["id"]
    )
    assert (status, body["id"]) == (202, guest["id"])
    assert deployment.telnyx.only_request("hangup").call == "v3:1"


@pytest.mark.parametrize(
    ("function", "body"),
    [
        ("invite_participant", {"to": GUEST_NUMBER}),
        ("hand_over", {"to": GUEST_NUMBER}),
        ("send_message", {"role": "system", "content": "Hello."}),
        ("stop_conversation", None),
    ],
)
def test_a_request_to_an_ended_conversation_is_refused(
    deployment: Deployment, function: str, body: Any
) -> None:
    status, answer = deployment.ask(function, body, id=ended(deployment))
    assert (status, answer["error"]["code"]) == (409, "conversation_over")
    assert "ended" in answer["error"]["message"]


def test_a_message_that_would_not_fit_is_refused_and_the_call_continues(
    deployment: Deployment,
) -> None:
    conversation_id = deployment.start()["id"]
    message = {"role": "system", "content": "é" * 20_000}
    statuses = [deployment.ask("send_message", message, id=conversation_id)[0] for _ in range(8)]
    assert statuses == [202] * 5 + [409] * 3
    assert code(deployment.ask("send_message", message, id=conversation_id)) == (
        409,
        "conversation_full",
    )
    assert deployment.deliver_for("call.answered", deployment.dials()[0])[0] == 200
    assert deployment.conversation(conversation_id)["status"] == "active"


def test_ten_refused_numbers_are_all_tried_in_one_request(deployment: Deployment) -> None:
    conversation_id = active(deployment)
    deployment.telnyx.refuse("dial", 422, "10016", times=10)
    numbers = [f"+131255501{n}" for n in range(50, 60)]
    status, guest = deployment.ask("invite_participant", {"to": numbers}, id=conversation_id)
    assert status == 202
    assert (guest["status"], len(guest["legs"])) == ("failed", 10)


def test_two_plans_with_ten_numbers_each_ring_at_the_same_time(deployment: Deployment) -> None:
    ten = [f"+131255501{n}" for n in range(50, 60)]
    twenty = [{"to": ten, "strategy": "at_once"}] * 2
    conversation = deployment.start(participants=twenty)
    assert len(deployment.dials()) == 21
    shown = deployment.conversation(conversation["id"])
    ids = [
        leg["call_control_id"]
        for participant in shown["participants"]
        for leg in participant["legs"]
    ]
    assert sorted(ids) == sorted(f"v3:{n}" for n in range(21))


def test_a_request_without_an_authorizer_verdict_is_unauthorized(deployment: Deployment) -> None:
    for function in ("start_conversation", "list_conversations", "get_conversation"):
        assert code(deployment.ask(function, START, key_id=None)) == (401, "unauthorized")
    assert deployment.dynamodb.calls == []


def test_conversations_are_listed_page_by_page(deployment: Deployment) -> None:
    ids = []
    for _ in range(5):
        ids.append(deployment.start()["id"])
        deployment.clock.advance(1)
    listed, query = [], {"limit": "2"}
    while True:
        status, page = deployment.ask("list_conversations", query=query)
        assert status == 200
        listed += [conversation["id"] for conversation in page["conversations"]]
        if page["next_cursor"] is None:
            break
        query = {"limit": "2", "cursor": page["next_cursor"]}
    assert listed == ids[::-1]
    connecting = deployment.ask("list_conversations", query={"status": "connecting"})[1]
    assert [conversation["id"] for conversation in connecting["conversations"]] == ids[::-1]
    assert deployment.ask("list_conversations", query={"status": "ended"})[1] == {
        "conversations": [],
        "next_cursor": None,
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "asleep"),
        ("status", ""),
        ("limit", "0"),
        ("limit", "51"),
        ("limit", "-1"),
        ("limit", "2.0"),
        ("limit", "\u0663"),
        ("limit", "9" * 5000),
        ("cursor", ""),
        ("cursor", "nonsense"),
        ("cursor", "x" * 10_000),
        ("cursor", "\0"),
        ("page", "2"),
    ],
)
def test_a_list_request_with_an_invalid_query_is_refused(
    deployment: Deployment, name: str, value: str
) -> None:
    status, body = deployment.ask("list_conversations", query={name: value})
    assert status == 422
    assert body["error"]["details"][0]["field"] == name
    assert deployment.dynamodb.calls == []


def test_a_cursor_longer_than_256_characters_is_refused_before_decoding(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("a cursor of 257 characters was used")

    monkeypatch.setattr(deployment.app.store, "list_newest", fail)
    status, body = deployment.ask("list_conversations", query={"cursor": "x" * 257})
    assert (status, body["error"]["details"][0]["field"]) == (422, "cursor")
