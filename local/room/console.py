"""`partyline console`: the room's page without phones, for a deployed stack.

The server listens on loopback only. It keeps the bearer key and passes the page's requests on to
the stack's API.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from secrets import token_urlsafe
from urllib.parse import urlsplit

from starlette.applications import Starlette

from local.client import Client
from local.room.guard import PageGuard
from local.room.hub import Hub
from local.room.page import routes
from local.room.proxy import Proxy
from local.room.watch import Watch
from local.serving import serve

EVERY_SECS = 1.5


@contextmanager
def run_console(
    deployment: str, api_key: str, port: int = 0, every_secs: float = EVERY_SECS
) -> Iterator[str]:
    """Serve the console of the stack at `deployment` (its base URL, without a slash at its end).

    Yields the URL of the page, with a password of this run: the page dials at the cost of the key's
    owner, and another user of the machine can reach the port. Stops the console at the end of the
    `with`. The console asks for changes every `every_secs`. Raises OSError when the port is in use,
    and ValueError for an invalid URL.
    """
    parts = urlsplit(deployment)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{deployment} is no URL of a stack, such as https://calls.example.com")
    hello = {"mode": "console", "api": deployment, "number": None, "to": deployment}
    with ExitStack() as closing:
        hub, proxy = Hub(), Proxy(deployment, api_key)
        closing.callback(proxy.close)
        password = token_urlsafe(32)
        page = Starlette(routes=[*routes(hub, hello), proxy.route()])
        app = PageGuard(page, password=password)
        server = serve(app, port, page=True)
        closing.callback(server.stop)
        closing.callback(hub.close)
        closing.callback(Watch(hub, Client(deployment, api_key), every_secs).close)
        yield f"{server.url}/?{password}"
