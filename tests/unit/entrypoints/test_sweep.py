"""The sweep looks after what no webhook came back for, a bounded piece at a time."""

import itertools
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from functions.sweep.app import handler
from local.stack.handlers import LambdaContext
from partyline.domain.decide import Decision
from partyline.entrypoints import sweep
from partyline.store import keys
from tests.support.deployment import HOST_NUMBER, Deployment
from tests.unit.entrypoints.test_figures import Written, figures


def run(deployment: Deployment) -> int:
    touched: int = deployment.invoke("sweep", {})["touched"]
    return touched


def unanswered(deployment: Deployment, conversations: int = 1) -> list[str]:
    """Conversations whose dial Telnyx could not take."""
    deployment.telnyx.refuse("dial", 503, "10007", times=6 * conversations)
    return [deployment.start()["id"] for _ in range(conversations)]


def spoil(deployment: Deployment, conversation_id: str) -> None:
    """Make a conversation one that nobody can read."""
    pk, sk = keys.state(conversation_id)
    deployment.dynamodb.update_item(
        TableName=deployment.table_name,
        Key={"pk": {"S": pk}, "sk": {"S": sk}},
        UpdateExpression="SET document = :broken",
        ExpressionAttributeValues={":broken": {"S": "{"}},
    )


def spoilt_before(deployment: Deployment, conversation_id: str, many: int) -> None:
    """Conversations in the shard of one, due earlier than it, that nobody can read."""
    found = deployment.store.load(conversation_id)
    assert found is not None
    assert found.due_at is not None
    names = (f"bad-{nth}" for nth in itertools.count())
    shard = keys.shard(conversation_id)
    for name in itertools.islice((each for each in names if keys.shard(each) == shard), many):
        earlier = {"id": name, "version": 0, "due_at": found.due_at - timedelta(seconds=1)}
        deployment.store.commit(None, Decision(found.model_copy(update=earlier)))
        spoil(deployment, name)


def test_a_dial_that_telnyx_could_not_take_is_made_later_under_the_same_name(
    deployment: Deployment,
) -> None:
    unanswered(deployment)
    assert run(deployment) == 0, "it is not due yet"
    deployment.clock.advance(10)
    assert run(deployment) == 1
    assert len({each.body["command_id"] for each in deployment.dials()}) == 1
    assert run(deployment) == 0


def test_one_bad_conversation_does_not_stop_the_others(deployment: Deployment) -> None:
    names = unanswered(deployment, 8)
    bad = names[3]
    spoil(deployment, bad)
    deployment.clock.advance(10)
    before = len(deployment.dials())
    assert run(deployment) == 8
    assert len(deployment.dials()) - before == 7


def test_those_that_always_fail_do_not_keep_a_run_from_the_others(
    deployment: Deployment, written: Written
) -> None:
    [healthy] = unanswered(deployment)
    spoilt_before(deployment, healthy, sweep.PER_SHARD)
    deployment.clock.advance(10)
    before = len(deployment.dials())
    written()
    assert run(deployment) == sweep.PER_SHARD == 25
    assert len(deployment.dials()) == before, "the oldest come first"
    told = written()
    assert figures(lambda: told)["SweepFailed"] == 25
    assert told.count('"sweep failed"') == 25
    deployment.clock.advance(20)
    assert run(deployment) == 1
    assert len(deployment.dials()) == before + 1
    deployment.clock.advance(160)
    written()
    run(deployment)
    assert figures(written)["SweepFailed"] >= 24, "they are tried again, and still told of"


def test_one_that_cannot_be_put_off_stops_no_other(deployment: Deployment) -> None:
    [healthy] = unanswered(deployment)
    spoilt_before(deployment, healthy, 2)
    deployment.clock.advance(10)
    before = len(deployment.dials())
    deployment.dynamodb.failures["batch_get_item"] = [
        EndpointConnectionError(endpoint_url="https://dynamodb") for _ in range(2)
    ]
    assert run(deployment) == 3
    assert len(deployment.dials()) == before + 1


def test_a_shard_that_cannot_be_read_stops_no_other(
    deployment: Deployment, written: Written
) -> None:
    names = unanswered(deployment, 12)
    first = keys.shards()[0]
    elsewhere = [each for each in names if keys.shard(each) != first]
    assert elsewhere
    deployment.clock.advance(10)
    away = EndpointConnectionError(endpoint_url="https://dynamodb")
    deployment.dynamodb.failures["query"] = [away]
    written()
    assert run(deployment) == len(elsewhere)
    assert figures(written)["SweepFailed"] == 1
    assert run(deployment) == len(names) - len(elsewhere), "the next run does these"


def test_a_run_is_bounded_and_the_next_one_goes_on(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "PER_SHARD", 1)
    names = unanswered(deployment, 12)
    most = max(sum(keys.shard(name) == shard for name in names) for shard in keys.shards())
    assert most > 1
    deployment.clock.advance(10)
    touched = [run(deployment) for _ in range(most)]
    assert touched[0] == len({keys.shard(name) for name in names})
    assert sum(touched) == len(names)
    assert run(deployment) == 0


def test_with_little_time_left_a_run_leaves_the_rest(deployment: Deployment) -> None:
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


def test_with_time_for_a_few_every_shard_has_its_turn(deployment: Deployment) -> None:
    shards = {keys.shard(name) for name in unanswered(deployment, 12)}
    deployment.clock.advance(10)
    left = iter([10_000] * len(shards))

    @dataclass(frozen=True)
    class Short(LambdaContext):
        def get_remaining_time_in_millis(self) -> int:
            return next(left, 0)

    def due() -> dict[str, int]:
        store = deployment.app.store
        return {shard: len(store.list_due(shard, deployment.clock(), 25)) for shard in shards}

    before = due()
    assert max(before.values()) > 1
    assert handler({}, Short("sweep", 1024, 10)) == {"touched": len(shards)}
    assert due() == {shard: count - 1 for shard, count in before.items()}


def test_a_call_that_nobody_heard_of_again_is_looked_at(deployment: Deployment) -> None:
    conversation_id = deployment.start()["id"]
    deployment.deliver_for("call.answered", deployment.dials()[0])
    deployment.telnyx.refuse("GET", 404, "10005")
    deployment.clock.advance(180)
    assert run(deployment) == 1
    assert deployment.telnyx.sent[-1].call.endswith("/calls/v3%3A0")
    assert deployment.conversation(conversation_id)["participants"][0]["status"] == "left"
    assert (
        deployment.conversation(conversation_id)["participants"][0]["legs"][0]["to"] == HOST_NUMBER
    )
