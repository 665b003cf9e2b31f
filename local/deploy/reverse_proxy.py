"""A reverse proxy to an API that was deployed into the embedded AWS.

The embedded AWS wants its token with each request, and the id of the API in the path. The
simulator, the demo and the tests send neither.
"""

from typing import Any
from urllib.parse import unquote

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from local.loopback import TOKEN_HEADER
from local.stack.embedded_aws import Access

_PATIENCE_SECS = 300.0
_HOP_BY_HOP = {"host", "connection", "content-length", "transfer-encoding", "date", "server"}


class ReverseProxy:
    """An ASGI application that forwards requests to the API `api_id` in the AWS of `access`."""

    def __init__(self, access: Access) -> None:
        self.api_id = ""
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request."""
        request = Request(scope, receive)
        path = request.scope["raw_path"].decode("latin-1")
        if ".." in unquote(unquote(path)).split("/"):
            # Above the API is the embedded AWS, which would take the token for the sender's.
            await Response("", 404)(scope, receive, send)
            return
        query = request.scope["query_string"].decode("latin-1")
        api = f"{self._access.url}/_aws/execute-api/{self.api_id}"
        headers: list[tuple[str, Any]] = [
            *_forwarded(request.headers.items()),
            (TOKEN_HEADER, self._access.token),
            ("x-forwarded-proto", "http"),
        ]
        # A client for each request: requests come from the threads of several event loops.
        async with httpx.AsyncClient(trust_env=False, timeout=_PATIENCE_SECS) as http:
            answer = await http.request(
                request.method,
                f"{api}{path}{'?' if query else ''}{query}",
                headers=headers,
                content=await request.body(),
            )
        response = Response(answer.content, answer.status_code)
        for name, value in _forwarded(answer.headers.items()):
            response.headers[name] = value
        await response(scope, receive, send)


def _forwarded(headers: Any) -> list[tuple[str, str]]:
    return [header for header in headers if header[0].lower() not in _HOP_BY_HOP]
