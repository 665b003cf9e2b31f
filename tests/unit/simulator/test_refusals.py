"""What the simulated Telnyx refuses, with Telnyx's codes."""

from typing import Any

import pytest

from local.simulator.model import Person
from local.simulator.settings import Settings
from tests.support.simulator_story import ASSISTANT, CALLER, FRIEND, HOOK, US, Story, code


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
        ({"webhook_urls": {"call.answerd": HOOK}}, ("90057", "/webhook_urls/call.answerd")),
        (
            {"webhook_urls": {"call.conversation.ended": HOOK}},
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
    ],
)
def test_a_dial_that_telnyx_refuses_rings_nobody(
    story: Story, change: dict[str, Any], expected: tuple[str, str]
) -> None:
    status, answer = story.request("POST", "/calls", dial_body(**change))

    assert (status, code(answer)) == (422, expected)
    assert story.telnyx.legs == []


@pytest.mark.parametrize("to", [FRIEND, "sip:friend@sip.example.com", FRIEND + ",123#"])
def test_a_dial_may_go_to_numbers_sip_addresses_and_numbers_with_digits(
    story: Story, to: str
) -> None:
    assert story.request("POST", "/calls", dial_body(to=to))[0] == 200


def test_conversation_keys_in_webhook_urls_are_taken_where_telnyx_takes_them() -> None:
    story = Story(Settings(webhook_url=HOOK, accepts_conversation_keys=True))
    urls = {"call.conversation.ended": HOOK}

    assert story.request("POST", "/calls", dial_body(webhook_urls=urls))[0] == 200


def test_several_problems_are_told_together(story: Story) -> None:
    _, answer = story.request("POST", "/calls", {"connection_id": "1"})

    assert {error["source"]["pointer"] for error in answer["errors"]} == {"/to", "/from"}


def test_a_field_that_telnyx_does_not_know_is_noted_not_refused(story: Story) -> None:
    leg = story.dial(ai_assistant_id="assistant-1")
    story.clock.advance(1)
    story.command(leg, "ai_assistant_start", assistant={**ASSISTANT, "voice_id": "x"})

    assert [entry.unknown_fields for entry in story.telnyx.ledger] == [
        ["/ai_assistant_id"],
        ["/assistant/voice_id"],
    ]


def test_a_wrong_key_is_refused_before_anything_is_read(story: Story) -> None:
    status, answer = story.request("POST", "/calls", dial_body(), key="wrong")

    assert (status, code(answer)) == (401, ("10009", None))
    assert story.telnyx.legs == []


def test_a_path_that_does_not_exist_is_not_found(story: Story) -> None:
    assert story.request("POST", "/calls/v3:abcdef/actions/dance", {})[0] == 404
    assert story.telnyx.handle("POST", "/calls", {}, b"{}").status == 404


def test_a_body_that_is_no_json_object_is_refused(story: Story) -> None:
    headers = {"authorization": f"Bearer {story.settings.api_key}"}

    assert story.telnyx.handle("POST", "/v2/calls", headers, b"[]").status == 422
    assert story.telnyx.handle("POST", "/v2/calls", headers, b"{").status == 422


def test_unknown_and_malformed_calls_are_told_apart(story: Story) -> None:
    unknown = story.request("GET", "/calls/v3%3AaaaaaaBBBBBB")
    malformed = story.request("POST", "/calls/1234/actions/hangup", {})

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
def test_a_leg_that_still_rings_takes_no_voice(
    story: Story, action: str, body: dict[str, Any]
) -> None:
    leg = story.telnyx.ring_in(CALLER, US)

    status, answer = story.command(leg, action, **body)

    assert (status, code(answer)[0]) == (422, "90034")


@pytest.mark.parametrize("action", ["answer", "hangup", "ai_assistant_start", "ai_assistant_stop"])
def test_a_leg_that_ended_takes_no_commands(story: Story, action: str) -> None:
    leg = story.answered()
    story.telnyx.hang_up(leg.call_control_id)

    status, answer = story.command(leg, action)

    assert (status, code(answer)[0]) == (422, "90018")


def test_messages_to_an_ended_call_may_be_answered_with_not_found(story: Story) -> None:
    leg = story.answered()
    story.telnyx.hang_up(leg.call_control_id)
    messages = [{"role": "system", "content": "He left"}]

    assert story.command(leg, "ai_assistant_add_messages", messages=messages)[0] == 422
    story.settings.ended_call_add_messages = 404
    assert story.command(leg, "ai_assistant_add_messages", messages=messages)[0] == 404


