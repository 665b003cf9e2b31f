"""What the page is told of the failover queue."""

import json
from typing import Any

import pytest

from local.room.background_observers import FAILOVER, QueueObserver
from local.room.hub import Hub
from local.stack.template import Function

DRAINS = Function("FailoverFunction", FAILOVER, "app.handler", {}, 10, 128)
OTHER = Function("SweepFunction", "sweep", "app.handler", {}, 10, 128)
EVENT = {
    "Records": [
        {
            "messageId": name,
            "body": json.dumps({"data": {"id": name}}),
            "attributes": {"ApproximateReceiveCount": "2"},
        }
        for name in ("one", "other")
    ]
}


def told(hub: Hub) -> list[tuple[str, bool]]:
    facts = [json.loads(fact.text) for fact in hub.since(0)]
    assert [each["received"] for each in facts] == [2] * len(facts)
    return [(each["body"]["data"]["id"], each["taken_in"]) for each in facts]


def test_what_was_taken_in_and_what_comes_again() -> None:
    hub = Hub()
    answer = {"batchItemFailures": [{"itemIdentifier": "other"}]}
    assert QueueObserver(lambda *_: answer, hub)(DRAINS, EVENT) == answer
    assert told(hub) == [("one", True), ("other", False)]


def test_a_function_that_fails_has_taken_nothing_in() -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError

    hub = Hub()
    with pytest.raises(RuntimeError):
        QueueObserver(fail, hub)(DRAINS, EVENT)
    assert told(hub) == [("one", False), ("other", False)]


def test_another_function_is_none_of_its_business() -> None:
    hub = Hub()
    assert QueueObserver(lambda *_: "answer", hub)(OTHER, {"Records": [{}]}) == "answer"
    assert told(hub) == []
