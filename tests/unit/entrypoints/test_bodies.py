"""Valid and invalid request bodies. A refusal names the field and has no effect."""

import base64
import json
from typing import Any

import pytest

from partyline.services import assistant_settings
from partyline.telnyx import requests as telnyx_requests
from tests.support.deployment import GUEST_NUMBER, HOST_NUMBER, Deployment

AUDIO = "https://audio.example.com:8443/music/hold.mp3?a=1"
TEN = [f"+131255501{n:02}" for n in range(10)]
GUESTS = [{"to": TEN, "strategy": "at_once"}] * 3


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


def assert_refused(deployment: Deployment, field: str, answer: tuple[int, Any]) -> None:
    status, body = answer
    assert status == 422, body
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "details"}
    assert field in [detail["field"] for detail in body["error"]["details"]], body
    assert "Traceback" not in json.dumps(body)
    assert deployment.dynamodb.calls == []
    assert deployment.telnyx.sent == []


START: list[tuple[dict[str, Any], str]] = [
    ({}, "to"),
    ({"to": HOST_NUMBER, "call_control_id": "v3:live-call"}, "to"),
    ({"to": HOST_NUMBER, "surprise": 1}, "surprise"),
    ({"to": HOST_NUMBER, "from_": HOST_NUMBER}, "from_"),
    ({"to": 13125550101}, "to"),
    ({"to": []}, "to"),
    ({"to": [HOST_NUMBER, 13125550101]}, "to.1"),
    ({"to": [HOST_NUMBER, HOST_NUMBER]}, "to"),
    ({"to": [*TEN, HOST_NUMBER]}, "to"),
    ({"to": [HOST_NUMBER, "+442055550100"]}, "to"),
    ({"to": [HOST_NUMBER], "call_control_id": "v3:live-call"}, "to"),
    ({"to": HOST_NUMBER, "strategy": "sideways"}, "strategy"),
    ({"to": HOST_NUMBER, "max_attempts": 4}, "max_attempts"),
    ({"to": HOST_NUMBER, "pause_secs": 86_401}, "pause_secs"),
    ({"to": HOST_NUMBER, "deadline_secs": 259_201}, "deadline_secs"),
    ({"to": HOST_NUMBER, "deadline_secs": 29}, "deadline_secs"),
    ({"to": HOST_NUMBER, "screening": {"say": ""}}, "screening.say"),
    (
        {
            "to": TEN[:2],
            "strategy": "at_once",
            "participants": [{"to": TEN, "strategy": "at_once"}] * 2,
        },
        "participants",
    ),
    ({"to": "13125550101"}, "to"),
    ({"to": "+03125550101"}, "to"),
    ({"to": "+1312"}, "to"),
    ({"to": "+1312555010112345"}, "to"),
    ({"to": "+1312555010a"}, "to"),
    ({"to": HOST_NUMBER + "\n"}, "to"),
    ({"to": HOST_NUMBER + ",,1234"}, "to"),
    ({"to": "sip:ada@example.com"}, "to"),
    ({"to": "ada@example.com"}, "to"),
    ({"to": HOST_NUMBER, "from": "anonymous"}, "from"),
    ({"to": HOST_NUMBER, "from": "+03125550101"}, "from"),
    ({"to": "+4420555501"}, "to"),
    ({"to": HOST_NUMBER, "name": ""}, "name"),
    ({"to": HOST_NUMBER, "name": "x" * 129}, "name"),
    ({"to": HOST_NUMBER, "name": None, "on_hangup": "explode"}, "on_hangup"),
    (
        {
            "to": HOST_NUMBER,
            "on_hangup": "end_conversation",
            "on_host_hangup": "continue_conversation",
        },
        "on_host_hangup",
    ),
    ({"to": HOST_NUMBER, "ring_timeout_secs": "30"}, "ring_timeout_secs"),
    ({"to": HOST_NUMBER, "ring_timeout_secs": True}, "ring_timeout_secs"),
    ({"to": HOST_NUMBER, "ring_timeout_secs": 4}, "ring_timeout_secs"),
    ({"to": HOST_NUMBER, "ring_timeout_secs": 30.5}, "ring_timeout_secs"),
    ({"to": HOST_NUMBER, "time_limit_secs": 15_000}, "time_limit_secs"),
    ({"to": HOST_NUMBER, "machine_detection": "psychic"}, "machine_detection"),
    ({"to": HOST_NUMBER, "assistant": "assistant-1"}, "assistant"),
    ({"to": HOST_NUMBER, "assistant": {"id": ""}}, "assistant.id"),
    ({"to": HOST_NUMBER, "assistant": {"greeting": "x" * 3001}}, "assistant.greeting"),
    ({"to": HOST_NUMBER, "assistant": {"wat": 1}}, "assistant.wat"),
    (
        {"to": HOST_NUMBER, "assistant": {"dynamic_variables": {"a": []}}},
        "assistant.dynamic_variables.a",
    ),
    (
        {"to": HOST_NUMBER, "assistant": {"message_history": [{"role": "king", "content": "x"}]}},
        "assistant.message_history.0.role",
    ),
    (
        {"to": HOST_NUMBER, "assistant": {"transcription": {"model": 1}}},
        "assistant.transcription.model",
    ),
    (
        {
            "to": HOST_NUMBER,
            "assistant": {"tools": [{"type": "hangup", "hangup": {"x": "y" * 100_000}}]},
        },
        "assistant",
    ),
    (
        {"to": HOST_NUMBER, "assistant": {"tools": [{"type": "transfer", "transfer": {}}]}},
        "assistant.tools",
    ),
    ({"to": HOST_NUMBER, "assistant": {"tools": [{"type": "invite"}]}}, "assistant.tools"),
    ({"to": HOST_NUMBER, "assistant": {"tools": [{"transfer": {}}]}}, "assistant.tools"),
    (
        {"call_control_id": "v3:live-call", "participants": [{"call_control_id": "v3:live-call"}]},
        "participants",
    ),
    ({"to": HOST_NUMBER, "metadata": {"a": "x" * 9000}}, "metadata"),
    ({"to": HOST_NUMBER, "metadata": [1]}, "metadata"),
    ({"to": HOST_NUMBER, "words": {"hello": "x"}}, "words"),
    ({"to": HOST_NUMBER, "participants": [{"to": "no"}]}, "participants.0.to"),
    ({"to": HOST_NUMBER, "participants": [{"name": "Bob"}]}, "participants.0.to"),
    ({"to": HOST_NUMBER, "participants": [{"to": "+4420555501"}]}, "participants.0.to"),
    ({"to": HOST_NUMBER, "participants": [{"to": GUEST_NUMBER}] * 11}, "participants"),
    ({"to": HOST_NUMBER, "participants": GUESTS}, "participants"),
    ({"call_control_id": "../../x"}, "call_control_id"),
    ({"call_control_id": ""}, "call_control_id"),
    ({"to": HOST_NUMBER, "metadata": {"a": "\0"}}, "metadata.a"),
    ({"to": HOST_NUMBER, "metadata": {"a": ["\ud800"]}}, "metadata.a.0"),
    ({"to": HOST_NUMBER, "metadata": {"\0": 1}}, "metadata"),
    ({"to": HOST_NUMBER, "metadata": nested(30)}, "metadata" + ".a" * 23),
]