def test_an_outbound_leg_cannot_be_answered_by_us(story: Story) -> None:
    status, answer = story.command(story.dial(), "answer")

    assert (status, code(answer)[0]) == (422, "90102")


def test_only_one_assistant_runs_on_a_leg(story: Story) -> None:
    leg = story.answered()
    story.started(leg)

    status, answer = story.command(leg, "ai_assistant_start", assistant=ASSISTANT)

    assert (status, code(answer)[0]) == (422, "90061")
    assert story.telnyx.violations == []


def test_an_assistant_that_does_not_exist_does_not_start() -> None:
    story = Story(Settings(webhook_url=HOOK, assistants=frozenset({"assistant-1"})))
    leg = story.answered()

    refused = story.command(leg, "ai_assistant_start", assistant={"id": "assistant-2"})

    assert (refused[0], code(refused[1])) == (404, ("10005", "/assistant/id"))
    assert story.command(leg, "ai_assistant_start", assistant=ASSISTANT)[0] == 200


def test_an_inline_tool_of_a_kind_that_calls_do_not_take_is_refused(story: Story) -> None:
    leg = story.answered()
    assistant = {**ASSISTANT, "tools": [{"type": "invite", "invite": {}}]}

    status, answer = story.command(leg, "ai_assistant_start", assistant=assistant)

    assert (status, code(answer)) == (422, ("10015", "/assistant/tools/0"))


def test_a_join_must_name_its_own_leg_and_a_running_conversation(story: Story) -> None:
    host, guest = story.answered(CALLER), story.answered(FRIEND)
    conversation = story.started(host)
    me = {"id": guest.call_control_id, "role": "user"}

    def join(leg: Any, **body: Any) -> tuple[int, Any]:
        status, answer = story.command(leg, "ai_assistant_join", **body)
        return status, code(answer)[1]

    assert join(guest, participant=me) == (422, "/conversation_id")
    assert join(guest, conversation_id=conversation, participant={"role": "user"}) == (
        422,
        "/participant/id",
    )
    assert join(host, conversation_id=conversation, participant=me) == (422, "/participant/id")
    assert join(guest, conversation_id="nowhere", participant=me) == (404, "/conversation_id")
    story.command(host, "ai_assistant_stop")
    assert join(guest, conversation_id=conversation, participant=me) == (422, "/conversation_id")


def test_a_second_join_is_a_violation_whatever_is_answered(story: Story) -> None:
    host, guest = story.answered(CALLER), story.answered(FRIEND)
    conversation = story.started(host)
    assert story.joined(guest, conversation)[0] == 200

    assert story.joined(guest, conversation)[0] == 422
    story.settings.refuses_second_join = False
    assert story.joined(guest, conversation)[0] == 200

    assert story.telnyx.violations == [f"{guest.call_control_id} was joined twice"] * 2
    assert len(story.telnyx.conversations[0].participants) == 1


def test_without_an_assistant_there_is_nothing_to_stop_or_tell(story: Story) -> None:
    leg = story.answered()

    assert story.command(leg, "ai_assistant_stop")[0] == 422
    assert story.command(leg, "ai_assistant_add_messages", messages=[])[0] == 422


def test_dialling_the_same_participant_twice_is_a_violation(story: Story) -> None:
    story.telnyx.set_person(Person(FRIEND, behaviour="manual"))
    story.dial(client_state="YQ==", command_id="one")
    story.dial(client_state="Yg==", command_id="two")
    assert story.telnyx.violations == []

    story.dial(client_state="YQ==", command_id="three")

    assert story.telnyx.violations == ["dialled twice for client_state YQ=="]


def test_an_assistant_started_again_on_the_same_leg_is_a_violation(story: Story) -> None:
    leg = story.answered()
    story.started(leg)
    story.command(leg, "ai_assistant_stop")
    assert story.telnyx.violations == []

    story.started(leg)

    assert story.telnyx.violations == [f"an assistant was started twice on {leg.call_control_id}"]


def test_a_field_more_in_one_of_several_kinds_of_message_is_let_through(story: Story) -> None:
    leg = story.answered()
    story.started(leg)
    message = {"role": "system", "content": "Ada is here", "mood": "good"}

    assert story.command(leg, "ai_assistant_add_messages", messages=[message])[0] == 200
