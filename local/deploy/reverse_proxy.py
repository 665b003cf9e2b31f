"""A reverse proxy to an API that was deployed into the embedded AWS.

API Gateway distinguishes its APIs by host names, which have no DNS entry here. The simulator, the
demo and the tests use a loopback address instead.
"""

from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_PATIENCE_SECS = 60.0
_HOP_BY_HOP = {"host", "connection", "content-length", "transfer-encoding", "date", "server"}


class ReverseProxy:
    """An ASGI application that forwards every request to the API `api_id` at `aws_url`."""

    def __init__(self, aws_url: str) -> None:
        self.api_id = ""
        self._aws_url = aws_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request."""
        request = Request(scope, receive)
        path = request.scope["raw_path"].decode("latin-1")
        query = request.scope["query_string"].decode("latin-1")
        headers: list[tuple[str, Any]] = [
            *_forwarded(request.headers.items()),
            ("host", f"{self.api_id}.execute-api.localhost"),
            ("x-forwarded-proto", "http"),
        ]
        # A client for each request: requests come from the threads of several event loops.
        async with httpx.AsyncClient(trust_env=False, timeout=_PATIENCE_SECS) as http:
            answer = await http.request(
                request.method,
                f"{self._aws_url}{path}{'?' if query else ''}{query}",
                headers=headers,
                content=await request.body(),
            )
        response = Response(answer.content, answer.status_code)
        for name, value in _forwarded(answer.headers.items()):
            response.headers[name] = value
        await response(scope, receive, send)


def _forwarded(headers: Any) -> list[tuple[str, str]]:
    return [header for header in headers if header[0].lower() not in _HOP_BY_HOP]
