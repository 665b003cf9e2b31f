"""The event of a function behind API Gateway, and the response to its caller."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from local.stack.http_api import (
    HttpRequest,
    MalformedResponseError,
    authorizer_event,
    find_route,
    http_response,
    request_event,
)
from local.stack.template import Route, Template

STOP = Route("POST", "/conversations/{id}/stop", "ControlFunction", "BearerKey")


def event_of(request: HttpRequest, parameters: dict[str, str] | None = None) -> dict[str, Any]:
    return request_event(request, STOP, parameters or {})


@pytest.mark.parametrize(
    ("method", "path", "key", "parameters"),
    [
        ("POST", "/conversations", "POST /conversations", {}),
        ("GET", "/conversations", "GET /conversations", {}),
        ("GET", "/conversations/c 1", "GET /conversations/{id}", {"id": "c 1"}),
        (
            "DELETE",
            "/conversations/c1/participants/p1",
            "DELETE /conversations/{id}/participants/{participant_id}",
            {"id": "c1", "participant_id": "p1"},
        ),
        ("POST", "/webhooks", "POST /webhooks", {}),
        ("POST", "/webhooks/call.answered", "POST /webhooks/call.answered", {}),
        (
            "POST",
            "/webhooks/call.bridged",
            "POST /webhooks/{event_type}",
            {"event_type": "call.bridged"},
        ),
    ],
)
def test_a_request_finds_its_route(
    template: Template, method: str, path: str, key: str, parameters: dict[str, str]
) -> None:
    match = find_route(template.routes, method, path)
    assert match is not None
    assert (match[0].key, match[1]) == (key, parameters)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("PUT", "/conversations"),
        ("GET", "/conversations/"),
        ("GET", "/Conversations"),
        ("GET", "/webhooks/call.answered"),
        ("POST", "/conversations/c1/participants/p1/extra"),
    ],
)
def test_a_request_without_a_route_finds_none(template: Template, method: str, path: str) -> None:
    assert find_route(template.routes, method, path) is None


def test_the_more_specific_route_wins() -> None:
    def of(method: str, path: str) -> Route:
        return Route(method, path, "F", None)

    routes = [
        of("ANY", "$default"),
        of("GET", "/{a}/{b}"),
        of("GET", "/{a}/end"),
        of("ANY", "/start/{b}"),
        of("GET", "/start/{b}"),
    ]

    def key(method: str, path: str) -> str:
        match = find_route(routes, method, path)
        assert match is not None
        return match[0].key

    assert key("GET", "/start/end") == "GET /start/{b}"
    assert key("POST", "/start/end") == "ANY /start/{b}"
    assert key("GET", "/x/end") == "GET /{a}/end"
    assert key("GET", "/x/y") == "GET /{a}/{b}"
    assert key("GET", "/x") == "$default"


def test_the_event_is_that_of_payload_format_2() -> None:
    request = HttpRequest(
        method="POST",
        path="/conversations/c 1/stop",
        query="a=1&a=2&b=x%20y&empty=",
        headers=[
            ("Host", "api.example.com"),
            ("Content-Type", "application/json; charset=utf-8"),
            ("X-Twice", "one"),
            ("x-twice", "two"),
            ("Cookie", "c1=1; c2=2"),
            ("User-Agent", "curl/8"),
            ("X-Amzn-Trace-Id", "Root=1"),
        ],
        body='{"name": "Zoë"}'.encode(),
        source_ip="192.0.2.7",
        received_at=datetime(2026, 3, 12, 19, 3, 58, 250_000, tzinfo=UTC),
    )
    event = event_of(request, {"id": "c 1"})
    request_id = event["requestContext"].pop("requestId")
    assert request_id
    assert event == {
        "version": "2.0",
        "routeKey": "POST /conversations/{id}/stop",
        "rawPath": "/conversations/c 1/stop",
        "rawQueryString": "a=1&a=2&b=x%20y&empty=",
        "cookies": ["c1=1", "c2=2"],
        "headers": {
            "host": "api.example.com",
            "content-type": "application/json; charset=utf-8",
            "x-twice": "one,two",
            "user-agent": "curl/8",
            "x-forwarded-proto": "http",
            "x-forwarded-for": "192.0.2.7",
            "x-amzn-trace-id": "Root=1",
        },
        "queryStringParameters": {"a": "1,2", "b": "x y", "empty": ""},
        "pathParameters": {"id": "c 1"},
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": "api.example.com",
            "domainPrefix": "api",
            "http": {
                "method": "POST",
                "path": "/conversations/c 1/stop",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.7",
                "userAgent": "curl/8",
            },
            "routeKey": "POST /conversations/{id}/stop",
            "stage": "$default",
            "time": "12/Mar/2026:19:03:58 +0000",
            "timeEpoch": 1773342238250,
        },
        "body": '{"name": "Zoë"}',
        "isBase64Encoded": False,
    }


def test_absent_parts_of_a_request_are_absent_from_the_event() -> None:
    event = event_of(HttpRequest("POST", "/conversations/c1/stop"))
    assert not event.keys() & {"body", "cookies", "queryStringParameters", "pathParameters"}
    assert event["rawQueryString"] == ""


def test_the_headers_of_a_tunnel_take_precedence() -> None:
    headers = [("host", "abc.tunnel.example"), ("x-forwarded-proto", "https")]
    event = event_of(HttpRequest("POST", "/", headers=headers))
    assert event["headers"]["x-forwarded-proto"] == "https"
    assert event["requestContext"]["domainName"] == "abc.tunnel.example"


@pytest.mark.parametrize(
    ("content_type", "body", "encoded"),
    [
        ("application/json", b"{}", False),
        ("text/plain", b"hello", False),
        ("application/x-www-form-urlencoded", b"a=1", True),
        ("application/octet-stream", b"\x00\xff", True),
        ("application/json", b"\xff", True),
        (None, b"{}", True),
    ],
)
def test_a_binary_body_is_base64(content_type: str | None, body: bytes, encoded: bool) -> None:
    headers = [("content-type", content_type)] if content_type else []
    event = event_of(HttpRequest("POST", "/", headers=headers, body=body))
    assert event["isBase64Encoded"] is encoded
    text = event["body"]
    assert (base64.b64decode(text) if encoded else text.encode()) == body


def test_the_event_of_an_authorizer_has_no_body() -> None:
    headers = [("authorization", "Bearer k"), ("content-type", "application/json")]
    request = HttpRequest("POST", "/conversations/c1/stop", headers=headers, body=b"{}")
    event = authorizer_event(event_of(request, {"id": "c1"}), "Bearer k")
    assert event["version"] == "2.0"
    assert event["type"] == "REQUEST"
    assert event["identitySource"] == ["Bearer k"]
    assert event["routeArn"] == (
        "arn:aws:execute-api:us-east-1:000000000000:local/$default/POST/conversations/c1/stop"
    )
    assert event["pathParameters"] == {"id": "c1"}
    assert not event.keys() & {"body", "isBase64Encoded"}


def test_a_response_in_full() -> None:
    answer = http_response(
        {
            "statusCode": 202,
            "headers": {"Content-Type": "application/json", "retry-after": 3},
            "cookies": ["a=1", "b=2"],
            "body": '{"ok": true}',
        }
    )
    assert answer.status == 202
    assert list(answer.headers) == [
        ("content-type", "application/json"),
        ("retry-after", "3"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
    ]
    assert answer.body == b'{"ok": true}'


def test_a_response_in_base64() -> None:
    body = base64.b64encode(b"\x00\xff").decode()
    answer = http_response({"statusCode": 200, "isBase64Encoded": True, "body": body})
    assert answer.body == b"\x00\xff"


@pytest.mark.parametrize(
    ("result", "body"), [({"a": 1}, b'{"a": 1}'), ("hello", b"hello"), (None, b"null")]
)
def test_a_result_without_a_status_is_the_body(result: Any, body: bytes) -> None:
    answer = http_response(result)
    assert (answer.status, answer.body) == (200, body)
    assert list(answer.headers) == [("content-type", "application/json")]


@pytest.mark.parametrize("result", [{"statusCode": "no"}, {"statusCode": 200, "body": {"a": 1}}])
def test_a_malformed_response_is_refused(result: Any) -> None:
    with pytest.raises(MalformedResponseError):
        http_response(json.loads(json.dumps(result)))