ASSISTANT: list[tuple[dict[str, Any], str]] = [
    ({"voice_settings": {}}, "voice_settings.voice"),
    ({"voice_settings": {"voice_speed": 1.2}}, "voice_settings.voice"),
    ({"voice_settings": {"voice": ""}}, "voice_settings.voice"),
    ({"voice_settings": {"voice": "a", "type": "telnyx"}}, "voice_settings.type"),
    ({"voice_settings": {"voice": "a", "voice_speed": 2}}, "voice_settings.voice_speed"),
    ({"voice_settings": {"voice": "a", "speed": "1"}}, "voice_settings.speed"),
    (
        {"voice_settings": {"voice": "a", "background_audio": {"type": "x", "value": "office"}}},
        "voice_settings.background_audio",
    ),
    ({"voice": "a", "voice_settings": {"voice": "a"}}, "voice"),
    ({"message_history": "Hi."}, "message_history"),
    ({"message_history": [{"role": "user"}]}, "message_history.0.content"),
    ({"message_history": [{"role": "tool", "content": "Hi."}]}, "message_history.0.role"),
    (
        {"message_history": [{"role": "user", "content": "Hi.", "trigger_response": True}]},
        "message_history.0.trigger_response",
    ),
]


@pytest.mark.parametrize(("settings", "field"), ASSISTANT)
def test_invalid_settings_of_the_assistant_are_refused_by_their_field(
    deployment: Deployment, settings: dict[str, Any], field: str
) -> None:
    body = {"to": HOST_NUMBER, "assistant": settings}
    answer = deployment.ask("start_conversation", body)
    assert_refused(deployment, f"assistant.{field}", answer)


