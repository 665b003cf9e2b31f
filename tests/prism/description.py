"""The public description of Telnyx's API, with the changes that Telnyx published after it.

`telnyx.json` is the used part of the description of 2026-07-16 without its prose. Newer versions of
the description are too large to be stored, so the changes come from Telnyx's own client libraries,
which Telnyx generates from the description.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.prism.client_paths import client_paths

VERSION = "2026-07-16"


@dataclass(frozen=True)
class Change:
    """A change of the description: `schema` is a component, `field` one of its properties."""

    schema: str
    field: str
    value: dict[str, Any]
    source: str


_URL_LISTS = {
    "type": "object",
    "additionalProperties": {"type": "array", "items": {"type": "string", "format": "uri"}},
}

CHANGES = (
    Change("CallRequest", "webhook_urls", _URL_LISTS, "client 4.174.0, 2026-08-16"),
    Change("AnswerRequest", "webhook_urls", _URL_LISTS, "client 4.174.0, 2026-08-16"),
)


def description() -> dict[str, Any]:
    """Return the description of today as an OpenAPI document.

    Raises ValueError for a change of a field that the description does not have.
    """
    text = Path(__file__).with_name("telnyx.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    for change in CHANGES:
        properties = document["components"]["schemas"][change.schema]["properties"]
        if change.field not in properties or properties[change.field] == change.value:
            raise ValueError(f"{change.schema}.{change.field}: the change is none")
        properties[change.field] = change.value
    responses = document["paths"]["/calls/{call_control_id}/actions/hangup"]["post"]["responses"]
    refused = {status: answer for status, answer in responses.items() if status != "200"}
    document["paths"].update(client_paths(refused))
    return document
