"""Legs: rings, answers, refusals, gathers and the webhooks about these events."""

import pytest

from local.simulator.model import Behaviour, Person
from local.simulator.settings import Settings
from tests.support.simulator_harness import ASSISTANT, CALLER, FRIEND, HOOK, US, SimulatorHarness


def test_a_dialled_person_answers_and_hangs_up(harness: SimulatorHarness) -> None:
    harness.telnyx.set_person(Person(FRIEND, answer_after_secs=2, hangs_up_after_secs=30))
    leg = harness.dial(client_state="YQ==")

    harness.clock.advance(0)
    assert harness.types == ["call.initiated"]
    initiated = harness.received[0].payload
    assert (initiated["direction"], initiated["state"]) == ("outgoing", "bridging")
    assert initiated["client_state"] == "YQ=="

    harness.clock.run_until_idle(60)
    assert harness.types == ["call.initiated", "call.answered", "call.hangup", "call.cost"]
    hangup = harness.received[2].payload
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
def test_a_refused_or_unanswered_call_has_the_hangup_cause_of_telnyx(
    harness: SimulatorHarness, behaviour: Behaviour, cause: str, sip: str
) -> None:
    harness.telnyx.set_person(Person(FRIEND, behaviour=behaviour))
    harness.dial(timeout_secs=20)

    harness.clock.run_until_idle(21)

    assert harness.types == ["call.initiated", "call.hangup"]
    hangup = harness.received[1].payload
    assert (hangup["hangup_cause"], hangup["sip_hangup_cause"]) == (cause, sip)
    assert hangup["call_quality_stats"] is None


def test_the_cause_of_a_ring_timeout_is_no_answer_without_retry_on_timeout(
    harness: SimulatorHarness,
) -> None:
    harness.telnyx.set_person(Person(FRIEND, behaviour="no_answer"))
    harness.dial(retry_on_timeout=False, timeout_secs=5)

    harness.clock.run_until_idle(6)

    assert harness.received[-1].payload["hangup_cause"] == "no_answer"


def test_a_call_ends_before_a_person_answers_too_late(
    harness: SimulatorHarness,
) -> None:
    harness.telnyx.set_person(Person(FRIEND, answer_after_secs=15))
    leg = harness.dial(timeout_secs=10)

    harness.clock.advance(60)

    assert (leg.state, leg.hangup_cause) == ("ended", "timeout")
    assert "call.answered" not in harness.types


def test_a_call_ends_at_its_time_limit(harness: SimulatorHarness) -> None:
    leg = harness.dial(time_limit_secs=30)

    harness.clock.advance(40)

    assert leg.hangup_cause == "time_limit"


def test_an_inbound_call_is_answered_and_hung_up_by_commands(harness: SimulatorHarness) -> None:
    leg = harness.telnyx.ring_in(CALLER, US)
    harness.clock.advance(1)
    initiated = harness.received[0].payload
    assert (initiated["direction"], initiated["state"]) == ("incoming", "parked")
    assert initiated["client_state"] is None
    assert initiated["to_sip_uri"].startswith(US)

    assert harness.command(leg, "answer", client_state="Yg==")[0] == 200
    harness.clock.advance(1)
    assert harness.received[1].payload["client_state"] == "Yg=="
    assert "state" not in harness.received[1].payload

    assert harness.command(leg, "hangup")[0] == 200
    harness.clock.advance(1)
    hangup = harness.received[2].payload
    assert (hangup["hangup_cause"], hangup["hangup_source"]) == ("normal_clearing", "callee")
    assert [perception for _, perception in leg.heard] == [
        "hears it ring",
        "answered",
        "the line is dead",
    ]


def test_an_unanswered_caller_cancels_the_call(harness: SimulatorHarness) -> None:
    harness.telnyx.set_person(Person(CALLER, patience_secs=15))
    leg = harness.telnyx.ring_in(CALLER, US)

    harness.clock.advance(20)

    assert (leg.state, leg.hangup_cause) == ("ended", "originator_cancel")


def test_a_caller_can_be_rejected(harness: SimulatorHarness) -> None:
    leg = harness.telnyx.ring_in(CALLER, US)

    assert harness.command(leg, "reject", cause="USER_BUSY")[0] == 200

    assert leg.hangup_cause == "user_busy"


def test_a_hangup_command_cancels_a_ringing_call(harness: SimulatorHarness) -> None:
    harness.telnyx.set_person(Person(FRIEND, behaviour="manual"))
    leg = harness.dial()

    harness.command(leg, "hangup")
    harness.clock.advance(60)

    assert leg.hangup_cause == "originator_cancel"
    assert harness.types == ["call.initiated", "call.hangup"]


