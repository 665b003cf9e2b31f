"""The parts of the simulated Telnyx that the description got in the summer of 2026."""

from typing import Any

import pytest

from local.simulator.model import Person
from local.simulator.settings import Settings, live_timings
from tests.support.simulator_harness import (
    ASSISTANT,
    CALLER,
    FRIEND,
    HOOK,
    US,
    SimulatorHarness,
    code,
)

VOICE = "Telnyx.KokoroTTS.af"
SCREENING_MODE = "premium_ios_call_screening_detection"


def with_settings(**settings: Any) -> SimulatorHarness:
    return SimulatorHarness(Settings(webhook_url=HOOK, **settings))


def start(leg_of: SimulatorHarness, leg: Any, **body: Any) -> tuple[int, Any]:
    return leg_of.command(leg, "ai_assistant_start", **{"assistant": ASSISTANT, **body})


def ended(harness: SimulatorHarness) -> dict[str, Any]:
    (hook,) = harness.hooks("call.conversation.ended")
    payload: dict[str, Any] = hook.payload
    return payload


def test_a_voice_in_the_voice_settings_is_the_voice_of_the_call(harness: SimulatorHarness) -> None:
    leg = harness.answered()
    start(harness, leg, assistant={**ASSISTANT, "voice_settings": {"voice": VOICE}})
    harness.telnyx.hang_up(leg.call_control_id)
    harness.clock.advance(1)

    assert harness.telnyx.conversations[0].voice == VOICE
    payload = ended(harness)
    assert payload["tts_provider"] == "Telnyx"
    assert (payload["tts_model_id"], payload["tts_voice_id"]) == ("KokoroTTS", "af")


@pytest.mark.violates
def test_a_voice_at_the_top_level_does_nothing(harness: SimulatorHarness) -> None:
    leg = harness.answered()

    assert start(harness, leg, voice=VOICE)[0] == 200
    assert harness.telnyx.conversations[0].voice == harness.settings.stored_voice


def test_an_unknown_voice_is_refused_with_400() -> None:
    harness = with_settings(voices=frozenset({VOICE}))
    leg = harness.answered()
    assistant = {**ASSISTANT, "voice_settings": {"voice": "nobody"}}

    status, answer = start(harness, leg, assistant=assistant)

    assert (status, code(answer)) == (400, ("10015", "/assistant/voice_settings/voice"))
    assert harness.telnyx.conversations == []
    assert start(harness, leg)[0] == 200


def test_a_message_history_is_refused_if_set_so() -> None:
    harness = with_settings(refuses_message_history=True)
    leg = harness.answered()

    status, answer = start(harness, leg, message_history=[{"role": "user", "content": "Hi"}])

    assert (status, code(answer)) == (422, ("10000", "/message_history"))
    assert start(harness, leg)[0] == 200


def test_every_url_of_an_event_type_gets_the_event(harness: SimulatorHarness) -> None:
    urls = [HOOK + "/a", HOOK + "/b"]
    harness.dial(webhook_urls={"call.initiated": urls})
    harness.clock.advance(0)

    assert [hook.url for hook in harness.received] == urls
    assert len({hook.envelope["data"]["id"] for hook in harness.received}) == 1


def test_the_old_form_of_webhook_urls_is_accepted_if_set_so() -> None:
    harness = with_settings(webhook_urls_form="text")
    harness.dial(webhook_urls={"call.initiated": HOOK + "/a"})
    harness.clock.advance(0)

    assert [hook.url for hook in harness.received] == [HOOK + "/a"]


@pytest.mark.parametrize("reason", ['Call "elsewhere"', "a\\b", "a\nb", "\U0001f600"])
def test_a_hangup_reason_with_a_bad_character_is_refused(
    harness: SimulatorHarness, reason: str
) -> None:
    leg = harness.dial()

    status, answer = harness.command(leg, "hangup", reason=reason)

    assert (status, code(answer)[1]) == (422, "/reason")
    assert leg.state == "ringing"


@pytest.mark.parametrize("reason", [None, "Call completed elsewhere"])
def test_a_hangup_reason_prevents_a_missed_call(
    harness: SimulatorHarness, reason: str | None
) -> None:
    leg = harness.dial()

    harness.command(leg, "hangup", **({"reason": reason} if reason else {}))

    assert leg.shows_missed_call == (reason is None)


