"""docs/openapi.json, made from the routes: what a client may ask, and what the API answers."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Route
from pydantic.json_schema import models_json_schema

from partyline.domain.model.error_codes import ErrorCode
from partyline.entrypoints.api import responses
from partyline.entrypoints.api.app import REPLAYED, resolver_of
from partyline.entrypoints.api.conversations import control, trigger
from partyline.entrypoints.api.directory import directory
from partyline.entrypoints.api.hooks import hooks
from partyline.entrypoints.api.json_body import MAX_BODY_BYTES
from partyline.entrypoints.api.people import people
from partyline.entrypoints.api.queries import query
from partyline.entrypoints.http import HTTP_STATUS, RETRY_AFTER_SECS
from partyline.services.bearer_keys import Right
from partyline.services.requester import MAX_IDEMPOTENCY_KEY_CHARS

PATH = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"
REF = "#/components/schemas/{model}"
Json = dict[str, Any]

IDEMPOTENCY_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key and request again do nothing twice, for seven days.",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_IDEMPOTENCY_KEY_CHARS,
        "pattern": "^[ -~]*[!-~][ -~]*$",
    },
}

RETRY_AFTER: Json = {
    "Retry-After": {
        "description": "The seconds to wait. API Gateway's own 429 and 503 have no such header.",
        "schema": {"type": "integer", "minimum": 1},
    }
}
IDEMPOTENT_REPLAYED: Json = {
    REPLAYED: {
        "description": "Present for a request that came before with the same Idempotency-Key.",
        "schema": {"const": "true"},
    }
}

E = ErrorCode
ANY = [E.FORBIDDEN, E.INTERNAL, E.UNAVAILABLE]
BODY = [E.TOO_LARGE, E.INVALID_REQUEST]
CHANGE = [*BODY, E.IDEMPOTENCY_KEY_REUSED, E.BUSY, E.PENDING, E.CONVERSATION_OVER]
DIAL = [
    E.BUDGET_EXCEEDED,
    *CHANGE,
    E.CONVERSATION_FULL,
    E.CALL_IN_USE,
    E.ALREADY_THERE,
    E.DESTINATION_NOT_ALLOWED,
    E.DIALING_OFF,
    E.TOO_MANY_DIALS,
    E.TOO_MANY_PARTICIPANTS,
    E.TOO_MANY_LEGS,
]
TOO_LATE = [E.ALREADY_STARTED, E.STARTING]
ABSENT = [E.UNKNOWN_CONVERSATION, E.NOT_STARTED]
HOOK = [E.INVALID_REQUEST, E.UNKNOWN_HOOK]
ERRORS: Mapping[str, Sequence[ErrorCode]] = {
    "start_conversation": [*DIAL, E.TOO_MANY_CONVERSATIONS, E.TOO_MANY_BOOKINGS],
    "invite_participant": [*DIAL, *ABSENT],
    "hand_over": [*DIAL, *ABSENT, E.UNKNOWN_PARTICIPANT, E.HANDOVER_OPEN],
    "remove_participant": [*CHANGE, *ABSENT, E.UNKNOWN_PARTICIPANT],
    "send_message": [*CHANGE, *ABSENT, E.CONVERSATION_FULL],
    "set_assistant_mode": [*CHANGE, *ABSENT, E.TOO_FEW_PEOPLE],
    "stop_conversation": [*CHANGE, E.UNKNOWN_CONVERSATION, *TOO_LATE],
    "delete_conversation": [
        E.INVALID_REQUEST,
        E.UNKNOWN_CONVERSATION,
        E.CONVERSATION_RUNNING,
        E.STARTING,
        E.BUSY,
    ],
    "cancel_conversations": [E.INVALID_REQUEST],
    "list_conversations": [E.INVALID_REQUEST],
    "get_conversation": [E.UNKNOWN_CONVERSATION],
    "get_export": [E.UNKNOWN_CONVERSATION, E.INVALID_REQUEST],
    "get_report": [E.UNKNOWN_CONVERSATION, E.REPORT_NOT_READY, E.REPORT_EXPIRED],
    "get_transcript": [E.UNKNOWN_CONVERSATION, E.INVALID_REQUEST],
    "get_timeline": [E.UNKNOWN_CONVERSATION, E.INVALID_REQUEST],
    "list_routes": [E.INVALID_REQUEST],
    "get_route": [E.INVALID_REQUEST, E.UNKNOWN_ROUTE],
    "put_route": [*BODY, E.DESTINATION_NOT_ALLOWED],
    "delete_route": [E.INVALID_REQUEST, E.UNKNOWN_ROUTE],
    "get_do_not_call": [E.INVALID_REQUEST, E.NOT_LISTED],
    "put_do_not_call": BODY,
    "delete_do_not_call": [E.INVALID_REQUEST, E.NOT_LISTED],
    "erase_person": [E.INVALID_REQUEST, E.CONVERSATION_RUNNING],
    "get_erasure": [E.UNKNOWN_CONVERSATION, E.UNKNOWN_ERASURE],
    "list_hooks": [E.INVALID_REQUEST],
    "get_hook": HOOK,
    "put_hook": [*BODY, E.TOO_MANY_HOOKS, E.BUSY],
    "delete_hook": [*HOOK, E.BUSY],
    "replace_secret": [*HOOK, E.BUSY],
    "list_deliveries": HOOK,
    "replay": [*BODY, E.UNKNOWN_HOOK, E.UNKNOWN_EVENT, E.HOOK_DISABLED],
}
"""The errors that each operation may answer, beside those of `ANY` operation."""

ROUTERS = (trigger, control, query, directory, hooks, people)

IDEMPOTENT = frozenset(name for name, codes in ERRORS.items() if E.IDEMPOTENCY_KEY_REUSED in codes)
BODY_OPTIONAL = frozenset({"stop_conversation", "put_do_not_call"})

MEANS = {
    401: "No bearer key.",
    403: "The bearer key is not known, or lacks the right `{right}`.",
    404: "The resource does not exist.",
    409: "The state of the conversation or hook does not allow the request, or all dials are off.",
    413: "The body is too large.",
    422: "The request is not valid; `details` name the fields.",
    429: "A limit is reached. Ask again later.",
    500: "An error of ours; the log has more.",
    503: "Nothing was lost. Ask again, with the same Idempotency-Key.",
}


def document() -> Json:
    """Build the OpenAPI document of every route behind a bearer key."""
    resolver = resolver_of(*ROUTERS)
    generated = json.loads(resolver.get_openapi_json_schema(title="Partyline", version="1"))
    error_schemas, definitions = models_json_schema(
        [(responses.Error, "validation"), (responses.GatewayError, "validation")], ref_template=REF
    )
    error, gateway_error = error_schemas.values()
    schemas = generated["components"]["schemas"] | definitions["$defs"]
    for unused in ("HTTPValidationError", "ResponseValidationError", "ValidationError"):
        del schemas[unused]
    for router in ROUTERS:
        of_router = resolver_of(router)
        for route in of_router._static_routes + of_router._dynamic_routes:
            path = route.openapi_path.replace("<", "{").replace(">", "}")
            operation = generated["paths"][path][route.method.lower()]
            _complete(operation, route, router.right, error, gateway_error)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Partyline",
            "version": "1",
            "description": "A Telnyx AI assistant and up to 20 people on one phone "
            "conversation. The routes that Telnyx asks, webhooks and tools, are not described.",
        },
        "servers": [
            {
                "url": "{api}",
                "description": "The stack's output ApiUrl; `make dev` serves it on this machine.",
                "variables": {"api": {"default": "http://127.0.0.1:8400"}},
            }
        ],
        "security": [{"bearerKey": []}],
        "paths": generated["paths"],
        "components": {
            "securitySchemes": {"bearerKey": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas,
        },
    }


def text() -> str:
    """Return the document as docs/openapi.json has it."""
    return json.dumps(document(), indent=1, sort_keys=True) + "\n"


def codes_of(name: str) -> dict[int, set[str]]:
    """Return the error codes that an operation may answer, by their status."""
    codes: dict[int, set[str]] = {}
    for code in [*ANY, *ERRORS[name]]:
        codes.setdefault(HTTP_STATUS[code], set()).add(code)
    return codes


def _complete(
    operation: Json, route: Route, right: Right, error: Json, gateway_error: Json
) -> None:
    """Add to a generated operation what the types of a route do not say."""
    name = route.func.__name__
    operation["operationId"] = name
    operation["summary"], _, _ = str(route.func.__doc__).partition("\n")
    if name in IDEMPOTENT:
        operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
    if "requestBody" in operation:
        operation["requestBody"] |= {
            "description": f"At most {MAX_BODY_BYTES // 1024} KB.",
            "required": name not in BODY_OPTIONAL,
        }
    answers = {
        status: answer for status, answer in operation["responses"].items() if status < "300"
    }
    if name in IDEMPOTENT:
        answers = {
            status: {**answer, "headers": IDEMPOTENT_REPLAYED} for status, answer in answers.items()
        }
    refused = {401: set(), 403: set(), 404: set(), 429: set(), **codes_of(name)}
    for status, codes in sorted(refused.items()):
        schema = gateway_error
        if codes:
            code = {"properties": {"code": {"enum": sorted(codes)}}}
            ours = {"allOf": [error, {"properties": {"error": code}}]}
            schema = {"anyOf": [ours, gateway_error]}
        answers[str(status)] = {
            "description": MEANS[status].format(right=right),
            "content": {"application/json": {"schema": schema}},
        }
        if any(code in RETRY_AFTER_SECS for code in codes):
            answers[str(status)]["headers"] = RETRY_AFTER
    operation["responses"] = answers


def main() -> None:
    """Write docs/openapi.json."""
    PATH.write_text(text())


if __name__ == "__main__":
    main()