def test_a_voice_alone_is_short_for_voice_settings(deployment: Deployment) -> None:
    shown = deployment.start(assistant={"id": "assistant-2", "voice": "Telnyx.Ultra.astra"})
    voice_settings = {"voice": "Telnyx.Ultra.astra"}
    assert shown["assistant"] == {"id": "assistant-2", "voice_settings": voice_settings}
    deployment.deliver_for("call.answered", deployment.dials()[0])
    started = deployment.telnyx.only_request("ai_assistant_start").body
    assert started["assistant"]["voice_settings"] == voice_settings
    assert "voice" not in {*started, *started["assistant"]}


@pytest.mark.parametrize(("body", "field"), START)
def test_an_invalid_start_is_refused_by_its_field(
    deployment: Deployment, body: dict[str, Any], field: str
) -> None:
    assert_refused(deployment, field, deployment.ask("start_conversation", body))


INVITE: list[tuple[dict[str, Any], str]] = [
    ({}, "to"),
    ({"to": []}, "to"),
    ({"to": 5}, "to"),
    ({"to": "no"}, "to"),
    ({"to": [GUEST_NUMBER, "no"]}, "to.1"),
    ({"to": [GUEST_NUMBER, 5]}, "to.1"),
    ({"to": [*TEN, "+13125550150"]}, "to"),
    ({"to": [GUEST_NUMBER, GUEST_NUMBER]}, "to"),
    ({"to": GUEST_NUMBER, "call_control_id": "v3:live-call"}, "to"),
    ({"to": GUEST_NUMBER, "deadline_secs": 20}, "deadline_secs"),
    ({"to": GUEST_NUMBER, "strategy": "random"}, "strategy"),
    ({"to": GUEST_NUMBER, "max_attempts": 0}, "max_attempts"),
    ({"to": GUEST_NUMBER, "tell_assistant": "yes"}, "tell_assistant"),
    ({"to": GUEST_NUMBER, "screening": {}}, "screening.say"),
    (
        {"to": GUEST_NUMBER, "screening": {"say": "x", "accept_digit": "12"}},
        "screening.accept_digit",
    ),
    (
        {"to": GUEST_NUMBER, "screening": {"say": "x", "accept_digit": "a"}},
        "screening.accept_digit",
    ),
    ({"to": GUEST_NUMBER, "screening": {"say": "x", "accept_digit": 1}}, "screening.accept_digit"),
    ({"to": GUEST_NUMBER, "waiting": {}}, "waiting.say"),
    ({"to": GUEST_NUMBER, "waiting": {"say": "x", "audio_url": AUDIO}}, "waiting.say"),
    ({"to": GUEST_NUMBER, "waiting": {"say": "Please\nhold."}}, "waiting.say"),
    ({"to": GUEST_NUMBER, "waiting": {"say": "x" * 3001}}, "waiting.say"),
    ({"to": GUEST_NUMBER, "waiting": {"say": "x", "voice": ""}}, "waiting.voice"),
    ({"to": GUEST_NUMBER, "goodbye": {}}, "goodbye.say"),
    ({"to": GUEST_NUMBER, "goodbye": {"say": " "}}, "goodbye.say"),
    ({"to": GUEST_NUMBER, "goodbye": {"say": "x" * 81}}, "goodbye.say"),
    ({"to": GUEST_NUMBER, "goodbye": {"audio_url": AUDIO}}, "goodbye.audio_url"),
    *(
        ({"to": GUEST_NUMBER, "waiting": {"audio_url": url}}, "waiting.audio_url")
        for url in (
            "http://example.com/a.mp3",
            "https://user:secret@example.com/a.mp3",
            "https://",
            "https://example.com/a b.mp3",
            f"https://example.com/{'a' * 2000}",
        )
    ),
]


