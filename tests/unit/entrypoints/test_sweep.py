"""The sweep hands out due conversations, and processes them when the queue is away."""

import itertools
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from functions.sweep.app import handler
from local.stack.handlers import LambdaContext
from partyline.aws_errors import AwsUnavailableError
from partyline.domain.decide import Decision
from partyline.domain.model.inputs import PollCalls
from partyline.entrypoints import sweep
from partyline.store import keys
from partyline.store.open_counts import OPEN_API, OpenCounts
from tests.support.deployment import HOST_NUMBER, Deployment
from tests.unit.entrypoints.test_figures import Written, figures


def run(deployment: Deployment) -> int:
    """Run the sweep and deliver the messages that the sweep sends."""
    deployment.queue.messages.clear()  # messages of timers, as if they were lost
    touched: int = deployment.invoke("sweep", {})["touched"]
    deployment.fire_timers()
    return touched


def unanswered(deployment: Deployment, conversations: int = 1) -> list[str]:
    """Start conversations with dials that Telnyx cannot take; their ids."""
    deployment.telnyx.refuse("dial", 503, "10007", times=6 * conversations)
    return [deployment.start()["id"] for _ in range(conversations)]


def spoil(deployment: Deployment, conversation_id: str) -> None:
    """Make the document of a conversation unreadable."""
    pk, sk = keys.state(conversation_id)
    deployment.dynamodb.update_item(
        TableName=deployment.table_name,
        Key={"pk": {"S": pk}, "sk": {"S": sk}},
        UpdateExpression="SET document = :broken",
        ExpressionAttributeValues={":broken": {"S": "{"}},
    )


def spoilt_before(deployment: Deployment, conversation_id: str, many: int) -> None:
    """Add unreadable conversations to the shard of a conversation, due before it."""
    conversation = deployment.store.load(conversation_id)
    assert conversation is not None
    assert conversation.due_at is not None
    names = (f"bad-{nth}" for nth in itertools.count())
    shard = keys.shard(conversation_id)
    for name in itertools.islice((name for name in names if keys.shard(name) == shard), many):
        earlier = {"id": name, "version": 0, "due_at": conversation.due_at - timedelta(seconds=1)}
        deployment.store.commit(None, Decision(conversation.model_copy(update=earlier)))
        spoil(deployment, name)


def test_a_dial_that_telnyx_could_not_take_is_sent_later_with_the_same_id(
    deployment: Deployment,
) -> None:
    unanswered(deployment)
    assert run(deployment) == 0, "it is not due yet"
    deployment.clock.advance(10)
    assert run(deployment) == 1
    assert len({dial.body["command_id"] for dial in deployment.dials()}) == 1
    assert run(deployment) == 0


def test_one_bad_conversation_does_not_stop_the_others(deployment: Deployment) -> None:
    names = unanswered(deployment, 8)
    bad = names[3]
    spoil(deployment, bad)
    deployment.clock.advance(10)
    before = len(deployment.dials())
    assert run(deployment) == 8
    assert len(deployment.dials()) - before == 7


def test_conversations_that_always_fail_are_postponed(
    deployment: Deployment, written: Written
) -> None:
    [healthy] = unanswered(deployment)
    spoilt_before(deployment, healthy, 25)
    deployment.clock.advance(10)
    before = len(deployment.dials())
    written()
    assert run(deployment) == 26
    assert len(deployment.dials()) == before + 1
    told = written()
    assert told.count('"timer failed"') == 25
    deployment.clock.advance(20)
    assert run(deployment) <= 1, "only the healthy conversation is due"
    deployment.clock.advance(160)
    run(deployment)
    assert written().count('"timer failed"') == 50, "they are tried again and counted again"


def test_a_conversation_that_cannot_be_postponed_does_not_stop_the_others(
    deployment: Deployment,
) -> None:
    [healthy] = unanswered(deployment)
    spoilt_before(deployment, healthy, 2)
    deployment.clock.advance(10)
    before = len(deployment.dials())
    deployment.dynamodb.failures["batch_get_item"] = [
        EndpointConnectionError(endpoint_url="https://dynamodb") for _ in range(2)
    ]
    assert run(deployment) == 3
    assert len(deployment.dials()) == before + 1


