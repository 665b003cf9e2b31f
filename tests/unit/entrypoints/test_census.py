"""The function of the census: its figures, its messages, and its work without the queue."""

from datetime import timedelta

import pytest
from botocore.exceptions import EndpointConnectionError

from partyline.domain.model.timeouts import CENSUS_GRACE, LISTED_AFTER
from partyline.services.secrets import Secret
from partyline.services.timers import TimerMessage
from tests.support.deployment import Deployment, Secrets
from tests.unit.entrypoints.test_figures import Written, figures

AWAY = EndpointConnectionError(endpoint_url="https://aws")


def talking(deployment: Deployment) -> str:
    """Start a conversation whose host has answered long ago. Returns its id."""
    conversation_id = str(deployment.start()["id"])
    deployment.telnyx.alive.add("v3:0")
    deployment.deliver_for("call.answered", deployment.dials()[0])
    deployment.clock.advance(LISTED_AFTER.total_seconds())
    deployment.fire_timers()
    deployment.queue.messages.clear()
    return conversation_id


def take(deployment: Deployment) -> int:
    missing: int = deployment.invoke("census", {})["missing"]
    return missing


def status(deployment: Deployment, conversation_id: str) -> str:
    return str(deployment.conversation(conversation_id)["participants"][0]["status"])


def test_a_healthy_conversation_costs_one_request_and_no_read_of_its_document(
    deployment: Deployment, written: Written
) -> None:
    conversation_id = talking(deployment)
    before = deployment.store.load(conversation_id)
    deployment.dynamodb.calls.clear()
    deployment.telnyx.sent.clear()
    written()
    assert take(deployment) == 0
    assert figures(written) == {"CensusCalls": 1, "CensusFailed": 0}
    assert [request.call for request in deployment.telnyx.sent] == [
        "/v2/connections/1494404757140276705/active_calls"
    ]
    assert deployment.dynamodb.calls == ["query", "query"], "an index, in two partitions"
    assert deployment.queue.messages == []
    assert deployment.store.load(conversation_id) == before


def test_a_missing_call_is_polled_by_a_message_after_the_grace(
    deployment: Deployment, written: Written
) -> None:
    conversation_id = talking(deployment)
    deployment.telnyx.alive.clear()
    written()
    assert take(deployment) == 1
    assert figures(written)["CensusMissing"] == 1
    [(at, body)] = deployment.queue.messages
    assert at == deployment.clock() + CENSUS_GRACE
    assert TimerMessage.parse(body) == TimerMessage(conversation_id, calls=("leg-0",), missing=True)
    deployment.clock.advance(CENSUS_GRACE.total_seconds())
    deployment.fire_timers()
    assert status(deployment, conversation_id) == "left"


def test_a_missing_call_whose_hangup_comes_within_the_grace_is_not_polled(
    deployment: Deployment,
) -> None:
    talking(deployment)
    deployment.telnyx.alive.clear()
    take(deployment)
    deployment.deliver_for("call.hangup", deployment.dials()[0])
    deployment.telnyx.sent.clear()
    deployment.clock.advance(CENSUS_GRACE.total_seconds())
    deployment.fire_timers()
    assert not [request for request in deployment.telnyx.sent if "/calls/v3" in request.call]


def test_a_missing_call_that_is_up_is_polled_by_itself_from_then_on(
    deployment: Deployment,
) -> None:
    conversation_id = talking(deployment)
    deployment.telnyx.answers["GET"] = []
    deployment.telnyx.alive.clear()
    take(deployment)
    deployment.telnyx.alive.add("v3:0")
    deployment.clock.advance(CENSUS_GRACE.total_seconds())
    deployment.fire_timers()
    assert status(deployment, conversation_id) == "joined"
    deployment.telnyx.alive.clear()
    assert take(deployment) == 0, "the census no longer looks for the call"
    conversation = deployment.store.load(conversation_id)
    assert conversation is not None
    assert conversation.due_at == deployment.clock() + timedelta(minutes=2)


def test_the_run_polls_the_calls_itself_when_the_queue_is_away(deployment: Deployment) -> None:
    conversation_id = talking(deployment)
    deployment.telnyx.alive.clear()
    deployment.queue.failures = [AWAY]
    take(deployment)
    assert status(deployment, conversation_id) == "left"


@pytest.mark.parametrize(
    "body", ['{"conversation_id": "c", "moment": null, "calls": [1]}', '["c"]', "3"]
)
def test_a_message_with_odd_calls_is_not_ours(body: str) -> None:
    assert TimerMessage.parse(body) is None


def test_a_census_that_telnyx_does_not_answer_is_counted_and_concludes_nothing(
    deployment: Deployment, written: Written
) -> None:
    conversation_id = talking(deployment)
    deployment.telnyx.refuse("GET", 503, "10007", times=2)
    written()
    assert take(deployment) == 0
    assert figures(written) == {"CensusFailed": 1}
    assert status(deployment, conversation_id) == "joined"


def test_a_census_without_the_key_of_telnyx_is_counted(
    deployment: Deployment, written: Written
) -> None:
    talking(deployment)
    deployment.app.__dict__["telnyx_api_key"] = Secret("gone", lambda: Secrets(gone="{}"), 300)
    deployment.app.__dict__.pop("call_control", None)
    written()
    assert take(deployment) == 0
    assert figures(written)["CensusFailed"] == 1


def test_a_census_without_the_index_is_counted(deployment: Deployment, written: Written) -> None:
    talking(deployment)
    deployment.dynamodb.failures["query"] = [AWAY]
    written()
    assert take(deployment) == 0
    assert figures(written) == {"CensusFailed": 1}


def at_minute(deployment: Deployment, minute: int) -> None:
    """Let time pass until a minute of the hour."""
    left = (minute - deployment.clock().minute) % 60
    deployment.clock.advance(timedelta(minutes=left).total_seconds())


@pytest.mark.parametrize(("letters", "total"), [((0, 0), 0), ((2, 0), 4), ((0, 1), 2)])
def test_every_fifth_minute_the_dead_letters_of_all_queues_are_counted(
    deployment: Deployment, written: Written, letters: tuple[int, int], total: int
) -> None:
    deployment.queue.dead_letters = letters
    for minute in (11, 14):
        at_minute(deployment, minute)
        take(deployment)
        assert "DeadLetters" not in figures(written)
    at_minute(deployment, 15)
    take(deployment)
    assert figures(written) == {"DeadLetters": total, "CensusFailed": 0}


def test_dead_letters_that_cannot_be_counted_have_no_figure_and_stop_no_census(
    deployment: Deployment, written: Written
) -> None:
    at_minute(deployment, 15)
    deployment.queue.failures = [AWAY]
    take(deployment)
    assert figures(written) == {"CensusFailed": 0}
    deployment.queue.failures = [AWAY]
    take(deployment)
    assert "dead letters not counted" in written()
