"""Models of the requests that we send to Telnyx, a model for each action.

Every command has a `command_id`: for 60 s Telnyx ignores a second command with the same id, so a
repeated request acts once. The models have the fields that we send, out of the schemas of each
action (Telnyx API).
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Spoken = Annotated[str, Field(min_length=1, max_length=3000)]
HttpsUrl = Annotated[str, Field(pattern=r"^https://", max_length=2000)]
OnHangup = Literal["continue_conversation", "end_conversation"]
DynamicValue = str | bool | int | float
MachineDetection = Literal[
    "premium",
    "premium_ios_call_screening_detection",
    "detect",
    "detect_beep",
    "detect_words",
    "greeting_end",
    "disabled",
]
HANGUP_REASON = r'^[^"\\\x00-\x1f\x7f-\x9f\U00010000-\U0010ffff]+$'


class Sent(BaseModel):
    """Base of every model that we send: frozen, and refuses unknown fields."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False, defer_build=True
    )


class Command(Sent):
    """Base of every command. Telnyx echoes `client_state` (base64) on the leg's later webhooks."""

    command_id: str = Field(min_length=1)
    client_state: str | None = None

    def body(self) -> dict[str, Any]:
        """Return the JSON body with Telnyx's field names, without unset fields."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class RetryPolicy(Sent):
    """Delays between deliveries of a webhook, in ms: at most 5, together at most 60 s."""

    retries_ms: tuple[Annotated[int, Field(ge=0)], ...] = Field(max_length=5)

    @model_validator(mode="after")
    def _within_a_minute(self) -> Self:
        if sum(self.retries_ms) > 60_000:
            raise ValueError("the delays of a retry policy add up to 60000 ms at most")
        return self


class WebhookTargets(Command):
    """The URLs of a leg's webhooks. Only dial, answer and transfer take these fields.

    The keys of `webhook_urls` and `webhook_retries_policies` are event types. An event type that
    `webhook_urls` lacks goes to `webhook_url`, else to the application's URL. `webhook_urls` maps
    an event type to a list of URLs (Telnyx API since August 2026, client library since 4.174), and
    to a URL in the description before. `telnyx.webhook_urls` has the other forms.
    """

    webhook_url: str | None = None
    webhook_urls: dict[str, tuple[str, ...]] | None = None
    webhook_retries_policies: dict[str, RetryPolicy] | None = None


class MachineDetectionConfig(Sent):
    """The settings of the machine detection (Telnyx API: answering_machine_detection_config).

    Telnyx publishes no bounds but that of the purity. Premium modes take the total analysis time
    and the duration of a greeting only, and the mode for screening phones the end of a prompt too.
    """

    total_analysis_time_millis: int | None = Field(None, ge=0)
    after_greeting_silence_millis: int | None = Field(None, ge=0)
    between_words_silence_millis: int | None = Field(None, ge=0)
    greeting_duration_millis: int | None = Field(None, ge=0)
    greeting_silence_duration_millis: int | None = Field(None, ge=0)
    greeting_total_analysis_time_millis: int | None = Field(None, ge=0)
    initial_silence_millis: int | None = Field(None, ge=0)
    maximum_number_of_words: int | None = Field(None, ge=0)
    maximum_word_length_millis: int | None = Field(None, ge=0)
    silence_threshold: int | None = Field(None, ge=0)
    prompt_end_timeout_millis: int | None = Field(None, ge=0)
    beep_detection_profile: Literal["both", "freq_only"] | None = None
    beep_min_frequency_hz: int | None = None
    beep_max_frequency_hz: int | None = None
    beep_min_tone_duration_millis: int | None = None
    beep_spectral_confirmation: bool | None = None
    beep_spectral_min_purity: float | None = Field(None, ge=0, le=1)
    beep_spectral_reject_fax_cng: bool | None = None
    beep_spectral_window_millis: int | None = None


class DialRequest(WebhookTargets):
    """Telnyx API: POST /calls. Times in seconds; `to` is a number or SIP URI, or several.

    The longest `time_limit_secs` is `timeouts.MAX_CALL_SECS`.
    """

    connection_id: str
    to: str | tuple[str, ...]
    from_: str = Field(alias="from")
    timeout_secs: int | None = Field(None, ge=5, le=600)
    time_limit_secs: int | None = Field(None, ge=30)
    answering_machine_detection: MachineDetection | None = None
    answering_machine_detection_config: MachineDetectionConfig | None = None


class AnswerRequest(WebhookTargets):
    """Telnyx API: POST /calls/{id}/actions/answer, for an incoming leg only.

    With `assistant`, Telnyx prepares the assistant before the answer, and starts the assistant with
    the answer. The response has no conversation id, and no `ai_assistant_start` may follow.
    """

    assistant: "Assistant | None" = None


class RejectRequest(Command):
    """Telnyx API: POST /calls/{id}/actions/reject, for an incoming leg that nobody answered.

    `USER_BUSY` makes the caller's network play the busy tone (SIP 486).
    """

    cause: Literal["CALL_REJECTED", "NOT_FOUND", "TEMPORARILY_UNAVAILABLE", "USER_BUSY"]


class HangUpRequest(Command):
    """Telnyx API: POST /calls/{id}/actions/hangup.

    `reason` is the text of the SIP header `Reason` on the CANCEL of an unanswered outbound leg: the
    phone then shows no missed call. Telnyx answers 422 to a `"`, a backslash, a control character
    or a character beyond the Basic Multilingual Plane. An answered leg ignores the text.
    """

    reason: str | None = Field(None, min_length=1, pattern=HANGUP_REASON)


class PredefinedAudio(Sent):
    """A background sound of Telnyx; `silence` switches the sound off."""

    type: Literal["predefined_media"]
    value: Literal["silence", "office"]
    volume: float | None = Field(None, ge=0.1, le=1)


class CustomAudio(Sent):
    """A background sound of the account: the HTTPS URL of an MP3 file, or a stored file's name."""

    type: Literal["media_url", "media_name"]
    value: str = Field(min_length=1)