def test_a_shard_that_cannot_be_read_does_not_stop_the_others(
    deployment: Deployment, written: Written
) -> None:
    names = unanswered(deployment, 12)
    first = keys.shards()[0]
    elsewhere = [name for name in names if keys.shard(name) != first]
    assert elsewhere
    deployment.clock.advance(10)
    away = EndpointConnectionError(endpoint_url="https://dynamodb")
    deployment.dynamodb.failures["query"] = [away]
    written()
    assert run(deployment) == len(elsewhere)
    assert figures(written)["SweepFailed"] == 1
    assert run(deployment) == len(names) - len(elsewhere), "the next run processes these"


def test_a_run_succeeds_when_long_conversations_cannot_be_counted(
    deployment: Deployment, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    unanswered(deployment)
    deployment.clock.advance(10)

    def refuse(*_: object) -> int:
        raise AwsUnavailableError("dynamodb", "query", "Throttled")

    monkeypatch.setattr(OpenCounts, "count_in_index", refuse)
    written()
    assert run(deployment) == 1
    counted = figures(written)
    assert counted["SweepTouched"] == 1
    assert "ConversationsOpenLong" not in counted, "a wrong count would end the alarm"


def test_a_run_stops_when_little_time_is_left(deployment: Deployment) -> None:
    unanswered(deployment, 3)
    deployment.clock.advance(10)

    @dataclass(frozen=True)
    class Late(LambdaContext):
        def get_remaining_time_in_millis(self) -> int:
            return sweep.SPARE_MILLIS - 1

    before = len(deployment.telnyx.sent)
    found: Any = handler({}, Late("sweep", 1024, 10))
    assert found == {"touched": 0}
    assert len(deployment.telnyx.sent) == before


def test_a_short_run_reaches_every_shard(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "SHARDS", 4)
    shards = {keys.shard(name) for name in unanswered(deployment, 12)}
    deployment.clock.advance(10)
    deployment.queue.failures = [EndpointConnectionError(endpoint_url="https://sqs")]
    # A look at the clock for the batch of ten, and another for each conversation.
    left = iter([10_000] * (1 + len(shards)))

    @dataclass(frozen=True)
    class Short(LambdaContext):
        def get_remaining_time_in_millis(self) -> int:
            return next(left, 0)

    def due() -> dict[str, int]:
        store = deployment.app.store
        return {shard: len(list(store.list_due(shard, deployment.clock()))) for shard in shards}

    before = due()
    assert max(before.values()) > 1
    assert handler({}, Short("sweep", 1024, 10)) == {"touched": len(shards)}
    assert due() == {shard: count - 1 for shard, count in before.items()}


def test_a_call_without_further_webhooks_is_polled(deployment: Deployment) -> None:
    conversation_id = deployment.start()["id"]
    deployment.deliver_for("call.answered", deployment.dials()[0])
    call = deployment.conversation(conversation_id)["participants"][0]["legs"][0]
    deployment.telnyx.refuse("GET", 404, "10005")
    polls = PollCalls(id="census", calls=(call["call_control_id"],), missing=True)
    deployment.app.engine.ingest(deployment.store.loader(conversation_id), polls)
    deployment.clock.advance(30)
    deployment.telnyx.refuse("GET", 404, "10005")
    assert run(deployment) == 1
    host = deployment.conversation(conversation_id)["participants"][0]
    assert host["status"] == "joined"  # Telnyx does not know the call: no proof of an end
    deployment.telnyx.refuse("GET", 422, "90018")
    deployment.clock.advance(60)
    assert run(deployment) == 1
    assert deployment.telnyx.sent[-1].call.endswith("/calls/v3%3A0")
    assert deployment.conversation(conversation_id)["participants"][0]["status"] == "left"
    assert (
        deployment.conversation(conversation_id)["participants"][0]["legs"][0]["to"] == HOST_NUMBER
    )


def test_the_sweep_corrects_the_count_of_open_conversations(
    deployment: Deployment, written: Written
) -> None:
    conversation_id = deployment.start()["id"]
    key = {"pk": {"S": f"CONVERSATION#{conversation_id}"}, "sk": {"S": "STATE"}}
    deployment.dynamodb.delete_item(TableName=deployment.table_name, Key=key)
    run(deployment)
    written()
    run(deployment)
    assert figures(written)["OpenCountRepaired"] == 1
    assert deployment.store.open_counts.count(OPEN_API) == 0


def test_a_sweep_without_work_writes_one_metric_which_tells_that_it_runs(
    deployment: Deployment, written: Written
) -> None:
    written()
    deployment.invoke("sweep", {})
    assert figures(written) == {"SweepFailed": 0}
