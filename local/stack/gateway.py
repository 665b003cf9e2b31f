"""The HTTP API of template.yaml on this machine: real requests in, Lambda events to the handlers.

The gateway is an ASGI application: `local.serving.serve(gateway)` serves it on a port.
"""

import logging
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from local.stack import http_api
from local.stack.handlers import HandlersInProcess, Invoke
from local.stack.http_api import HttpRequest, HttpResponse
from local.stack.intrinsics import ACCOUNT_ID, REGION
from local.stack.queues import QueueRoute, Queues
from local.stack.template import Authorizer, Function, Route, Template

_MAX_BODY_BYTES = 10 * 1024 * 1024
_LOG = logging.getLogger(__name__)

Follower = Callable[[HttpRequest, HttpResponse | None, float], None]
"""Called with a request, its response (None at its arrival), and the duration in seconds."""


class Gateway:
    """Answer the template's routes, with the authorizer in front, and run scheduled functions.

    `invoke` runs a function; the default calls the handlers in this process, with `environment`
    over the template's variables. At most `concurrency` requests run at a time, each in a thread
    of its own. A route to a queue puts its requests into `queues`.
    """

    def __init__(
        self,
        template: Template,
        environment: Mapping[str, str] | None = None,
        *,
        invoke: Invoke | None = None,
        concurrency: int = 64,
    ) -> None:
        self._template = template
        functions = template.functions.values()
        self.invoke: Invoke = invoke or HandlersInProcess(functions, environment or {})
        self.queues = Queues(template, self.invoke)
        self._verdicts: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}
        self._threads = CapacityLimiter(concurrency)
        self._followers: list[Follower] = []

    def follow(self, follower: Follower) -> None:
        """Call `follower` when a request over HTTP arrives, and again with its response."""
        self._followers.append(follower)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve an ASGI request; the gateway needs no work at its start and end (lifespan)."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MAX_BODY_BYTES:
                answer = HttpResponse.message(413, "Request Entity Too Large")
                break
        else:
            answer = await to_thread.run_sync(
                self._handle_followed, _http_request(request, bytes(body)), limiter=self._threads
            )
        response = Response(answer.body, answer.status)
        for name, value in answer.headers:
            response.headers.append(name, value)
        await response(scope, receive, send)

    def _handle_followed(self, request: HttpRequest) -> HttpResponse:
        for follower in self._followers:
            follower(request, None, 0.0)
        began_at = time.monotonic()
        response = self.handle(request)
        for follower in self._followers:
            follower(request, response, time.monotonic() - began_at)
        return response

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer one request: route, authorize, run the function. Never raises."""
        routes: tuple[Route | QueueRoute, ...] = (*self._template.routes, *self.queues.routes)
        match = http_api.find_route(routes, request.method, request.path)
        if match is None:
            return HttpResponse.message(404, "Not Found")
        route, parameters = match
        if isinstance(route, QueueRoute):
            return self.queues.accept_request(route, request)
        event = http_api.request_event(request, route, parameters)
        try:
            if route.authorizer:
                authorizer = self._template.authorizers[route.authorizer]
                identity = event["headers"].get(authorizer.header)
                if not identity:
                    return HttpResponse.message(401, "Unauthorized")
                verdict = self._authorize(authorizer, identity, event)
                if verdict["isAuthorized"] is not True:
                    return HttpResponse.message(403, "Forbidden")
                event["requestContext"]["authorizer"] = {"lambda": verdict.get("context") or {}}
            return http_api.http_response(
                self.invoke(self._template.functions[route.function], event)
            )
        except Exception:  # noqa: BLE001
            # As with API Gateway, the caller does not learn the cause.
            _LOG.exception("%s failed", route.function)
            return HttpResponse.message(500, "Internal Server Error")

    def invoke_schedule(self, folder: str) -> Any:
        """Run the scheduled function of `functions/<folder>/` now and return its result.

        Raises the handler's exception, and KeyError when the function has no schedule.
        """
        schedules = {self._function(s.function).folder: s for s in self._template.schedules}
        schedule = schedules[folder]
        arn = f"arn:aws:scheduler:{REGION}:{ACCOUNT_ID}:schedule/default/{schedule.name}"
        # EventBridge Scheduler's event for a schedule without an input of its own.
        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": ACCOUNT_ID,
            "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": REGION,
            "resources": [arn],
            "detail": "{}",
        }
        return self.invoke(self._function(schedule.function), event)

    def _function(self, logical_id: str) -> Function:
        return self._template.functions[logical_id]

    def _authorize(self, authorizer: Authorizer, identity: str, event: dict[str, Any]) -> Any:
        key = (authorizer.name, identity)
        until, verdict = self._verdicts.get(key, (0.0, {}))
        if time.monotonic() >= until:
            question = http_api.authorizer_event(event, identity)
            verdict = self.invoke(self._function(authorizer.function), question)
            if not isinstance(verdict, dict) or "isAuthorized" not in verdict:
                raise http_api.MalformedResponseError(
                    f"{authorizer.function} returned no isAuthorized"
                )
            self._verdicts[key] = (time.monotonic() + authorizer.ttl_secs, verdict)
        return verdict


def _http_request(request: Request, body: bytes) -> HttpRequest:
    return HttpRequest(
        method=request.method,
        path=request.scope["path"],
        query=request.scope["query_string"].decode("latin-1"),
        headers=[
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw
        ],
        body=body,
        source_ip=request.client.host if request.client else "127.0.0.1",
        protocol=f"HTTP/{request.scope['http_version']}",
        scheme=request.url.scheme,
    )
