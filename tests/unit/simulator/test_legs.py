"""The life of a leg: who rings, who answers, and what is heard of it."""

import pytest

from local.simulator.model import Behaviour, Person
from local.simulator.settings import Settings
from tests.support.simulator_story import ASSISTANT, CALLER, FRIEND, HOOK, US, Story


def test_we_ring_a_friend_who_answers_and_later_hangs_up(story: Story) -> None:
    story.telnyx.set_person(Person(FRIEND, answer_after_secs=2, hangs_up_after_secs=30))
    leg = story.dial(client_state="YQ==")

    story.clock.advance(0)
    assert story.types == ["call.initiated"]
    initiated = story.received[0].payload
    assert (initiated["direction"], initiated["state"]) == ("outgoing", "bridging")
    assert initiated["client_state"] == "YQ=="

    story.clock.run_until_idle(60)
    assert story.types == ["call.initiated", "call.answered", "call.hangup"]
    hangup = story.received[2].payload
    assert (hangup["hangup_cause"], hangup["hangup_source"]) == ("normal_clearing", "callee")
    assert leg.answered_at is not None
    assert leg.ended_at is not None
    assert (leg.ended_at - leg.answered_at).total_seconds() == 30


@pytest.mark.parametrize(
    ("behaviour", "cause", "sip"),
    [
        ("busy", "user_busy", "486"),
        ("decline", "call_rejected", "603"),
        ("unreachable", "not_found", "404"),
        ("no_answer", "timeout", "487"),
        ("manual", "timeout", "487"),
    ],
)
def test_a_friend_who_does_not_take_the_call(
    story: Story, behaviour: Behaviour, cause: str, sip: str
) -> None:
    story.telnyx.set_person(Person(FRIEND, behaviour=behaviour))
    story.dial(timeout_secs=20)

    story.clock.run_until_idle(21)

    assert story.types == ["call.initiated", "call.hangup"]
    hangup = story.received[1].payload
    assert (hangup["hangup_cause"], hangup["sip_hangup_cause"]) == (cause, sip)
    assert hangup["call_quality_stats"] is None


def test_a_ring_out_is_no_answer_when_the_dial_does_not_retry(story: Story) -> None:
    story.telnyx.set_person(Person(FRIEND, behaviour="no_answer"))
    story.dial(retry_on_timeout=False, timeout_secs=5)

    story.clock.run_until_idle(6)

    assert story.received[-1].payload["hangup_cause"] == "no_answer"


def test_a_friend_who_is_slower_than_the_ring_time_misses_the_call(story: Story) -> None:
    story.telnyx.set_person(Person(FRIEND, answer_after_secs=15))
    leg = story.dial(timeout_secs=10)

    story.clock.advance(60)

    assert (leg.state, leg.hangup_cause) == ("ended", "timeout")
    assert "call.answered" not in story.types


def test_a_call_ends_at_its_time_limit(story: Story) -> None:
    leg = story.dial(time_limit_secs=30)

    story.clock.advance(40)

    assert leg.hangup_cause == "time_limit"


def test_a_caller_is_answered_and_then_hung_up_by_us(story: Story) -> None:
    leg = story.telnyx.ring_in(CALLER, US)
    story.clock.advance(1)
    initiated = story.received[0].payload
    assert (initiated["direction"], initiated["state"]) == ("incoming", "parked")
    assert initiated["client_state"] is None
    assert initiated["to_sip_uri"].startswith(US)

    assert story.command(leg, "answer", client_state="Yg==")[0] == 200
    story.clock.advance(1)
    assert story.received[1].payload["client_state"] == "Yg=="
    assert "state" not in story.received[1].payload

    assert story.command(leg, "hangup")[0] == 200
    story.clock.advance(1)
    hangup = story.received[2].payload
    assert (hangup["hangup_cause"], hangup["hangup_source"]) == ("normal_clearing", "callee")
    assert [what for _, what in leg.heard] == ["hears it ring", "answered", "the line is dead"]


def test_a_caller_whom_nobody_answers_gives_up(story: Story) -> None:
    story.telnyx.set_person(Person(CALLER, patience_secs=15))
    leg = story.telnyx.ring_in(CALLER, US)

    story.clock.advance(20)

    assert (leg.state, leg.hangup_cause) == ("ended", "originator_cancel")


