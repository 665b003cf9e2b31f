"""docs/openapi.json, made from the code: what an application may ask, and what it is answered.

Routes come from the template, bodies from the models that check them, summaries from what the
operations say of themselves. `make openapi` writes the file, and a test finds it stale.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from local.docs import openapi_models as answers
from local.stack.template import Route, Template
from partyline.domain.model.statuses import ConversationStatus
from partyline.entrypoints.api import directory, queries
from partyline.entrypoints.api.app import MAX_BODY_BYTES, MAX_IDEMPOTENCY_KEY_CHARS
from partyline.services import conversations, requests, scheduling

PATH = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"
REF = "#/components/schemas/{model}"
Json = dict[str, Any]

ID: Json = {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[A-Za-z0-9-]+$"}
NUMBER_OR_DEFAULT: Json = {"anyOf": [requests.E164_SCHEMA, {"const": "default"}]}
LIMIT: Json = {
    "type": "integer",
    "minimum": 1,
    "maximum": queries.MAX_LIMIT,
    "default": queries.DEFAULT_LIMIT,
}
CURSOR: Json = {"type": "string", "minLength": 1, "maxLength": queries.MAX_CURSOR_CHARS}
STATUS: Json = {"type": "string", "enum": [each.value for each in ConversationStatus]}
IDEMPOTENCY_KEY: Json = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_IDEMPOTENCY_KEY_CHARS,
    "pattern": "^[ -~]*[!-~][ -~]*$",
}

ALWAYS: Mapping[int, Sequence[str]] = {500: ["internal"], 503: ["unavailable"]}
WITH_BODY: Mapping[int, Sequence[str]] = {413: ["too_large"], 422: ["invalid_request"]}
UNKNOWN: Mapping[int, Sequence[str]] = {404: ["unknown_conversation"]}
MOVING: Mapping[int, Sequence[str]] = {422: ["idempotency_key_reused"], 503: ["busy", "pending"]}
OVER: Mapping[int, Sequence[str]] = {409: ["conversation_over"]}
FULL: Mapping[int, Sequence[str]] = {409: ["conversation_full"]}
DIALLING: Mapping[int, Sequence[str]] = {
    422: ["destination_not_allowed"],
    429: ["too_many_dials"],
}
IN_USE: Mapping[int, Sequence[str]] = {409: ["call_in_use"]}
CROWDED: Sequence[str] = ["too_many_participants", "too_many_legs"]


@dataclass(frozen=True)
class Operation:
    """What a route does: the function that does it, its body, its answers and its errors."""

    work: Callable[..., Any]
    says: Mapping[int, type[BaseModel]]
    body: type[BaseModel] | None = None
    errors: Sequence[Mapping[int, Sequence[str]]] = ()
    query: Mapping[str, Json] = field(default_factory=dict)
    number: Json = field(default_factory=lambda: requests.E164_SCHEMA)
    once: bool = False
    """Takes an Idempotency-Key."""

    @property
    def codes(self) -> dict[int, set[str]]:
        """The codes of every error that it may answer, by their status."""
        found: dict[int, set[str]] = {}
        for each in [ALWAYS, *self.errors, *([WITH_BODY] if self.body else [])]:
            for status, codes in each.items():
                found.setdefault(status, set()).update(codes)
        return found


OPERATIONS: Mapping[str, Operation] = {
    "POST /conversations": Operation(
        scheduling.start_or_schedule,
        {
            200: answers.ConversationOrScheduled,
            201: answers.Conversation,
            202: answers.ConversationOrScheduled,
        },
        body=requests.StartRequest,
        errors=[
            MOVING,
            OVER,
            FULL,
            IN_USE,
            DIALLING,
            {422: CROWDED, 429: ["too_many_conversations"]},
        ],
        once=True,
    ),
    "GET /conversations": Operation(
        queries.list_conversations,
        {200: answers.Conversations},
        errors=[{422: ["invalid_request"]}],
        query={"status": STATUS, "limit": LIMIT, "cursor": CURSOR},
    ),
    "GET /conversations/{id}": Operation(
        queries.get_conversation, {200: answers.ConversationOrScheduled}, errors=[UNKNOWN]
    ),
    "DELETE /conversations/{id}": Operation(
        scheduling.cancel_conversation,
        {200: answers.Scheduled},
        errors=[UNKNOWN, {409: ["already_started"]}],
    ),
    "GET /conversations/{id}/timeline": Operation(
        queries.get_timeline, {200: answers.Timeline}, errors=[UNKNOWN]
    ),
    "POST /conversations/{id}/participants": Operation(
        conversations.invite_participant,
        {202: answers.Participant},
        body=requests.InviteRequest,
        errors=[UNKNOWN, MOVING, OVER, FULL, IN_USE, DIALLING, {409: CROWDED}],
        once=True,
    ),
    "DELETE /conversations/{id}/participants/{participant_id}": Operation(
        conversations.remove_participant,
        {202: answers.Participant},
        errors=[UNKNOWN, MOVING, WITH_BODY, OVER, {404: ["unknown_participant"]}],
        once=True,
    ),
    "POST /conversations/{id}/messages": Operation(
        conversations.send_message,
        {202: answers.Message},
        body=requests.MessageRequest,
        errors=[UNKNOWN, MOVING, OVER, FULL],
        once=True,
    ),
    "POST /conversations/{id}/stop": Operation(
        conversations.stop_conversation,
        {202: answers.Conversation},
        body=requests.StopRequest,
        errors=[UNKNOWN, MOVING, OVER],
        once=True,
    ),
    "GET /routes": Operation(
        directory.list_routes,
        {200: answers.Routes},
        errors=[{422: ["invalid_request"]}],
        query={"limit": LIMIT, "cursor": NUMBER_OR_DEFAULT},
    ),
    "GET /routes/{number}": Operation(
        directory.get_route,
        {200: answers.Route},
        errors=[{404: ["unknown_route"], 422: ["invalid_request"]}],
        number=NUMBER_OR_DEFAULT,
    ),
    "PUT /routes/{number}": Operation(
        directory.put_route,
        {200: answers.Route},
        body=directory.RouteRequest,
        errors=[{422: ["destination_not_allowed"]}],
        number=NUMBER_OR_DEFAULT,
    ),
    "DELETE /routes/{number}": Operation(
        directory.delete_route,
        {200: answers.Deleted},
        errors=[{404: ["unknown_route"], 422: ["invalid_request"]}],
        number=NUMBER_OR_DEFAULT,
    ),
    "GET /do-not-call/{number}": Operation(
        directory.get_do_not_call,
        {200: answers.DoNotCall},
        errors=[{404: ["not_listed"], 422: ["invalid_request"]}],
    ),
    "PUT /do-not-call/{number}": Operation(
        directory.put_do_not_call, {200: answers.DoNotCall}, body=directory.DoNotCallRequest
    ),
    "DELETE /do-not-call/{number}": Operation(
        directory.delete_do_not_call,
        {200: answers.Deleted},
        errors=[{404: ["not_listed"], 422: ["invalid_request"]}],
    ),
}
"""Every route that wants a bearer key."""

MEANS = {
    200: "Done, or as it is.",
    201: "The assistant runs already.",
    202: "Taken on; the timeline tells what comes of it.",
    401: "No bearer key.",
    403: "The bearer key is not one that is let in.",
    404: "It is not there.",
    409: "The state that the conversation is in does not allow it.",
    413: "The body is too large.",
    422: "The request is not valid; `details` name the fields.",
    429: "Too much at once. Ask again later.",
    500: "A mistake of ours; the log has more.",
    503: "Nothing was lost. Ask again, with the same Idempotency-Key.",
}


def document(template: Template) -> Json:
    """The OpenAPI document. Raises KeyError for a route with a bearer key that is not described."""
    schemas, definitions = _schemas()
    paths: dict[str, Json] = {}
    for route in template.routes:
        if route.authorizer is not None:
            name = template.functions[route.function].folder
            described = _operation(route, name, OPERATIONS[route.key], schemas)
            paths.setdefault(route.path, {})[route.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Partyline",
            "version": "1",
            "description": "A Telnyx AI assistant and any number of people on one phone "
            "conversation. What Telnyx itself asks, webhooks and tools, is not in here.",
        },
        "servers": [
            {
                "url": "{api}",
                "description": "The stack's output ApiUrl; `make dev` has it on this machine.",
                "variables": {"api": {"default": "http://127.0.0.1:8400"}},
            }
        ],
        "security": [{"bearerKey": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearerKey": {"type": "http", "scheme": "bearer"}},
            "schemas": definitions,
        },
    }


def text(template: Template) -> str:
    """The document as the file has it."""
    return json.dumps(document(template), indent=1, sort_keys=True) + "\n"


def _schemas() -> tuple[dict[type[BaseModel], Json], Json]:
    """A reference for each model, and what is referred to."""
    used: set[type[BaseModel]] = {answers.Error, answers.GatewayError}
    for each in OPERATIONS.values():
        used.update(each.says.values(), [each.body] if each.body else [])
    models = sorted(used, key=lambda model: model.__name__)
    found, definitions = models_json_schema(
        [(model, "validation") for model in models], ref_template=REF
    )
    return {model: found[model, "validation"] for model in models}, definitions["$defs"]


def _operation(
    route: Route, name: str, operation: Operation, schemas: Mapping[type[BaseModel], Json]
) -> Json:
    said, _, _ = (operation.work.__doc__ or "").partition("\n")
    described: Json = {
        "operationId": name,
        "summary": said.partition(": ")[2] or said,
        "parameters": [*_path(route, operation), *_query(operation), *_headers(operation)],
        "responses": {
            str(status): _response(MEANS[status], schemas[model])
            for status, model in operation.says.items()
        }
        | _errors(operation, schemas),
    }
    if operation.body:
        described["requestBody"] = {
            "description": f"At most {MAX_BODY_BYTES // 1024} KB.",
            "required": not _may_be_empty(operation.body),
            "content": {"application/json": {"schema": schemas[operation.body]}},
        }
    return described


def _may_be_empty(model: type[BaseModel]) -> bool:
    return model in (requests.StopRequest, directory.DoNotCallRequest)


def _path(route: Route, operation: Operation) -> list[Json]:
    names = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": operation.number if name == "number" else ID,
        }
        for name in names
    ]


def _query(operation: Operation) -> list[Json]:
    return [{"name": name, "in": "query", "schema": each} for name, each in operation.query.items()]


def _headers(operation: Operation) -> list[Json]:
    if not operation.once:
        return []
    says = "The same key and request again do nothing twice, for seven days."
    return [
        {"name": "Idempotency-Key", "in": "header", "schema": IDEMPOTENCY_KEY, "description": says}
    ]


def _errors(operation: Operation, schemas: Mapping[type[BaseModel], Json]) -> Json:
    ours, gateways = schemas[answers.Error], schemas[answers.GatewayError]
    found = {str(status): _response(MEANS[status], gateways) for status in (401, 403)}
    for status, named in sorted(operation.codes.items()):
        coded: Json = {
            "allOf": [
                ours,
                {"properties": {"error": {"properties": {"code": {"enum": sorted(named)}}}}},
            ]
        }
        found[str(status)] = _response(MEANS[status], {"anyOf": [coded, gateways]})
    found.setdefault("429", _response(MEANS[429], gateways))
    found.setdefault("404", _response(MEANS[404], gateways))
    return found


def _response(means: str, schema: Json) -> Json:
    return {"description": means, "content": {"application/json": {"schema": schema}}}


def main() -> None:
    """Write docs/openapi.json."""
    # The routes are the same whatever the parameters are.
    made_up = {
        "TelnyxConnectionId": "0",
        "TelnyxPublicKeys": "A" * 43 + "=",
        "ReleaseSha": "0" * 40,
    }
    PATH.write_text(text(Template(made_up)))


if __name__ == "__main__":
    main()
