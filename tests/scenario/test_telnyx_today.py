"""A Telnyx that follows the newest description only, with the refusals of live calls.

Sources: Telnyx's official client 4.189; reports of live calls, July 2026.
"""

import json
from typing import Any

import pytest

from local.simulator.delivery import DeliverySettings
from local.simulator.model import Person
from local.simulator.settings import Settings, live_timings
from tests.support.lab import Lab, NewLab, minutes
from tests.support.people import CALLER, DANA, HOST, KIM, LEE, OUR_NUMBER

VOICE = "Telnyx.KokoroTTS.af"
HELLO = "assistant: Hello, how can I help?"
COLLEAGUE = KIM
"""The person to whom the assistant's own tool transfers a call."""


def today(**settings: Any) -> Settings:
    """A Telnyx that takes the conversation's events as keys of `webhook_urls`."""
    return Settings(accepts_conversation_keys=True, **settings)


def starts(lab: Lab) -> list[tuple[int, dict[str, Any]]]:
    """The status and the body of each start command."""
    return [
        (entry.status, entry.body or {})
        for entry in lab.telnyx.ledger
        if entry.action == "ai_assistant_start"
    ]


def ends_delivered(lab: Lab) -> list[tuple[int, int | None]]:
    """The size of each `call.conversation.ended` that was posted, and the status of the answer."""
    return [
        (len(attempt.body), attempt.status)
        for attempt in lab.telnyx.deliverer.attempts
        if attempt.event_type == "call.conversation.ended"
    ]


# The voice


def test_a_requested_voice_is_the_voice_of_the_call(new_lab: NewLab) -> None:
    lab = new_lab(settings=today())
    assistant = {"id": "assistant-sales", "voice_settings": {"voice": VOICE, "voice_speed": 1.2}}

    lab.start(assistant=assistant)
    lab.run(5)

    assert lab.telnyx_conversation().voice == VOICE
    ((status, body),) = starts(lab)
    assert (status, body["assistant"]["voice_settings"]) == (200, assistant["voice_settings"])
    lab.assert_clean()


def test_voice_settings_without_a_voice_are_refused_at_our_door(new_lab: NewLab) -> None:
    lab = new_lab(settings=today())
    body = {"to": HOST, "assistant": {"id": "assistant-sales", "voice_settings": {"speed": 1.2}}}

    answer = lab.ask("POST", "/conversations", body)

    assert answer.status == 422
    assert "voice" in json.dumps(answer.json)
    assert lab.telnyx.ledger == []


# Transfers by the assistant's own tool


@pytest.mark.parametrize("order", ["ended_at_once", "ended_first", "bridged_first"])
@pytest.mark.parametrize("host", [CALLER, HOST])
def test_a_transferred_host_stays_connected(new_lab: NewLab, host: str, order: Any) -> None:
    lab = new_lab(settings=today(transfer_order=order))
    conversation_id = lab.start() if host == HOST else lab.inbound()
    lab.run(5)

    target = lab.telnyx.transfer(lab.leg(host).call_control_id, COLLEAGUE)
    lab.run(minutes(10))

    assert (lab.leg(host).state, target.state) == ("answered", "answered")
    assert lab.status(conversation_id) == "ended"
    assert "hangup" not in [command["action"] for command in lab.commands()]
    lab.telnyx.hang_up(target.call_control_id)
    lab.run(minutes(1))
    lab.assert_no_leg_up()
    lab.assert_clean()


def test_a_caller_transferred_away_from_a_guest_stays_connected(new_lab: NewLab) -> None:
    lab = new_lab(settings=today())
    conversation_id = lab.inbound()
    lab.invite(conversation_id, DANA, name="Dana")
    lab.run(5)
    assert lab.people_joined() == ["Dana"]

    target = lab.telnyx.transfer(lab.leg(CALLER).call_control_id, COLLEAGUE)
    lab.run(minutes(10))

    assert (lab.leg(CALLER).state, target.state) == ("answered", "answered")
    assert lab.leg(DANA).state == "ended"  # nobody is left to talk to
    assert lab.status(conversation_id) == "ended"


