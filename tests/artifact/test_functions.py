"""Every function of the template starts in Lambda's own runtime and answers an event."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.deploy.lambda_emulator import Emulator, FunctionFailedError, Runtime
from local.stack.embedded_aws import Access, create_secrets
from local.stack.http_api import HttpRequest, authorizer_event, request_event
from local.stack.local_stack import LocalStack, Options
from local.stack.sample_events import authorized, sample, signed
from local.stack.template import Function, Route, Template

PARAMETERS = {
    "TelnyxConnectionId": "1494404757140276705",
    "TelnyxPublicKeys": "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    "ReleaseSha": "0" * 40,
}
TEMPLATE = Template(PARAMETERS)
"""The list of functions. The stack has a template of its own, with the simulator's address."""


@pytest.fixture(scope="module")
def stack(runtime: Runtime) -> Iterator[LocalStack]:
    """An embedded AWS and a simulated Telnyx for the functions to work with."""
    options = Options()
    with LocalStack(options) as running:
        environment = running.environment
        access = Access(environment["AWS_ENDPOINT_URL"], environment["AWS_SESSION_TOKEN"])
        # The functions run in other processes, so the stack's secrets in memory are no use to them.
        create_secrets(access.client("secretsmanager"), running.template, options.secrets())
        yield running


@pytest.mark.parametrize("logical_id", TEMPLATE.functions)
def test_a_function_starts_and_answers(
    runtime: Runtime, stack: LocalStack, logical_id: str
) -> None:
    """A function raises for no sample event: errors are answers too."""
    function = stack.template.functions[logical_id]
    with Emulator(runtime, function, stack.environment) as emulator:
        if logical_id in {
            authorizer.function for authorizer in stack.template.authorizers.values()
        }:
            assert_the_authorizer_admits_the_key_only(emulator, stack.api_key)
            return
        routes = [route for route in stack.template.routes if route.function == logical_id]
        for route in routes:
            assert_it_answers(route, emulator)
        if not routes:
            answer = emulator.invoke(sample(stack.template, logical_id))
            assert RESULTS[logical_id](answer), answer


RESULTS: dict[str, Callable[[Any], bool]] = {
    "FailoverFunction": lambda answer: answer == {"batchItemFailures": []},
    "EventRelayFunction": lambda answer: answer == {"batchItemFailures": []},
    "StartFromEventFunction": lambda answer: answer["status"] == "connecting",
    "StartScheduledFunction": lambda answer: answer == {"status": "not_started"},
    "TimerFunction": lambda answer: answer == {"batchItemFailures": []},
    "FanOutHooksFunction": lambda answer: answer == {"queued": 0},
    "DeliverHooksFunction": lambda answer: answer == {"batchItemFailures": []},
    "IndexNumbersFunction": lambda answer: answer == {"entries": 1},
    "EraseFunction": lambda answer: answer == {"passes": 0},
    "SmokeFunction": lambda answer: answer == {"failed": []},
    "CensusFunction": lambda answer: answer == {"missing": 0},
    "SweepFunction": lambda answer: answer["touched"] >= 0,
}
"""Checks of the results of functions without a route."""


def test_the_api_functions_start_show_and_stop_a_conversation(
    runtime: Runtime, stack: LocalStack
) -> None:
    """The layer holds every part of Powertools that validates requests and responses."""
    host = {"to": "+13125550111", "assistant": {"id": "assistant-1"}}
    started = request(runtime, stack, "POST /conversations", host)
    assert started["statusCode"] == 202, started
    conversation = json.loads(started["body"])
    shown = request(runtime, stack, "GET /conversations/{id}", None, id=conversation["id"])
    assert shown["statusCode"] == 200, shown
    assert json.loads(shown["body"])["id"] == conversation["id"]
    stop = "POST /conversations/{id}/stop"
    stopped = request(runtime, stack, stop, {"hang_up": True}, id=conversation["id"])
    assert stopped["statusCode"] == 202, stopped
    refused = request(runtime, stack, "PUT /routes/{number}", {"assistant": 1}, number="default")
    assert refused["statusCode"] == 422, refused
    assert json.loads(refused["body"])["error"]["details"][0]["field"] == "assistant"


def request(
    runtime: Runtime, stack: LocalStack, key: str, body: Any, **parameters: str
) -> dict[str, Any]:
    """Send a request of the application to the function of a route."""
    [route] = [route for route in stack.template.routes if route.key == key]
    event = authorized(route)
    event["pathParameters"] = parameters
    event["rawPath"] = route.path.format(**parameters)
    event["body"] = None if body is None else json.dumps(body)
    event["isBase64Encoded"] = False
    with Emulator(runtime, stack.template.functions[route.function], stack.environment) as emulator:
        answer: dict[str, Any] = emulator.invoke(event)
        return answer


def assert_it_answers(route: Route, emulator: Emulator) -> None:
    if route.authorizer is None:
        answer = emulator.invoke(signed(route))
        # 503: Telnyx does not know the call of the sample, and may know the call a moment later.
        assert answer["statusCode"] in {200, 404, 422, 503}, answer
        unsigned = signed(route)
        del unsigned["headers"]["telnyx-signature-ed25519"]
        assert emulator.invoke(unsigned)["statusCode"] == 401
        return
    answer = emulator.invoke(authorized(route))
    # The items are missing and the bodies are empty; the answers report these errors only.
    assert answer["statusCode"] in {200, 202, 404, 422}, answer
    assert json.loads(answer["body"])
    anonymous = authorized(route)
    del anonymous["requestContext"]["authorizer"]
    assert emulator.invoke(anonymous)["statusCode"] == 401


def assert_the_authorizer_admits_the_key_only(emulator: Emulator, api_key: str) -> None:
    route = Route("GET", "/conversations", "", None)

    def verdict(key: str) -> Any:
        request = HttpRequest("GET", route.path, headers=[("authorization", key)])
        return emulator.invoke(authorizer_event(request_event(request, route, {}), key))

    assert verdict(f"Bearer {api_key}")["isAuthorized"] is True
    assert verdict("Bearer somebody-elses")["isAuthorized"] is False


def test_a_function_without_a_setting_names_that_setting(
    runtime: Runtime, stack: LocalStack
) -> None:
    """A variable missing in the template is reported at the first request."""
    whole = stack.template.functions["QueryFunction"]
    environment = {name: value for name, value in whole.environment.items() if name != "TABLE_NAME"}
    bare = Function(whole.logical_id, whole.folder, whole.handler, environment, 10, whole.memory_mb)
    output: list[str] = []
    with Emulator(runtime, bare, stack.environment, output.append) as emulator:
        for route in TEMPLATE.routes:
            if route.function == whole.logical_id:
                assert emulator.invoke(authorized(route))["statusCode"] == 500, route
    assert any('"level":"ERROR"' in line for line in output)


def test_the_emulator_reports_the_exception_of_a_function(
    runtime: Runtime, stack: LocalStack
) -> None:
    sweep = stack.template.functions["SweepFunction"]
    absent = Function(sweep.logical_id, sweep.folder, "app.none_such", {}, 10, 1024)
    with (
        Emulator(runtime, absent, stack.environment) as emulator,
        pytest.raises(FunctionFailedError, match="none_such"),
    ):
        emulator.invoke({})
