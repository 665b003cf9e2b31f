"""Our requests and our signature check agree with Telnyx's official client library.

The import of the library takes seconds, so only these tests import the library.
"""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey
from pydantic import ConfigDict, TypeAdapter, ValidationError
from telnyx.lib.webhook_verification import WebhookVerificationError, verify_webhook_signature
from telnyx.types.call_dial_params import CallDialParams
from telnyx.types.calls.action_add_ai_assistant_messages_params import (
    ActionAddAIAssistantMessagesParams,
)
from telnyx.types.calls.action_answer_params import ActionAnswerParams
from telnyx.types.calls.action_bridge_params import ActionBridgeParams
from telnyx.types.calls.action_gather_using_speak_params import ActionGatherUsingSpeakParams
from telnyx.types.calls.action_hangup_params import ActionHangupParams
from telnyx.types.calls.action_join_ai_assistant_params import ActionJoinAIAssistantParams
from telnyx.types.calls.action_speak_params import ActionSpeakParams
from telnyx.types.calls.action_start_ai_assistant_params import ActionStartAIAssistantParams
from telnyx.types.calls.action_start_playback_params import ActionStartPlaybackParams
from telnyx.types.calls.action_stop_ai_assistant_params import ActionStopAIAssistantParams
from telnyx.types.calls.action_stop_playback_params import ActionStopPlaybackParams
from telnyx.types.conference_create_params import ConferenceCreateParams
from telnyx.types.conferences.action_join_params import ActionJoinParams
from telnyx.types.conferences.action_leave_params import ActionLeaveParams

from partyline.telnyx.call_control import CallControl
from partyline.telnyx.client import TelnyxClient
from partyline.telnyx.requests import (
    AddMessagesRequest,
    AnswerRequest,
    Assistant,
    BridgeRequest,
    CreateConferenceRequest,
    DialRequest,
    GatherUsingSpeakRequest,
    HangUpRequest,
    InterruptionSettings,
    JoinAssistantRequest,
    JoinConferenceRequest,
    JoiningParticipant,
    LeaveConferenceRequest,
    MachineDetectionConfig,
    Message,
    PlaybackStartRequest,
    PlaybackStopRequest,
    PredefinedAudio,
    RetryPolicy,
    SpeakRequest,
    StartAssistantRequest,
    StopAssistantRequest,
    Transcription,
    VoiceSettings,
)
from partyline.telnyx.signature import PublicKeys, SignatureError, verify

LEG = "v3:2EC-70_CTEj"
WEBHOOKS: dict[str, Any] = {
    "webhook_url": "https://example.com/webhooks",
    "webhook_urls": {"call.hangup": ("https://example.com/webhooks/call.hangup",)},
    "webhook_retries_policies": {"call.hangup": RetryPolicy(retries_ms=(1000, 2000))},
}
MARKS: dict[str, Any] = {"command_id": "c-1", "client_state": "e30="}
MESSAGES = (
    Message(role="user", content="Hello"),
    Message(role="assistant", content="Hi"),
    Message(role="system", content="Ann joins"),
    Message(role="developer", content="Be short"),
)
PARTICIPANTS = (JoiningParticipant(id=LEG, name="Ann", on_hangup="end_conversation"),)

# Every field of every request that we can send.
DIAL = DialRequest(
    **MARKS,
    **WEBHOOKS,
    connection_id="2811",
    to=("+13125550101", "+13125550102"),
    from_="+13125550198",
    timeout_secs=20,
    time_limit_secs=600,
    answering_machine_detection="premium_ios_call_screening_detection",
    answering_machine_detection_config=MachineDetectionConfig(
        total_analysis_time_millis=3500,
        after_greeting_silence_millis=800,
        between_words_silence_millis=50,
        greeting_duration_millis=3500,
        greeting_silence_duration_millis=1500,
        greeting_total_analysis_time_millis=5000,
        initial_silence_millis=3500,
        maximum_number_of_words=5,
        maximum_word_length_millis=3500,
        silence_threshold=256,
        prompt_end_timeout_millis=5000,
        beep_detection_profile="freq_only",
        beep_min_frequency_hz=500,
        beep_max_frequency_hz=2000,
        beep_min_tone_duration_millis=200,
        beep_spectral_confirmation=True,
        beep_spectral_min_purity=0.5,
        beep_spectral_reject_fax_cng=True,
        beep_spectral_window_millis=100,
    ),
)
START = StartAssistantRequest(
    **MARKS,
    assistant=Assistant(
        id="assistant-1",
        name="Pat",
        greeting="Hello",
        instructions="Be kind",
        model="openai/gpt-4o",
        dynamic_variables={"vip": True, "age": 41, "score": 1.5, "name": "Ann"},
        tools=({"type": "hangup", "hangup": {"description": "End the call"}},),
        mcp_servers=({"id": "mcp-1"},),
        voice_settings=VoiceSettings(
            voice="Telnyx.KokoroTTS.af",
            voice_speed=1.0,
            speed=1.1,
            similarity_boost=0.5,
            style=0.5,
            temperature=0.5,
            use_speaker_boost=True,
            expressive_mode=True,
            language_boost="auto",
            api_key_ref="elevenlabs",
            background_audio=PredefinedAudio(type="predefined_media", value="office", volume=0.5),
        ),
        transcription=Transcription(model="deepgram/flux", language="auto"),
    ),
    greeting="Hello",
    interruption_settings=InterruptionSettings(enable=True),
    message_history=MESSAGES,
    participants=PARTICIPANTS,
    send_message_history_updates=True,
)
GATHER = GatherUsingSpeakRequest(
    **MARKS,
    payload="Press one.",
    voice="Telnyx.KokoroTTS.af",
    language="en-US",
    minimum_digits=1,
    maximum_digits=1,
    maximum_tries=2,
    timeout_millis=5000,
    terminating_digit="#",
)
SPEAK = SpeakRequest(**MARKS, payload="One moment.", voice="female", language="en-US", stop="all")
PLAY = PlaybackStartRequest(
    **MARKS, audio_url="https://example.com/a.mp3", loop="infinity", stop="all"
)

