"""`partyline export`: the steps of a conversation, with stand-ins, as the API serves the steps."""

from collections.abc import Sequence
from typing import Any

from local.replay import driver
from local.replay.stand_ins import StandIns

Json = dict[str, Any]


class ExportError(Exception):
    """The conversation cannot be exported."""


def recorded_steps(steps: Sequence[Json], timeline: Sequence[Json]) -> tuple[list[Json], str]:
    """Put the events of the timeline to their steps.

    Returns the steps from the first on, and why later steps are left out (empty: all are there).
    Raises ExportError when the first step was not kept.
    """
    events = {event["seq"]: event for event in timeline}
    whole = list[Json]()
    newest = 0
    for step in steps:
        numbers = range(newest + 1, step["seq"] + 1)
        if step["version"] != len(whole) + 1 or not set(numbers) <= events.keys():
            break
        if step.get("omitted_bytes"):
            return whole, f"step {step['version']} was too large to be kept"
        of_step = [driver.as_decided(events[number]) for number in numbers]
        kept = {name: step[name] for name in ("version", "at", "inputs", "commands")}
        whole.append(kept | {"events": of_step})
        newest = step["seq"]
    if not whole:
        raise ExportError("The first inputs were not kept: KeepInputs was off at that time.")
    missing = len(whole) < len(steps) or newest < len(timeline)
    return whole, f"the timeline goes on after step {len(whole)}" if missing else ""


def with_stand_ins(steps: Sequence[Json]) -> list[Json]:
    """Return the steps with stand-ins for numbers, names and texts.

    Raises ExportError when the steps with stand-ins would be decided differently.
    """
    stand_ins = StandIns()
    for step in steps:
        stand_ins.input(step["inputs"])  # every name is known before the first text
    hidden = [
        {
            "version": step["version"],
            "at": step["at"],
            "inputs": stand_ins.input(step["inputs"]),
            "events": [stand_ins.event(event) for event in step["events"]],
            "commands": [stand_ins.command(command) for command in step["commands"]],
        }
        for step in steps
    ]
    difference = driver.replay(hidden)
    if difference and driver.replay(_as_shown(steps)) is None:
        raise ExportError(f"Step {difference['version']} is decided differently with stand-ins.")
    return hidden


def _as_shown(steps: Sequence[Json]) -> list[Json]:
    """Return steps whose commands are masked as their replay is."""
    return [step | {"commands": commands_as_shown(step["commands"])} for step in steps]


def commands_as_shown(commands: Sequence[Json]) -> list[Json]:
    """Return recorded commands as `driver.shown_command` shows a command."""
    from partyline.domain.masking import mask_fields  # noqa: PLC0415 - the layer, as in the driver

    return [
        command | {"messages": mask_fields(command["messages"])}
        if "messages" in command
        else command
        for command in commands
    ]
