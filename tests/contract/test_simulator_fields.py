"""The simulator's field lists agree with the types of Telnyx's official client."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NotRequired, Required, get_args, get_origin

import pytest
import telnyx.types
from telnyx.types import (
    CallControlApplicationCreateParams,
    CallControlApplicationUpdateParams,
    CallDialParams,
    ConferenceCreateParams,
    ai,
    calls,
    conferences,
)
from typing_extensions import get_type_hints, is_typeddict

import local.simulator
from tests.support.simulator_harness import SimulatorHarness

TYPES: dict[str, Any] = {
    "dial": CallDialParams,
    "answer": calls.ActionAnswerParams,
    "hangup": calls.ActionHangupParams,
    "reject": calls.ActionRejectParams,
    "speak": calls.ActionSpeakParams,
    "playback_start": calls.ActionStartPlaybackParams,
    "playback_stop": calls.ActionStopPlaybackParams,
    "gather_using_speak": calls.ActionGatherUsingSpeakParams,
    "ai_assistant_start": calls.ActionStartAIAssistantParams,
    "ai_assistant_join": calls.ActionJoinAIAssistantParams,
    "ai_assistant_stop": calls.ActionStopAIAssistantParams,
    "ai_assistant_add_messages": calls.ActionAddAIAssistantMessagesParams,
    "bridge": calls.ActionBridgeParams,
    "conference_create": ConferenceCreateParams,
    "conference_join": conferences.ActionJoinParams,
    "conference_leave": conferences.ActionLeaveParams,
    "client_state_update": calls.ActionUpdateClientStateParams,
    "application_create": CallControlApplicationCreateParams,
    "application_update": CallControlApplicationUpdateParams,
    "tool_create": ai.ToolCreateParams,
    "tool_update": ai.ToolUpdateParams,
}
UNTYPED = {"tool_attach", "tool_test"}
"""The client has no type for the bodies of these actions that lists more than free objects."""

HEADERS = {"Idempotency-Key"}
"""Parameters of the client that the client sends as a header."""

DESCRIPTION: dict[str, Any] = json.loads(
    (Path(local.simulator.__file__).parent / "requests.json").read_text(encoding="utf-8")
)


def origin_of(hint: Any) -> Any:
    return get_origin(hint)


def unwrapped(hint: Any) -> Any:
    """A type without `Required`, `NotRequired` and `Annotated`."""
    while origin_of(hint) in (Required, NotRequired) or hasattr(hint, "__metadata__"):
        hint = get_args(hint)[0]
    return hint


def wire_name(name: str, hint: Any) -> str:
    """The name of a field in JSON: `from` for the client's `from_`."""
    while hint is not None:
        for note in getattr(hint, "__metadata__", ()):
            if getattr(note, "alias", None):
                return str(note.alias)
        arguments = get_args(hint) if origin_of(hint) in (Required, NotRequired) else ()
        hint = arguments[0] if arguments else None
    return name


def client_objects(hint: Any) -> list[Any]:
    """The typed dictionaries that a type may hold, also in a list or a union."""
    hint = unwrapped(hint)
    if is_typeddict(hint):
        return [hint]
    if origin_of(hint) is dict:
        return []
    return [found for part in get_args(hint) for found in client_objects(part)]


def client_values(hint: Any) -> set[Any]:
    """The values of a `Literal`, also in a union."""
    hint = unwrapped(hint)
    if origin_of(hint) is Literal:
        return set(get_args(hint))
    if is_typeddict(hint) or origin_of(hint) is dict:
        return set()
    return {value for part in get_args(hint) for value in client_values(part)}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = DESCRIPTION["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def our_objects(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The schemas with properties that a schema may hold, also in a list or alternatives."""
    schema = resolved(schema)
    parts = schema.get("anyOf", [schema["items"]] if schema.get("type") == "array" else [])
    if parts:
        return [found for part in parts for found in our_objects(part)]
    return [schema] if schema.get("properties") else []


def our_values(schema: dict[str, Any]) -> set[Any]:
    schema = resolved(schema)
    parts = schema.get("anyOf", [schema["items"]] if schema.get("type") == "array" else [])
    return {value for part in parts for value in our_values(part)} | {
        value for value in schema.get("enum", []) if value is not None
    }


def differences(path: str, types: list[Any], schemas: list[dict[str, Any]]) -> Iterator[str]:
    """Compare the fields of an object, which may have several forms."""
    hints: dict[str, list[Any]] = {}
    for typed in types:
        for name, hint in get_type_hints(typed, include_extras=True).items():
            hints.setdefault(wire_name(name, hint), []).append(hint)
    known: dict[str, list[dict[str, Any]]] = {}
    for schema in schemas:
        for name, field in schema["properties"].items():
            known.setdefault(name, []).append(field)
    yield from (f"{path}/{name}: missing" for name in hints.keys() - known.keys() - HEADERS)
    yield from (f"{path}/{name}: unknown to the client" for name in known.keys() - hints.keys())
    if len(types) == len(schemas) == 1:
        required = {
            wire_name(name, hint)
            for name, hint in get_type_hints(types[0], include_extras=True).items()
            # The annotations are texts, so __required_keys__ is empty.
            if origin_of(hint) is Required
        }
        ours = set(schemas[0].get("required", ()))
        yield from (f"{path}/{name}: required" for name in required ^ ours)
    for name in hints.keys() & known.keys():
        values = {value for hint in hints[name] for value in client_values(hint)}
        ours = {value for field in known[name] for value in our_values(field)}
        if values != ours:
            yield f"{path}/{name}: values {sorted(map(str, values ^ ours))}"
        theirs = [typed for hint in hints[name] for typed in client_objects(hint)]
        objects = [schema for field in known[name] for schema in our_objects(field)]
        # An object without listed fields accepts every field.
        if theirs and objects:
            yield from differences(f"{path}/{name}", theirs, objects)


@pytest.mark.parametrize("action", TYPES)
def test_the_simulator_knows_the_fields_that_the_official_client_knows(action: str) -> None:
    schema = resolved({"$ref": f"#/$defs/{DESCRIPTION['requests'][action]}"})

    assert sorted(differences(action, [TYPES[action]], [schema])) == []


def test_every_action_with_a_body_is_compared() -> None:
    assert DESCRIPTION["requests"].keys() == TYPES.keys() | UNTYPED


@pytest.mark.parametrize("kind", ["speak", "playback"])
def test_the_webhooks_of_a_voice_have_the_fields_of_the_official_client(kind: str) -> None:
    harness = SimulatorHarness()
    leg = harness.answered()
    if kind == "speak":
        harness.command(leg, "speak", payload="Hello", voice="female")
    else:
        harness.command(leg, "playback_start", audio_url="https://example.com/a.mp3")
    harness.clock.advance(10)

    for moment in ("started", "ended"):
        [hook] = harness.hooks(f"call.{kind}.{moment}")
        official: Any = getattr(telnyx.types, f"Call{kind.title()}{moment.title()}")
        payload = official.model_fields["payload"].annotation
        (fields,) = (a for a in get_args(payload) if a is not type(None))
        assert set(hook.payload) <= set(fields.model_fields)
        fields.model_validate(hook.payload, strict=True)