def test_a_caller_whose_transfer_fails_stays_with_the_assistant(new_lab: NewLab) -> None:
    lab = new_lab([Person(COLLEAGUE, behaviour="busy")], settings=today())
    conversation_id = lab.inbound()

    lab.telnyx.transfer(lab.leg(CALLER).call_control_id, COLLEAGUE)
    lab.run(minutes(2))

    assert lab.status(conversation_id) == "active"
    assert lab.leg(CALLER).conversation_id is not None
    lab.assert_clean()


# The end of a long call


@pytest.mark.parametrize("turns", [1_500, 16_000])
def test_an_end_with_the_words_of_a_long_call_ends_the_conversation(
    new_lab: NewLab, turns: int
) -> None:
    lab = new_lab(settings=today())
    conversation_id = lab.inbound()
    caller = lab.leg(CALLER).call_control_id
    for turn in range(turns):
        lab.telnyx.say(caller, f"{turn}: " + "long words " * 18)

    lab.telnyx.end_assistant(caller)
    lab.run(minutes(5))

    ((size, status),) = ends_delivered(lab)
    assert size > 220 * turns >= 300_000
    assert status == 200
    assert lab.status(conversation_id) == "ended"
    lab.assert_no_leg_up()
    lab.assert_clean()


# Times as on live calls


def test_a_conversation_begins_with_the_times_of_live_calls(new_lab: NewLab) -> None:
    lab = new_lab(settings=today(**live_timings()))
    conversation_id = lab.start(machine_detection="premium")
    lab.run(30)

    heard = {text: at for at, text in lab.leg(HOST).heard}
    assert lab.status(conversation_id) == "active"
    assert len(starts(lab)) == 1
    # The verdict comes 3.5 s after the answer, and the assistant 0.94 s after the command.
    assert (heard[HELLO] - heard["answered"]).total_seconds() == pytest.approx(4.44, abs=0.01)
    lab.assert_clean()


# Refused fields


def test_a_start_refused_for_its_history_is_sent_again_without_the_history(
    new_lab: NewLab,
) -> None:
    lab = new_lab(settings=today(refuses_message_history=True))
    history = [{"role": "user", "content": "I called yesterday."}]

    conversation_id = lab.start(assistant={"id": "assistant-sales", "message_history": history})
    lab.run(5)

    (refused, first), (accepted, second) = starts(lab)
    assert (refused, accepted) == (422, 200)
    assert first["command_id"] != second["command_id"]
    assert "message_history" not in second
    assert HELLO in lab.heard_by(HOST)
    assert lab.status(conversation_id) == "active"
    assert "command.changed" in lab.event_types(conversation_id)
    lab.assert_clean()


def test_a_start_refused_for_its_voice_is_sent_again_with_the_stored_voice(
    new_lab: NewLab,
) -> None:
    lab = new_lab(settings=today(voices=frozenset({VOICE})))

    lab.start(assistant={"id": "assistant-sales", "voice_settings": {"voice": "nobody.x.y"}})
    lab.run(5)

    assert [status for status, _ in starts(lab)] == [400, 200]
    assert lab.telnyx_conversation().voice == lab.settings.stored_voice
    assert HELLO in lab.heard_by(HOST)


@pytest.mark.parametrize("form", ["list", "text"])
def test_events_reach_the_url_of_their_type_in_both_forms(new_lab: NewLab, form: Any) -> None:
    lab = new_lab(settings=today(webhook_urls_form=form))
    conversation_id = lab.start()
    lab.run(5)

    assert lab.status(conversation_id) == "active"
    answered = lab.telnyx.deliverer.attempts[1]
    assert answered.url.endswith("/webhooks/call.answered")
    assert len(lab.telnyx.legs) == 1


