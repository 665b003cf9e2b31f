"""The reverse proxy of a local deployment leads to its API, and to no other part of the AWS."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.deploy.reverse_proxy import ReverseProxy
from local.serving import serve
from local.stack.embedded_aws import Access

Forwarded = list[str]


@pytest.fixture
def forwarded() -> Forwarded:
    """The paths that reach the embedded AWS."""
    return []


@pytest.fixture
def proxy(forwarded: Forwarded) -> Iterator[ReverseProxy]:
    async def aws(request: Request) -> Response:
        forwarded.append(request.url.path)
        return Response("the AWS")

    running = serve(Starlette(routes=[Route("/{path:path}", aws)]))
    proxy = ReverseProxy(Access(running.url))
    proxy.api_id = "api"
    yield proxy
    running.stop()


def status_of(proxy: ReverseProxy, raw_path: str) -> int:
    """Send a GET request whose path no client has normalized; return the status."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    raw = raw_path.encode()
    scope = {"type": "http", "method": "GET", "path": raw_path, "raw_path": raw, "headers": []}
    # In a thread, because the browser's tests leave a running loop in the thread of the tests.
    run = partial(asyncio.run, proxy({**scope, "query_string": b""}, receive, send))
    with ThreadPoolExecutor(1) as thread:
        thread.submit(run).result()
    return int(sent[0]["status"])


def test_a_request_reaches_the_api(proxy: ReverseProxy, forwarded: Forwarded) -> None:
    assert status_of(proxy, "/conversations") == 200
    assert forwarded == ["/_aws/execute-api/api/conversations"]


@pytest.mark.parametrize(
    "path",
    ["/../../../", "/x/../../../../", "/%2e%2e/%2E./../", "/..%2f..%2f..%2f", "/%252e%252e/"],
)
def test_no_path_leads_above_the_api(proxy: ReverseProxy, forwarded: Forwarded, path: str) -> None:
    assert status_of(proxy, path) == 404
    assert forwarded == []