def test_the_assistant_speaks_about_a_message_that_triggers_a_response(
    harness: SimulatorHarness,
) -> None:
    leg = harness.answered()
    harness.started(leg)
    quiet, news = ({"role": "system", "content": text} for text in ("quiet", "news"))

    harness.command(leg, "ai_assistant_add_messages", messages=[quiet])
    harness.command(leg, "ai_assistant_add_messages", messages=[news], trigger_response=True)
    harness.clock.advance(2)

    heard = [text for _, text in leg.heard]
    assert heard[-1] == "assistant: news"
    assert "assistant: quiet" not in heard


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_join_of_an_unknown_conversation_has_code_10007(status: Any) -> None:
    harness = with_settings(unknown_conversation=(status, "10007"))

    answer = harness.joined(harness.answered(), "0424805b-adc1-4ff8-9f95-e1de6883ecbe")

    assert (answer[0], code(answer[1])) == (status, ("10007", "/conversation_id"))


def test_a_join_goes_to_the_leg_of_the_assistant_if_set_so() -> None:
    harness = with_settings(join_path="host")
    host, guest = harness.answered(CALLER), harness.answered(FRIEND)
    conversation = harness.started(host)
    participant = {"id": guest.call_control_id, "role": "user"}
    body = {"conversation_id": conversation, "participant": participant}

    assert harness.command(guest, "ai_assistant_join", **body)[0] == 422
    assert harness.command(host, "ai_assistant_join", **body)[0] == 200
    assert guest.conversation_id == conversation


def test_the_end_has_the_spoken_turns(harness: SimulatorHarness) -> None:
    leg = harness.answered()
    harness.started(leg)
    harness.telnyx.say(leg.call_control_id, "Call Ada")
    messages = [{"role": "system", "content": "Ada does not answer"}]
    harness.command(leg, "ai_assistant_add_messages", messages=messages)
    harness.command(leg, "ai_assistant_stop")
    harness.clock.advance(1)

    rows = ended(harness)["messages"]
    assert [(row["role"], row["content"]) for row in rows] == [
        ("assistant", "Hello, how can I help?"),
        ("user", "Call Ada"),
    ]
    assert rows[0]["timestamp"].endswith("Z")


def test_the_end_has_every_message_with_the_full_history() -> None:
    harness = with_settings(ended_full_history=True)
    leg = harness.answered()
    harness.started(leg)
    messages = [{"role": "system", "content": "Ada does not answer"}]
    harness.command(leg, "ai_assistant_add_messages", messages=messages)
    harness.command(leg, "ai_assistant_stop")
    harness.clock.advance(1)

    assert [row["role"] for row in ended(harness)["messages"]] == ["assistant", "system"]


def test_the_analysis_comes_last_and_without_our_client_state(harness: SimulatorHarness) -> None:
    leg = harness.answered()
    start(harness, leg, client_state="YQ==")
    harness.telnyx.hang_up(leg.call_control_id)
    harness.clock.advance(30)

    assert harness.types[-1] == "call.analyzed"
    payload = harness.received[-1].payload
    assert payload["client_state"].startswith("g3QAAAAC")
    assert payload["conversation_id"] == harness.telnyx.conversations[0].conversation_id
    (entry,) = payload["conversation_insights"]
    assert [type(insight["result"]) for insight in entry["conversation_insights"]] == [str, str]
    assert payload["cost"]["currency"] == "USD"


def test_each_turn_sends_the_history_only_when_the_start_asked_for_it(
    harness: SimulatorHarness,
) -> None:
    asking, silent = harness.answered(CALLER), harness.answered(FRIEND)
    start(harness, asking, send_message_history_updates=True)
    start(harness, silent)
    harness.clock.advance(1)
    harness.telnyx.say(asking.call_control_id, "Hello")
    harness.telnyx.say(silent.call_control_id, "Hello")
    harness.clock.advance(1)

    hooks = harness.hooks("call.ai_gather.message_history_updated")
    assert {hook.payload["call_control_id"] for hook in hooks} == {asking.call_control_id}
    assert [len(hook.payload["message_history"]) for hook in hooks] == [1, 2]


def test_each_turn_sends_the_added_messages_if_set_so() -> None:
    harness = with_settings(sends_messages_added=True)
    leg = harness.answered()
    harness.started(leg)
    harness.telnyx.say(leg.call_control_id, "Hello")
    harness.clock.advance(1)

    hooks = harness.hooks("call.conversation.messages_added")
    assert [hook.payload["messages"][0]["role"] for hook in hooks] == ["assistant", "user"]


def test_an_iphone_that_screens_calls_has_two_verdicts(harness: SimulatorHarness) -> None:
    harness.telnyx.set_person(Person(FRIEND, screens_calls="iphone"))
    harness.dial(answering_machine_detection=SCREENING_MODE)
    harness.clock.advance(20)

    assert [(hook.type, hook.payload.get("result")) for hook in harness.received[2:]] == [
        ("call.machine.premium.detection.started", None),
        ("call.machine.premium.detection.ended", "machine"),
        ("call.machine.premium.call_screening.detected", "screening"),
        ("call.machine.premium.detection.ended", "human_residence"),
    ]


