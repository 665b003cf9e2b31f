"""A message of the timers' queue lets time pass for its conversation, and for no other."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from partyline.services.timers import TimerMessage
from tests.support.deployment import Deployment
from tests.unit.entrypoints.test_figures import Written, figures

AWAY = EndpointConnectionError(endpoint_url="https://sqs")


def unanswered(deployment: Deployment) -> str:
    """Start a conversation whose dial Telnyx cannot take. Returns its id."""
    deployment.telnyx.refuse("dial", 503, "10007", times=6)
    return str(deployment.start()["id"])


def awaited(deployment: Deployment, conversation_id: str) -> datetime:
    conversation = deployment.store.load(conversation_id)
    assert conversation is not None
    assert conversation.awaited_at is not None
    return conversation.awaited_at


def record(body: str) -> Any:
    return {"Records": [{"messageId": "m-1", "body": body}]}


def test_the_message_of_a_timer_comes_at_its_moment(deployment: Deployment) -> None:
    conversation_id = unanswered(deployment)
    moment = awaited(deployment, conversation_id)
    dials = len(deployment.dials())
    at, body = deployment.queue.messages[-1]
    assert moment <= at < moment + timedelta(seconds=1)
    assert TimerMessage.parse(body) == TimerMessage(conversation_id, moment)
    assert deployment.fire_timers() == []
    assert len(deployment.dials()) == dials, "the delay is not over"
    deployment.clock.advance((at - deployment.clock()).total_seconds())
    assert deployment.fire_timers() == []
    assert len(deployment.dials()) == dials + 1


def test_a_message_that_comes_twice_or_late_does_nothing_more(deployment: Deployment) -> None:
    conversation_id = unanswered(deployment)
    body = TimerMessage(conversation_id, awaited(deployment, conversation_id)).body
    deployment.clock.advance(60)
    deployment.fire_timers()
    dials, state = len(deployment.dials()), deployment.store.load(conversation_id)
    waiting = list(deployment.queue.messages)
    for _ in range(2):
        assert deployment.invoke("timer", record(body)) == {"batchItemFailures": []}
    assert len(deployment.dials()) == dials
    assert deployment.store.load(conversation_id) == state, "nothing is written"
    assert deployment.queue.messages == waiting


def test_a_message_that_comes_early_is_sent_again_for_its_moment(deployment: Deployment) -> None:
    conversation_id = unanswered(deployment)
    moment = awaited(deployment, conversation_id)
    deployment.queue.messages.clear()
    deployment.invoke("timer", record(TimerMessage(conversation_id, moment).body))
    [(at, body)] = deployment.queue.messages
    assert moment <= at < moment + timedelta(seconds=1)
    assert TimerMessage.parse(body) == TimerMessage(conversation_id, moment)


def test_a_message_for_a_moment_that_has_moved_is_dropped(deployment: Deployment) -> None:
    """The new moment has a message of its own."""
    conversation_id = unanswered(deployment)
    later = awaited(deployment, conversation_id) + timedelta(minutes=1)
    deployment.queue.messages.clear()
    deployment.invoke("timer", record(TimerMessage(conversation_id, later).body))
    assert deployment.queue.messages == []


def test_a_moment_beyond_the_longest_delay_is_reached_in_two_messages(
    deployment: Deployment,
) -> None:
    moment = deployment.clock() + timedelta(minutes=20)
    deployment.app.timers.start("c-1", moment)
    [(at, _)] = deployment.queue.messages
    assert at == deployment.clock() + timedelta(minutes=15)


@pytest.mark.parametrize(
    "body",
    [
        *("", "no JSON", "[]", "null", "7", '"text"', "{}", '{"conversation_id": "c-1"}'),
        *('{"conversation_id": 7, "moment": null}', '{"conversation_id": "", "moment": null}'),
        *('{"conversation_id": "c-1", "moment": 7}', '{"conversation_id": "c-1", "moment": "x"}'),
        *(f'{{"conversation_id": "c-1", "moment": {odd}}}' for odd in ('""', "0", "false", "[]")),
        *(
            f'{{"conversation_id": "{odd}", "moment": null}}'
            for odd in ("\\ud800", "c 1", "c" * 65)
        ),
        "[" * 100_000,
        '{"conversation_id": "c-1", "moment": "2026-11-28T10:00:00"}',
        *(f'{{"conversation_id": "c-1", "moment": {odd}}}' for odd in ('""', "0", "false", "{}")),
        *("[" * 100_000, '{"a":' * 100_000, '{"conversation_id": "\\ud800", "moment": null}'),
        f'{{"conversation_id": "{"x" * 5000}", "moment": null}}',
        '{"conversation_id": "no-such", "moment": null}',
        '{"conversation_id": "no-such", "moment": "2026-11-28T10:00:00Z"}',
    ],
)
def test_a_message_that_is_not_ours_is_counted_and_dropped(
    deployment: Deployment, written: Written, body: str
) -> None:
    assert deployment.invoke("timer", record(body)) == {"batchItemFailures": []}
    assert figures(written)["TimerDropped"] == 1


def test_a_timer_whose_conversation_fails_comes_again(
    deployment: Deployment, written: Written
) -> None:
    conversation_id = unanswered(deployment)
    body = TimerMessage(conversation_id, awaited(deployment, conversation_id)).body
    deployment.clock.advance(10)
    deployment.dynamodb.failures["get_item"] = [AWAY]
    failed = deployment.invoke("timer", record(body))
    assert failed == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}
    assert figures(written)["TimerFailed"] == 1


def test_a_message_of_the_sweep_whose_conversation_fails_does_not_come_again(
    deployment: Deployment,
) -> None:
    """The sweep sends a new message."""
    conversation_id = unanswered(deployment)
    deployment.clock.advance(10)
    deployment.dynamodb.failures["get_item"] = [AWAY]
    answer = deployment.invoke("timer", record(TimerMessage(conversation_id).body))
    assert answer == {"batchItemFailures": []}


@pytest.mark.parametrize(
    "failure",
    [AWAY, ClientError({"Error": {"Code": "AWS.SimpleQueueService.NonExistentQueue"}}, "Send")],
)
def test_a_queue_that_refuses_a_message_does_not_change_the_answer(
    deployment: Deployment, written: Written, failure: Exception
) -> None:
    deployment.queue.failures = [failure] * 10
    conversation_id = unanswered(deployment)
    assert deployment.queue.messages == []
    assert figures(written)["TimerNotSent"] >= 1
    deployment.queue.failures.clear()
    deployment.clock.advance(10)
    before = len(deployment.dials())
    deployment.invoke("sweep", {})
    deployment.fire_timers()
    assert len(deployment.dials()) == before + 1, "the sweep follows"
    assert deployment.store.load(conversation_id) is not None


def test_a_sweep_without_the_queue_processes_the_conversations_itself(
    deployment: Deployment,
) -> None:
    for _ in range(6):
        unanswered(deployment)
    deployment.clock.advance(10)
    deployment.queue.messages.clear()
    deployment.queue.failures = [AWAY] * 50
    before = len(deployment.dials())
    assert deployment.invoke("sweep", {}) == {"touched": 6}
    assert len(deployment.dials()) == before + 6


def test_the_sweep_sends_ten_messages_a_request(deployment: Deployment) -> None:
    names = [unanswered(deployment) for _ in range(12)]
    deployment.clock.advance(10)
    deployment.queue.messages.clear()
    assert deployment.invoke("sweep", {}) == {"touched": 12}
    sent = [json.loads(body)["conversation_id"] for _, body in deployment.queue.messages]
    assert sorted(sent) == sorted(names)


def test_a_timer_that_fires_late_is_measured(deployment: Deployment, written: Written) -> None:
    conversation_id = unanswered(deployment)
    moment = awaited(deployment, conversation_id)
    deployment.clock.advance((moment - deployment.clock()).total_seconds() + 7)
    deployment.invoke("timer", record(TimerMessage(conversation_id, moment).body))
    assert figures(written)["TimerLateSecs"] == 7
