"""The page's way to a deployment's API: its requests go on from here, with the bearer key.

So the key is never in the page, its address or its storage.
"""

import re
from collections.abc import Callable
from typing import Any

import httpx
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

_PATH = re.compile(
    r"/conversations(/[\w-]{1,64}(/(timeline|stop|messages|participants(/[\w-]{1,64})?))?)?",
    re.ASCII,
)

OnChange = Callable[[str, str, Any], None]


class Proxy:
    """Passes requests on to the API at `url`.

    `asked` is told of each request that changed something: its method, its path and its body.
    """

    def __init__(self, url: str, api_key: str, asked: OnChange = lambda *_: None) -> None:
        """Connect at the first request."""
        self._on_change = asked
        self._http = httpx.Client(
            base_url=url,
            headers={"authorization": f"Bearer {api_key}"},
            timeout=30.0,
            trust_env=False,
        )

    def route(self) -> Route:
        """`/room/api/...`: the API's own paths below it."""
        return Route("/room/api{path:path}", self._pass_on, methods=["GET", "POST", "DELETE"])

    def close(self) -> None:
        """Let the connection go."""
        self._http.close()

    async def _pass_on(self, request: Request) -> Response:
        path = request.path_params["path"]
        if not _PATH.fullmatch(path):
            return _error(404, "not_found", "The page does not ask this.")
        body = await request.body()
        headers = {
            name: request.headers[name]
            for name in ("content-type", "idempotency-key")
            if name in request.headers
        }
        try:
            answer = await run_in_threadpool(
                self._http.request,
                request.method,
                path,
                params=dict(request.query_params),
                content=body or None,
                headers=headers,
            )
        except httpx.HTTPError as error:
            said = f"{self._http.base_url} does not answer ({type(error).__name__})."
            return _error(502, "unreachable", said)
        if answer.is_success and request.method != "GET":
            given = await request.json() if body else None
            # In a thread: who is told may ask this very server something.
            await run_in_threadpool(self._on_change, request.method, path, given)
        kind = answer.headers.get("content-type", "application/json")
        return Response(answer.content, answer.status_code, media_type=kind)


def _error(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message, "details": []}}, status)