def test_a_machine_without_screening_ends_its_prompt(harness: SimulatorHarness) -> None:
    harness.telnyx.set_person(Person(FRIEND, behaviour="machine"))
    harness.dial(answering_machine_detection=SCREENING_MODE)
    harness.clock.advance(20)

    last = harness.received[-1]
    assert (last.type, last.payload["result"]) == (
        "call.machine.premium.greeting.ended",
        "prompt_ended",
    )


@pytest.mark.parametrize("order", ["ended_at_once", "ended_first", "bridged_first"])
def test_a_transfer_ends_the_assistant_and_connects_both_people(order: Any) -> None:
    harness = with_settings(transfer_order=order, transfer_reason="transfer")
    caller = harness.telnyx.ring_in(CALLER, US)
    harness.command(caller, "answer")
    harness.started(caller)

    target = harness.telnyx.transfer(caller.call_control_id, FRIEND)
    harness.clock.advance(2)

    assert (caller.state, target.state) == ("answered", "answered")
    assert (target.call_session_id, target.client_state) == (caller.call_session_id, None)
    bridged = [hook.payload["call_control_id"] for hook in harness.hooks("call.bridged")]
    assert bridged == [caller.call_control_id, target.call_control_id]
    types = [kind for kind in harness.types if kind in ("call.bridged", "call.conversation.ended")]
    first = "call.bridged" if order == "bridged_first" else "call.conversation.ended"
    assert types[0] == first
    assert ended(harness)["reason"] == "transfer"

    harness.telnyx.hang_up(target.call_control_id)
    assert caller.state == "ended"


def test_a_failed_transfer_leaves_the_caller_with_the_assistant(harness: SimulatorHarness) -> None:
    harness.telnyx.set_person(Person(FRIEND, behaviour="busy"))
    caller = harness.answered(CALLER)
    conversation = harness.started(caller)

    harness.telnyx.transfer(caller.call_control_id, FRIEND)
    harness.clock.advance(5)

    assert caller.conversation_id == conversation
    assert harness.hooks("call.bridged") == []


@pytest.mark.violates
def test_an_assistant_of_the_answer_starts_warm_and_the_answer_has_no_id(
    harness: SimulatorHarness,
) -> None:
    caller = harness.telnyx.ring_in(CALLER, US)

    _, answer = harness.command(caller, "answer", assistant=ASSISTANT)
    assert answer == {"data": {"result": "ok"}}
    assert caller.answered_at is None
    harness.clock.advance(harness.settings.warm_up_secs)
    assert caller.answered_at is not None
    harness.clock.advance(harness.settings.warm_created_after_secs)

    assert harness.types[-1] == "call.conversation.created"
    assert caller.heard[-1][1] == "assistant: Hello, how can I help?"
    status, refused = start(harness, caller)
    assert (status, code(refused)[0]) == (422, "90061")


def test_an_unknown_assistant_of_the_answer_is_a_webhook() -> None:
    harness = with_settings(assistants=frozenset())
    caller = harness.telnyx.ring_in(CALLER, US)

    assert harness.command(caller, "answer", assistant=ASSISTANT)[0] == 200
    harness.clock.advance(60)

    (failed,) = harness.hooks("call.conversation.start_failed")
    assert failed.payload["reason"] == "invalid_request"
    assert failed.payload["assistant_id"] == ASSISTANT["id"]
    assert failed.payload["calling_party_type"] == "pstn"
    assert harness.hooks("call.conversation.created") == []
    assert caller.state == "answered"


def test_an_assistant_has_its_stored_settings(harness: SimulatorHarness) -> None:
    stored = {"telephony_settings": {"time_limit_secs": 1800}}
    harness.telnyx.world.assistant_settings["assistant-1"] = stored

    _, assistant = harness.request("GET", "/ai/assistants/assistant-1")

    assert assistant["telephony_settings"] == {"time_limit_secs": 1800}
    assert assistant["voice_settings"] == {"voice": harness.settings.stored_voice}


def test_a_start_is_held_as_long_as_on_live_calls() -> None:
    harness = with_settings(**live_timings())
    leg = harness.answered()
    body = {"assistant": ASSISTANT}

    reply = harness.reply("POST", f"/calls/{leg.call_control_id}/actions/ai_assistant_start", body)

    assert (reply.status, reply.held_secs) == (200, 2.5)
    harness.clock.advance(0.94)
    assert harness.types[-1] == "call.conversation.created"
