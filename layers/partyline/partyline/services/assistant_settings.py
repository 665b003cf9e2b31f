"""The assistant's settings in a request: a start and a route have the same."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from partyline.domain.model.assistant import AssistantStart
from partyline.domain.model.commands import Role
from partyline.domain.names import has_hidden_characters, normalized_name

MAX_ASSISTANT_BYTES = 100_000
"""Bound that keeps a conversation within one table item."""


def _check_name(name: str) -> str:
    if has_hidden_characters(name):
        raise PydanticCustomError("name", "a name has no control, line-break or bidi characters")
    if not normalized_name(name):
        raise PydanticCustomError("name", "a name has more than space")
    return name


Name = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_check_name)]
"""A name, which the assistant is told."""
SpokenText = Annotated[str, Field(min_length=1, max_length=3000)]
"""A spoken text: Telnyx takes 3,000 characters (Telnyx API: ai_assistant_start, greeting)."""
Text = Annotated[str, Field(min_length=1, max_length=20_000)]
NOT_WITH_ANSWER = ("interruption_settings", "message_history", "send_message_history_updates")
"""The settings for which an answer has no place (Telnyx API: answer, `assistant`)."""
TOOL_TYPES = ("webhook", "hangup", "retrieval", "book_appointment", "check_availability")
"""The types of inline tools: those of Telnyx (Telnyx API: ai_assistant_start, `tools`), without
`transfer`, by which an assistant dials past our rules. A new type of Telnyx is refused."""
MAX_TOOLS = 50


def field_error(field: str, message: str) -> PydanticCustomError:
    """Build the error of a rule about several fields; `field` is the field to correct."""
    return PydanticCustomError("rule", "{message}", {"field": field, "message": message})


class RequestModel(BaseModel):
    """Base: strict about types, and closed. Built at first use: a function takes one of them."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, defer_build=True)


class HistoryMessage(RequestModel):
    """A message of `message_history`."""

    role: Role
    content: Text


class PredefinedAudio(RequestModel):
    """A background sound of Telnyx; `silence` switches the sound off."""

    type: Literal["predefined_media"]
    value: Literal["silence", "office"]
    volume: Annotated[float, Field(ge=0.1, le=1)] | None = None


class CustomAudio(RequestModel):
    """A background sound of the account: the HTTPS URL of an MP3 file, or a stored file's name."""

    type: Literal["media_url", "media_name"]
    value: Annotated[str, Field(min_length=1, max_length=2048)]


class VoiceSettings(RequestModel):
    """The voice: the fields of `telnyx.requests.VoiceSettings`, which queries must not load."""

    voice: Annotated[str, Field(min_length=1, max_length=256)]
    voice_speed: Annotated[float, Field(ge=0.6, le=1.5)] | None = None
    speed: float | None = None
    similarity_boost: float | None = None
    style: float | None = None
    temperature: float | None = None
    use_speaker_boost: bool | None = None
    expressive_mode: bool | None = None
    language_boost: Annotated[str, Field(max_length=64)] | None = None
    api_key_ref: Annotated[str, Field(max_length=256)] | None = None
    background_audio: (
        Annotated[PredefinedAudio | CustomAudio, Field(discriminator="type")] | None
    ) = None


class TranscriptionSettings(RequestModel):
    """Speech to text."""

    model: str | None = None
    language: str | None = None


class InterruptionSettings(RequestModel):
    """Whether people may speak over the assistant."""

    enable: bool


class McpServer(RequestModel):
    """An MCP server of the Telnyx account, by its id (Telnyx API: AssistantMcpServer)."""

    id: Annotated[str, Field(min_length=1, max_length=128)]
    allowed_tools: (
        Annotated[list[Annotated[str, Field(max_length=256)]], Field(max_length=100)] | None
    ) = None


TOOLS_SCHEMA = {
    "type": "array",
    "maxItems": MAX_TOOLS,
    "items": {
        "oneOf": [
            {
                "type": "object",
                "properties": {"type": {"const": kind}, kind: {"type": "object"}},
                "required": ["type", kind],
                "additionalProperties": False,
            }
            for kind in TOOL_TYPES
        ]
    },
}
_SomeTools = Annotated[list[dict[str, Any]], Field(max_length=MAX_TOOLS)]
Tools = Annotated[_SomeTools, WithJsonSchema(TOOLS_SCHEMA)]
"""Inline tools, each with its `type` and the settings of that type (Telnyx API: HangupTool,
WebhookTool and the others require the settings, which may be empty for a hangup)."""


class AssistantSettings(RequestModel):
    """The assistant and what is different for this conversation (Telnyx: ai_assistant_start).

    `tools`, `voice_settings` and `transcription` replace the assistant's stored values as a whole.
    """

    id: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    name: Name | None = None
    greeting: SpokenText | None = None
    instructions: Text | None = None
    model: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    dynamic_variables: dict[str, str | int | float | bool] | None = None
    tools: Tools | None = None
    mcp_servers: Annotated[list[McpServer], Field(max_length=MAX_TOOLS)] | None = None
    voice: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    voice_settings: VoiceSettings | None = None
    transcription: TranscriptionSettings | None = None
    interruption_settings: InterruptionSettings | None = None
    message_history: Annotated[list[HistoryMessage], Field(max_length=100)] | None = None
    send_message_history_updates: bool | None = None

    @model_validator(mode="after")
    def _use_short_voice(self) -> Self:
        """`voice` is short for `voice_settings` with nothing but a voice."""
        voice, self.voice = self.voice, None
        if voice is not None and self.voice_settings is not None:
            raise field_error("voice", "give voice or voice_settings.voice, not both")
        if voice is not None:
            self.voice_settings = VoiceSettings(voice=voice)
        return self

    @model_validator(mode="after")
    def _check_tools(self) -> Self:
        for position, tool in enumerate(self.tools or []):
            kind = tool.get("type")
            if kind not in TOOL_TYPES:
                raise field_error("tools", f"the types of tools are {', '.join(TOOL_TYPES)}")
            if not tool.keys() <= {"type", kind}:
                raise field_error("tools", f"a tool of type {kind} has type and {kind} only")
            if not isinstance(tool.get(kind), dict):
                message = f"a tool of type {kind} needs the object {kind}"
                raise field_error(f"tools.{position}.{kind}", message)
        return self


def check_assistant_size(assistant: AssistantSettings | None) -> None:
    """Raise a PydanticCustomError for an assistant that leaves no room for its conversation."""
    if assistant and len(assistant.model_dump_json()) > MAX_ASSISTANT_BYTES:
        raise field_error("assistant", "larger than 100 KB")


def check_start(start: AssistantStart, assistant: AssistantSettings) -> None:
    """Raise a PydanticCustomError for a setting that an assistant started by an answer ignores."""
    for name in NOT_WITH_ANSWER if start == "with_answer" else ():
        if getattr(assistant, name) is not None:
            raise field_error(f"assistant.{name}", "not possible with start with_answer")
