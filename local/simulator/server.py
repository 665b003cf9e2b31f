"""HTTP server of the simulator: Telnyx's API under `/v2`, the people's phones under `/admin`.

Each request has the account's key in `authorization`, those of the admin API too. Bodies of the
admin API are JSON and say so in `content-type`; an error is `{"error": "..."}` with 401, 404, 415
or 422.
"""

import asyncio
import dataclasses
from collections.abc import Callable
from hmac import compare_digest
from typing import Any, cast

import httpx
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from local.simulator.delivery import DeliverySettings
from local.simulator.errors import ApiError
from local.simulator.faults import Fault
from local.simulator.model import JsonObject, Person
from local.simulator.telnyx import Simulator

_PERSON = TypeAdapter(Person)
_FAULT = TypeAdapter(Fault)
_DELIVERY_SETTINGS = TypeAdapter(DeliverySettings)
_PHONE_ACTIONS = frozenset(
    {"answer", "decline", "busy", "hang_up", "press", "say", "transfer", "end_assistant"}
)
# Internal fields of a leg that a page does not need.
_HIDDEN = frozenset({"timers", "gather", "on_answer", "far_end"})


def simulator_app(simulator: Simulator) -> Starlette:
    """Return the ASGI application of `simulator`."""
    admin = Admin(simulator)

    async def telnyx(request: Request) -> Response:
        path = request.scope["raw_path"].decode("ascii")
        if request.scope["query_string"]:
            path += "?" + request.scope["query_string"].decode("ascii")
        reply = await run_in_threadpool(
            simulator.handle, request.method, path, request.headers, await request.body()
        )
        await asyncio.sleep(reply.held_secs)
        if reply.wire != "answered":
            return BrokenConnection()
        return Response(reply.body, reply.status, reply.headers)

    def endpoint(handler: Callable[[Request, JsonObject], Any]) -> Callable[[Request], Any]:
        async def respond(request: Request) -> Response:
            try:
                expected = f"Bearer {simulator.settings.api_key}".encode()
                if not compare_digest(request.headers.get("authorization", "").encode(), expected):
                    return JSONResponse({"error": "send the key of the API"}, 401)
                sent = await request.body()
                # A page of another site can send any other type without a preflight.
                if sent and request.headers.get("content-type") != "application/json":
                    return JSONResponse({"error": "send application/json"}, 415)
                body = await request.json() if sent else {}
                answer = await run_in_threadpool(handler, request, body)
                return JSONResponse(to_jsonable_python(answer))
            except KeyError as error:
                return JSONResponse({"error": f"there is no {error}"}, 404)
            except (ApiError, ValidationError, ValueError, TypeError) as error:
                return JSONResponse({"error": str(error)}, 422)

        return respond

    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    return Starlette(
        routes=[
            Route("/v2/{path:path}", telnyx, methods=methods),
            Route("/admin/state", endpoint(admin.state)),
            Route("/admin/ledger", endpoint(admin.ledger)),
            Route("/admin/deliveries", endpoint(admin.deliveries)),
            Route("/admin/ring_in", endpoint(admin.ring_in), methods=["POST"]),
            Route("/admin/outside_call", endpoint(admin.outside_call), methods=["POST"]),
            Route("/admin/calls/{id}/use_tool", endpoint(admin.use_tool), methods=["POST"]),
            Route("/admin/calls/{id}/{action}", endpoint(admin.use_phone), methods=["POST"]),
            Route("/admin/people", endpoint(admin.set_person), methods=["PUT"]),
            Route("/admin/faults", endpoint(admin.add_fault), methods=["POST"]),
            Route("/admin/faults", endpoint(admin.clear_faults), methods=["DELETE"]),
            Route("/admin/webhooks/{event_type}", endpoint(admin.set_delivery), methods=["PUT"]),
            Route("/admin/settings", endpoint(admin.set_settings), methods=["PATCH"]),
        ]
    )


