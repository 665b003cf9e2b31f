"""The account's configuration: assistants, shared tools and phone numbers.

Paths and shapes follow Telnyx's official client 4.189 (`client.ai.tools`, `client.ai.assistants`,
`client.phone_numbers`). The form of `tool_definition` is not published: here it is `webhook`.
"""

import json
import re
from dataclasses import dataclass, field

from local.simulator.errors import ApiError
from local.simulator.model import JsonObject
from local.simulator.queries import paged
from local.simulator.switchboard import Switchboard, timestamp

_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(frozen=True)
class ToolRequest:
    """The request of an assistant's tool; Telnyx sends a failing request `attempts` times."""

    url: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    attempts: int = 1


class Toolbox:
    """The account's tools, the tools of each assistant, and the account's numbers."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board

    def create(self, body: JsonObject) -> JsonObject:
        """Create a shared tool (Telnyx API: POST /ai/tools)."""
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
        """Return a tool, or 404."""
        tool = self._board.world.tools.get(tool_id)
        if tool is None:
            raise ApiError.not_found()
        return tool

    def update(self, tool_id: str, body: JsonObject) -> JsonObject:
        """Change the fields that `body` names (Telnyx API: PATCH /ai/tools/{id})."""
        tool = self.get(tool_id)
        for name, value in body.items():
            tool["tool_definition" if name == "webhook" else name] = value
        return tool

    def delete(self, tool_id: str) -> JsonObject:
        """Remove a tool, from every assistant too."""
        self.get(tool_id)
        del self._board.world.tools[tool_id]
        for attached in self._board.world.attached_tools.values():
            if tool_id in attached:
                attached.remove(tool_id)
        return {}

    def page(self, query: dict[str, str]) -> JsonObject:
        """Return a page of the shared tools; `filter[type]` filters by type."""
        wanted = query.get("filter[type]")
        tools = self._board.world.tools.values()
        return paged([tool for tool in tools if wanted in (None, tool["type"])], query)

    def assistant(self, assistant_id: str) -> JsonObject:
        """Return an assistant with its inline and shared tools (GET /ai/assistants/{id})."""
        inline = self._board.world.inline_tools.get(assistant_id, [])
        shared = [self.get(tool_id) for tool_id in self._attached(assistant_id)]
        return {
            "id": assistant_id,
            "name": assistant_id,
            "model": "a-model",
            "instructions": "Be helpful.",
            "created_at": timestamp(self._board.now()),
            "voice_settings": {"voice": self._board.settings.stored_voice},
            **self._board.world.assistant_settings.get(assistant_id, {}),
            "tools": [
                *({**tool, "shared": False} for tool in inline),
                *(
                    {
                        "type": tool["type"],
                        tool["type"]: tool["tool_definition"],
                        "timeout_ms": tool["timeout_ms"],
                        "shared": True,
                    }
                    for tool in shared
                ),
            ],
        }

    def attach(self, assistant_id: str, tool_id: str) -> JsonObject:
        """Give an assistant a shared tool; a second attachment has no effect."""
        self.get(tool_id)
        attached = self._attached(assistant_id)
        if tool_id not in attached:
            attached.append(tool_id)
        return {}

    def detach(self, assistant_id: str, tool_id: str) -> JsonObject:
        """Take a shared tool from an assistant that has it."""
        if tool_id not in self._attached(assistant_id):
            raise ApiError.not_found()
        self._attached(assistant_id).remove(tool_id)
        return {}

    def test_request(self, assistant_id: str, tool_id: str, body: JsonObject) -> ToolRequest:
        """Return the request of a tested tool: preset fields replace arguments of the same name.

        Telnyx API: POST /ai/assistants/{assistant_id}/tools/{tool_id}/test.
        """
        if tool_id not in self._attached(assistant_id):
            raise ApiError.not_found()
        webhook = self.get(tool_id)["tool_definition"]
        variables = body.get("dynamic_variables", {})
        preset = {
            name: _VARIABLE.sub(lambda match: str(variables.get(match[1], "")), str(value))
            for name, value in webhook.get("preset_body_fields", {}).items()
        }
        sent = {**body.get("arguments", {}), **preset}
        return ToolRequest(webhook["url"], json.dumps(sent).encode())

    def numbers(self, query: dict[str, str]) -> JsonObject:
        """Return a page of the account's numbers; `filter[connection_id]` filters the numbers."""
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
