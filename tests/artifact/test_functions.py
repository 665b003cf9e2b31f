"""Every function of the template starts in Lambda's own runtime, and answers."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.deploy.lambda_emulator import Emulator, FunctionFailedError, Runtime
from local.stack.http_api import HttpRequest, authorizer_event, request_event
from local.stack.local_stack import API_KEY, LocalStack, Options
from local.stack.sample_events import authorized, sample, signed
from local.stack.template import Function, Route, Template

PARAMETERS = {
    "TelnyxConnectionId": "1494404757140276705",
    "TelnyxPublicKeys": "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    "ReleaseSha": "0" * 40,
}
TEMPLATE = Template(PARAMETERS)
"""For the list of functions; the stack has one of its own, with the simulator's address in it."""


@pytest.fixture(scope="module")
def stack(runtime: Runtime) -> Iterator[LocalStack]:
    """An embedded AWS and a simulated Telnyx for the functions to work with."""
    with LocalStack(Options()) as running:
        yield running


@pytest.mark.parametrize("logical_id", TEMPLATE.functions)
def test_a_function_starts_and_answers(
    runtime: Runtime, stack: LocalStack, logical_id: str
) -> None:
    """With no event does a function fail: what it can't do is an answer too."""
    function = stack.template.functions[logical_id]
    with Emulator(runtime, function, stack.environment) as emulator:
        if logical_id in {each.function for each in stack.template.authorizers.values()}:
            assert_the_authorizer_knows_whom_to_let_in(emulator)
            return
        routes = [route for route in stack.template.routes if route.function == logical_id]
        for route in routes:
            assert_it_answers(route, emulator)
        if not routes:
            answer = emulator.invoke(sample(stack.template, logical_id))
            assert BEHIND[logical_id](answer), answer


BEHIND: dict[str, Callable[[Any], bool]] = {
    "FailoverFunction": lambda answer: answer == {"batchItemFailures": []},
    "EventRelayFunction": lambda answer: answer == {"batchItemFailures": []},
    "StartFromEventFunction": lambda answer: answer["status"] == 202,
    "StartScheduledFunction": lambda answer: answer == {"status": "not_started"},
    "SweepFunction": lambda answer: answer["touched"] >= 0,
}
"""What those answer that have no route."""


def assert_it_answers(route: Route, emulator: Emulator) -> None:
    if route.authorizer is None:
        answer = emulator.invoke(signed(route))
        assert answer["statusCode"] in {200, 404, 422}, answer
        unsigned = signed(route)
        del unsigned["headers"]["telnyx-signature-ed25519"]
        assert emulator.invoke(unsigned)["statusCode"] == 401
        return
    answer = emulator.invoke(authorized(route))
    # What is asked about isn't there, and the bodies are empty: so they say, and nothing worse.
    assert answer["statusCode"] in {200, 202, 404, 422}, answer
    assert json.loads(answer["body"])
    nobody = authorized(route)
    del nobody["requestContext"]["authorizer"]
    assert emulator.invoke(nobody)["statusCode"] == 401


def assert_the_authorizer_knows_whom_to_let_in(emulator: Emulator) -> None:
    route = Route("GET", "/conversations", "", None)

    def verdict(key: str) -> Any:
        request = HttpRequest("GET", route.path, headers=[("authorization", key)])
        return emulator.invoke(authorizer_event(request_event(request, route, {}), key))

    assert verdict(f"Bearer {API_KEY}")["isAuthorized"] is True
    assert verdict("Bearer somebody-elses")["isAuthorized"] is False


def test_without_its_settings_a_function_says_which(runtime: Runtime, stack: LocalStack) -> None:
    """A template that forgets a variable shows at the first request, by name."""
    whole = stack.template.functions["GetConversationFunction"]
    environment = {name: value for name, value in whole.environment.items() if name != "TABLE_NAME"}
    bare = Function(whole.logical_id, whole.folder, whole.handler, environment, 10, whole.memory_mb)
    said: list[str] = []
    with Emulator(runtime, bare, stack.environment, said.append) as emulator:
        [route] = [each for each in TEMPLATE.routes if each.function == whole.logical_id]
        assert emulator.invoke(authorized(route))["statusCode"] == 500
    assert any('"level":"ERROR"' in line for line in said)


def test_what_a_function_prints_and_raises_comes_out(runtime: Runtime, stack: LocalStack) -> None:
    sweep = stack.template.functions["SweepFunction"]
    absent = Function(sweep.logical_id, sweep.folder, "app.none_such", {}, 10, 1024)
    with (
        Emulator(runtime, absent, stack.environment) as emulator,
        pytest.raises(FunctionFailedError, match="none_such"),
    ):
        emulator.invoke({})
