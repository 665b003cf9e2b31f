"""Routes and the do-not-call list: `/routes` and `/do-not-call`."""

from typing import Annotated, Any, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from partyline.bootstrap import bootstrap
from partyline.domain.model.routes import StoredRoute
from partyline.entrypoints.answers import ApiError
from partyline.entrypoints.api.app import Request, invalid
from partyline.entrypoints.api.queries import limit_of
from partyline.services.inbound_routes import normalized_name
from partyline.services.plans import allow
from partyline.services.requests import (
    MAX_AT_ONCE,
    AssistantBody,
    Body,
    Hangup,
    InviteBody,
    Name,
    Sentences,
    check_assistant_size,
    e164,
    field_error,
)
from partyline.store.keys import DEFAULT_ROUTE

MAX_CONTACTS = 50


class ContactBody(InviteBody):
    """Whom a name stands for: an invite plan."""

    @model_validator(mode="after")
    def _dialled(self) -> Self:
        if self.call_control_id is not None:
            raise field_error("call_control_id", "a contact is reached by its numbers")
        return self


class LimitsBody(Body):
    """Bounds of each conversation on the route; the template's hold where one is left out."""

    participants: Annotated[int, Field(ge=1, le=20)] | None = None
    legs_at_once: Annotated[int, Field(ge=1, le=20)] | None = None
    minutes: Annotated[int, Field(ge=1, le=240)] | None = None


class RouteBody(Body):
    """`PUT /routes/{number}`: how calls to a number of ours are answered, and whom they reach."""

    assistant: AssistantBody
    on_host_hangup: Hangup = "end_conversation"
    contacts: Annotated[dict[Name, ContactBody], Field(max_length=MAX_CONTACTS)] = Field(
        default_factory=dict
    )
    dial_any_number: bool = False
    limits: LimitsBody = Field(default_factory=LimitsBody)
    words: Sentences = Field(default_factory=dict)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.assistant.id is None:
            raise field_error("assistant.id", "needed")
        check_assistant_size(self.assistant)
        names = [normalized_name(name) for name in self.contacts]
        if "" in names:
            raise field_error("contacts", "a name of nothing but space")
        if len(set(names)) < len(names):
            raise field_error("contacts", "two names differ in case or space only")
        most = self.limits.legs_at_once or MAX_AT_ONCE
        for name, contact in self.contacts.items():
            if contact.strategy == "at_once" and len(contact.numbers) > most:
                raise field_error(f"contacts.{name}.to", "more numbers than limits.legs_at_once")
        return self


class DoNotCallBody(Body):
    """`PUT /do-not-call/{number}`."""

    reason: Annotated[str, Field(max_length=500)] | None = None


def put_route(request: Request) -> tuple[int, Any]:
    """`PUT /routes/{number}`: answer calls to a number of ours like this from now on."""
    number = _number_of(request, or_default=True)
    body = request.body(RouteBody)
    for name, contact in body.contacts.items():
        allow(contact.numbers, bootstrap().destinations, f"contacts.{name}.")
    route = body.model_dump(by_alias=True, exclude_none=True, exclude_unset=True)
    bootstrap().directory.put_route(number, StoredRoute.model_validate(route))
    return 200, {"number": number, **route}


def get_route(request: Request) -> tuple[int, Any]:
    """`GET /routes/{number}`."""
    number = _number_of(request, or_default=True)
    route = bootstrap().directory.route(number)
    if route is None:
        raise _unknown_route()
    return 200, {"number": number, **route.model_dump(exclude_unset=True)}


def delete_route(request: Request) -> tuple[int, Any]:
    """`DELETE /routes/{number}`: calls to it are answered by the default from now on."""
    number = _number_of(request, or_default=True)
    if not bootstrap().directory.delete_route(number):
        raise _unknown_route()
    return 200, {"number": number, "deleted": True}


def list_routes(request: Request) -> tuple[int, Any]:
    """`GET /routes`: by number, `limit` at a time from `cursor`, which is a number."""
    cursor = request.query.get("cursor")
    limit = limit_of(request, {"limit", "cursor"})
    page = bootstrap().directory.routes(
        limit, _e164_or_default(cursor, "cursor") if cursor else None
    )
    return 200, {
        "routes": [
            {"number": number, **route.model_dump(exclude_unset=True)}
            for number, route in page.routes
        ],
        "next_cursor": page.next_number,
    }


def put_do_not_call(request: Request) -> tuple[int, Any]:
    """`PUT /do-not-call/{number}`: nobody calls this number from now on."""
    number = _number_of(request)
    body = request.body(DoNotCallBody)
    entry = bootstrap().directory.put_do_not_call(number, body.reason, bootstrap().clock())
    return 200, entry.model_dump()


def get_do_not_call(request: Request) -> tuple[int, Any]:
    """`GET /do-not-call/{number}`: whether, and why, a number is on the list."""
    entry = bootstrap().directory.do_not_call(_number_of(request))
    if entry is None:
        raise ApiError(404, "not_listed", "The number is not on the do-not-call list.")
    return 200, entry.model_dump()


def delete_do_not_call(request: Request) -> tuple[int, Any]:
    """`DELETE /do-not-call/{number}`: it may be called again."""
    number = _number_of(request)
    if not bootstrap().directory.delete_do_not_call(number):
        raise ApiError(404, "not_listed", "The number is not on the do-not-call list.")
    return 200, {"number": number, "deleted": True}


def _unknown_route() -> ApiError:
    return ApiError(404, "unknown_route", "The number has no route of its own.")


def _e164_or_default(text: str, field: str) -> str:
    """A number in E.164, or the word for the default route. Raises an ApiError for `field`."""
    if text == DEFAULT_ROUTE:
        return text
    try:
        return e164(text)
    except PydanticCustomError as error:
        raise invalid(field, error.message()) from None


def _number_of(request: Request, *, or_default: bool = False) -> str:
    given = request.path.get("number", "")
    if given == DEFAULT_ROUTE and not or_default:
        raise invalid("number", "not a phone number in E.164, as +13125550100")
    return _e164_or_default(given, "number")
