"""EventBridge Scheduler on this machine: the one-time schedules that functions make.

A few requests of its API over HTTP (AWS docs, EventBridge Scheduler API reference), so that a
function that runs in another process reaches it too; ministack has the service as well, but goes by
the clock on the wall and calls only functions of its own.
"""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.stack.event_bus import call_later
from local.stack.handlers import Invoke
from local.stack.queues import Queues, utc_now
from local.stack.template import Template, function_of

_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")


@dataclass(frozen=True)
class OneTime:
    """A schedule that has not run: `input` is the event that the function gets."""

    name: str
    at: datetime
    function: str
    input: Any


class Scheduler:
    """Keeps schedules until their time; `app` is its API, for `local.stack.serving.serve`."""

    def __init__(
        self,
        template: Template,
        invoke: Invoke,
        queues: Queues,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.now = now
        self._template, self._invoke, self._queues = template, invoke, queues
        self._schedules: dict[tuple[str, str], OneTime] = {}
        self._lock = threading.Lock()
        path = "/schedules/{name}"
        self.app = Starlette(
            routes=[
                Route(path, self._create, methods=["POST"]),
                Route(path, self._update, methods=["PUT"]),
                Route(path, self._delete, methods=["DELETE"]),
            ]
        )

    @property
    def schedules(self) -> list[OneTime]:
        """What has not run yet."""
        with self._lock:
            return list(self._schedules.values())

    def run_due(self) -> int:
        """Call the functions whose time has come; how many schedules that were."""
        now = self.now()
        with self._lock:
            due = {key: each for key, each in self._schedules.items() if each.at <= now}
            for key in due:
                # What ActionAfterCompletion says: a schedule that has run is no more.
                del self._schedules[key]
        for each in due.values():
            call_later(self._template, self._invoke, self._queues, each.function, each.input)
        return len(due)

    async def _create(self, request: Request) -> Response:
        return await self._put(request, new=True)

    async def _update(self, request: Request) -> Response:
        return await self._put(request, new=False)

    async def _put(self, request: Request, *, new: bool) -> Response:
        given = await request.json()
        key = given.get("GroupName", "default"), request.path_params["name"]
        at = _AT.fullmatch(given["ScheduleExpression"])
        if at is None or given.get("ActionAfterCompletion") != "DELETE":
            return _error(400, "ValidationException", "only one-time schedules that go away")
        schedule = OneTime(
            name=key[1],
            at=datetime.fromisoformat(at[1]).replace(tzinfo=UTC),
            function=function_of(given["Target"]["Arn"]),
            input=json.loads(given["Target"]["Input"]),
        )
        with self._lock:
            if new and key in self._schedules:
                return _error(409, "ConflictException", f"Schedule {key[1]} already exists.")
            if not new and key not in self._schedules:
                return _missing(key[1])
            self._schedules[key] = schedule
        return JSONResponse({"ScheduleArn": f"arn:aws:scheduler:::schedule/{'/'.join(key)}"})

    async def _delete(self, request: Request) -> Response:
        key = request.query_params.get("groupName", "default"), request.path_params["name"]
        with self._lock:
            found = self._schedules.pop(key, None)
        return JSONResponse({}) if found else _missing(key[1])


def _missing(name: str) -> Response:
    return _error(404, "ResourceNotFoundException", f"Schedule {name} does not exist.")


def _error(status: int, code: str, message: str) -> Response:
    headers = {"x-amzn-errortype": code}
    return JSONResponse({"Message": message}, status, headers)
