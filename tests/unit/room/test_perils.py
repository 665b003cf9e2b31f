"""Functions that die, each in its own moment."""

from typing import Any

import pytest

from local.room.lambda_faults import (
    CRASH_RESPONSE,
    Crash,
    CrashError,
    FunctionCrashedError,
    LambdaFaults,
)
from local.stack.template import Function

ANSWERED = Function("CallAnsweredFunction", "call_answered", "app.handler", {}, 10, 128)
REQUEST = {"routeKey": "POST /webhooks"}


class Body:
    """What a function does: it writes, then it sends a command."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.perils = LambdaFaults(self)
        self.writes = True

    def __call__(self, _function: Function, _event: dict[str, Any]) -> Any:
        if self.writes:
            self.did.append("wrote")
            self.perils.table_written()
        self.did.append("sent")
        return {"statusCode": 200}

    def run(self, event: dict[str, Any] = REQUEST) -> Any:
        return self.perils(ANSWERED, event)


@pytest.mark.parametrize(
    ("when", "did"),
    [("before", []), ("after_write", ["wrote"]), ("after", ["wrote", "sent"])],
)
def test_it_dies_at_its_moment_and_the_next_one_lives(when: Any, did: list[str]) -> None:
    body = Body()
    body.perils.crashes.append(Crash(when))
    assert body.run() == CRASH_RESPONSE
    assert body.did == did
    assert body.run() == {"statusCode": 200}


def test_only_the_function_that_was_named_dies() -> None:
    body = Body()
    body.perils.crashes.append(Crash("before", function="call_hangup"))
    assert body.run() == {"statusCode": 200}


@pytest.mark.parametrize("event", [{**REQUEST, "type": "REQUEST"}, {"Records": []}, {}])
def test_who_answers_no_request_is_spared(event: dict[str, Any]) -> None:
    """The authorizer, what a queue or a schedule starts: nobody would see a 500 of theirs."""
    body = Body()
    body.perils.crashes.append(Crash("before", times=None))
    assert body.run(event) == {"statusCode": 200}


def test_who_answers_no_request_dies_by_name_and_fails_its_caller() -> None:
    body = Body()
    body.perils.crashes.append(Crash("before", function="call_answered"))
    with pytest.raises(FunctionCrashedError):
        body.run({"Records": []})
    assert body.did == []


def test_who_writes_nothing_has_not_died_after_its_write() -> None:
    body = Body()
    body.writes = False
    body.perils.crashes.append(Crash("after_write"))
    assert body.run() == {"statusCode": 200}
    assert body.perils.crashes[0].times == 1


def test_the_same_seed_brings_the_same_luck() -> None:
    def luck(seed: int) -> list[bool]:
        body = Body()
        body.perils.crashes.append(Crash("before", times=None, probability=0.5))
        body.perils.reseed(seed)
        return [body.run() == CRASH_RESPONSE for _ in range(40)]

    assert luck(1) == luck(1)
    assert luck(1) != luck(2)


def test_no_handler_can_catch_its_own_death() -> None:
    assert not issubclass(CrashError, Exception)
