"""Requests to Telnyx fail: refused with 429 or 500, disconnected, or executed without a reply."""

import pytest

from local.simulator.delivery import DeliverySettings
from local.simulator.model import Person
from local.simulator.settings import Settings
from local.simulator.unknowns import PLAYED
from tests.support.lab import Lab, NewLab, minutes
from tests.support.people import CALLER, DANA, HOST

KINDS = {
    "429": ("refuse", 429),
    "500": ("refuse", 500),
    "disconnect": ("drop", 0),
    "lost reply": ("lose_reply", 0),
}


COMMANDS = (
    "ai_assistant_start",
    "ai_assistant_join",
    "ai_assistant_add_messages",
    "gather_using_speak",
)


def fail_requests(lab: Lab, action: str, how: str, times: int | None = 1) -> None:
    """Make the next requests for an action fail; `how` is a key of KINDS."""
    kind, status = KINDS[how]
    lab.fail(action, kind, times, status)


def assert_complete(lab: Lab, conversation_id: str) -> None:
    """Check that both people were called once, and that Dana joined once and was announced."""
    assert lab.status(conversation_id) == "active"
    assert lab.people_dialled() == ["host", "Dana"]
    assert len(lab.telnyx.conversations) == 1
    assert lab.people_joined() == ["Dana"]
    assert lab.messages_to_assistant() == ["“Dana” has joined the conversation."]
    lab.assert_clean()


@pytest.mark.parametrize("how", KINDS)
def test_when_every_command_fails_once_every_command_still_takes_effect_once(
    new_lab: NewLab, how: str
) -> None:
    lab = new_lab([Person(DANA, digits="1", digits_after_secs=4)])
    for action in ("dial", *COMMANDS):
        fail_requests(lab, action, how)
    conversation_id = lab.start()
    assert lab.run_until(lambda: lab.status(conversation_id) == "active", minutes(2))
    fail_requests(lab, "dial", how)
    lab.invite(conversation_id, DANA, name="Dana", screening={"say": "Press 1."})
    assert lab.run_until(lambda: lab.messages_to_assistant() != [], minutes(2))
    lab.run(minutes(1))
    assert_complete(lab, conversation_id)


@pytest.mark.parametrize("how", KINDS)
@pytest.mark.parametrize("action", COMMANDS)
def test_a_command_that_fails_twice_takes_effect_exactly_once(
    new_lab: NewLab, action: str, how: str
) -> None:
    lab = new_lab([Person(DANA, digits="1", digits_after_secs=4)])
    fail_requests(lab, action, how, times=2)
    conversation_id = lab.start()
    assert lab.run_until(lambda: lab.status(conversation_id) == "active", minutes(2))
    lab.invite(conversation_id, DANA, name="Dana", screening={"say": "Press 1."})
    assert lab.run_until(lambda: lab.messages_to_assistant() != [], minutes(2))
    lab.run(minutes(1))
    assert_complete(lab, conversation_id)


@pytest.mark.parametrize("reply", [answer.id for answer in PLAYED["duplicate-dial"].answers])
def test_a_dial_whose_replies_are_all_lost_calls_once(new_lab: NewLab, reply: str) -> None:
    answers = {"conversation-keys": "taken", "duplicate-dial": reply}
    lab = new_lab([], Settings.answering(answers))
    fail_requests(lab, "dial", "lost reply", times=3)
    conversation_id = lab.start()
    lab.run(minutes(3))
    assert lab.people_dialled() == ["host"]
    assert lab.status(conversation_id) == "active"
    lab.assert_clean()


@pytest.mark.parametrize("command", ["dial", "start", "join"])
def test_a_refused_repetition_counts_as_the_first_command(new_lab: NewLab, command: str) -> None:
    answers = {"conversation-keys": "taken", f"duplicate-{command}": "refused"}
    lab = new_lab([], Settings.answering(answers))
    action = command if command == "dial" else f"ai_assistant_{command}"
    fail_requests(lab, action, "lost reply", times=1)
    conversation_id = lab.start(participants=[{"to": DANA, "name": "Dana"}])
    lab.run(minutes(2))
    assert lab.status(conversation_id) == "active"
    assert lab.person(conversation_id, "Dana")["status"] == "joined"
    assert sorted(lab.people_dialled()) == ["Dana", "host"]
    assert lab.people_joined() == ["Dana"]
    lab.assert_clean()


def test_a_dial_without_reply_or_webhook_is_found_by_a_lookup_and_not_repeated(
    new_lab: NewLab,
) -> None:
    lab = new_lab()
    lab.telnyx.deliverer.settings["*"] = DeliverySettings(drop=1.0)
    fail_requests(lab, "dial", "lost reply", times=20)
    conversation_id = lab.start()
    assert lab.run_until(lambda: lab.status(conversation_id) == "active", minutes(5))
    assert lab.people_dialled() == ["host"]
    assert "active_calls" in [entry.action for entry in lab.telnyx.ledger]
    lab.assert_clean()


