"""`partyline console`: the room's page without phones, for a deployed stack.

The server listens on loopback only. It keeps the bearer key and passes the page's requests on to
the stack's API.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.client import Client
from local.room.aws_links import AwsLogs
from local.room.guard import PageGuard
from local.room.hub import Hub
from local.room.page import HEADERS, routes
from local.room.poll import Poll
from local.room.proxy import Proxy
from local.serving import serve

EVERY_SECS = 1.5


@contextmanager
def run_console(
    deployment: str,
    api_key: str,
    port: int = 0,
    every_secs: float = EVERY_SECS,
    *,
    stage: str = "",
    read_only: bool = False,
    logs: AwsLogs | None = None,
) -> Iterator[str]:
    """Serve the console of the stack at `deployment` (its base URL, without a slash at its end).

    Yields the URL of the page, with a password of this run: the page dials at the cost of the key's
    owner, and another user of the machine can reach the port. Stops the console at the end of the
    `with`. The console asks for changes every `every_secs`, while a window is open. The page shows
    `stage`, such as `prod`. With `read_only` the page has no forms, and its server passes on GET
    requests only. A conversation has links to `logs`. Raises OSError when the port is in use, and
    ValueError for an invalid URL.
    """
    parts = urlsplit(deployment)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{deployment} is no URL of a stack, such as https://calls.example.com")
    hello: dict[str, Any] = {"mode": "console", "api": deployment, "number": None, "to": deployment}
    hello |= {"stage": stage, "readOnly": read_only, "aws": logs and logs.greeting}
    with ExitStack() as closing:
        hub, proxy = Hub(), Proxy(deployment, api_key, read_only=read_only)
        closing.callback(proxy.close)
        password = token_urlsafe(32)
        poll = Poll(hub, Client(deployment, api_key), every_secs)
        closing.callback(poll.close)
        page = Starlette(routes=[*routes(hub, hello), proxy.route(), _open_route(poll)])
        app = PageGuard(page, password=password)
        server = serve(app, port, page=True)
        closing.callback(server.stop)
        closing.callback(hub.close)
        yield f"{server.url}/?{password}"


def _open_route(poll: Poll) -> Route:
    async def handle(request: Request) -> Response:
        conversation_id = str((await request.json())["conversation"])
        await run_in_threadpool(poll.open, conversation_id)
        return JSONResponse({}, headers=HEADERS)

    return Route("/room/open", handle, methods=["POST"])