class Admin:
    """Handlers of the admin API; each method takes the request and its JSON body."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def state(self, _request: Request, _body: JsonObject) -> Any:
        """GET: all people, legs and conversations, active faults and violations."""
        simulator = self._simulator
        with simulator.lock:
            return {
                "legs": [_view(leg) for leg in simulator.legs],
                "conversations": simulator.conversations,
                "people": list(simulator.world.people.values()),
                "faults": simulator.faults.active,
                "violations": simulator.violations,
                "public_key": simulator.public_key,
            }

    def ledger(self, request: Request, _body: JsonObject) -> Any:
        """GET: the requests from number `since` on."""
        return self._simulator.ledger[_since(request) :]

    def deliveries(self, request: Request, _body: JsonObject) -> Any:
        """GET: the webhook attempts from number `since` on."""
        return self._simulator.deliverer.attempts[_since(request) :]

    def ring_in(self, _request: Request, body: JsonObject) -> Any:
        """POST {from, to, connection_id?}: a person calls."""
        leg = self._simulator.ring_in(body["from"], body["to"], body.get("connection_id"))
        return _view(leg)

    def outside_call(self, _request: Request, body: JsonObject) -> Any:
        """POST {from, to, webhook_url?}: a live call of another application."""
        leg = self._simulator.outside_call(body["from"], body["to"], body.get("webhook_url"))
        return _view(leg)

    def use_phone(self, request: Request, body: JsonObject) -> Any:
        """POST answer, decline, busy, hang_up, end_assistant, press {digits}, say {text} or
        transfer {to}."""
        call, action = request.path_params["id"], request.path_params["action"]
        if action not in _PHONE_ACTIONS:
            raise KeyError(action)
        getattr(self._simulator, action)(call, **body)
        return _view(self._simulator.world.legs[call])

    def use_tool(self, request: Request, body: JsonObject) -> Any:
        """POST {url, arguments}: use a webhook tool as the assistant on a call."""
        call = request.path_params["id"]
        tool = self._simulator.use_tool(call, body["url"], body.get("arguments", {}))
        try:
            answer = httpx.post(
                tool.url, content=tool.body, headers=tool.headers, timeout=10, trust_env=False
            )
        except httpx.HTTPError as error:
            raise ValueError(f"the tool did not answer: {error}") from None
        return {"status": answer.status_code, "answer": answer.text}

    def set_person(self, _request: Request, body: JsonObject) -> Any:
        """PUT a person at a number."""
        person = _PERSON.validate_python(body)
        self._simulator.set_person(person)
        return person

    def add_fault(self, _request: Request, body: JsonObject) -> Any:
        """POST a fault of the API."""
        fault = _FAULT.validate_python(body)
        self._simulator.faults.add(fault)
        return fault

    def clear_faults(self, _request: Request, _body: JsonObject) -> Any:
        """DELETE all faults."""
        self._simulator.faults.clear()
        return {}

    def set_delivery(self, request: Request, body: JsonObject) -> Any:
        """PUT the delivery faults of an event type (or `*`)."""
        settings = _DELIVERY_SETTINGS.validate_python(body)
        self._simulator.deliverer.settings[request.path_params["event_type"]] = settings
        return settings

    def set_settings(self, _request: Request, body: JsonObject) -> Any:
        """PATCH settings by name; keys and ids cannot change."""
        settings = self._simulator.settings
        fields = {field.name: field for field in dataclasses.fields(settings)}
        for name, value in body.items():
            if name in ("api_key", "signing_seed", "connection_id"):
                raise ValueError(f"{name} is set at the start")
            adapter: TypeAdapter[Any] = TypeAdapter(cast("type[Any]", fields[name].type))
            setattr(settings, name, adapter.validate_python(value))
        return {name: getattr(settings, name) for name in body}


class BrokenConnection(Response):
    """An answer that the server begins and then cuts off."""

    def __init__(self) -> None:
        super().__init__(b"cut off", 502)

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Announce a body and send none: the server then closes the connection."""
        await send(
            {"type": "http.response.start", "status": 502, "headers": [(b"content-length", b"7")]}
        )


def _since(request: Request) -> int:
    return int(request.query_params.get("since", "0"))


def _view(leg: Any) -> JsonObject:
    return {
        field.name: getattr(leg, field.name)
        for field in dataclasses.fields(leg)
        if field.name not in _HIDDEN
    }
