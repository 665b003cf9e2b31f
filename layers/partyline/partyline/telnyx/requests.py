"""What we send Telnyx and what it answers, one model an action.

A request refuses fields it does not know, and every command carries a `command_id`: Telnyx drops a
second one for 60 s, so nothing is sent twice unseen. An answer may miss any field: what Telnyx
answers to a repeated command is not documented. Source: Telnyx API, the schemas of each action.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from partyline.telnyx.lenient import Flag, Id, Json, Moment, Received, Text, Whole, objects

Spoken = Annotated[str, Field(min_length=1, max_length=3000)]
OnHangup = Literal["continue_conversation", "end_conversation"]
DynamicValue = str | bool | int | float
MachineDetection = Literal[
    "premium", "detect", "detect_beep", "detect_words", "greeting_end", "disabled"
]


class Sent(BaseModel):
    """Base of what we send: frozen, and a field Telnyx does not know is an error here."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        allow_inf_nan=False,
        defer_build=True,
    )


class Command(Sent):
    """What every command carries. `client_state` is base64, echoed on the leg's later webhooks."""

    command_id: str = Field(min_length=1)
    client_state: str | None = None

    def body(self) -> dict[str, Any]:
        """The JSON body, under Telnyx's names, without what is not set."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class SipHeader(Sent):
    """A custom SIP header."""

    name: str
    value: str


class RetryPolicy(Sent):
    """Delays between deliveries of a webhook, in ms: at most 5, together at most 60 s."""

    retries_ms: tuple[Annotated[int, Field(ge=0)], ...] = Field(max_length=5)

    @model_validator(mode="after")
    def _within_a_minute(self) -> Self:
        if sum(self.retries_ms) > 60_000:
            raise ValueError("the delays of a retry policy add up to 60000 ms at most")
        return self


class WebhookTargets(Command):
    """Where a leg's webhooks go. Only dial, answer and transfer take these.

    `webhook_urls` and `webhook_retries_policies` are keyed by event type; an event that
    `webhook_urls` does not name goes to `webhook_url`, else to the application's URL.
    Telnyx's description maps an event type to one URL, its client library since 4.189 to a list: we
    follow the description, and `Telnyx.dial` and `answer` go on without the map if it is refused.
    """

    webhook_url: str | None = None
    webhook_urls: dict[str, str] | None = None
    webhook_retries_policies: dict[str, RetryPolicy] | None = None


class MachineDetectionConfig(Sent):
    """Machine detection's timings, in ms. Premium heeds only the total and the greeting."""

    total_analysis_time_millis: int | None = None
    after_greeting_silence_millis: int | None = None
    between_words_silence_millis: int | None = None
    greeting_duration_millis: int | None = None
    greeting_silence_duration_millis: int | None = None
    greeting_total_analysis_time_millis: int | None = None
    initial_silence_millis: int | None = None
    maximum_number_of_words: int | None = None
    maximum_word_length_millis: int | None = None
    silence_threshold: int | None = None


class DialRequest(WebhookTargets):
    """Telnyx API: POST /calls. Times in seconds; `to` is a number or SIP URI, or several."""

    connection_id: str
    to: str | tuple[str, ...]
    from_: str = Field(alias="from")
    from_display_name: str | None = Field(None, pattern=r"^[A-Za-z0-9 \-_~!.+]{1,128}$")
    timeout_secs: int | None = Field(None, ge=5, le=600)
    time_limit_secs: int | None = Field(None, ge=30, le=14_400)
    answering_machine_detection: MachineDetection | None = None
    answering_machine_detection_config: MachineDetectionConfig | None = None
    custom_headers: tuple[SipHeader, ...] | None = None
    send_digits_on_answer: str | None = Field(None, pattern=r"^[0-9A-DwW*#]+$")
    link_to: str | None = None


class AnswerRequest(WebhookTargets):
    """Telnyx API: POST /calls/{id}/actions/answer, for an incoming leg only."""


class HangUpRequest(Command):
    """Telnyx API: POST /calls/{id}/actions/hangup."""

    custom_headers: tuple[SipHeader, ...] | None = None


class Assistant(Sent):
    """The assistant to run, with what is different on this call.

    Inline `tools` may be of type webhook, hangup, transfer, retrieval, book_appointment or
    check_availability; invite and skip_turn exist only on the stored assistant.
    """

    id: str = Field(min_length=1)
    name: str | None = None
    greeting: Spoken | None = None
    instructions: str | None = None
    model: str | None = None
    dynamic_variables: dict[str, DynamicValue] | None = None
    tools: tuple[dict[str, Any], ...] | None = None
    mcp_servers: tuple[dict[str, Any], ...] | None = None


