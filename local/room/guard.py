"""Protects a page's server: only the server's own page may act.

The server acts with the bearer key. So the page is shown under the names of this machine only,
never through a tunnel, and its requests carry a header of their own. The page of a deployed stack
also has a password, which other users of the machine do not know.
"""

from hmac import compare_digest

from local.loopback import App, LoopbackGuard, Receive, Scope, Send

HEADER = "x-partyline-page"
"""A header of the page. Another site needs a CORS preflight for the header, which is refused."""

_COOKIE = "partyline"
_SAFE_METHODS = frozenset({"GET", "HEAD"})


class PageGuard(LoopbackGuard):
    """An ASGI application that answers its own page only.

    With a `password`, the page opens at `/?password`, which gives the browser a cookie. Every other
    request must have the cookie.
    """

    def __init__(self, app: App, *, password: str = "") -> None:
        super().__init__(app, page=True)
        self._password = password.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, refuse the request, or give the browser the cookie."""
        if scope["type"] == "http" and self._opens_page(scope):
            # SameSite: a browser sends the cookie with no request of another site.
            cookie = b"%s=%s; Path=/; HttpOnly; SameSite=Strict"
            headers = [(b"location", b"/"), (b"cache-control", b"no-store")]
            headers.append((b"set-cookie", cookie % (_COOKIE.encode(), self._password)))
            await send({"type": "http.response.start", "status": 303, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
        else:
            await super().__call__(scope, receive, send)

    def refusal(self, scope: Scope) -> str | None:
        """Return the reason to refuse a request, or None."""
        if reason := super().refusal(scope):
            return reason
        names = {name.decode("latin-1") for name, _ in scope["headers"]}
        if scope["method"] not in _SAFE_METHODS and HEADER not in names:
            return f"Only the page may send this request, with the header {HEADER}."
        if self._password and not self._has_cookie(scope):
            return "Open the page at the URL that the command has printed."
        return None

    def _opens_page(self, scope: Scope) -> bool:
        asks = scope["method"] == "GET" and scope["path"] == "/" and self._password
        right = asks and compare_digest(scope["query_string"], self._password)
        return bool(right) and super().refusal(scope) is None

    def _has_cookie(self, scope: Scope) -> bool:
        sent = b";".join(text for name, text in scope["headers"] if name == b"cookie")
        ours = _COOKIE.encode() + b"=" + self._password
        return any(compare_digest(cookie.strip(), ours) for cookie in sent.split(b";"))