@pytest.mark.parametrize(("body", "field"), INVITE)
def test_an_invalid_invitation_is_refused_by_its_field(
    deployment: Deployment, body: dict[str, Any], field: str
) -> None:
    assert_refused(
        deployment,
        field,
        deployment.ask("invite_participant", body, id="c-1"),
    )


@pytest.mark.parametrize(
    ("function", "body", "field"),
    [
        ("send_message", {"role": "tool", "content": "x"}, "role"),
        ("send_message", {"role": "system"}, "content"),
        ("send_message", {"role": "system", "content": ""}, "content"),
        (
            "send_message",
            {"role": "system", "content": "x", "trigger_response": "yes"},
            "trigger_response",
        ),
        ("send_message", {"role": "system", "content": "x" * 20_001}, "content"),
        ("stop_conversation", {"hang_up": "yes"}, "hang_up"),
        ("stop_conversation", {"hang_up": 1}, "hang_up"),
        ("stop_conversation", {"now": True}, "now"),
        ("stop_conversation", [], "body"),
    ],
)
def test_other_invalid_requests_are_refused_by_their_field(
    deployment: Deployment, function: str, body: Any, field: str
) -> None:
    assert_refused(deployment, field, deployment.ask(function, body, id="c-1"))


@pytest.mark.parametrize(
    "raw",
    [
        "{",
        "[" * 100_000,
        '{"to": "+13125550101", "to": "+13125550102"}',
        '{"to": "+13125550101", "metadata": {"a": NaN}}',
        '{"to": "+13125550101", "metadata": {"a": -Infinity}}',
        '{"to": "+13125550101", "metadata": {"a": ' + "1" * 5000 + "}}",
        "null",
        "\ud800",
    ],
)
def test_a_body_that_is_not_strict_json_is_refused(deployment: Deployment, raw: str) -> None:
    assert_refused(deployment, "body", deployment.ask("start_conversation", raw=raw))


def test_a_number_too_large_for_a_float_is_refused(deployment: Deployment) -> None:
    raw = '{"to": "+13125550101", "metadata": {"a": [1e999]}}'
    assert_refused(deployment, "metadata.a.0", deployment.ask("start_conversation", raw=raw))


def test_a_base64_body_is_read_and_an_invalid_one_is_refused(deployment: Deployment) -> None:
    good = base64.b64encode(json.dumps({"to": HOST_NUMBER}).encode()).decode()
    for raw in ("{}", "é", base64.b64encode(b"\xff\xfe\xfd").decode()):
        answer = deployment.ask("start_conversation", raw=raw, encoded=True)
        assert_refused(deployment, "body", answer)
    assert deployment.ask("start_conversation", raw=good, encoded=True)[0] == 202


def test_a_body_over_256_kilobytes_is_too_large(deployment: Deployment) -> None:
    raw = json.dumps({"to": HOST_NUMBER, "name": "é" * 140_000}, ensure_ascii=False)
    status, body = deployment.ask("start_conversation", raw=raw)
    assert (status, body["error"]["code"]) == (413, "too_large")
    assert deployment.dynamodb.calls == []


