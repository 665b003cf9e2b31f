"""Decides the steps of a replay file again, and compares events and commands byte for byte.

    python -P driver.py FILE...

The file is a program of its own: with `PYTHONPATH` it runs against the layer of any commit. It
prints the outcome as JSON, and ends with 0 (the same), 1 (a difference), or 125 (this layer cannot
replay the file; `git bisect run` skips such a commit).
"""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

Json = dict[str, Any]

SAME, DIFFERENT, CANNOT = 0, 1, 125

OPAQUE = {("Insight", "result"), ("StartConversation", "metadata")}
"""Fields with any JSON, which may look like an input."""


class CannotReplayError(Exception):
    """The layer does not know an input of the file."""


def replay(steps: Iterable[Json]) -> Json | None:
    """Decide the steps of a conversation again; return the first difference, or None.

    A difference has the `version` and the time (`at`) of the step, the types of its `inputs`, and
    the `recorded` and the `replayed` events and commands. Raises CannotReplayError.
    """
    from partyline.domain.decide import decide  # noqa: PLC0415 - the layer under test

    conversation = None
    for step in steps:
        new_inputs = [input_of(recorded) for recorded in step["inputs"]]
        now = datetime.fromisoformat(step["at"])
        events: list[Any] = []
        commands: list[Any] = []
        error = ""
        try:
            for input_ in new_inputs:
                decision = decide(conversation, input_, now)
                conversation = decision.conversation
                events += map(shown_event, decision.events)
                commands += map(shown_command, decision.commands)
        except Exception as failure:  # noqa: BLE001 - a rule that raises decides differently
            error = f"{type(failure).__name__}: {failure}"
        recorded = {"events": step["events"], "commands": step["commands"]}
        replayed = {"events": events, "commands": commands} | ({"error": error} if error else {})
        if canonical(recorded) != canonical(replayed):
            difference = {"version": step["version"], "at": step["at"]}
            types = [recorded_input["type"] for recorded_input in step["inputs"]]
            return difference | {"inputs": types, "recorded": recorded, "replayed": replayed}
        if conversation is not None:
            conversation.version += 1
    return None


def canonical(value: Any) -> str:
    """Return the bytes that are compared."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def as_decided(event: Json) -> Json:
    """Return an event without what the engine adds: the results of insights in a report."""
    if event["type"] != "conversation.report":
        return event
    added = ("result", "cut_from_bytes")
    rows = event["data"]["insights"]
    plain = [{name: row[name] for name in row if name not in added} for row in rows]
    return event | {"data": event["data"] | {"insights": plain}}


def shown_event(event: Any) -> Json:
    """Return an event as the timeline shows the event: numbers masked, the time in UTC."""
    from partyline.domain.masking import mask_fields  # noqa: PLC0415

    event = event.model_copy(update={"occurred_at": event.occurred_at.astimezone(UTC)})
    shown: Json = event.model_dump(mode="json")
    return shown | {"data": mask_fields(shown["data"])}


def shown_command(command: Any) -> Json:
    """Return a claimed command, with the numbers in its messages masked."""
    from partyline.domain.masking import mask_fields  # noqa: PLC0415

    shown: Json = command.model_dump(mode="json", exclude_defaults=True)
    messages = shown.get("messages")
    return shown | ({"messages": mask_fields(messages)} if messages else {})


def input_of(recorded: Json) -> Any:
    """Return the input of a record. Raises CannotReplayError for a type that the layer lacks."""
    kind = recorded["type"]
    try:
        parsed = {
            name: value if (kind, name) in OPAQUE else _parsed(value)
            for name, value in recorded.items()
            if name != "type"
        }
        return _adapter(kind).validate_python(parsed)
    except ValueError as error:
        raise CannotReplayError(f"the input {kind} is not understood: {error}") from error


def _parsed(value: Any) -> Any:
    if isinstance(value, Mapping) and value.get("type") in _classes():
        return input_of(dict(value))
    return [_parsed(item) for item in value] if isinstance(value, list) else value


@cache
def _classes() -> dict[str, Any]:
    from partyline.domain.model import conversation, inputs, results  # noqa: PLC0415

    modules = (vars(conversation), vars(inputs), vars(results))
    return {name: kind for module in modules for name, kind in module.items() if is_dataclass(kind)}


@cache
def _adapter(kind: str) -> Any:
    from pydantic import TypeAdapter  # noqa: PLC0415

    if kind not in _classes():
        raise CannotReplayError(f"this commit has no input {kind}")
    return TypeAdapter(_classes()[kind])


def main(*paths: str) -> int:
    """Replay files that were checked before, up to the first difference, and print that."""
    for path in paths:
        lines = Path(path).read_text(encoding="utf-8").splitlines()[1:]
        try:
            difference = replay(map(json.loads, lines))
        except (CannotReplayError, ImportError) as error:
            print(json.dumps({"cannot": str(error)}))
            return CANNOT
        if difference:
            print(json.dumps({"file": path, "difference": difference}))
            return DIFFERENT
    print(json.dumps({"difference": None}))
    return SAME


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
