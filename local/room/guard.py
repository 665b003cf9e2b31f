"""Protects a page's server: only the server's own page may act.

The server acts with the bearer key and has no password. So the page is shown under the names of
this machine only, never through a tunnel, and its requests carry a header of their own.
"""

from local.loopback import App, LoopbackGuard, Scope

HEADER = "x-partyline-page"
"""A header of the page. Another site needs a CORS preflight for the header, which is refused."""

_SAFE_METHODS = frozenset({"GET", "HEAD"})


class PageGuard(LoopbackGuard):
    """An ASGI application that answers its own page only."""

    def __init__(self, app: App) -> None:
        super().__init__(app, page=True)

    def refusal(self, scope: Scope) -> str | None:
        """Return the reason to refuse a request, or None."""
        if reason := super().refusal(scope):
            return reason
        names = {name.decode("latin-1") for name, _ in scope["headers"]}
        if scope["method"] not in _SAFE_METHODS and HEADER not in names:
            return f"Only the page may send this request, with the header {HEADER}."
        return None
