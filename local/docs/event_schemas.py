"""What each event says: the one list that events/schemas/ and docs/events.md are written from.

`make schemas` writes both. The scenario tests hold every event that really
happens to the strict form, in which a field that is not listed here is an error; what is published
says less, so that a field can be added without breaking a consumer.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "events" / "schemas"
PAGE = ROOT / "docs" / "events.md"
BEGIN, END = "<!-- events -->", "<!-- /events -->"

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}

FIELDS: dict[str, tuple[Schema, str]] = {
    "action": (_TEXT, "Telnyx's action, such as `dial`"),
    "assistant_id": (_TEXT, "Telnyx's id of the assistant"),
    "caller": (_TEXT, "who calls, masked to the last four digits"),
    "command_id": (_TEXT, "as Telnyx was given it"),
    "content": (_TEXT, "the message, phone numbers masked"),
    "direction": ({"enum": ["inbound", "outbound", "attached"]}, "who called whom"),
    "failure": (
        {
            "type": "object",
            "properties": {"code": _TEXT, "message": _TEXT},
            "required": ["code", "message"],
        },
        "why not: `code` and `message`, of Telnyx's or ours",
    ),
    "hangup_cause": (_TEXT, "Telnyx's word for it"),
    "insight_ids": ({"type": "array", "items": _TEXT}, "which insights are new"),
    "leg": ({"type": "integer", "minimum": 1}, "which of the participant's calls, from 1"),
    "machine": ({"type": "boolean"}, "whether a machine answered"),
    "name": (_TEXT, "the participant's name"),
    "outcome": (
        {
            "enum": [
                *("human", "machine", "declined", "busy", "no_answer"),
                *("rejected", "unreachable", "cancelled", "limited", "error"),
            ]
        },
        "how a call came out",
    ),
    "participant_id": (_TEXT, "who"),
    "reason": (_TEXT, "what brought it about, in a word"),
    "role": ({"enum": ["user", "assistant", "system", "developer"]}, "who says it"),
    "rule": (_TEXT, "the rule of ours that forbids the call"),
    "sip_hangup_cause": (_TEXT, "the SIP response code"),
    "telnyx_conversation_id": (_TEXT, "Telnyx's id of the assistant's conversation"),
    "to": (_TEXT, "the number called, masked to its last four digits"),
}
"""What the fields of `data` hold."""


@dataclass(frozen=True)
class Shape:
    """An event type: what it tells, and the fields that its `data` always and sometimes has."""

    tells: str
    always: tuple[str, ...] = ()
    sometimes: tuple[str, ...] = ()


_LEG = ("participant_id", "leg")
_OF_A_LEG = (*("name", "to", "outcome", "hangup_cause", "sip_hangup_cause", "failure"),)
_OF_A_PERSON = ("name", "leg", "outcome")

EVENTS: dict[str, Shape] = {
    "conversation.started": Shape(
        "A conversation begins: somebody calls, is called, or gets the assistant on a live call.",
        ("direction", "assistant_id"),
        ("caller",),
    ),
    "conversation.active": Shape("The assistant runs.", (), ("telnyx_conversation_id",)),
    "conversation.stopping": Shape("Its end has begun.", ("reason",), ("telnyx_conversation_id",)),
    "conversation.restarted": Shape(
        "Telnyx ended the assistant's conversation while somebody was left; another takes over.",
        ("participant_id", "command_id"),
    ),
    "conversation.ended": Shape(
        "It is over, after the assistant ran or somebody stopped it.",
        (),
        ("telnyx_conversation_id", "reason"),
    ),
    "conversation.failed": Shape(
        "The assistant never ran.", (), ("failure", "telnyx_conversation_id")
    ),
    "conversation.insights_generated": Shape(
        "Insights have come; the API gives what they say.", ("insight_ids",)
    ),
    "participant.invited": Shape("Somebody is asked in.", ("participant_id",), ("name",)),
    "participant.screening": Shape(
        "Somebody has answered and is asked whether to join.", ("participant_id",), _OF_A_PERSON
    ),
    "participant.waiting": Shape(
        "Somebody has answered and waits for the assistant.", ("participant_id",), _OF_A_PERSON
    ),
    "participant.joining": Shape(
        "Telnyx is asked to join somebody.", ("participant_id",), (*_OF_A_PERSON, "command_id")
    ),
    "participant.joined": Shape(
        "Somebody is in the conversation.", ("participant_id",), _OF_A_PERSON
    ),
    "participant.left": Shape(
        "Somebody who was there has gone.", ("participant_id",), _OF_A_PERSON
    ),
    "participant.failed": Shape(
        "Somebody could not be reached, or did not want to come.",
        ("participant_id",),
        (*_OF_A_PERSON, "reason", "failure"),
    ),
    "participant.alone": Shape(
        "One person is left with the assistant.", ("participant_id",), ("name",)
    ),
    "leg.dialing": Shape("A call is being made.", (*_LEG, "command_id"), _OF_A_LEG),
    "leg.ringing": Shape("It rings.", _LEG, _OF_A_LEG),
    "leg.answered": Shape("It was answered.", _LEG, _OF_A_LEG),
    "leg.screening": Shape("The screening has been asked for.", _LEG, _OF_A_LEG),
    "leg.refused": Shape("A rule of ours forbids the call.", (*_LEG, "rule"), _OF_A_LEG),
    "leg.judged": Shape(
        "A person or a machine has answered.", (*_LEG, "machine"), (*_OF_A_LEG, "reason")
    ),
    "leg.ended": Shape("The call is over.", _LEG, _OF_A_LEG),
    "message.sent": Shape("The assistant was told something.", ("command_id", "role", "content")),
    "message.failed": Shape("It could not be told.", ("command_id", "role", "content", "failure")),
    "command.failed": Shape(
        "Telnyx refused a command, or it was given up.",
        ("action", "command_id", "failure"),
        ("participant_id",),
    ),
    "command.repaired": Shape(
        "A look at Telnyx brought to light what no webhook had told.", ("action", "command_id")
    ),
}
"""Every event that goes out."""


def schema_of(event_type: str, *, strict: bool = False) -> Schema:
    """The JSON Schema (2020-12) of an event's `detail`; `strict`: of its `data` no field more."""
    shape = EVENTS[event_type]
    names = (*shape.always, *shape.sometimes)
    data: Schema = {
        "type": "object",
        "properties": {
            name: {**FIELDS[name][0], "description": FIELDS[name][1]} for name in sorted(names)
        },
        "required": sorted(shape.always),
    }
    if strict:
        data["additionalProperties"] = False
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": event_type,
        "description": shape.tells,
        "type": "object",
        "properties": {
            "conversation_id": {"type": "string", "description": "whose event it is"},
            "seq": {
                "type": "integer",
                "minimum": 1,
                "description": "its number within the conversation, without gaps",
            },
            "type": {"const": event_type},
            "occurred_at": {
                "type": "string",
                "format": "date-time",
                "description": "when it happened, in UTC; Telnyx's time where Telnyx told",
            },
            "cause": {"type": "string", "description": "the id of what brought it about"},
            "trace_id": {
                "type": "string",
                "description": "X-Ray's trace of the invocation that stored it, as log lines have "
                "it; empty where there was none",
            },
            "data": data,
        },
        "required": ["conversation_id", "seq", "type", "occurred_at", "cause", "trace_id", "data"],
    }


def files() -> dict[Path, str]:
    """Every schema's file and what is in it."""
    return {
        FOLDER / f"{name}.json": json.dumps(schema_of(name), indent=2) + "\n" for name in EVENTS
    }


def listing() -> str:
    """The part of docs/events.md that is written from the list."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "| event | tells | `data` always has | and may have |"
    yield "|---|---|---|---|"
    for name, shape in EVENTS.items():
        always = ", ".join(f"`{each}`" for each in shape.always) or "-"
        sometimes = ", ".join(f"`{each}`" for each in shape.sometimes) or "-"
        yield f"| `{name}` | {shape.tells} | {always} | {sometimes} |"
    yield ""
    yield "| field of `data` | holds |"
    yield "|---|---|"
    for name, (schema, holds) in sorted(FIELDS.items()):
        values = ", ".join(f"`{each}`" for each in schema.get("enum", ()))
        yield f"| `{name}` | {holds}{': ' * bool(values)}{values} |"


def page(text: str) -> str:
    """The page with its written part brought up to date."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{listing()}\n{END}{after}"


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
