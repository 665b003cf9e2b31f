"""EventBridge Scheduler on this machine: the one-time schedules that functions create.

Three requests of the service's HTTP API are served (AWS docs, EventBridge Scheduler API reference),
so functions in other processes can send them too. ministack has the service as well, but follows
the wall clock and calls only functions of its own.
"""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.stack.event_bus import InvokeAsync
from local.stack.queues import utc_now
from local.stack.template import function_of

_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")


@dataclass(frozen=True)
class OneTimeSchedule:
    """A schedule that has not run yet; `input` is the event that the function gets."""

    name: str
    at: datetime
    function: str
    input: Any


class Scheduler:
    """Keep schedules until their time; `routes` are the HTTP API."""

    def __init__(self, invoke_async: InvokeAsync, now: Callable[[], datetime] = utc_now) -> None:
        self.now = now
        self._invoke_async = invoke_async
        self._schedules: dict[tuple[str, str], OneTimeSchedule] = {}
        self._lock = threading.Lock()
        path = "/schedules/{name}"
        self.routes = [
            Route(path, partial(self._put, new=True), methods=["POST"]),
            Route(path, partial(self._put, new=False), methods=["PUT"]),
            Route(path, self._delete, methods=["DELETE"]),
        ]

    @property
    def schedules(self) -> list[OneTimeSchedule]:
        """The schedules that have not run yet."""
        with self._lock:
            return list(self._schedules.values())

    def run_due(self) -> int:
        """Call the functions of the schedules whose time has come; return how many there were."""
        now = self.now()
        with self._lock:
            due = {key: item for key, item in self._schedules.items() if item.at <= now}
            for key in due:
                # ActionAfterCompletion is DELETE.
                del self._schedules[key]
        for schedule in due.values():
            self._invoke_async(schedule.function, schedule.input)
        return len(due)

    async def _put(self, request: Request, *, new: bool) -> Response:
        body = await request.json()
        key = body.get("GroupName", "default"), request.path_params["name"]
        at = _AT.fullmatch(body["ScheduleExpression"])
        if at is None or body.get("ActionAfterCompletion") != "DELETE":
            message = "only one-time schedules that are deleted after they ran"
            return _error(400, "ValidationException", message)
        schedule = OneTimeSchedule(
            name=key[1],
            at=datetime.fromisoformat(at[1]).replace(tzinfo=UTC),
            function=function_of(body["Target"]["Arn"]),
            input=json.loads(body["Target"]["Input"]),
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
            schedule = self._schedules.pop(key, None)
        return JSONResponse({}) if schedule else _missing(key[1])


def _missing(name: str) -> Response:
    return _error(404, "ResourceNotFoundException", f"Schedule {name} does not exist.")


def _error(status: int, code: str, message: str) -> Response:
    return JSONResponse({"Message": message}, status, {"x-amzn-errortype": code})
