"""API Gateway's HTTP API as functions without any I/O: routes, events, responses.

Shapes and rules are those of AWS's page "Create AWS Lambda proxy integrations for HTTP APIs",
payload format version 2.0, and of "Create routes for HTTP APIs". Beyond these pages, captured
events decide: `rawPath` comes decoded, despite its name.
"""

import base64
import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from local.stack.intrinsics import ACCOUNT_ID, API_ID, REGION

STAGE = "$default"


@dataclass(frozen=True)
class HttpRequest:
    """A request as received: `path` decoded, `query` not, header names in any case."""

    method: str
    path: str
    query: str = ""
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    source_ip: str = "127.0.0.1"
    protocol: str = "HTTP/1.1"
    scheme: str = "http"
    received_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def header_map(self) -> dict[str, str]:
        """Return the headers as in an event: names in lower case, values joined by commas."""
        return _joined((name.lower(), value) for name, value in self.headers)


@dataclass(frozen=True)
class HttpResponse:
    """The response to the caller."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes

    @classmethod
    def message(cls, status: int, text: str) -> "HttpResponse":
        """Return a response of the gateway itself, e.g. `{"message": "Not Found"}`."""
        body = json.dumps({"message": text}, separators=(",", ":")).encode()
        return cls(status, [("content-type", "application/json")], body)


class MalformedResponseError(Exception):
    """A handler's result is no HTTP response; the message names the fault."""


@dataclass(frozen=True)
class ApiRoute:
    """A route of the HTTP API: a method or ANY, and a path with variables in braces."""

    method: str
    path: str

    @property
    def key(self) -> str:
        """The route's name in API Gateway, e.g. `POST /conversations/{id}/stop`."""
        return self.path if self.path == "$default" else f"{self.method} {self.path}"


R = TypeVar("R", bound=ApiRoute)


def find_route(routes: Iterable[R], method: str, path: str) -> tuple[R, dict[str, str]] | None:
    """Return the route for a request with its path parameters, or None.

    The more specific route wins: a literal before a variable, segment by segment from the left, a
    method before ANY, `$default` last. A slash at the end makes another path.
    """
    matches = [
        (route, parameters)
        for route in routes
        if route.method in {method, "ANY"} and (parameters := _match(route.path, path)) is not None
    ]
    return min(matches, key=lambda match: _generality(match[0]), default=None)


def request_event(
    request: HttpRequest, route: ApiRoute, path_parameters: dict[str, str]
) -> dict[str, Any]:
    """Return the function's event, without the authorizer's context."""
    headers = request.header_map()
    cookies = headers.pop("cookie", "")
    host = headers.setdefault("host", f"{API_ID}.execute-api.{REGION}.amazonaws.com")
    # A tunnel's headers take precedence: Telnyx uses the tunnel's URL.
    headers.setdefault("x-forwarded-proto", request.scheme)
    headers.setdefault("x-forwarded-for", request.source_ip)
    seconds = int(request.received_at.timestamp())
    headers.setdefault("x-amzn-trace-id", f"Root=1-{seconds:08x}-{uuid.uuid4().hex[:24]}")
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT_ID,
            "apiId": API_ID,
            "domainName": host,
            "domainPrefix": host.split(".", 1)[0],
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": request.protocol,
                "sourceIp": request.source_ip,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": base64.b64encode(uuid.uuid4().bytes[:11]).decode(),
            "routeKey": route.key,
            "stage": STAGE,
            "time": request.received_at.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(request.received_at.timestamp() * 1000),
        },
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = [cookie.strip() for cookie in cookies.split(";")]
    if request.query:
        event["queryStringParameters"] = _joined(parse_qsl(request.query, keep_blank_values=True))
    if path_parameters:
        event["pathParameters"] = path_parameters
    if request.body:
        event["body"], event["isBase64Encoded"] = _body(request.body, headers.get("content-type"))
    return event


def authorizer_event(event: dict[str, Any], identity: str) -> dict[str, Any]:
    """Return the authorizer's event for a request: all fields but the body."""
    context = event["requestContext"]
    return {
        **{key: value for key, value in event.items() if key not in {"body", "isBase64Encoded"}},
        "type": "REQUEST",
        "routeArn": (
            f"arn:aws:execute-api:{REGION}:{ACCOUNT_ID}:{API_ID}/{STAGE}/"
            f"{context['http']['method']}{context['http']['path']}"
        ),
        "identitySource": [identity],
    }


def http_response(result: Any) -> HttpResponse:
    """Turn a handler's result into HTTP. Raises MalformedResponseError.

    A result without a `statusCode` is the body of a 200.
    """
    if not isinstance(result, dict) or "statusCode" not in result:
        text = result if isinstance(result, str) else json.dumps(result)
        return HttpResponse(200, [("content-type", "application/json")], text.encode())
    try:
        status = int(result["statusCode"])
    except (TypeError, ValueError) as error:
        raise MalformedResponseError(f"statusCode is {result['statusCode']!r}") from error
    text = result.get("body") or ""
    if not isinstance(text, str):
        raise MalformedResponseError(f"body is {type(text).__name__}, not str")
    named = {name.lower(): str(value) for name, value in (result.get("headers") or {}).items()}
    headers = list(({"content-type": "text/plain;charset=UTF-8"} | named).items())
    headers += [("set-cookie", cookie) for cookie in result.get("cookies") or ()]
    body = base64.b64decode(text) if result.get("isBase64Encoded") else text.encode()
    return HttpResponse(status, headers, body)


def _match(pattern: str, path: str) -> dict[str, str] | None:
    if pattern == "$default":
        return {}
    names, values = pattern.split("/"), path.split("/")
    if len(names) != len(values):
        return None
    parameters = {}
    for name, value in zip(names, values, strict=True):
        if _is_variable(name) and value:
            parameters[name[1:-1]] = value
        elif name != value:
            return None
    return parameters


def _generality(route: ApiRoute) -> tuple[bool, list[bool], bool]:
    segments = [_is_variable(segment) for segment in route.path.split("/")]
    return route.path == "$default", segments, route.method == "ANY"


def _is_variable(segment: str) -> bool:
    return segment.startswith("{")


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in pairs:
        values[name] = f"{values[name]},{value}" if name in values else value
    return values


def _body(body: bytes, content_type: str | None) -> tuple[str, bool]:
    kind = (content_type or "").split(";")[0].strip().lower()
    if kind.startswith("text/") or kind == "application/json":
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode(), True
