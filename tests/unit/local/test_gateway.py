"""The gateway over real HTTP, with functions that are played by the test."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local.serving import serve
from local.stack.gateway import Gateway
from local.stack.template import Function, Template
from local.tls import tls_context
from tests.support.patience import PATIENCE_SECS


class Functions:
    """An `Invoke` that records invocations and returns the test's answers, 200 by default."""

    def __init__(self) -> None:
        self.invoked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, Any] = {
            "authorizer": {"isAuthorized": True, "context": {"key_id": "ops"}}
        }

    def __call__(self, function: Function, event: dict[str, Any]) -> Any:
        self.invoked.append((function.folder, event))
        answer = self.answers.get(function.folder, {"statusCode": 200, "body": "fine"})
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.invoked]


@pytest.fixture
def functions() -> Functions:
    return Functions()


@pytest.fixture
def gateway(template: Template, functions: Functions) -> Gateway:
    return Gateway(template, invoke=functions)


@pytest.fixture
def client(gateway: Gateway) -> Iterator[httpx.Client]:
    running = serve(gateway)
    with httpx.Client(
        base_url=running.url, timeout=PATIENCE_SECS, trust_env=False, verify=tls_context()
    ) as client:
        yield client
    running.stop()


def key(name: str) -> dict[str, str]:
    return {"authorization": f"Bearer {name}"}


def test_a_webhook_needs_no_key(client: httpx.Client, functions: Functions) -> None:
    answer = client.post("/webhooks/call.answered?x=1", json={"data": {}})
    assert (answer.status_code, answer.text) == (200, "fine")
    [(name, event)] = functions.invoked
    assert name == "call_answered"
    assert event["body"] == '{"data":{}}'
    assert event["rawQueryString"] == "x=1"
    assert event["headers"]["host"] == event["requestContext"]["domainName"]
    assert "authorizer" not in event["requestContext"]


def test_a_path_with_escapes_comes_decoded(client: httpx.Client, functions: Functions) -> None:
    client.get("/conversations/v3%3Aabc", headers=key("one"))
    assert functions.invoked[-1][1]["pathParameters"] == {"id": "v3:abc"}


def test_without_a_key_no_function_runs(client: httpx.Client, functions: Functions) -> None:
    answer = client.post("/conversations", json={"to": "+13125550101"})
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})
    assert functions.invoked == []


def test_with_a_wrong_key_only_the_authorizer_runs(
    client: httpx.Client, functions: Functions
) -> None:
    functions.answers["authorizer"] = {"isAuthorized": False}
    answer = client.post("/conversations", headers=key("wrong"), json={})
    assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})
    assert functions.names == ["authorizer"]


def test_the_function_gets_the_id_of_the_key(client: httpx.Client, functions: Functions) -> None:
    assert client.get("/conversations", headers=key("one")).status_code == 200
    (_, question), (name, event) = functions.invoked
    assert question["identitySource"] == ["Bearer one"]
    assert name == "query"
    assert event["requestContext"]["authorizer"] == {"lambda": {"key_id": "ops"}}


def test_the_answer_of_the_authorizer_is_cached_by_key(
    client: httpx.Client, functions: Functions
) -> None:
    client.get("/conversations", headers=key("one"))
    client.get("/conversations/c1", headers=key("one"))
    client.get("/conversations", headers=key("two"))
    assert functions.names == [
        "authorizer",
        "query",
        "query",
        "authorizer",
        "query",
    ]


@pytest.mark.parametrize("answer", [RuntimeError("boom"), {"allowed": True}, None])
def test_a_failing_authorizer_admits_no_request(
    client: httpx.Client, functions: Functions, answer: Any
) -> None:
    functions.answers["authorizer"] = answer
    refused = client.get("/conversations", headers=key("one"))
    assert (refused.status_code, refused.json()) == (500, {"message": "Internal Server Error"})
    assert functions.names == ["authorizer"]
    # The gateway does not cache a failure.
    functions.answers["authorizer"] = {"isAuthorized": True}
    assert client.get("/conversations", headers=key("one")).status_code == 200


def test_the_caller_of_a_failing_function_does_not_learn_the_cause(
    client: httpx.Client, functions: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    functions.answers["call_hangup"] = RuntimeError("the secret is 42")
    answer = client.post("/webhooks/call.hangup", json={})
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})
    assert "the secret is 42" in capsys.readouterr().err


def test_an_unknown_route(client: httpx.Client, functions: Functions) -> None:
    for method, path in [("GET", "/"), ("PATCH", "/conversations"), ("POST", "/webhooks/")]:
        answer = client.request(method, path)
        assert (answer.status_code, answer.json()) == (404, {"message": "Not Found"})
    assert functions.invoked == []


def test_a_body_of_more_than_10_mb(client: httpx.Client, functions: Functions) -> None:
    just = b"x" * (10 * 1024 * 1024)
    assert client.post("/webhooks", content=just).status_code == 200
    answer = client.post("/webhooks", content=just + b"x")
    assert (answer.status_code, answer.json()) == (413, {"message": "Request Entity Too Large"})
    assert functions.names == ["webhook_default"]


def test_cookies_are_headers_of_their_own(client: httpx.Client, functions: Functions) -> None:
    functions.answers["webhook_default"] = {"statusCode": 204, "cookies": ["a=1", "b=2"]}
    answer = client.post("/webhooks")
    assert answer.status_code == 204
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]


def test_the_sweep_can_be_started(gateway: Gateway, functions: Functions) -> None:
    functions.answers["sweep"] = {"looked_at": 3}
    assert gateway.invoke_schedule("sweep") == {"looked_at": 3}
    [(name, event)] = functions.invoked
    assert name == "sweep"
    assert event["source"] == "aws.scheduler"
    with pytest.raises(KeyError):
        gateway.invoke_schedule("call_answered")
