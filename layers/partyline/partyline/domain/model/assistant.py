"""The Telnyx assistant of a conversation, with its settings."""

from typing import Any, Literal

from partyline.domain.model.stored import Stored

OUR_TOOLS = ("invite", "handover", "call_back", "status")
"""The assistant's tools that Partyline answers."""


AssistantStart = Literal["after_answer", "with_answer"]
"""When the assistant starts: by a command after the answer, or with the answer itself."""


class Assistant(Stored):
    """The Telnyx assistant and its overrides for this conversation (`ai_assistant_start`)."""

    id: str
    name: str | None = None
    greeting: str | None = None
    instructions: str | None = None
    model: str | None = None
    dynamic_variables: dict[str, str | int | float | bool] | None = None
    tools: list[dict[str, Any]] | None = None
    mcp_servers: list[dict[str, Any]] | None = None
    voice_settings: dict[str, Any] | None = None
    transcription: dict[str, Any] | None = None
    interruption_settings: dict[str, Any] | None = None
    message_history: list[dict[str, Any]] | None = None
    send_message_history_updates: bool | None = None

    @property
    def missing_tools(self) -> list[str]:
        """Partyline's own tools that inline `tools`, which replace the stored tools, leave out."""
        if self.tools is None:
            return []
        webhooks = [tool.get("webhook") for tool in self.tools]
        urls = [str(webhook.get("url")) for webhook in webhooks if isinstance(webhook, dict)]
        return [
            name for name in OUR_TOOLS if not any(url.endswith(f"/tools/{name}") for url in urls)
        ]
