"""The routes that edit `/routes` and `/do-not-call`."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from partyline.domain.model.assistant import AssistantStart
from partyline.domain.model.error_codes import ErrorCode
from partyline.domain.model.events import EventType
from partyline.domain.model.routes import StoredRoute
from partyline.domain.names import normalized_name
from partyline.entrypoints.api import app as api
from partyline.entrypoints.api import responses
from partyline.entrypoints.api.queries import DEFAULT_LIMIT, Limit
from partyline.services import requests
from partyline.services.assistant_settings import (
    AssistantSettings,
    Name,
    RequestModel,
    check_assistant_size,
    check_start,
    field_error,
)
from partyline.services.bearer_keys import Right
from partyline.services.errors import RequestError
from partyline.store.keys import DEFAULT_ROUTE
from partyline.telemetry import Metric, count, logger

directory = api.KeyRouter(Right.DIRECTORY)

MAX_CONTACTS = 50


class Contact(requests.InviteRequest):
    """Whom a name stands for: an invite plan."""

    @model_validator(mode="after")
    def _dialled(self) -> Self:
        if self.call_control_id is not None:
            raise field_error("call_control_id", "a contact is reached by its numbers")
        return self


class RouteLimits(RequestModel):
    """Bounds of each conversation on the route; the template's hold where one is left out."""

    participants: Annotated[int, Field(ge=1, le=20)] | None = None
    legs_at_once: Annotated[int, Field(ge=1, le=20)] | None = None
    minutes: Annotated[int, Field(ge=1, le=240)] | None = None


class RouteRequest(RequestModel):
    """`PUT /routes/{number}`: how calls to a number of ours are answered, and whom they reach."""

    assistant: AssistantSettings
    on_host_hangup: requests.Hangup = "end_conversation"
    contacts: Annotated[dict[Name, Contact], Field(max_length=MAX_CONTACTS)] = Field(
        default_factory=dict
    )
    dial_any_number: bool = False
    limits: RouteLimits = Field(default_factory=RouteLimits)
    words: requests.Phrases = Field(default_factory=dict)
    start: AssistantStart = "after_answer"
    live_transcript: bool = False

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.assistant.id is None:
            raise field_error("assistant.id", "needed")
        check_assistant_size(self.assistant)
        check_start(self.start, self.assistant)
        names = [normalized_name(name) for name in self.contacts]
        if len(set(names)) < len(names):
            raise field_error("contacts", "two names differ in case or space only")
        most = self.limits.legs_at_once or requests.MAX_AT_ONCE
        for name, contact in self.contacts.items():
            if contact.strategy == "at_once" and len(contact.numbers) > most:
                message = "more numbers than limits.legs_at_once"
                raise field_error(f"contacts.{name}.to", message)
        return self


class DoNotCallRequest(RequestModel):
    """`PUT /do-not-call/{number}`."""

    reason: Annotated[str, Field(max_length=500)] | None = None


class Route(RouteRequest):
    """How calls to a number are answered; `default` answers for numbers without a route."""

    number: requests.PhoneNumber | Literal["default"] = Field(examples=[DEFAULT_ROUTE])
    warnings: list[str] = Field([])
    changed_at: datetime | None = None
    changed_by: str | None = Field(None, description="the id of the bearer key of the last change")


class Routes(responses.ApiModel):
    """A page of routes by their numbers."""

    routes: list[Route]
    next_cursor: str | None


def _e164_or_default(text: str) -> str:
    return text if text == DEFAULT_ROUTE else requests.check_e164(text)


Number = Annotated[requests.PhoneNumber, Path()]
_NUMBER_SCHEMA = WithJsonSchema({"anyOf": [requests.E164_SCHEMA, {"const": DEFAULT_ROUTE}]})
_NumberOrDefault = Annotated[str, Field(max_length=64), AfterValidator(_e164_or_default)]
NumberOrDefault = Annotated[_NumberOrDefault, Path(), _NUMBER_SCHEMA]
NumberCursor = Annotated[_NumberOrDefault | None, Query(), _NUMBER_SCHEMA]


