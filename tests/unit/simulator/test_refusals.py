"""Refusals of the simulated Telnyx, with Telnyx's codes."""

from typing import Any

import pytest

from local.simulator.model import Person
from local.simulator.settings import Settings
from tests.support.simulator_harness import (
    ASSISTANT,
    CALLER,
    FRIEND,
    HOOK,
    US,
    SimulatorHarness,
    code,
)


def dial_body(**more: Any) -> dict[str, Any]:
    body = {"connection_id": Settings().connection_id, "to": FRIEND, "from": US, **more}
    return {name: value for name, value in body.items() if value is not ...}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"to": ...}, ("10004", "/to")),
        ({"from": ...}, ("10004", "/from")),
        ({"connection_id": ...}, ("10004", "/connection_id")),
        ({"to": "3125550102"}, ("10016", "/to")),
        ({"to": "anonymous"}, ("10016", "/to")),
        ({"from": "+1-312-555-0100"}, ("10016", "/from")),
        ({"connection_id": "17"}, ("10015", "/connection_id")),
        ({"answering_machine_detection": "yes"}, ("10032", "/answering_machine_detection")),
        ({"timeout_secs": 4}, ("10033", "/timeout_secs")),
        ({"timeout_secs": 601}, ("10033", "/timeout_secs")),
        ({"time_limit_secs": 14401}, ("10033", "/time_limit_secs")),
        ({"time_limit_secs": 29}, ("10033", "/time_limit_secs")),
        ({"time_limit_secs": "60"}, ("10015", "/time_limit_secs")),
        ({"client_state": "not base64!"}, ("90017", "/client_state")),
        ({"webhook_urls": {"call.answerd": [HOOK]}}, ("90057", "/webhook_urls/call.answerd")),
        (
            {"webhook_urls": {"call.conversation.ended": [HOOK]}},
            ("90057", "/webhook_urls/call.conversation.ended"),
        ),
        (
            {"webhook_retries_policies": {"call.hangup": {"retries_ms": [40000, 30000]}}},
            ("10033", "/webhook_retries_policies/call.hangup"),
        ),
        (
            {"webhook_retries_policies": {"call.hangup": {"retries_ms": [1] * 6}}},
            ("10033", "/webhook_retries_policies/call.hangup/retries_ms"),
        ),
        ({"assistant": {"greeting": "Hi"}}, ("10004", "/assistant/id")),
        ({"webhook_urls": {"call.hangup": HOOK}}, ("10015", "/webhook_urls/call.hangup")),
        ({"from_display_name": "Ada (office)"}, ("10015", "/from_display_name")),
        (
            {"assistant": {"id": "assistant-1", "voice_settings": {"speed": 1.2}}},
            ("10004", "/assistant/voice_settings/voice"),
        ),
        (
            {"assistant": {"id": "assistant-1", "voice_settings": {"voice": 7}}},
            ("10015", "/assistant/voice_settings/voice"),
        ),
    ],
)
def test_a_refused_dial_makes_no_call(
    harness: SimulatorHarness, change: dict[str, Any], expected: tuple[str, str]
) -> None:
    status, answer = harness.request("POST", "/calls", dial_body(**change))

    assert (status, code(answer)) == (422, expected)
    assert harness.telnyx.legs == []


@pytest.mark.parametrize("to", [FRIEND, "sip:friend@sip.example.com", FRIEND + ",123#"])
def test_a_dial_may_go_to_numbers_sip_addresses_and_numbers_with_digits(
    harness: SimulatorHarness, to: str
) -> None:
    assert harness.request("POST", "/calls", dial_body(to=to))[0] == 200


def test_webhook_urls_accepts_conversation_events_if_set_so() -> None:
    harness = SimulatorHarness(Settings(webhook_url=HOOK, accepts_conversation_keys=True))
    urls = {"call.conversation.ended": [HOOK]}

    assert harness.request("POST", "/calls", dial_body(webhook_urls=urls))[0] == 200


def test_a_refusal_has_all_problems_of_the_request(harness: SimulatorHarness) -> None:
    _, answer = harness.request("POST", "/calls", {"connection_id": "1"})

    assert {error["source"]["pointer"] for error in answer["errors"]} == {"/to", "/from"}


