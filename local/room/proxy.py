"""A proxy from the page to a deployment's API, which adds the bearer key.

So the key is never in the page, its URL or its storage.
"""

import re
from collections.abc import Callable
from typing import Any

import httpx
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.tls import tls_context

_PATH = re.compile(
    r"/conversations(/[\w-]{1,64}"
    r"(/(timeline|stop|messages|handover|assistant|transcript|report|participants(/[\w-]{1,64})?))?)?"
    r"|/routes(/default|/\+[0-9]{1,15})?|/do-not-call/\+[0-9]{1,15}|/hooks(/[\w-]{1,64}/deliveries)?",
    re.ASCII,
)

OnChange = Callable[[str, str, Any], None]


class Proxy:
    """Passes requests on to the API at `url`.

    `on_change` is called after each successful request except GET, with method, path and body.
    With `read_only`, other requests than GET are refused.
    """

    def __init__(
        self,
        url: str,
        api_key: str,
        on_change: OnChange = lambda *_: None,
        *,
        read_only: bool = False,
    ) -> None:
        self._methods = ["GET"] if read_only else ["GET", "POST", "PUT", "DELETE"]
        self._on_change = on_change
        self._http = httpx.Client(
            base_url=url,
            headers={"authorization": f"Bearer {api_key}"},
            timeout=30.0,
            trust_env=False,
            verify=tls_context(),
        )

    def route(self) -> Route:
        """Return the route `/room/api/...`, which has the API's paths below it."""
        return Route("/room/api{path:path}", self._pass_on, methods=self._methods)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    async def _pass_on(self, request: Request) -> Response:
        path = request.path_params["path"]
        if not _PATH.fullmatch(path):
            return _error(404, "not_found", "The page has no such request.")
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
            message = f"{self._http.base_url} does not answer ({type(error).__name__})."
            return _error(502, "unreachable", message)
        if answer.is_success and request.method != "GET":
            document = await request.json() if body else None
            # In a thread, because the callback may send a request to this server.
            await run_in_threadpool(self._on_change, request.method, path, document)
        kind = answer.headers.get("content-type", "application/json")
        return Response(answer.content, answer.status_code, media_type=kind)


def _error(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message, "details": []}}, status)
