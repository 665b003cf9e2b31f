"""Who may ask a page's server: this machine's own browser, on this server's own page.

The server acts with the bearer key, and it has no password. So another site in the same browser, a
name that was made to point at this machine, and a tunnel to the port must all be refused.
"""

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

HEADER = "x-partyline-page"
"""What only the page itself sends: a browser asks before another site may, and is not answered."""

_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
_PASSED_ON = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
_READING = frozenset({"GET", "HEAD"})


class PageGuard:
    """An ASGI application that answers nobody but its own page."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand in front of `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse with 403."""
        if scope["type"] == "http" and (reason := refusal(scope)):
            await JSONResponse({"error": {"code": "refused", "message": reason}}, 403)(
                scope, receive, send
            )
            return
        await self._app(scope, receive, send)


def refusal(scope: Scope) -> str | None:
    """Why a request is not answered, or None."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    host = headers.get("host", "")
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if name not in _NAMES or any(each in headers for each in _PASSED_ON):
        return "This page is for the machine that it runs on."
    if headers.get("origin", f"http://{host}") != f"http://{host}":
        return "Another site asked."
    if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return "Another site asked."
    if scope["method"] not in _READING and HEADER not in headers:
        return f"Only the page asks this; it sends {HEADER}."
    return None