class Message(Sent):
    """One message of a conversation. A `tool` message answers a `tool_call_id`."""

    role: Literal["user", "assistant", "system", "developer", "tool"]
    content: str
    tool_call_id: str | None = None
    metadata: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _tool_call(self) -> Self:
        if (self.role == "tool") != (self.tool_call_id is not None):
            raise ValueError("a tool message, and no other, has a tool_call_id")
        return self


class JoiningParticipant(Sent):
    """A leg that takes part: `id` is its call_control_id. Telnyx knows the role `user` only."""

    id: str = Field(min_length=1)
    role: Literal["user"] = "user"
    name: str | None = None
    on_hangup: OnHangup | None = None


class Transcription(Sent):
    """Speech to text: model and language (`auto` by default)."""

    model: str | None = None
    language: str | None = None


class InterruptionSettings(Sent):
    """Whether people may speak over the assistant."""

    enable: bool


class StartAssistantRequest(Command):
    """Telnyx API: POST /calls/{id}/actions/ai_assistant_start."""

    assistant: Assistant
    greeting: Spoken | None = None
    voice: str | None = None
    voice_settings: dict[str, Any] | None = None
    transcription: Transcription | None = None
    interruption_settings: InterruptionSettings | None = None
    message_history: tuple[Message, ...] | None = None
    participants: tuple[JoiningParticipant, ...] | None = None
    send_message_history_updates: bool | None = None


class JoinAssistantRequest(Command):
    """Telnyx API: POST /calls/{id}/actions/ai_assistant_join, on the joining leg itself."""

    conversation_id: str = Field(min_length=1)
    participant: JoiningParticipant


class StopAssistantRequest(Command):
    """Telnyx API: POST /calls/{id}/actions/ai_assistant_stop. The leg stays up."""


class AddMessagesRequest(Command):
    """Telnyx API: POST /calls/{id}/actions/ai_assistant_add_messages."""

    messages: tuple[Message, ...] = Field(min_length=1)


class GatherUsingSpeakRequest(Command):
    """Telnyx API: POST /calls/{id}/actions/gather_using_speak: say something, wait for keys."""

    payload: Spoken
    voice: str
    payload_type: Literal["text", "ssml"] | None = None
    language: str | None = None
    invalid_payload: Spoken | None = None
    minimum_digits: int | None = Field(None, ge=1, le=128)
    maximum_digits: int | None = Field(None, ge=1, le=128)
    maximum_tries: int | None = Field(None, ge=1)
    timeout_millis: int | None = Field(None, ge=1)
    inter_digit_timeout_millis: int | None = Field(None, ge=1)
    terminating_digit: str | None = None
    valid_digits: str | None = None


class Done(Received):
    """A command was taken. `result` is "ok" when Telnyx says so."""

    result: Id = None


class Dialed(Received):
    """The ids of the leg we dialled. A repeated dial may answer none."""

    call_control_id: Id = None
    call_leg_id: Id = None
    call_session_id: Id = None


class AssistantStarted(Received):
    """The conversation that began. If missing, call.conversation.created names it."""

    conversation_id: Id = None


class AssistantJoined(Received):
    """The conversation that the leg joined."""

    conversation_id: Id = None


class ActiveCall(Received):
    """A leg that is up now. The duration is in seconds."""

    call_control_id: Id = None
    call_leg_id: Id = None
    call_session_id: Id = None
    client_state: Text = None
    call_duration: Whole = None


class Call(ActiveCall):
    """A leg, readable until 10 minutes after its end."""

    is_alive: Flag = None
    start_time: Moment = None
    end_time: Moment = None


class AiConversation(Received):
    """A conversation as Telnyx keeps it. `metadata` holds the starting leg's call_control_id."""

    id: Id = None
    created_at: Moment = None
    metadata: Json = None


class StoredInsight(Received):
    """One insight of a conversation: text, which may be JSON."""

    insight_id: Id = None
    result: Json = None


class ConversationInsights(Received):
    """One run of a conversation's insights: pending, in_progress, completed or failed."""

    id: Id = None
    status: Id = None
    created_at: Moment = None
    insights: Annotated[tuple[StoredInsight, ...], BeforeValidator(objects)] = Field(
        (), alias="conversation_insights"
    )
