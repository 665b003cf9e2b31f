"""Write events/schemas/ and the tables in docs/events.md from the domain's event models.

`make schemas` writes both. The scenario tests hold every event to the strict form, in which an
unknown field of `data` is an error. The published form allows more, so that a new field breaks no
consumer.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from partyline.domain.model.events import EVENT_DATA, EVENT_VERSION, EventType

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "events" / "schemas"
PAGE = ROOT / "docs" / "events.md"
BEGIN, END = "<!-- events -->", "<!-- /events -->"

Schema = dict[str, Any]


class _DataSchema(GenerateJsonSchema):
    """Describes events as they are stored: a field that is None is left out."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> Schema:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Schema:
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False


def data_schema(event_type: str) -> Schema:
    """Return the JSON Schema of the `data` of an event, strict, with its definitions inlined."""
    schema = EVENT_DATA[EventType(event_type)].model_json_schema(schema_generator=_DataSchema)
    definitions = schema.pop("$defs", {})
    for definition in definitions.values():
        definition.pop("title")
    return cast("Schema", inlined(schema, definitions))


def inlined(node: Any, definitions: Schema) -> Any:
    """Return a part of a schema with the definitions in place of references, at every depth."""
    if isinstance(node, list):
        return [inlined(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    definition = definitions.get(node.get("$ref", "").rpartition("/")[2], {})
    named = {**definition, **{key: value for key, value in node.items() if key != "$ref"}}
    return {key: inlined(value, definitions) for key, value in named.items()}


def schema_of(event_type: str, *, strict: bool = False) -> Schema:
    """Return the JSON Schema (2020-12) of an event's `detail`; `strict`: no unknown `data`."""
    data = data_schema(event_type)
    del data["title"]
    description = data.pop("description")
    if not strict:
        del data["additionalProperties"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": event_type,
        "description": description,
        "type": "object",
        "properties": {
            "version": {
                "const": EVENT_VERSION,
                "description": "the version of this form: a new field keeps the version",
            },
            "conversation_id": {
                "type": "string",
                "description": "the conversation's id; empty for a change to a route or to the "
                "do-not-call list",
            },
            "seq": {
                "type": "integer",
                "minimum": 1,
                "description": "its number within the conversation, without gaps",
            },
            "type": {"const": event_type},
            "occurred_at": {
                "type": "string",
                "format": "date-time",
                "description": "when it happened, in UTC; Telnyx's time where Telnyx gave one",
            },
            "cause": {"type": "string", "description": "the id of the input that led to the event"},
            "trace_id": {
                "type": "string",
                "description": "X-Ray's trace of the invocation that stored it, as log lines have "
                "it; empty where there was none",
            },
            "cut_from_bytes": {
                "type": "integer",
                "description": "the size of the event, where the bus does not accept it: its long "
                "texts are cut, and GET /conversations/{id}/timeline has the whole",
            },
            "data": data,
        },
        "required": [
            *("version", "conversation_id", "seq", "type"),
            *("occurred_at", "cause", "trace_id", "data"),
        ],
    }


def files() -> dict[Path, str]:
    """Return the content of every schema's file."""
    return {
        FOLDER / f"{name}.json": json.dumps(schema_of(name), indent=2) + "\n" for name in EVENT_DATA
    }


def _lines() -> Iterator[str]:
    fields: dict[str, Schema] = {}
    yield "| event | tells | `data` always has | and may have |"
    yield "|---|---|---|---|"
    for event_type in EVENT_DATA:
        schema = data_schema(event_type)
        fields |= schema["properties"]
        required = schema.get("required", [])
        optional = [name for name in schema["properties"] if name not in required]
        always, sometimes = (
            ", ".join(f"`{name}`" for name in names) or "-" for names in (required, optional)
        )
        yield f"| `{event_type}` | {schema['description']} | {always} | {sometimes} |"
    yield ""
    yield "| field of `data` | holds |"
    yield "|---|---|"
    for name, field in sorted(fields.items()):
        values = ", ".join(f"`{value}`" for value in field.get("enum", ()))
        yield f"| `{name}` | {field['description']}{': ' * bool(values)}{values} |"


def page(text: str) -> str:
    """Return the page `text` with its tables brought up to date."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    tables = "\n".join(_lines())
    return f"{before}{BEGIN}\n{tables}\n{END}{after}"


def main() -> None:
    """Write the schemas and the page."""
    FOLDER.mkdir(exist_ok=True)
    for stale in set(FOLDER.glob("*.json")) - files().keys():
        stale.unlink()
    for path, text in files().items():
        path.write_text(text)
    PAGE.write_text(page(PAGE.read_text()))


if __name__ == "__main__":
    main()
