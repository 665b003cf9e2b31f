"""Protects a page's server: only this machine's browser on the server's own page gets an answer.

The server acts with the bearer key and has no password. So requests of another site in the same
browser (CSRF), under a foreign host name (DNS rebinding), or through a tunnel are refused.
"""

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

HEADER = "x-partyline-page"
"""A header of the page. Another site needs a CORS preflight for the header, which is refused."""

_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
_PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
_SAFE_METHODS = frozenset({"GET", "HEAD"})


class PageGuard:
    """An ASGI application that answers its own page only."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with 403."""
        if scope["type"] == "http" and (reason := refusal(scope)):
            await JSONResponse({"error": {"code": "refused", "message": reason}}, 403)(
                scope, receive, send
            )
            return
        await self._app(scope, receive, send)


def refusal(scope: Scope) -> str | None:
    """Return the reason to refuse a request, or None."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    host = headers.get("host", "")
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if name not in _NAMES or any(header in headers for header in _PROXY_HEADERS):
        return "This page answers requests of its own machine only."
    if headers.get("origin", f"http://{host}") != f"http://{host}":
        return "The request came from another site."
    if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return "The request came from another site."
    if scope["method"] not in _SAFE_METHODS and HEADER not in headers:
        return f"Only the page may send this request, with the header {HEADER}."
    return None