class VoiceSettings(Sent):
    """The voice of a call (Telnyx API: ai_assistant_start, assistant.voice_settings).

    The object replaces the assistant's stored object as a whole: an absent setting has Telnyx's
    default, not the stored value.
    """

    voice: str = Field(min_length=1)
    voice_speed: float | None = Field(None, ge=0.6, le=1.5)
    speed: float | None = None
    similarity_boost: float | None = None
    style: float | None = None
    temperature: float | None = None
    use_speaker_boost: bool | None = None
    expressive_mode: bool | None = None
    language_boost: str | None = None
    api_key_ref: str | None = None
    background_audio: PredefinedAudio | CustomAudio | None = Field(None, discriminator="type")


class Transcription(Sent):
    """Speech to text: model and language (`auto` by default). Replaces the stored object too."""

    model: str | None = None
    language: str | None = None


class Assistant(Sent):
    """The assistant to run, and the settings that differ on this call.

    `dynamic_variables` are merged with the stored variables; `tools`, `voice_settings` and
    `transcription` replace the stored values as a whole (Telnyx API: ai_assistant_start).

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
    voice_settings: VoiceSettings | None = None
    transcription: Transcription | None = None


class Message(Sent):
    """A message of a conversation."""

    role: Literal["user", "assistant", "system", "developer"]
    content: str


class JoiningParticipant(Sent):
    """A leg that takes part: `id` is its call_control_id. Telnyx accepts only the role `user`."""

    id: str = Field(min_length=1)
    role: Literal["user"] = "user"
    name: str | None = None
    on_hangup: OnHangup | None = None


class InterruptionSettings(Sent):
    """Whether people may speak over the assistant."""

    enable: bool


class StartAssistantRequest(Command):
    """Telnyx API: POST /calls/{id}/actions/ai_assistant_start."""

    assistant: Assistant
    greeting: Spoken | None = None
    interruption_settings: InterruptionSettings | None = None
    message_history: tuple[Message, ...] | None = None
    participants: tuple[JoiningParticipant, ...] | None = None
    send_message_history_updates: bool | None = None


class JoinAssistantRequest(Command):
    """Telnyx API: POST /calls/{id}/actions/ai_assistant_join.

    Telnyx's guides disagree on the leg of the path: the joining leg (guide of August 2026), or the
    leg of the assistant (newer example). `participant` is the joining leg in both.
    """

    conversation_id: str = Field(min_length=1)
    participant: JoiningParticipant


class StopAssistantRequest(Command):
    """Telnyx API: POST /calls/{id}/actions/ai_assistant_stop. The leg stays up."""


class BridgeRequest(Command):
    """Telnyx API: POST /calls/{id}/actions/bridge. `call_control_id` is the other call.

    When the bridge ends, Telnyx hangs a call up. With `park_after_unbridge` the call of the path
    stays up.
    """

    call_control_id: str = Field(min_length=1)
    park_after_unbridge: Literal["self"] | None = None


class ConferenceRequest(Sent):
    """Base of the commands of a conference. Without `beep_enabled`, Telnyx plays no beep."""

    call_control_id: str = Field(min_length=1)
    beep_enabled: Literal["always", "never", "on_enter", "on_exit"] | None = None


class CreateConferenceRequest(ConferenceRequest, Command):
    """Telnyx API: POST /conferences. The call is the first in the conference.

    A conference ends when all calls have left, or after 4 hours.
    """

    name: str = Field(min_length=1)


class JoinConferenceRequest(ConferenceRequest, Command):
    """Telnyx API: POST /conferences/{id}/actions/join."""


class LeaveConferenceRequest(ConferenceRequest):
    """Telnyx API: POST /conferences/{id}/actions/leave. The call is parked."""

    command_id: str = Field(min_length=1)

    def body(self) -> dict[str, Any]:
        """Return the JSON body without unset fields."""
        return self.model_dump(mode="json", exclude_none=True)


class AddMessagesRequest(Command):
    """Telnyx API: POST /calls/{id}/actions/ai_assistant_add_messages.

    With `trigger_response` the assistant answers at once, perhaps over a person who is speaking;
    without, at its next turn.
    """

    messages: tuple[Message, ...] = Field(min_length=1)
    trigger_response: bool | None = None


class GatherUsingSpeakRequest(Command):
    """Telnyx API: POST /calls/{id}/actions/gather_using_speak: say something, wait for keys."""

    payload: Spoken
    voice: str
    language: str | None = None
    minimum_digits: int | None = Field(None, ge=1, le=128)
    maximum_digits: int | None = Field(None, ge=1, le=128)
    maximum_tries: int | None = Field(None, ge=1)
    timeout_millis: int | None = Field(None, ge=1)
    terminating_digit: str | None = None


class SpeakRequest(Command):
    """Telnyx API: POST /calls/{id}/actions/speak: say a sentence.

    `call.speak.ended` tells the end. With `stop="all"`, the sentence replaces all that plays on the
    call and all that waits to be played.
    """

    payload: Spoken
    voice: str
    language: str | None = None
    stop: Literal["all"] | None = None


class PlaybackStartRequest(Command):
    """Telnyx API: POST /calls/{id}/actions/playback_start: play a WAV or MP3 file.

    `call.playback.ended` tells the end, also that the file cannot be played. `loop` is the number
    of times, 1 to 100, or `infinity`.
    """

    audio_url: HttpsUrl
    loop: Annotated[int, Field(ge=1, le=100)] | Literal["infinity"] | None = None
    stop: Literal["all"] | None = None


class PlaybackStopRequest(Command):
    """Telnyx API: POST /calls/{id}/actions/playback_stop: end a sentence or an audio file.

    `all` also removes what waits to be played.
    """

    stop: Literal["all"] = "all"