# Joins


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_join_of_an_unknown_conversation_is_told_to_the_assistant_at_once(
    new_lab: NewLab, status: int
) -> None:
    lab = new_lab(settings=today())
    conversation_id = lab.inbound()
    lab.transport.refuse("ai_assistant_join", status, "10007", "The conversation is not yours")

    lab.invite(conversation_id, DANA, name="Dana")
    lab.run(5)

    (message,) = [row for row in lab.telnyx_conversation().messages if row.role == "system"]
    assert "Dana" in message.content
    answered_at = lab.leg(DANA).answered_at
    assert answered_at is not None
    assert (message.at - answered_at).total_seconds() < 1
    assert lab.leg(DANA).state == "ended"
    assert lab.person(conversation_id, "Dana")["status"] == "failed"


def test_a_guest_joins_on_the_leg_of_the_assistant_if_telnyx_wants_that(new_lab: NewLab) -> None:
    lab = new_lab(settings=today(join_path="host"))
    conversation_id = lab.inbound()

    lab.invite(conversation_id, DANA, name="Dana")
    lab.run(10)

    assert lab.people_joined() == ["Dana"]
    assert lab.person(conversation_id, "Dana")["status"] == "joined"
    lab.assert_clean()


# News, missed calls, screened calls


def test_a_caller_hears_at_once_that_a_guest_does_not_come(new_lab: NewLab) -> None:
    lab = new_lab([Person(DANA, behaviour="busy")], settings=today())
    conversation_id = lab.inbound()

    lab.invite(conversation_id, DANA, name="Dana")
    lab.run(10)

    (news,) = lab.messages_to_assistant()
    assert f"assistant: {news}" in lab.heard_by(CALLER)


def test_the_losers_of_a_hunt_see_no_missed_call(new_lab: NewLab) -> None:
    people = [Person(number, behaviour="manual") for number in (DANA, LEE)]
    lab = new_lab(people, settings=today())
    conversation_id = lab.inbound()
    lab.invite(conversation_id, [DANA, LEE], name="Dana", strategy="at_once")
    lab.run(2)

    lab.pick_up(DANA)
    lab.run(5)

    assert lab.people_joined() == ["Dana"]
    assert lab.leg(LEE).state == "ended"
    assert not lab.leg(LEE).shows_missed_call


def test_a_person_behind_a_screening_iphone_is_joined(new_lab: NewLab) -> None:
    lab = new_lab([Person(DANA, screens_calls="iphone")], settings=today())
    conversation_id = lab.inbound()

    lab.invite(conversation_id, DANA, name="Dana", machine_detection="premium_ios_call_screening")
    lab.run(20)

    assert lab.people_joined() == ["Dana"]
    assert lab.outcomes(conversation_id, "Dana") == ["human"]
    lab.assert_clean()


def test_turns_that_telnyx_reports_unasked_change_nothing(new_lab: NewLab) -> None:
    lab = new_lab(settings=today(sends_messages_added=True))
    conversation_id = lab.inbound()
    before = lab.event_types(conversation_id)

    lab.telnyx.say(lab.leg(CALLER).call_control_id, "Hello")
    lab.run(5)

    attempts = lab.telnyx.deliverer.attempts
    added = [item for item in attempts if item.event_type == "call.conversation.messages_added"]
    assert {item.status for item in added} == {200}
    assert lab.event_types(conversation_id) == before
    lab.assert_clean()


def test_an_analysis_is_kept_although_its_client_state_is_not_ours(new_lab: NewLab) -> None:
    lab = new_lab(settings=today())
    lab.telnyx.deliverer.settings["call.conversation_insights.generated"] = DeliverySettings(
        drop=1.0
    )
    conversation_id = lab.inbound()
    lab.hang_up(CALLER)
    lab.run(30)

    assert "conversation.analyzed" in lab.event_types(conversation_id)
    assert len(lab.conversation(conversation_id)["insights"]) == 2


def test_the_failed_start_of_an_active_conversation_ends_the_run(new_lab: NewLab) -> None:
    lab = new_lab(settings=today())
    conversation_id = lab.inbound()

    lab.telnyx.fail_start(lab.leg(CALLER).call_control_id)
    lab.run(minutes(5))

    assert lab.status(conversation_id) in ("ended", "failed")
    lab.assert_no_leg_up()
    assert lab.leg(CALLER).to == OUR_NUMBER