def join_without_reply(lab: Lab) -> str:
    """Invite Dana, whose join takes effect but never gets a reply."""
    fail_requests(lab, "ai_assistant_join", "lost reply", times=20)
    conversation_id = lab.start()
    lab.run(5)
    lab.invite(conversation_id, DANA, name="Dana")
    lab.run(minutes(3))
    return conversation_id


def test_a_join_without_a_reply_is_found_among_the_call_events(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = join_without_reply(lab)
    assert_complete(lab, conversation_id)
    assert "command.repaired" in lab.event_types(conversation_id)
    assert [entry.action for entry in lab.telnyx.ledger].count("call_events") == 1


def test_a_join_that_is_not_listed_in_time_is_given_up(new_lab: NewLab) -> None:
    settings = Settings(accepts_conversation_keys=True, events_listed_after_secs=minutes(60))
    lab = new_lab([], settings)
    conversation_id = join_without_reply(lab)
    assert lab.person(conversation_id, "Dana")["status"] == "failed"
    assert lab.person(conversation_id, "Dana")["outcome"] == "error"
    assert [entry.action for entry in lab.telnyx.ledger].count("call_events") == 1
    lab.assert_clean()


@pytest.mark.parametrize("how", KINDS)
def test_an_inbound_call_is_answered_although_the_first_answer_command_fails(
    new_lab: NewLab, how: str
) -> None:
    lab = new_lab()
    fail_requests(lab, "answer", how)
    conversation_id = lab.inbound()
    lab.run(minutes(1))
    assert lab.status(conversation_id) == "active"
    assert lab.commands_in_words() == ["answer caller", "start caller"]
    assert lab.leg(CALLER).state == "answered"
    lab.assert_clean()


@pytest.mark.parametrize("how", KINDS)
def test_a_stop_and_a_hangup_that_fail_four_times_still_take_effect(
    new_lab: NewLab, how: str
) -> None:
    lab = new_lab()
    conversation_id = lab.start(participants=[{"to": DANA, "name": "Dana"}])
    lab.run(5)
    fail_requests(lab, "ai_assistant_stop", how, times=4)
    fail_requests(lab, "hangup", how, times=4)
    lab.ask("POST", f"/conversations/{conversation_id}/stop", {"hang_up": True})
    assert lab.run_until(
        lambda: not lab.legs_up() and lab.status(conversation_id) == "ended", minutes(5)
    )
    assert lab.telnyx_conversation().status == "ended"
    lab.assert_clean()


@pytest.mark.parametrize("how", KINDS)
def test_after_a_minute_without_telnyx_the_host_gets_an_assistant(
    new_lab: NewLab, how: str
) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    fail_requests(lab, "*", how, None)
    lab.run(minutes(1))
    lab.telnyx.faults.clear()
    assert lab.run_until(lambda: lab.status(conversation_id) == "active", minutes(4))
    lab.run(minutes(1))
    assert len(lab.telnyx.conversations) == 1
    assert lab.people_dialled() == ["host"]
    lab.assert_clean()


@pytest.mark.parametrize("how", KINDS)
def test_after_twenty_minutes_without_telnyx_no_conversation_and_no_call_stays_open(
    new_lab: NewLab, how: str
) -> None:
    lab = new_lab()
    conversation_id = lab.start(participants=[{"to": DANA, "name": "Dana"}])
    lab.run(5)
    fail_requests(lab, "*", how, None)
    lab.hang_up(HOST)
    lab.run(minutes(20))
    lab.telnyx.faults.clear()
    lab.run(minutes(3))
    assert lab.status(conversation_id) == "ended"
    lab.assert_no_leg_up()
    lab.assert_clean()


def test_a_webhook_whose_command_failed_is_delivered_again(new_lab: NewLab) -> None:
    lab = new_lab()
    fail_requests(lab, "ai_assistant_start", "429", times=2)
    conversation_id = lab.start()
    lab.run(20)
    statuses = [
        attempt.status
        for attempt in lab.telnyx.deliverer.attempts
        if attempt.event_type == "call.answered"
    ]
    assert statuses[0] == 503
    assert statuses[-1] == 200
    assert lab.status(conversation_id) == "active"


def test_a_dial_still_pending_at_the_end_of_the_conversation_is_never_made(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.run(5)
    fail_requests(lab, "dial", "429", times=None)
    lab.invite(conversation_id, DANA, name="Dana")
    lab.hang_up(HOST)
    lab.run(20)
    lab.telnyx.faults.clear()
    lab.run(minutes(3))
    assert lab.status(conversation_id) == "ended"
    assert lab.person(conversation_id, "Dana")["status"] == "failed"
    assert lab.people_dialled() == ["host"]
    lab.assert_no_leg_up()
    lab.assert_clean()