IN_CONFERENCE: dict[str, Any] = {"call_control_id": LEG, "beep_enabled": "never"}

Act = Callable[[CallControl], object]
ACTIONS: dict[Any, Act] = {
    CallDialParams: lambda telnyx: telnyx.dial(DIAL),
    ActionAnswerParams: lambda telnyx: telnyx.answer(LEG, AnswerRequest(**MARKS, **WEBHOOKS)),
    ActionHangupParams: lambda telnyx: telnyx.hang_up(
        LEG, HangUpRequest(**MARKS, reason="Call completed elsewhere")
    ),
    ActionStartAIAssistantParams: lambda telnyx: telnyx.start_assistant(LEG, START, 4),
    ActionJoinAIAssistantParams: lambda telnyx: telnyx.join_assistant(
        LEG, JoinAssistantRequest(**MARKS, conversation_id="conv", participant=PARTICIPANTS[0])
    ),
    ActionStopAIAssistantParams: lambda telnyx: telnyx.stop_assistant(
        LEG, StopAssistantRequest(**MARKS)
    ),
    ActionAddAIAssistantMessagesParams: lambda telnyx: telnyx.add_messages(
        LEG, AddMessagesRequest(**MARKS, messages=MESSAGES, trigger_response=True)
    ),
    ActionBridgeParams: lambda telnyx: telnyx.bridge(
        LEG, BridgeRequest(**MARKS, call_control_id="v3:other", park_after_unbridge="self")
    ),
    ConferenceCreateParams: lambda telnyx: telnyx.create_conference(
        CreateConferenceRequest(**MARKS, **IN_CONFERENCE, name="partyline-1")
    ),
    ActionJoinParams: lambda telnyx: telnyx.join_conference(
        "partyline-1", JoinConferenceRequest(**MARKS, **IN_CONFERENCE)
    ),
    ActionLeaveParams: lambda telnyx: telnyx.leave_conference(
        "partyline-1", LeaveConferenceRequest(command_id="c-1", **IN_CONFERENCE)
    ),
    ActionSpeakParams: lambda telnyx: telnyx.speak(LEG, SPEAK),
    ActionStartPlaybackParams: lambda telnyx: telnyx.start_playback(LEG, PLAY),
    ActionStopPlaybackParams: lambda telnyx: telnyx.stop_playback(
        LEG, PlaybackStopRequest(**MARKS)
    ),
    ActionGatherUsingSpeakParams: lambda telnyx: telnyx.gather_using_speak(LEG, GATHER),
}


def body_of(act: Act) -> dict[str, Any]:
    """Return the JSON that an action sends."""
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={"data": {}})

    def api_key(fresh: bool = False) -> str:
        return "key"

    act(CallControl(TelnyxClient(api_key, transport=httpx.MockTransport(answer))))
    body: dict[str, Any] = json.loads(sent[0].content)
    return body


LIBRARY_NAMES = {
    ActionBridgeParams: {"call_control_id": "call_control_id_to_bridge_with"},
    CallDialParams: {"from": "from_"},
}
"""The library's names of fields that have another name in JSON."""


def in_library_form(params: Any, body: dict[str, Any]) -> dict[str, Any]:
    """Return our body with the library's names."""
    names = LIBRARY_NAMES.get(params, {})
    return {names.get(name, name): value for name, value in body.items()}