def test_metadata_may_have_up_to_8192_bytes(deployment: Deployment) -> None:
    largest = {"a": "é" * 4092}  # 8,184 bytes, and 8 bytes for the rest of the JSON text
    assert deployment.start(metadata=largest)["metadata"] == largest
    deployment.dynamodb.calls.clear()
    deployment.telnyx.sent.clear()
    larger = {"to": HOST_NUMBER, "metadata": {"a": largest["a"] + "x"}}
    assert_refused(deployment, "metadata", deployment.ask("start_conversation", larger))


def test_an_assistant_may_have_up_to_100_kilobytes(deployment: Deployment) -> None:
    assistant = {"id": "assistant-2", "tools": [{"type": "hangup", "hangup": {"x": "y" * 99_000}}]}
    assert deployment.start(assistant=assistant)["assistant"] == assistant


def test_of_many_mistakes_the_first_twenty_are_named(deployment: Deployment) -> None:
    body = {"to": HOST_NUMBER} | {f"field-{n}": n for n in range(5000)}
    status, answer = deployment.ask("start_conversation", body)
    assert status == 422
    assert len(answer["error"]["details"]) == 20


def test_every_allowed_field_is_accepted(deployment: Deployment) -> None:
    assistant = {
        "id": "assistant-2",
        "name": "Polly",
        "greeting": "Hello.",
        "instructions": "Be kind.",
        "model": "openai/gpt-4o",
        "dynamic_variables": {"a": "x", "b": 1, "c": 0.5, "d": True},
        "tools": [{"type": "hangup", "hangup": {}}],
        "voice_settings": {
            "voice": "Telnyx.Ultra.astra",
            "voice_speed": 1.5,
            "speed": 1.1,
            "similarity_boost": 0.5,
            "style": 0.5,
            "temperature": 0.5,
            "use_speaker_boost": True,
            "expressive_mode": True,
            "language_boost": "auto",
            "background_audio": {"type": "predefined_media", "value": "office", "volume": 0.5},
        },
        "transcription": {"model": "deepgram/nova-3", "language": "en"},
        "interruption_settings": {"enable": False},
        "message_history": [{"role": "user", "content": "Hi."}],
        "send_message_history_updates": True,
    }
    guest = {
        "to": TEN[2:5],
        "name": "Bob",
        "on_hangup": "end_conversation",
        "strategy": "in_order",
        "deadline_secs": 90,
        "screening": {"say": "Press 5.", "accept_digit": "5", "timeout_secs": 10},
        "waiting": {"audio_url": AUDIO},
        "goodbye": {"say": "Goodbye.", "voice": "male", "language": "en-GB"},
        "max_attempts": 2,
        "pause_secs": 0,
        "tell_assistant": False,
        "from": "+13125550190",
    }
    metadata = {"order": 10**30, "nested": {"a": [None, 1.5]}}
    host_plan = {
        "strategy": "in_order",
        "deadline_secs": 259_200,
        "max_attempts": 3,
        "pause_secs": 86_400,
    }
    conversation = deployment.start(
        assistant=assistant,
        participants=[guest],
        metadata=metadata,
        words={"joined": "Hi {name}."},
        **host_plan,
    )
    assert conversation["metadata"] == metadata
    assert conversation["assistant"] == assistant
    deployment.deliver_for("call.answered", deployment.dials()[0])
    assert [leg.body["to"] for leg in deployment.dials()] == [HOST_NUMBER, TEN[2]]
    started = deployment.telnyx.only_request("ai_assistant_start").body
    beside = {"interruption_settings", "message_history", "send_message_history_updates"}
    inside = set(assistant) - beside
    assert started["assistant"] == {name: assistant[name] for name in inside}
    assert {name: started[name] for name in set(assistant) - inside} == {
        name: value for name, value in assistant.items() if name not in inside
    }


def test_the_api_and_the_request_to_telnyx_have_the_same_voice_settings() -> None:
    door = {*assistant_settings.VoiceSettings.model_fields}
    assert door == {*telnyx_requests.VoiceSettings.model_fields}
    for name in ("PredefinedAudio", "CustomAudio"):
        audio = getattr(assistant_settings, name), getattr(telnyx_requests, name)
        assert audio[0].model_fields.keys() == audio[1].model_fields.keys()
