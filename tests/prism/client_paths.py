"""Paths that the public description lacks, described by the types of Telnyx's official client.

Telnyx generates the client from its description, so a type is a schema of the description.
"""

from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter
from telnyx._utils import PropertyInfo
from telnyx.types import ConferenceCreateParams, ConferenceCreateResponse
from telnyx.types.calls import ActionBridgeParams, ActionBridgeResponse
from telnyx.types.conferences import (
    ActionJoinParams,
    ActionJoinResponse,
    ActionLeaveParams,
    ActionLeaveResponse,
)
from typing_extensions import get_type_hints

Json = dict[str, Any]

PATHS: dict[str, tuple[Any, type[BaseModel]]] = {
    "/calls/{call_control_id}/actions/bridge": (ActionBridgeParams, ActionBridgeResponse),
    "/conferences": (ConferenceCreateParams, ConferenceCreateResponse),
    "/conferences/{id}/actions/join": (ActionJoinParams, ActionJoinResponse),
    "/conferences/{id}/actions/leave": (ActionLeaveParams, ActionLeaveResponse),
}
"""The body and the answer of each `POST`."""


def client_paths(refused: Json) -> Json:
    """Return the paths of an OpenAPI document; `refused` are the answers of a refused request."""
    return {path: {"post": _operation(path, *types, refused)} for path, types in PATHS.items()}


def _operation(path: str, body: Any, answer: type[BaseModel], refused: Json) -> Json:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return {
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in names
        ],
        "requestBody": {"required": True, "content": _json(_body_schema(body))},
        "responses": {
            "200": {"description": "Done", "content": _json(_schema(answer))},
            **refused,
        },
    }


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def _body_schema(params: Any) -> Json:
    """Return the schema of a body: the names that the client sends, and no other field."""
    schema = _schema(params)
    for name, hint in get_type_hints(params, include_extras=True).items():
        for note in _notes(hint):
            if isinstance(note, PropertyInfo) and note.alias:
                schema["properties"][note.alias] = schema["properties"].pop(name)
                required = schema.get("required", [])
                schema["required"] = [note.alias if key == name else key for key in required]
    return {**schema, "additionalProperties": False}


def _notes(hint: Any) -> list[Any]:
    """Return the annotations of a type, also within `Required`."""
    arguments = get_args(hint)
    inner = [note for argument in arguments[:1] for note in _notes(argument)]
    return [*getattr(hint, "__metadata__", ()), *inner]


def _schema(type_: Any) -> Json:
    schema = TypeAdapter(type_).json_schema()
    definitions = schema.pop("$defs", {})
    inlined: Json = _inlined(schema, definitions)
    return inlined


def _inlined(schema: Any, definitions: Json) -> Any:
    if isinstance(schema, list):
        return [_inlined(entry, definitions) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
    return {key: _inlined(value, definitions) for key, value in schema.items()}
