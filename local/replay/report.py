"""The difference between a recorded and a replayed step, in lines."""

import difflib
from typing import Any

from local.replay.driver import canonical

Json = dict[str, Any]


def difference_lines(difference: Json) -> list[str]:
    """Return lines that tell a difference: `-` is recorded, `+` is decided now."""
    inputs = ", ".join(difference["inputs"])
    step = f"Step {difference['version']} ({inputs}, {difference['at']}) is decided differently:"
    recorded, replayed = (_lines(difference[name]) for name in ("recorded", "replayed"))
    changes = list(difflib.unified_diff(recorded, replayed, lineterm="", n=0))[2:]
    return [step, *(line for line in changes if not line.startswith("@@"))]


def _lines(outcome: Json) -> list[str]:
    lines = [f"event {canonical(event)}" for event in outcome["events"]]
    lines += [f"command {canonical(command)}" for command in outcome["commands"]]
    return lines + ([outcome["error"]] if "error" in outcome else [])
