"""An API that records each request and gives prepared answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from typer.testing import CliRunner, Result

from local.cli.app import app
from local.serving import serve

Json = dict[str, Any]

FIRST = "402ec47c-0000-4000-8000-000000000001"
SECOND = "402ec47d-0000-4000-8000-000000000002"
SCHEDULED = "77777777-0000-4000-8000-000000000003"


def person(name: str | None, id_: str, status: str = "joined", **fields: Any) -> Json:
    """A participant with one call."""
    leg = {
        "call_control_id": f"v3:{id_}",
        "to": "+13125550112",
        "from": "+13125550100",
        "status": "answered",
        "outcome": "human",
    }
    rest = {"outcome": None, "attempt": None, "legs": [leg]}
    return {"id": id_, "name": name, "status": status, **rest, **fields}


def conversation(id_: str, status: str = "active", **fields: Any) -> Json:
    """A conversation with a host and a guest."""
    return {
        "id": id_,
        "status": status,
        "failure": None,
        "updated_at": "2026-03-01T12:00:02Z",
        "created_at": "2026-03-01T12:00:00Z",
        "active_at": "2026-03-01T12:00:01Z",
        "ended_at": None,
        "metadata": {},
        "direction": "outbound",
        "participants": [person("Robin", "host"), person("Dana", "guest-f1ed6d9c3091")],
        **fields,
    }


def event(seq: int, event_type: str, **data: Any) -> Json:
    """An event of a timeline."""
    at = f"2026-03-01T12:00:0{seq}Z"
    return {"seq": seq, "type": event_type, "occurred_at": at, "cause": "any", "data": data}


BOOKING: Json = {
    "id": SCHEDULED,
    "status": "scheduled",
    "start_at": "2027-01-04T15:00:00Z",
    "key_id": "crm",
    "failure": None,
    "metadata": {},
    "created_at": "2026-03-01T12:00:00Z",
}


@dataclass
class FakeApi:
    """The conversations of the API, the requests so far, and errors to answer first."""

    conversations: list[Json] = field(
        default_factory=lambda: [conversation(FIRST), conversation(SECOND)]
    )
    timeline: list[Json] = field(default_factory=list)
    errors: list[tuple[int, Json]] = field(default_factory=list)
    requests: list[tuple[str, str, Json | None]] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    erasures: list[Json] = field(default_factory=list)
    """The receipts to answer, in their order."""
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    def run(self, *arguments: str, stdin: str | None = None, **variables: str) -> Result:
        """Run a command of the command line with this API."""
        environment = {"PARTYLINE_API_KEY": "k", "PARTYLINE_URL": self.url, **variables}
        return CliRunner().invoke(app, arguments, input=stdin, env=environment)

    def changes(self) -> list[tuple[str, str, Json | None]]:
        """The requests that are not reads."""
        return [request for request in self.requests if request[0] != "GET"]

    async def answer(self, request: Request) -> JSONResponse:
        """Record a request, and answer."""
        body = await request.json() if await request.body() else None
        self.requests.append((request.method, request.url.path, body))
        self.headers.append(dict(request.headers))
        self.queries.append(request.url.query)
        if self.errors:
            status, error = self.errors.pop(0)
            return JSONResponse(error, status)
        is_erasure = request.method == "DELETE" or request.url.path.startswith("/erasures/")
        if self.erasures and is_erasure:
            return JSONResponse(self.erasures.pop(0))
        return JSONResponse(self._found(request))

    def _found(self, request: Request) -> Json:
        _, _, *rest = request.url.path.split("/")
        if request.method == "GET" and not rest:
            return self._page(request)
        if request.method == "GET" and rest[1:] == ["timeline"]:
            return {"events": self.timeline, "next_cursor": None}
        if request.method == "GET":
            return next(row for row in [*self.conversations, BOOKING] if row["id"] == rest[0])
        if rest[1:] == ["participants"]:
            return person("Dana", "guest-f1ed6d9c3091", "dialing")
        if rest[1:] == ["handover"]:
            return {"id": "handover-1"}
        return {**conversation(FIRST), "staying_up": [{"participant_id": "host"}]}

    def _page(self, request: Request) -> Json:
        query = request.query_params
        rows = [BOOKING] if query.get("status") == "scheduled" else self.conversations
        begin = int(query.get("cursor", "0"))
        end = begin + int(query.get("limit", "20"))
        following = str(end) if end < len(rows) else None
        return {"conversations": rows[begin:end], "next_cursor": following}


@contextmanager
def serve_fake_api() -> Iterator[FakeApi]:
    """Serve the API while the `with` lasts."""
    api = FakeApi()
    methods = ["GET", "POST", "DELETE"]
    running = serve(Starlette(routes=[Route("/{path:path}", api.answer, methods=methods)]))
    api.url = running.url
    try:
        yield api
    finally:
        running.stop()