@pytest.mark.violates
def test_an_unknown_field_is_answered_200_and_is_a_violation(harness: SimulatorHarness) -> None:
    leg = harness.dial(ai_assistant_id="assistant-1")
    harness.clock.advance(1)
    assistant = {**ASSISTANT, "voice_settings": {"voice": "a", "type": "telnyx"}}
    body = {"assistant": assistant, "voice": "Telnyx.KokoroTTS.af"}
    assert harness.command(leg, "ai_assistant_start", **body)[0] == 200

    path = harness.telnyx.ledger[-1].path
    assert harness.telnyx.violations == [
        "POST /v2/calls: Telnyx does not read /ai_assistant_id",
        f"POST {path}: Telnyx does not read /assistant/voice_settings/type",
        f"POST {path}: Telnyx does not read /voice",
    ]
    assert harness.telnyx.ledger[-1].unknown_fields == [
        "/assistant/voice_settings/type",
        "/voice",
    ]


@pytest.mark.violates
def test_an_unknown_field_in_a_list_of_alternatives_is_a_violation(
    harness: SimulatorHarness,
) -> None:
    leg = harness.answered()
    hangup = {"type": "hangup", "hangup": {"description": "Bye"}, "timeout": 1}

    harness.command(leg, "ai_assistant_start", assistant={**ASSISTANT, "tools": [hangup]})

    assert harness.telnyx.ledger[-1].unknown_fields == ["/assistant/tools/0/timeout"]


def test_a_wrong_key_is_refused_before_the_body_is_read(harness: SimulatorHarness) -> None:
    status, answer = harness.request("POST", "/calls", dial_body(), key="wrong")

    assert (status, code(answer)) == (401, ("10009", None))
    assert harness.telnyx.legs == []


def test_an_unknown_path_is_not_found(harness: SimulatorHarness) -> None:
    assert harness.request("POST", "/calls/v3:abcdef/actions/dance", {})[0] == 404
    assert harness.telnyx.handle("POST", "/calls", {}, b"{}").status == 404


def test_a_body_that_is_not_a_json_object_is_refused(harness: SimulatorHarness) -> None:
    headers = {"authorization": f"Bearer {harness.settings.api_key}"}

    assert harness.telnyx.handle("POST", "/v2/calls", headers, b"[]").status == 422
    assert harness.telnyx.handle("POST", "/v2/calls", headers, b"{").status == 422


def test_unknown_and_malformed_call_ids_have_different_errors(harness: SimulatorHarness) -> None:
    unknown = harness.request("GET", "/calls/v3%3AaaaaaaBBBBBB")
    malformed = harness.request("POST", "/calls/1234/actions/hangup", {})

    assert (unknown[0], code(unknown[1])) == (404, ("10005", None))
    assert (malformed[0], code(malformed[1])) == (422, ("90015", "/call_control_id"))


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("speak", {"payload": "Hello", "voice": "female"}),
        ("gather_using_speak", {"payload": "Press 1", "voice": "female"}),
        ("ai_assistant_start", {"assistant": ASSISTANT}),
        ("ai_assistant_add_messages", {"messages": [{"role": "user", "content": "Hi"}]}),
    ],
)
def test_a_ringing_leg_refuses_voice_commands(
    harness: SimulatorHarness, action: str, body: dict[str, Any]
) -> None:
    leg = harness.telnyx.ring_in(CALLER, US)

    status, answer = harness.command(leg, action, **body)

    assert (status, code(answer)[0]) == (422, "90034")


@pytest.mark.parametrize("action", ["answer", "hangup", "ai_assistant_start", "ai_assistant_stop"])
def test_an_ended_leg_refuses_all_commands(harness: SimulatorHarness, action: str) -> None:
    leg = harness.answered()
    harness.telnyx.hang_up(leg.call_control_id)

    status, answer = harness.command(leg, action)

    assert (status, code(answer)[0]) == (422, "90018")


def test_messages_to_an_ended_call_are_not_found_if_set_so(
    harness: SimulatorHarness,
) -> None:
    leg = harness.answered()
    harness.telnyx.hang_up(leg.call_control_id)
    messages = [{"role": "system", "content": "He left"}]

    assert harness.command(leg, "ai_assistant_add_messages", messages=messages)[0] == 422
    harness.settings.ended_call_add_messages = 404
    assert harness.command(leg, "ai_assistant_add_messages", messages=messages)[0] == 404


def test_an_outbound_leg_refuses_the_answer_command(harness: SimulatorHarness) -> None:
    status, answer = harness.command(harness.dial(), "answer")

    assert (status, code(answer)[0]) == (422, "90102")