@directory.put("/routes/<number>", responses=api.answers({200: Route}))
def put_route(number: NumberOrDefault, body: Annotated[RouteRequest, Body()]) -> Response[Any]:
    """Answer the calls to a number by this route from now on."""
    rules = api.app().assistant_rules
    rules.check(body.assistant, api.gateway_url())
    rules.check_texts(body)
    for name, contact in body.contacts.items():
        prefix = f"contacts.{name}."
        requests.check_destinations(contact.numbers, api.app().destinations, prefix)
    route = body.model_dump(by_alias=True, exclude_none=True, exclude_unset=True)
    stored = api.app().directory.put_route(number, StoredRoute.model_validate(route), api.change())
    _report(EventType.ROUTE_CHANGED)
    warnings = responses.warnings_about(stored.assistant) if stored.assistant else []
    shown = _shown(number, stored)
    return api.respond({**shown, "warnings": warnings} if warnings else shown)


@directory.get("/routes/<number>", responses=api.answers({200: Route}))
def get_route(number: NumberOrDefault) -> Response[Any]:
    """Get the route of a number."""
    route = api.app().directory.route(number)
    if route is None:
        raise _unknown_route()
    return api.respond(_shown(number, route))


@directory.delete("/routes/<number>", responses=api.answers({200: responses.Deleted}))
def delete_route(number: NumberOrDefault) -> Response[responses.Deleted]:
    """Delete the route of a number; the default route answers the calls from now on."""
    if not api.app().directory.delete_route(number, api.change()):
        raise _unknown_route()
    _report(EventType.ROUTE_CHANGED)
    return api.respond(responses.Deleted(number=number))


@directory.get("/routes", responses=api.answers({200: Routes}))
def list_routes(limit: Limit = DEFAULT_LIMIT, cursor: NumberCursor = None) -> Response[Any]:
    """List routes by number, `limit` at a time from `cursor`."""
    api.check_query("limit", "cursor")
    page = api.app().directory.routes(limit, cursor)
    routes = [_shown(number, route) for number, route in page.items]
    return api.respond({"routes": routes, "next_cursor": page.next_cursor})


@directory.put("/do-not-call/<number>", responses=api.answers({200: responses.DoNotCall}))
def put_do_not_call(number: Number, body: Annotated[DoNotCallRequest, Body()]) -> Response[Any]:
    """Add a number to the do-not-call list."""
    entry = api.app().directory.put_do_not_call(number, body.reason, api.change())
    _report(EventType.DO_NOT_CALL_CHANGED)
    return api.respond(entry.model_dump())


@directory.get("/do-not-call/<number>", responses=api.answers({200: responses.DoNotCall}))
def get_do_not_call(number: Number) -> Response[Any]:
    """Get the entry of a number on the do-not-call list."""
    entry = api.app().directory.do_not_call(number)
    if entry is None:
        raise _not_listed()
    return api.respond(entry.model_dump())


@directory.delete("/do-not-call/<number>", responses=api.answers({200: responses.Deleted}))
def delete_do_not_call(number: Number) -> Response[responses.Deleted]:
    """Remove a number from the do-not-call list."""
    if not api.app().directory.delete_do_not_call(number, api.change()):
        raise _not_listed()
    _report(EventType.DO_NOT_CALL_CHANGED)
    return api.respond(responses.Deleted(number=number))


def _report(event_type: EventType) -> None:
    """Log and count a change. The log line has the id of the bearer key, and no number."""
    logger.info(event_type)
    count(Metric[event_type.name])


def _shown(number: str, route: StoredRoute) -> dict[str, Any]:
    shown = {"number": number, **route.model_dump(mode="json", exclude_unset=True)}
    return shown | {"assistant": responses.shown_assistant(shown["assistant"])}


def _unknown_route() -> RequestError:
    return RequestError(ErrorCode.UNKNOWN_ROUTE, "The number has no route of its own.")


def _not_listed() -> RequestError:
    return RequestError(ErrorCode.NOT_LISTED, "The number is not on the do-not-call list.")
