"""The account's assistants and shared tools.

Paths and shapes follow Telnyx's official client 4.189 (`client.ai.tools`, `client.ai.assistants`).
The form of `tool_definition` is not published: here it is `webhook`.
"""

import json
import re
from dataclasses import dataclass, field

from local.simulator.errors import ApiError
from local.simulator.model import JsonObject
from local.simulator.queries import paged
from local.simulator.switchboard import Switchboard, timestamp

_SEVERAL_OF_A_TYPE = frozenset({"function", "webhook", "client_side_tool"})
_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(frozen=True)
class ToolRequest:
    """The request of an assistant's tool; Telnyx sends a failing request `attempts` times."""

    url: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    attempts: int = 1


class Toolbox:
    """The account's tools, and the tools of each assistant."""

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

    def assistants(self) -> JsonObject:
        """Return the assistants of the settings, else the assistants that have tools or settings.

        Telnyx API: GET /ai/assistants, without pages.
        """
        world, known = self._board.world, self._board.settings.assistants
        if known is None:
            known = frozenset(
                {*world.inline_tools, *world.attached_tools, *world.assistant_settings}
            )
        return {"data": [self.assistant(assistant_id) for assistant_id in sorted(known)]}

    def update_assistant(self, assistant_id: str, body: JsonObject) -> JsonObject:
        """Replace the assistant's inline tools (Telnyx API: POST /ai/assistants/{id}).

        A tool with `shared` is refused here, because Telnyx keeps such tools in `tool_ids` alone.
        Of most types an assistant has one tool at most.
        """
        tools = body.get("tools", self._board.world.inline_tools.get(assistant_id, []))
        shared = [self.get(tool_id)["type"] for tool_id in self._attached(assistant_id)]
        single = [
            kind
            for kind in (*shared, *(tool["type"] for tool in tools))
            if kind not in _SEVERAL_OF_A_TYPE
        ]
        if len(single) != len(set(single)) or any("shared" in tool for tool in tools):
            raise ApiError("10015", "The assistant has such a tool already", "/tools", status=400)
        self._board.world.inline_tools[assistant_id] = list(tools)
        return self.assistant(assistant_id)

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

    def _attached(self, assistant_id: str) -> list[str]:
        return self._board.world.attached_tools.setdefault(assistant_id, [])
