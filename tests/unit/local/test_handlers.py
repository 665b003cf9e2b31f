"""Handlers in this process: their event, context and shared environment."""

import os
import sys
from types import ModuleType
from typing import Any

import pytest

from local.stack.handlers import HandlersInProcess, LambdaContext
from local.stack.intrinsics import TemplateError
from local.stack.template import Function


def function(folder: str, **environment: str) -> Function:
    return Function(f"{folder.title()}Function", folder, "app.handler", environment, 10, 512)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setattr(sys, "path", list(sys.path))


def test_a_handler_is_called_as_lambda_would(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[dict[str, Any], LambdaContext]] = []

    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        seen.append((event, context))
        return {"statusCode": 200, "body": os.environ["TABLE_NAME"]}

    app = ModuleType("functions.greet.app")
    app.handler = handler  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "functions.greet.app", app)
    greet = function("greet", TABLE_NAME="conversations")
    invoke = HandlersInProcess([greet], {})
    sent = {"a": [1]}
    assert invoke(greet, sent) == {"statusCode": 200, "body": "conversations"}
    [(event, context)] = seen
    assert event == sent
    assert event is not sent
    assert (context.function_name, context.memory_limit_in_mb) == ("GreetFunction", 512)
    assert context.invoked_function_arn.endswith(":function:GreetFunction")
    assert 0 < context.get_remaining_time_in_millis() <= 10_000
    invoke(greet, sent)
    assert seen[1][1].aws_request_id != context.aws_request_id


def test_a_result_that_is_not_json_fails_as_in_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    app = ModuleType("functions.broken.app")
    app.handler = lambda event, context: {"body": object()}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "functions.broken.app", app)
    broken = function("broken")
    with pytest.raises(TypeError):
        HandlersInProcess([broken], {})(broken, {})


def test_functions_share_one_environment() -> None:
    HandlersInProcess(
        [function("one", A="1", BOTH="x"), function("two", B="2", BOTH="x")], {"B": "local"}
    )
    assert (os.environ["A"], os.environ["B"], os.environ["BOTH"]) == ("1", "local", "x")


def test_functions_with_different_values_of_a_variable_are_refused() -> None:
    with pytest.raises(TemplateError, match="A='2'"):
        HandlersInProcess([function("one", A="1"), function("two", A="2")], {})


def test_the_users_aws_profile_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "AWS_PROFILE", "production")
    HandlersInProcess([], {})
    assert "AWS_PROFILE" not in os.environ
