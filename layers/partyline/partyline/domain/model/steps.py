"""The record of a step: all that `decide` was given, and the commands that the step sends.

A replay of the records gives the same decisions again (docs/replay.md). The names of the inputs'
and the results' classes are part of the record: a new name makes older records unreadable.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from partyline.domain.masking import mask_headers
from partyline.domain.model.commands import Command
from partyline.domain.model.inputs import Input

MAX_STEP_BYTES = 500_000
"""Size limit of a record. A transaction has 4 MB: the document and the insights fill 2.4 MB."""


def step_record(
    new_inputs: Sequence[Input], now: datetime, commands: Sequence[Command], seq: int
) -> str:
    """Return the JSON record of a step.

    The values of HTTP headers in an assistant's tools are masked, because a value may be a secret.
    A record beyond `MAX_STEP_BYTES` has `omitted_bytes` instead of the inputs and commands.

    Args:
        new_inputs: the inputs of the step, in their order.
        now: the time that `decide` was given.
        commands: the commands that the step claims.
        seq: the number of the newest event after the step.
    """
    ends: dict[str, Any] = {"at": now, "seq": seq}
    sent = [command.model_dump(mode="json", exclude_defaults=True) for command in commands]
    record = ends | {"inputs": [_plain(input_) for input_ in new_inputs], "commands": sent}
    text = _json(record)
    size = len(text.encode())
    return text if size <= MAX_STEP_BYTES else _json(ends | {"omitted_bytes": size})


def _json(record: Mapping[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, default=datetime.isoformat)


def _plain(value: Any) -> Any:
    """Return an input as JSON values, each dataclass with its name.

    A field that is `None` by default is left out. Other defaults are written down, because a later
    version of the code may have other defaults.
    """
    if is_dataclass(value) and not isinstance(value, type):
        named = [(field, getattr(value, field.name)) for field in fields(value)]
        present = {
            field.name: _plain(item)
            for field, item in named
            if item is not None or field.default is not None
        }
        return {"type": type(value).__name__} | _without_secrets(present)
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_none=True)
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _without_secrets(named: dict[str, Any]) -> dict[str, Any]:
    assistant = named.get("assistant")
    if isinstance(assistant, Mapping) and assistant.get("tools"):
        named["assistant"] = {**assistant, "tools": mask_headers(assistant["tools"])}
    return named
