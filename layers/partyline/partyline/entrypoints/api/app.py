"""The HTTP API on Powertools' event handler: from an event of API Gateway to a route, and back.

Powertools validates parameters and bodies by the types of the routes' functions, and makes the
OpenAPI document from the same types. API Gateway has matched the route and decoded the path's
parameters before; the resolver takes both from the event.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from http import HTTPStatus
from re import Match, sub
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler import Response as ApiResponse
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Path
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from pydantic import WithJsonSchema
from pydantic_core import to_json

from partyline.bootstrap import App
from partyline.domain.model.error_codes import ErrorCode
from partyline.entrypoints.api.json_body import body_text, parse_body
from partyline.entrypoints.http import Handler, Response, base_url, error_response, http_handler
from partyline.services.bearer_keys import Right
from partyline.services.errors import RequestError, field_invalid, unknown_conversation
from partyline.services.requester import Requester, identify
from partyline.services.validation import body_invalid
from partyline.store.directory import Change
from partyline.telemetry import Metric, count, logger

_app: ContextVar[App] = ContextVar("app")
_event: ContextVar[APIGatewayProxyEventV2] = ContextVar("event")
_context: ContextVar[dict[str, Any]] = ContextVar("context")


class Resolver(APIGatewayHttpResolver):
    """Powertools' resolver, whose request belongs to the invocation and not to the class.

    The local stack runs several invocations at once in one process.
    """

    @property
    def current_event(self) -> APIGatewayProxyEventV2:  # type: ignore[override]
        """The event of this invocation."""
        return _event.get()

    @property
    def context(self) -> dict[str, Any]:
        """Powertools' notes on this invocation."""
        return _context.get({})

    @context.setter
    def context(self, notes: dict[str, Any]) -> None:
        _context.set(notes)

    def _to_proxy_event(self, event: dict[str, Any]) -> Any:
        _event.set(APIGatewayProxyEventV2(event, parse_body))
        _context.set({})
        return _event.get()

    def _convert_matches_into_route_keys(self, _match: Match[str]) -> dict[str, str]:
        """Take the path's parameters as API Gateway decoded them."""
        return dict(self.current_event.path_parameters or {})


def resolver_of(*routers: Router) -> Resolver:
    """Build the resolver of these routers' routes."""
    resolver = Resolver(
        enable_validation=True,
        response_validation_error_http_code=HTTPStatus.INTERNAL_SERVER_ERROR,
        serializer=lambda body: to_json(body).decode(),
    )
    for router in routers:
        resolver.include_router(router)
    resolver.exception_handler(Exception)(_respond_to)
    return resolver


class KeyRouter(Router):
    """A list of routes that a function serves, and the right that a bearer key needs for them."""

    def __init__(self, right: Right) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.right = right


def api_handler(router: KeyRouter) -> Handler:
    """Make the Lambda handler of a function that serves a router's routes."""
    resolver = resolver_of(router)

    def handle(app: App, event: dict[str, Any]) -> Response:
        context = event["requestContext"]
        authorized = (context.get("authorizer") or {}).get("lambda") or {}
        key_id = authorized.get("key_id")
        if not key_id:  # an API without its authorizer stays closed
            raise RequestError(ErrorCode.UNAUTHORIZED, "A bearer key is needed.")
        logger.thread_safe_append_keys(request_id=context["requestId"], key_id=key_id)
        _check_right(authorized, router.right)
        _app.set(app)
        return resolver.resolve(_for_resolver(event), None)  # type: ignore[arg-type]

    return http_handler(handle)


def check_right(right: Right) -> None:
    """Raise a RequestError unless the bearer key of this request has a further right."""
    _check_right(_event.get()["requestContext"]["authorizer"]["lambda"], right)


def _check_right(authorized: Mapping[str, Any], right: Right) -> None:
    if right not in str(authorized.get("may") or "").split():
        message = f"The bearer key lacks the right `{right}`."
        raise RequestError(ErrorCode.FORBIDDEN, message, [{"right": right}])


def app() -> App:
    """Return the App that serves this request."""
    return _app.get()


