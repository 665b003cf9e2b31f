"""The list of every unknown fact, and the answers that the simulator can play."""

from collections.abc import Mapping
from typing import Any

from local.simulator.unknowns import (
    commands,
    connections,
    conversations,
    deployment,
    queries,
    voices,
    webhooks,
)
from local.simulator.unknowns.model import Answer, Unknown

__all__ = ["ASSUMED", "GROUPS", "PLAYED", "UNKNOWNS", "Answer", "Unknown", "settings_of"]

GROUPS: Mapping[str, tuple[Unknown, ...]] = {
    "Commands": commands.UNKNOWNS,
    "Conversations": conversations.UNKNOWNS,
    "Bridges and conferences": connections.UNKNOWNS,
    "Sentences and audio files": voices.UNKNOWNS,
    "Webhooks and tools": webhooks.UNKNOWNS,
    "Queries": queries.UNKNOWNS,
    "Deployment on AWS": deployment.UNKNOWNS,
}

UNKNOWNS: Mapping[str, Unknown] = {
    unknown.id: unknown for group in GROUPS.values() for unknown in group
}
"""Every unknown by its id."""

PLAYED: Mapping[str, Unknown] = {
    name: unknown for name, unknown in UNKNOWNS.items() if unknown.is_played
}
"""The unknowns whose answers the simulator can play."""


def settings_of(answers: Mapping[str, str]) -> dict[str, Any]:
    """Return the simulator's settings for answers.

    Args:
        answers: The id of an answer for the id of an unknown, such as a live test's report. An
            unknown that is not named keeps its assumed answer.

    Returns:
        Names and values for `local.simulator.settings.Settings`.

    Raises:
        ValueError: An unknown or an answer does not exist.
    """
    settings: dict[str, Any] = {}
    for name, answer_id in answers.items():
        if name not in UNKNOWNS:
            raise ValueError(f"{name} is not in the list of unknowns.")
        settings.update(UNKNOWNS[name].answer(answer_id).settings)
    return settings


ASSUMED: Mapping[str, Any] = {
    # A setting of one answer only, such as `ignores_conversation_keys`, has no effect otherwise.
    **{
        name: value
        for unknown in PLAYED.values()
        for answer in reversed(unknown.answers)
        for name, value in answer.settings.items()
    },
    **settings_of({name: unknown.assumed for name, unknown in PLAYED.items()}),
}
"""The simulator's settings under the assumed answers."""