def test_a_manual_person_waits_for_each_action(harness: SimulatorHarness) -> None:
    harness.telnyx.set_person(Person(FRIEND, behaviour="manual"))
    answered, declined, busy = harness.dial(), harness.dial(), harness.dial()

    harness.telnyx.answer(answered.call_control_id)
    harness.telnyx.decline(declined.call_control_id)
    harness.telnyx.busy(busy.call_control_id)

    assert answered.state == "answered"
    assert (declined.hangup_cause, busy.hangup_cause) == ("call_rejected", "user_busy")


@pytest.mark.parametrize("is_busy", [True, False])
def test_a_phone_in_a_call_is_busy_if_the_settings_say_so(
    harness: SimulatorHarness, is_busy: bool
) -> None:
    harness.telnyx.settings.busy_in_call = is_busy
    first = harness.dial()
    harness.clock.advance(2)
    second = harness.dial()
    harness.clock.advance(2)

    assert first.state == "answered"
    assert second.state == ("ended" if is_busy else "answered")
    assert second.hangup_cause == ("user_busy" if is_busy else None)
    harness.telnyx.hang_up(first.call_control_id)
    third = harness.dial()
    harness.clock.advance(2)
    assert third.state == "answered"


def test_only_a_called_person_can_answer(harness: SimulatorHarness) -> None:
    leg = harness.telnyx.ring_in(CALLER, US)

    with pytest.raises(ValueError, match="called"):
        harness.telnyx.answer(leg.call_control_id)
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
def test_machine_detection_sends_its_verdict_after_the_answer(
    harness: SimulatorHarness, person: Person, mode: str, event_type: str, result: str
) -> None:
    harness.telnyx.set_person(person)
    harness.dial(answering_machine_detection=mode)

    harness.clock.run_until_idle(10)

    started = ["call.machine.premium.detection.started"] if mode == "premium" else []
    types = ["call.initiated", "call.answered", *started, event_type]
    assert harness.types[: len(types)] == types
    verdict = harness.received[len(types) - 1].payload
    assert verdict["result"] == result
    assert ("call_control_id" in verdict) == (mode != "premium")


@pytest.mark.parametrize("times", [0, 2])
def test_machine_detection_may_send_no_verdict_or_two(
    harness: SimulatorHarness, times: int
) -> None:
    harness.settings.detection_times = times
    harness.dial(answering_machine_detection="detect")

    harness.clock.run_until_idle(10)

    verdicts = harness.hooks("call.machine.detection.ended")
    assert len({hook.envelope["data"]["id"] for hook in verdicts}) == times


def gather(harness: SimulatorHarness, person: Person, **more: object) -> tuple[str, str]:
    harness.telnyx.set_person(person)
    leg = harness.dial(person.number)
    harness.clock.advance(2)
    body = {"payload": "Press 1 to join", "voice": "female", "timeout_millis": 5000, **more}
    assert harness.command(leg, "gather_using_speak", **body)[0] == 200
    harness.clock.run_until_idle(20)
    (ended,) = harness.hooks("call.gather.ended")
    return ended.payload["status"], ended.payload["digits"]


def test_a_gather_reports_the_pressed_digits(harness: SimulatorHarness) -> None:
    assert gather(harness, Person(FRIEND, digits="1")) == ("valid", "1")


def test_a_gather_without_digits_times_out(harness: SimulatorHarness) -> None:
    assert gather(harness, Person(FRIEND)) == ("timeout", "")


def test_a_gather_with_too_few_digits_is_invalid(harness: SimulatorHarness) -> None:
    assert gather(harness, Person(FRIEND, digits="1"), minimum_digits=2) == ("invalid", "1")


def test_a_gather_ends_at_the_maximum_and_ignores_invalid_digits(
    harness: SimulatorHarness,
) -> None:
    result = gather(harness, Person(FRIEND, digits="91299"), maximum_digits=2, valid_digits="12")
    assert result == ("valid", "12")


def test_a_hangup_ends_a_gather(harness: SimulatorHarness) -> None:
    assert gather(harness, Person(FRIEND, hangs_up_after_secs=2.5)) == ("call_hangup", "")
    assert harness.types[-3:] == ["call.gather.ended", "call.hangup", "call.cost"]


def test_a_person_hears_a_spoken_text(harness: SimulatorHarness) -> None:
    leg = harness.answered()
    harness.command(leg, "speak", payload="Please hold", voice="female")

    harness.clock.advance(5)

    assert harness.types[-2:] == ["call.speak.started", "call.speak.ended"]
    assert leg.heard[-1][1] == "voice: Please hold"