def requester() -> Requester:
    """Identify the sender of this request by bearer key and `Idempotency-Key`."""
    event = _event.get()
    context = event["requestContext"]
    return identify(
        key_id=str(context["authorizer"]["lambda"]["key_id"]),
        request_id=str(context["requestId"]),
        base_url=base_url(event, app().settings.public_base_url),
        gateway_url=gateway_url(),
        idempotency_key=(event.get("headers") or {}).get("idempotency-key"),
        operation=f"{context['http']['method']} {event['requestedPath']}",
        body=event.json_body,
    )


def gateway_url() -> str:
    """Return where this request reached API Gateway."""
    return base_url(_event.get(), None)


def change() -> Change:
    """Return the author and the time of a change that this request makes to the directory."""
    context = _event.get()["requestContext"]
    key_id = str(context["authorizer"]["lambda"]["key_id"])
    return Change(key_id=key_id, request_id=str(context["requestId"]), at=app().clock())


def check_query(*known: str) -> None:
    """Raise a RequestError for a query parameter that the route does not know."""
    unknown = sorted(set(_event.get().get("queryStringParameters") or {}) - set(known))
    if unknown:
        raise field_invalid(unknown[0], "there is no such parameter")


DESCRIPTIONS = {
    200: "Done, or unchanged.",
    201: "The assistant runs already.",
    202: "Accepted; the timeline tells the result.",
}


def answers(models: Mapping[int, Any], *, text: bool = False) -> Any:
    """Describe the answers of a route for the OpenAPI document: a model for each status.

    `text`: the route answers text too.
    """
    more = {"text/plain": {"schema": {"type": "string"}}} if text else {}
    return {
        status: {
            "description": DESCRIPTIONS[status],
            "content": {"application/json": {"model": model}, **more},
        }
        for status, model in models.items()
    }


def respond(model: Any, status: int = 200) -> ApiResponse[Any]:
    """Build the answer of a route."""
    return ApiResponse(status, content_type="application/json", body=model)


def respond_text(text: str) -> ApiResponse[Any]:
    """Build an answer of text."""
    return ApiResponse(200, content_type="text/plain; charset=utf-8", body=text)


def accepts(media_type: str) -> bool:
    """Whether this request accepts a media type before all others."""
    accepted = (_event.get().get("headers") or {}).get("accept") or ""
    return bool(accepted.split(",")[0].split(";")[0].strip() == media_type)


def conversation_id_of(text: str) -> str:
    """Return an id from a path. Raises a RequestError for an id that no conversation can have."""
    if not (text.isascii() and 0 < len(text) <= 64 and text.replace("-", "").isalnum()):
        raise unknown_conversation()
    return text


ID_SCHEMA = {"type": "string", "minLength": 1, "maxLength": 64}
ConversationId = Annotated[str, Path(alias="id"), WithJsonSchema(ID_SCHEMA)]
ParticipantId = Annotated[str, Path(), WithJsonSchema(ID_SCHEMA)]
"""The ids in paths. An id of another form is an unknown id."""


def _for_resolver(event: Mapping[str, Any]) -> dict[str, Any]:
    _, _, route = str(event["routeKey"]).partition(" ")
    return {
        **event,
        "requestedPath": event["rawPath"],
        "rawPath": sub(r"\{[^}]*\}", "-", route),
        # curl sends another content type unless told; every body here is JSON.
        "headers": {**(event.get("headers") or {}), "content-type": "application/json"},
        "body": body_text(event),
        "isBase64Encoded": False,
    }


def _respond_to(error: Exception) -> ApiResponse[str]:
    if isinstance(error, RequestValidationError):
        error = _invalid_request(error)
    response = error_response(error, lambda: count(Metric.REQUEST_FAILED))
    return ApiResponse(response["statusCode"], "application/json", response["body"])


def _invalid_request(error: RequestValidationError) -> RequestError:
    problems = error.errors()
    for problem in problems:
        source, *places = problem["loc"]
        if source != "body":
            return field_invalid(".".join(map(str, places)), problem["msg"])
    in_body = [{**problem, "loc": problem["loc"][1:]} for problem in problems]
    return body_invalid(in_body, _event.get().json_body)