def test_a_caller_can_be_rejected(story: Story) -> None:
    leg = story.telnyx.ring_in(CALLER, US)

    assert story.command(leg, "reject", cause="USER_BUSY")[0] == 200

    assert leg.hangup_cause == "user_busy"


def test_we_stop_ringing_a_friend(story: Story) -> None:
    story.telnyx.set_person(Person(FRIEND, behaviour="manual"))
    leg = story.dial()

    story.command(leg, "hangup")
    story.clock.advance(60)

    assert leg.hangup_cause == "originator_cancel"
    assert story.types == ["call.initiated", "call.hangup"]


def test_a_person_played_by_hand(story: Story) -> None:
    story.telnyx.set_person(Person(FRIEND, behaviour="manual"))
    answered, declined, busy = story.dial(), story.dial(), story.dial()

    story.telnyx.answer(answered.call_control_id)
    story.telnyx.decline(declined.call_control_id)
    story.telnyx.busy(busy.call_control_id)

    assert answered.state == "answered"
    assert (declined.hangup_cause, busy.hangup_cause) == ("call_rejected", "user_busy")


def test_a_caller_cannot_answer_their_own_call(story: Story) -> None:
    leg = story.telnyx.ring_in(CALLER, US)

    with pytest.raises(ValueError, match="rung"):
        story.telnyx.answer(leg.call_control_id)
    assert leg.state == "parked"


@pytest.mark.parametrize(
    ("person", "mode", "event_type", "result"),
    [
        (Person(FRIEND), "detect", "call.machine.detection.ended", "human"),
        (
            Person(FRIEND, behaviour="machine"),
            "greeting_end",
            "call.machine.detection.ended",
            "machine",
        ),
        (Person(FRIEND), "premium", "call.machine.premium.detection.ended", "human_residence"),
        (
            Person(FRIEND, machine_result="not_sure"),
            "detect",
            "call.machine.detection.ended",
            "not_sure",
        ),
    ],
)
def test_machine_detection_gives_its_verdict_after_the_answer(
    story: Story, person: Person, mode: str, event_type: str, result: str
) -> None:
    story.telnyx.set_person(person)
    story.dial(answering_machine_detection=mode)

    story.clock.run_until_idle(10)

    assert story.types == ["call.initiated", "call.answered", event_type]
    assert story.received[2].payload["result"] == result
    assert ("call_control_id" in story.received[2].payload) == (mode != "premium")


@pytest.mark.parametrize("times", [0, 2])
def test_a_verdict_may_never_come_or_come_twice(story: Story, times: int) -> None:
    story.settings.detection_times = times
    story.dial(answering_machine_detection="detect")

    story.clock.run_until_idle(10)

    verdicts = story.hooks("call.machine.detection.ended")
    assert len({hook.envelope["data"]["id"] for hook in verdicts}) == times


def gather(story: Story, person: Person, **more: object) -> tuple[str, str]:
    story.telnyx.set_person(person)
    leg = story.dial(person.number)
    story.clock.advance(2)
    body = {"payload": "Press 1 to join", "voice": "female", "timeout_millis": 5000, **more}
    assert story.command(leg, "gather_using_speak", **body)[0] == 200
    story.clock.run_until_idle(20)
    (ended,) = story.hooks("call.gather.ended")
    return ended.payload["status"], ended.payload["digits"]


def test_a_friend_presses_what_they_are_asked_for(story: Story) -> None:
    assert gather(story, Person(FRIEND, digits="1")) == ("valid", "1")


def test_a_friend_who_presses_nothing_runs_out_of_time(story: Story) -> None:
    assert gather(story, Person(FRIEND)) == ("timeout", "")


def test_a_friend_who_presses_too_little_is_invalid(story: Story) -> None:
    assert gather(story, Person(FRIEND, digits="1"), minimum_digits=2) == ("invalid", "1")


def test_a_gather_ends_with_enough_digits_and_hears_only_valid_ones(story: Story) -> None:
    wanted = gather(story, Person(FRIEND, digits="91299"), maximum_digits=2, valid_digits="12")
    assert wanted == ("valid", "12")


def test_a_friend_hangs_up_while_being_asked(story: Story) -> None:
    assert gather(story, Person(FRIEND, hangs_up_after_secs=2.5)) == ("call_hangup", "")
    assert story.types[-2:] == ["call.gather.ended", "call.hangup"]