def test_an_ended_call_can_be_read_for_ten_minutes(harness: SimulatorHarness) -> None:
    leg = harness.answered()
    harness.clock.advance(7)
    harness.telnyx.hang_up(leg.call_control_id)

    harness.clock.advance(600)
    status, answer = harness.request("GET", f"/calls/{leg.call_control_id}")
    assert (status, answer["data"]["is_alive"], answer["data"]["call_duration"]) == (200, False, 7)

    harness.clock.advance(1)
    assert harness.request("GET", f"/calls/{leg.call_control_id}")[0] == 404


def test_active_calls_are_listed_page_by_page(harness: SimulatorHarness) -> None:
    legs = [harness.answered(f"+1312555011{n}") for n in range(5)]
    harness.telnyx.hang_up(legs[1].call_control_id)
    path = f"/connections/{harness.settings.connection_id}/active_calls?page[limit]=2"

    _, first = harness.request("GET", path)
    after = first["meta"]["cursors"]["after"]
    harness.telnyx.hang_up(legs[0].call_control_id)
    _, second = harness.request("GET", f"{path}&page[after]={after}")

    seen = [row["call_control_id"] for page in (first, second) for row in page["data"]]
    assert seen == [legs[n].call_control_id for n in (0, 2, 3, 4)]
    assert second["meta"]["cursors"] == {}


def test_client_state_can_be_replaced(harness: SimulatorHarness) -> None:
    leg = harness.answered()

    assert harness.command(leg, "client_state_update", client_state="Yw==")[0] == 200

    _, answer = harness.request("GET", f"/calls/{leg.call_control_id}")
    assert answer["data"]["client_state"] == "Yw=="


def test_hangups_have_all_fields_without_sparse_webhooks(harness: SimulatorHarness) -> None:
    harness.settings.sparse_webhooks = False
    leg = harness.dial(client_state="YQ==")
    harness.command(leg, "hangup")
    harness.clock.advance(1)

    assert harness.received[-1].payload["client_state"] == "YQ=="


def test_linked_legs_have_the_same_session_id(harness: SimulatorHarness) -> None:
    leg = harness.answered()

    linked, alone = harness.dial(link_to=leg.call_control_id), harness.dial()

    assert linked.call_session_id == leg.call_session_id != alone.call_session_id


def test_the_assistant_of_a_dial_starts_on_the_answer(harness: SimulatorHarness) -> None:
    leg = harness.dial(assistant=ASSISTANT)
    harness.clock.advance(5)

    assert leg.conversation_id is not None
    assert harness.types == ["call.initiated", "call.answered", "call.conversation.created"]


def test_a_webhook_reports_a_bad_assistant_of_the_answer_command() -> None:
    harness = SimulatorHarness(Settings(webhook_url=HOOK, assistants=frozenset()))
    leg = harness.telnyx.ring_in(CALLER, US)

    assert harness.command(leg, "answer", assistant=ASSISTANT)[0] == 200
    harness.clock.advance(5)

    assert harness.received[-1].type == "call.conversation.start_failed"
    assert leg.state == "answered"


def test_an_outside_call_is_live_and_sent_no_webhooks(harness: SimulatorHarness) -> None:
    leg = harness.telnyx.outside_call(CALLER, US)
    conversation = harness.started(leg)
    harness.telnyx.hang_up(leg.call_control_id)
    harness.clock.advance(10)

    assert harness.received == []
    _, answer = harness.request("GET", f"/ai/conversations/{conversation}")
    assert answer["data"]["metadata"]["call_control_id"] == leg.call_control_id


def test_the_same_seed_gives_the_same_webhooks() -> None:
    def bodies(seed: int) -> list[bytes]:
        harness = SimulatorHarness(seed=seed)
        harness.started(harness.answered())
        return [hook.raw for hook in harness.received]

    assert bodies(1) == bodies(1)
    assert bodies(1) != bodies(2)


def test_a_second_gather_replaces_the_first_gather(harness: SimulatorHarness) -> None:
    leg = harness.answered()
    for secs in (3, 10):
        body = {"payload": "Press 1", "voice": "female", "timeout_millis": secs * 1000}
        harness.command(leg, "gather_using_speak", **body)

    harness.clock.advance(5)
    assert harness.hooks("call.gather.ended") == []
    harness.telnyx.press(leg.call_control_id, "1#")
    harness.clock.advance(20)

    assert [hook.payload["status"] for hook in harness.hooks("call.gather.ended")] == ["valid"]