def read_through(value: object) -> None:
    # pydantic validates an Iterable field only while a reader iterates.
    if isinstance(value, dict):
        for entry in value.values():
            read_through(entry)
    elif isinstance(value, Iterator | list | tuple):
        for entry in value:
            read_through(entry)


def validate(params: Any, body: dict[str, Any]) -> None:
    # Nested dicts inherit this setting; without the setting, unknown fields would pass.
    params.__pydantic_config__ = ConfigDict(extra="forbid")
    read_through(TypeAdapter(params).validate_python(body))


untyped_parts = pytest.mark.filterwarnings("ignore::pydantic.warnings.TypedDictExtraConfigWarning")


@untyped_parts
@pytest.mark.parametrize("params", ACTIONS, ids=lambda params: params.__name__)
def test_our_bodies_are_valid_for_the_official_client(params: Any) -> None:
    validate(params, in_library_form(params, body_of(ACTIONS[params])))


@untyped_parts
@pytest.mark.parametrize(
    ("params", "spoil"),
    [
        (CallDialParams, lambda body: body.update(assistant_id="x")),
        (CallDialParams, lambda body: body["webhook_retries_policies"]["call.hangup"].update(x=1)),
        (ActionStartAIAssistantParams, lambda body: body["participants"][0].update(role="host")),
        (ActionStartAIAssistantParams, lambda body: body["assistant"].update(x=1)),
        (ActionStartAIAssistantParams, lambda body: body.update(voice="Telnyx.KokoroTTS.af")),
        (
            ActionStartAIAssistantParams,
            lambda body: body["assistant"]["voice_settings"].pop("voice"),
        ),
        (ActionJoinAIAssistantParams, lambda body: body["participant"].update(on_hangup="x")),
        (ActionAddAIAssistantMessagesParams, lambda body: body["messages"][0].update(role="x")),
    ],
)
def test_the_official_types_refuse_a_wrong_body(
    params: Any, spoil: Callable[[dict[str, Any]], None]
) -> None:
    body = in_library_form(params, body_of(ACTIONS[params]))
    spoil(body)

    with pytest.raises(ValidationError):
        validate(params, body)


KEY = SigningKey(bytes(range(32)))
PUBLIC_KEY = base64.b64encode(bytes(KEY.verify_key)).decode()


def verify_accepts(body: bytes, headers: dict[str, str], now: int) -> bool:
    try:
        verify(body, headers, PublicKeys.parse(PUBLIC_KEY), now)
    except SignatureError:
        return False
    return True


def library_accepts(body: bytes, headers: dict[str, str]) -> bool:
    try:
        verify_webhook_signature(body, headers, PUBLIC_KEY)
    except WebhookVerificationError:
        return False
    return True


def signed(body: bytes, timestamp: str) -> dict[str, str]:
    signature = KEY.sign(timestamp.encode() + b"|" + body).signature
    return {
        "Telnyx-Signature-Ed25519": base64.b64encode(signature).decode(),
        "Telnyx-Timestamp": timestamp,
    }


# The library reads the clock, so the tests give both verifiers the same second.
NOW = 1_782_907_200


@pytest.fixture(scope="module", autouse=True)
def _same_second() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("telnyx.lib.webhook_verification.time", FrozenTime)
        yield


class FrozenTime:
    """The part of `time` that the library uses."""

    @staticmethod
    def time() -> float:
        return float(NOW)


@given(text=st.text(max_size=80), late=st.integers(-302, 302))
def test_both_verifiers_agree_on_correctly_signed_webhooks(text: str, late: int) -> None:
    body = text.encode()
    headers = signed(body, str(NOW + late))

    assert library_accepts(body, headers) is (abs(late) <= 300)
    assert verify_accepts(body, headers, NOW) is (abs(late) <= 300)


@given(
    text=st.text(max_size=20),
    signed_text=st.text(max_size=20),
    timestamp=st.one_of(
        st.just(str(NOW)), st.sampled_from([f" {NOW}", f"+{NOW}", "1_782_907_200"]), st.text()
    ),
    cut=st.integers(0, 3),
)
def test_the_official_verifier_accepts_each_webhook_that_we_accept(
    text: str, signed_text: str, timestamp: str, cut: int
) -> None:
    headers = signed(signed_text.encode(), timestamp)
    signature = headers["Telnyx-Signature-Ed25519"]
    headers["Telnyx-Signature-Ed25519"] = signature[: len(signature) - cut]

    if verify_accepts(text.encode(), headers, NOW):
        assert library_accepts(text.encode(), headers)
    if not library_accepts(text.encode(), headers):
        assert not verify_accepts(text.encode(), headers, NOW)
