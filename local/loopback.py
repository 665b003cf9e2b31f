"""The rule of all servers on this machine: only this machine's programs get an answer.

A server on loopback is still in reach of every page in the user's browser (CSRF, DNS rebinding), of
every tunnel to the port, and of every other user of the machine. `local.serving.serve` puts the
guard before each server; the embedded AWS has the guard in its own process.
"""

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from hmac import compare_digest
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

TOKEN_HEADER = "x-amz-security-token"  # noqa: S105, the header's name
"""The header of AWS's session token. AWS clients send the token with each request."""

_HOST = re.compile(r"(\[[0-9a-f:]+\]|[a-z0-9.-]+)(:\d+)?", re.IGNORECASE)
_PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


def is_loopback(url: str) -> bool:
    """Return whether a URL is on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class LoopbackGuard:
    """An ASGI application that passes the requests of this machine's programs on to `app`.

    `tunnels` are host names under which the user publishes the server on purpose. `page` tells
    whether the server has a page, whose own requests carry an `Origin`. Each request must carry
    `token`, unless `token` is empty.
    """

    def __init__(
        self,
        app: App,
        *,
        tunnels: frozenset[str] = frozenset(),
        page: bool = False,
        token: str = "",
    ) -> None:
        self._app = app
        self._tunnels = tunnels
        self._page = page
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with 403 and without any CORS header."""
        reason = None if scope["type"] == "lifespan" else self.refusal(scope)
        if reason is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await _refuse(send, reason)
        else:
            await send({"type": "websocket.close", "code": 1008})

    def refusal(self, scope: Scope) -> str | None:
        """Return the reason to refuse a request, or None."""
        pairs = [
            (name.decode("latin-1"), text.decode("latin-1")) for name, text in scope["headers"]
        ]
        headers = dict(pairs)
        host = headers.get("host", "")
        if len([name for name, _ in pairs if name == "host"]) != 1 or not self._is_ours(host):
            return "The server does not answer under this host name."
        if not self._tunnels and any(header in headers for header in _PROXY_HEADERS):
            return "The server answers requests of its own machine only."
        own_origin = f"http://{host}" if self._page else None
        if headers.get("origin", own_origin) != own_origin:
            return "The request came from another site."
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return "The request came from another site."
        token = headers.get(TOKEN_HEADER, "").encode("latin-1")
        if self._token and not compare_digest(token, self._token):
            return f"The request lacks this run's token in {TOKEN_HEADER}."
        return None

    def _is_ours(self, host: str) -> bool:
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        return is_loopback(f"//{host}") or match[1].lower() in self._tunnels


async def _refuse(send: Send, reason: str) -> None:
    body = json.dumps({"error": {"code": "refused", "message": reason}}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
