"""The account beside its calls: assistants' configuration, the tools they share, phone numbers.

Paths and shapes follow Telnyx's official client 4.189 (`client.ai.tools`, `client.ai.assistants`,
`client.phone_numbers`). What `tool_definition` holds is not published: here it is the `webhook`.
"""

import json
import re
from dataclasses import dataclass, field

from local.simulator.errors import ApiError
from local.simulator.model import JsonObject
from local.simulator.queries import count
from local.simulator.switchboard import Switchboard, timestamp

_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_MISSING = "The requested resource or URL could not be found"


@dataclass(frozen=True)
class ToolRequest:
    """What an assistant's tool posts."""

    url: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class Toolbox:
    """The tools of the account, which assistant has which, and its numbers."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board

    def create(self, body: JsonObject) -> JsonObject:
        """Make a shared tool (Telnyx API: POST /ai/tools)."""
        tool_id = f"tool-{self._board.ids.uuid()}"
        tool = {
            "id": tool_id,
            "display_name": body["display_name"],
            "type": body["type"],
            "tool_definition": body.get("webhook", {}),
            "timeout_ms": body.get("timeout_ms"),
            "created_at": timestamp(self._board.now()),
        }
        self._board.world.tools[tool_id] = tool
        return tool

    def get(self, tool_id: str) -> JsonObject:
        """One, or 404."""
        tool = self._board.world.tools.get(tool_id)
        if tool is None:
            raise ApiError("10005", _MISSING)
        return tool

    def update(self, tool_id: str, body: JsonObject) -> JsonObject:
        """Change what `body` names (Telnyx API: PATCH /ai/tools/{id})."""
        tool = self.get(tool_id)
        for name, value in body.items():
            tool["tool_definition" if name == "webhook" else name] = value
        return tool

    def delete(self, tool_id: str) -> JsonObject:
        """Remove one, from every assistant too."""
        self.get(tool_id)
        del self._board.world.tools[tool_id]
        for attached in self._board.world.attached_tools.values():
            if tool_id in attached:
                attached.remove(tool_id)
        return {}

    def page(self, query: dict[str, str]) -> JsonObject:
        """A page of the shared tools; `filter[type]` narrows it."""
        wanted = query.get("filter[type]")
        tools = self._board.world.tools.values()
        return paged([each for each in tools if wanted in (None, each["type"])], query)

    def assistant(self, assistant_id: str) -> JsonObject:
        """An assistant, its inline tools and the shared ones merged (GET /ai/assistants/{id})."""
        inline = self._board.world.inline_tools.get(assistant_id, [])
        shared = [self.get(each) for each in self._attached(assistant_id)]
        return {
            "id": assistant_id,
            "name": assistant_id,
            "model": "a-model",
            "instructions": "Be helpful.",
            "created_at": timestamp(self._board.now()),
            "tools": [
                *({**each, "shared": False} for each in inline),
                *(
                    {
                        "type": each["type"],
                        each["type"]: each["tool_definition"],
                        "timeout_ms": each["timeout_ms"],
                        "shared": True,
                    }
                    for each in shared
                ),
            ],
        }

    def attach(self, assistant_id: str, tool_id: str) -> JsonObject:
        """Give an assistant a shared tool; it may have it already."""
        self.get(tool_id)
        attached = self._attached(assistant_id)
        if tool_id not in attached:
            attached.append(tool_id)
        return {}

    def detach(self, assistant_id: str, tool_id: str) -> JsonObject:
        """Take a shared tool from an assistant that has it."""
        if tool_id not in self._attached(assistant_id):
            raise ApiError("10005", _MISSING)
        self._attached(assistant_id).remove(tool_id)
        return {}

    def trial(self, assistant_id: str, tool_id: str, body: JsonObject) -> ToolRequest:
        """The request of a tool that is tried out: arguments, and preset fields over them.

        Telnyx API: POST /ai/assistants/{assistant_id}/tools/{tool_id}/test.
        """
        if tool_id not in self._attached(assistant_id):
            raise ApiError("10005", _MISSING)
        webhook = self.get(tool_id)["tool_definition"]
        variables = body.get("dynamic_variables", {})
        preset = {
            name: _VARIABLE.sub(lambda found: str(variables.get(found[1], "")), str(value))
            for name, value in webhook.get("preset_body_fields", {}).items()
        }
        sent = {**body.get("arguments", {}), **preset}
        return ToolRequest(webhook["url"], json.dumps(sent).encode())

    def numbers(self, query: dict[str, str]) -> JsonObject:
        """A page of the account's numbers; `filter[connection_id]` narrows it."""
        wanted = query.get("filter[connection_id]")
        rows = [
            {
                "id": str(place),
                "record_type": "phone_number",
                "phone_number": number,
                "status": "active",
                "connection_id": connection_id,
            }
            for place, (number, connection_id) in enumerate(self._board.world.numbers.items(), 1)
            if wanted in (None, connection_id)
        ]
        return paged(rows, query)

    def _attached(self, assistant_id: str) -> list[str]:
        return self._board.world.attached_tools.setdefault(assistant_id, [])


def paged(rows: list[JsonObject], query: dict[str, str]) -> JsonObject:
    """The page of `rows` that `page[number]` and `page[size]` ask for."""
    size, number = count(query, "page[size]", 20), count(query, "page[number]", 1)
    return {
        "data": rows[(number - 1) * size : number * size],
        "meta": {
            "page_number": number,
            "page_size": size,
            "total_pages": -(-len(rows) // size),
            "total_results": len(rows),
        },
    }
