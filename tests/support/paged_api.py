"""An API with a conversation whose timeline has three pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from local.serving import serve

TYPES = ("conversation.created", "conversation.active", "conversation.ended")
CURSORS = (None, "two/+=", "three")
"""The cursor of each page."""

ID = "c1000000-0000-4000-8000-000000000001"
CONVERSATION: dict[str, Any] = {
    "id": ID,
    "status": "ended",
    "direction": "outbound",
    "assistant": {"id": "assistant-local"},
    "participants": [],
    "insights": [],
    "failure": None,
    "created_at": "2026-03-01T12:00:00Z",
    "updated_at": "2026-03-01T12:00:02Z",
}


LIST = {"conversations": [CONVERSATION], "next_cursor": None}


@contextmanager
def serve_paged_api() -> Iterator[str]:
    """Serve the API; yields its URL."""
    app = Starlette(
        routes=[
            Route("/conversations", lambda _: JSONResponse(LIST)),
            Route(f"/conversations/{ID}", lambda _: JSONResponse(CONVERSATION)),
            Route(f"/conversations/{ID}/timeline", _timeline),
        ]
    )
    running = serve(app)
    try:
        yield running.url
    finally:
        running.stop()


def _timeline(request: Request) -> JSONResponse:
    page = CURSORS.index(request.query_params.get("cursor"))
    occurred_at = f"2026-03-01T12:00:0{page}Z"
    event = {"seq": page + 1, "type": TYPES[page], "occurred_at": occurred_at, "cause": "any"}
    following = CURSORS[page + 1] if page + 1 < len(CURSORS) else None
    return JSONResponse({"events": [{**event, "data": {}}], "next_cursor": following})
