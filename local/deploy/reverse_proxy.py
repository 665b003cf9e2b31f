"""A door on this machine to an API that was deployed into the embedded AWS.

API Gateway tells its APIs apart by host names that no DNS has here; Telnyx, the demo and the tests
get a plain loopback address instead.
"""

from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_PATIENCE_SECS = 60.0
_OF_THE_CONNECTION = {"host", "connection", "content-length", "transfer-encoding", "date", "server"}


class ReverseProxy:
    """An ASGI application that hands every request on to the API `api_id` at `aws_url`."""

    def __init__(self, aws_url: str) -> None:
        self.api_id = ""
        self._aws_url = aws_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Be an ASGI application."""
        request = Request(scope, receive)
        path = request.scope["raw_path"].decode("latin-1")
        query = request.scope["query_string"].decode("latin-1")
        headers: list[tuple[str, Any]] = [
            *_passed_on(request.headers.items()),
            ("host", f"{self.api_id}.execute-api.localhost"),
            ("x-forwarded-proto", "http"),
        ]
        # A client for each request: they come from several event loops' threads.
        async with httpx.AsyncClient(trust_env=False, timeout=_PATIENCE_SECS) as http:
            answer = await http.request(
                request.method,
                f"{self._aws_url}{path}{'?' if query else ''}{query}",
                headers=headers,
                content=await request.body(),
            )
        response = Response(answer.content, answer.status_code)
        for name, value in _passed_on(answer.headers.items()):
            response.headers[name] = value
        await response(scope, receive, send)


def _passed_on(headers: Any) -> list[tuple[str, str]]:
    return [each for each in headers if each[0].lower() not in _OF_THE_CONNECTION]