def test_a_second_assistant_on_a_leg_is_refused(harness: SimulatorHarness) -> None:
    leg = harness.answered()
    harness.started(leg)

    status, answer = harness.command(leg, "ai_assistant_start", assistant=ASSISTANT)

    assert (status, code(answer)[0]) == (422, "90061")
    assert harness.telnyx.violations == []


def test_an_unknown_assistant_is_refused() -> None:
    harness = SimulatorHarness(Settings(webhook_url=HOOK, assistants=frozenset({"assistant-1"})))
    leg = harness.answered()

    refused = harness.command(leg, "ai_assistant_start", assistant={"id": "assistant-2"})

    assert (refused[0], code(refused[1])) == (404, ("10005", "/assistant/id"))
    assert harness.command(leg, "ai_assistant_start", assistant=ASSISTANT)[0] == 200


def test_an_inline_tool_of_an_unsupported_type_is_refused(
    harness: SimulatorHarness,
) -> None:
    leg = harness.answered()
    assistant = {**ASSISTANT, "tools": [{"type": "invite", "invite": {}}]}

    status, answer = harness.command(leg, "ai_assistant_start", assistant=assistant)

    assert (status, code(answer)) == (422, ("10015", "/assistant/tools/0"))


def test_a_join_must_name_its_own_leg_and_a_running_conversation(harness: SimulatorHarness) -> None:
    host, guest = harness.answered(CALLER), harness.answered(FRIEND)
    conversation = harness.started(host)
    me = {"id": guest.call_control_id, "role": "user"}

    def join(leg: Any, **body: Any) -> tuple[int, Any]:
        status, answer = harness.command(leg, "ai_assistant_join", **body)
        return status, code(answer)[1]

    assert join(guest, participant=me) == (422, "/conversation_id")
    assert join(guest, conversation_id=conversation, participant={"role": "user"}) == (
        422,
        "/participant/id",
    )
    assert join(host, conversation_id=conversation, participant=me) == (422, "/participant/id")
    assert join(guest, conversation_id="nowhere", participant=me) == (404, "/conversation_id")
    harness.command(host, "ai_assistant_stop")
    assert join(guest, conversation_id=conversation, participant=me) == (404, "/conversation_id")


@pytest.mark.violates
def test_a_second_join_is_a_violation_with_every_answer(harness: SimulatorHarness) -> None:
    host, guest = harness.answered(CALLER), harness.answered(FRIEND)
    conversation = harness.started(host)
    assert harness.joined(guest, conversation)[0] == 200

    assert harness.joined(guest, conversation)[0] == 422
    harness.settings.refuses_second_join = False
    assert harness.joined(guest, conversation)[0] == 200

    assert harness.telnyx.violations == [f"{guest.call_control_id} was joined twice"] * 2
    assert len(harness.telnyx.conversations[0].participants) == 1


def test_a_stop_and_messages_without_an_assistant_are_refused(harness: SimulatorHarness) -> None:
    leg = harness.answered()

    assert harness.command(leg, "ai_assistant_stop")[0] == 422
    assert harness.command(leg, "ai_assistant_add_messages", messages=[])[0] == 422


@pytest.mark.violates
def test_a_second_dial_with_the_same_client_state_is_a_violation(harness: SimulatorHarness) -> None:
    harness.telnyx.set_person(Person(FRIEND, behaviour="manual"))
    harness.dial(client_state="YQ==", command_id="one")
    harness.dial(client_state="Yg==", command_id="two")
    assert harness.telnyx.violations == []

    harness.dial(client_state="YQ==", command_id="three")

    assert harness.telnyx.violations == ["dialled twice for client_state YQ=="]


@pytest.mark.violates
def test_a_second_start_on_the_same_leg_is_a_violation(
    harness: SimulatorHarness,
) -> None:
    leg = harness.answered()
    harness.started(leg)
    harness.command(leg, "ai_assistant_stop")
    assert harness.telnyx.violations == []

    harness.started(leg)

    assert harness.telnyx.violations == [f"an assistant was started twice on {leg.call_control_id}"]


@pytest.mark.violates
def test_an_unknown_field_of_a_message_is_accepted(
    harness: SimulatorHarness,
) -> None:
    leg = harness.answered()
    harness.started(leg)
    message = {"role": "system", "content": "Ada is here", "mood": "good"}

    assert harness.command(leg, "ai_assistant_add_messages", messages=[message])[0] == 200
