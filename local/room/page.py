"""The page's files and the live stream, which the phone room and the console share."""

import asyncio
import json
import mimetypes
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from local.room.hub import Hub

FOLDER = Path(__file__).with_name("page")

HEADERS = {
    # Only the page's own scripts, styles and connections; nothing inline, against injected markup.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}

_POLL_SECS = 0.05
_KEEPALIVE_SECS = 10.0


def routes(hub: Hub, hello: dict[str, Any]) -> list[Route]:
    """Return the routes of the page, its files and `/room/live`; `hello` is the first event."""

    async def file(request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        # Only names of files in the folder, so no path leads out of the folder.
        known = {path.name: path for path in FOLDER.iterdir()}
        if name not in known:
            return PlainTextResponse("There is no such file.", 404, HEADERS)
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return Response(known[name].read_bytes(), headers=HEADERS, media_type=kind)

    async def live(request: Request) -> Response:
        since = hub.version_of(request.query_params.get("since", ""))
        stream = _events(hub, {**hello, "boot": hub.boot}, since)
        return StreamingResponse(stream, headers=HEADERS, media_type="text/event-stream")

    return [Route("/", file), Route("/room/page/{name}", file), Route("/room/live", live)]


async def _events(hub: Hub, hello: dict[str, Any], since: int) -> AsyncIterator[str]:
    hub.windows += 1
    try:
        async for text in _facts(hub, hello, since):
            yield text
    finally:
        hub.windows -= 1


async def _facts(hub: Hub, hello: dict[str, Any], since: int) -> AsyncIterator[str]:
    yield f"event: hello\ndata: {json.dumps(hello)}\n\n"
    sent, ready, idle = since, False, 0.0
    while not hub.closed:
        if hub.version > sent:
            facts = hub.since(sent)
            sent = max((fact.version for fact in facts), default=hub.version)
            yield "".join(fact.event(hub.boot) for fact in facts)
            idle = 0.0
        if not ready:
            yield "event: ready\ndata: {}\n\n"
            ready = True
        await asyncio.sleep(_POLL_SECS)
        idle += _POLL_SECS
        if idle >= _KEEPALIVE_SECS:
            # Only a write reveals that a window is closed.
            yield ": still here\n\n"
            idle = 0.0
