"""Injected crashes of functions."""

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


class FakeFunction:
    """A function that writes to the table and then sends a command."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.faults = LambdaFaults(self)
        self.writes = True

    def __call__(self, _function: Function, _event: dict[str, Any]) -> Any:
        if self.writes:
            self.steps.append("wrote")
            self.faults.table_written()
        self.steps.append("sent")
        return {"statusCode": 200}

    def run(self, event: dict[str, Any] = REQUEST) -> Any:
        return self.faults(ANSWERED, event)


@pytest.mark.parametrize(
    ("when", "steps"),
    [("before", []), ("after_write", ["wrote"]), ("after", ["wrote", "sent"])],
)
def test_a_function_crashes_at_the_set_point_and_then_runs_again(
    when: Any, steps: list[str]
) -> None:
    function = FakeFunction()
    function.faults.crashes.append(Crash(when))
    assert function.run() == CRASH_RESPONSE
    assert function.steps == steps
    assert function.run() == {"statusCode": 200}


def test_only_the_named_function_crashes() -> None:
    function = FakeFunction()
    function.faults.crashes.append(Crash("before", function="call_hangup"))
    assert function.run() == {"statusCode": 200}


@pytest.mark.parametrize("event", [{**REQUEST, "type": "REQUEST"}, {"Records": []}, {}])
def test_a_crash_of_any_function_spares_functions_that_answer_no_request(
    event: dict[str, Any],
) -> None:
    """Such as the authorizer, or a function of a queue or a schedule."""
    function = FakeFunction()
    function.faults.crashes.append(Crash("before", times=None))
    assert function.run(event) == {"statusCode": 200}


def test_a_named_function_that_answers_no_request_raises_to_its_caller() -> None:
    function = FakeFunction()
    function.faults.crashes.append(Crash("before", function="call_answered"))
    with pytest.raises(FunctionCrashedError):
        function.run({"Records": []})
    assert function.steps == []


def test_a_function_without_a_write_does_not_crash_after_its_write() -> None:
    function = FakeFunction()
    function.writes = False
    function.faults.crashes.append(Crash("after_write"))
    assert function.run() == {"statusCode": 200}
    assert function.faults.crashes[0].times == 1


def test_the_same_seed_gives_the_same_crashes() -> None:
    def crashed(seed: int) -> list[bool]:
        function = FakeFunction()
        function.faults.crashes.append(Crash("before", times=None, probability=0.5))
        function.faults.reseed(seed)
        return [function.run() == CRASH_RESPONSE for _ in range(40)]

    assert crashed(1) == crashed(1)
    assert crashed(1) != crashed(2)


def test_a_handler_cannot_catch_its_crash() -> None:
    assert not issubclass(CrashError, Exception)