def test_something_is_said_on_the_line(story: Story) -> None:
    leg = story.answered()
    story.command(leg, "speak", payload="Please hold", voice="female")

    story.clock.advance(5)

    assert story.types[-2:] == ["call.speak.started", "call.speak.ended"]
    assert leg.heard[-1][1] == "voice: Please hold"


def test_an_ended_call_can_be_read_for_ten_minutes(story: Story) -> None:
    leg = story.answered()
    story.clock.advance(7)
    story.telnyx.hang_up(leg.call_control_id)

    story.clock.advance(600)
    status, answer = story.request("GET", f"/calls/{leg.call_control_id}")
    assert (status, answer["data"]["is_alive"], answer["data"]["call_duration"]) == (200, False, 7)

    story.clock.advance(1)
    assert story.request("GET", f"/calls/{leg.call_control_id}")[0] == 404


def test_active_calls_are_listed_page_by_page(story: Story) -> None:
    legs = [story.answered(f"+1312555011{n}") for n in range(5)]
    story.telnyx.hang_up(legs[1].call_control_id)
    path = f"/connections/{story.settings.connection_id}/active_calls?page[limit]=2"

    _, first = story.request("GET", path)
    after = first["meta"]["cursors"]["after"]
    story.telnyx.hang_up(legs[0].call_control_id)
    _, second = story.request("GET", f"{path}&page[after]={after}")

    seen = [row["call_control_id"] for page in (first, second) for row in page["data"]]
    assert seen == [legs[n].call_control_id for n in (0, 2, 3, 4)]
    assert second["meta"]["cursors"] == {}


def test_client_state_can_be_replaced(story: Story) -> None:
    leg = story.answered()

    assert story.command(leg, "client_state_update", client_state="Yw==")[0] == 200

    _, answer = story.request("GET", f"/calls/{leg.call_control_id}")
    assert answer["data"]["client_state"] == "Yw=="


def test_hangups_may_carry_everything(story: Story) -> None:
    story.settings.sparse_webhooks = False
    leg = story.dial(client_state="YQ==")
    story.command(leg, "hangup")
    story.clock.advance(1)

    assert story.received[-1].payload["client_state"] == "YQ=="


def test_linked_legs_share_their_session(story: Story) -> None:
    leg = story.answered()

    linked, alone = story.dial(link_to=leg.call_control_id), story.dial()

    assert linked.call_session_id == leg.call_session_id != alone.call_session_id


def test_an_assistant_given_with_the_dial_starts_on_the_answer(story: Story) -> None:
    leg = story.dial(assistant=ASSISTANT)
    story.clock.advance(5)

    assert leg.conversation_id is not None
    assert story.types == ["call.initiated", "call.answered", "call.conversation.created"]


def test_a_bad_assistant_given_with_the_answer_is_told_by_webhook() -> None:
    story = Story(Settings(webhook_url=HOOK, assistants=frozenset()))
    leg = story.telnyx.ring_in(CALLER, US)

    assert story.command(leg, "answer", assistant=ASSISTANT)[0] == 200
    story.clock.advance(5)

    assert story.received[-1].type == "call.conversation.start_failed"
    assert leg.state == "answered"


def test_an_outside_call_is_live_and_silent(story: Story) -> None:
    leg = story.telnyx.outside_call(CALLER, US)
    conversation = story.started(leg)
    story.telnyx.hang_up(leg.call_control_id)
    story.clock.advance(10)

    assert story.received == []
    _, answer = story.request("GET", f"/ai/conversations/{conversation}")
    assert answer["data"]["metadata"]["call_control_id"] == leg.call_control_id


def test_the_same_seed_tells_the_same_story() -> None:
    def told(seed: int) -> list[bytes]:
        story = Story(seed=seed)
        story.started(story.answered())
        return [hook.raw for hook in story.received]

    assert told(1) == told(1)
    assert told(1) != told(2)


def test_being_asked_again_replaces_the_first_question(story: Story) -> None:
    leg = story.answered()
    for secs in (3, 10):
        body = {"payload": "Press 1", "voice": "female", "timeout_millis": secs * 1000}
        story.command(leg, "gather_using_speak", **body)

    story.clock.advance(5)
    assert story.hooks("call.gather.ended") == []
    story.telnyx.press(leg.call_control_id, "1#")
    story.clock.advance(20)

    assert [hook.payload["status"] for hook in story.hooks("call.gather.ended")] == ["valid"]
