"""Exact times, boundaries, sentences and fields, as the documentation and the API promise them."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from partyline.domain.model.conversation import Limits
from partyline.domain.model.inputs import CallHangup, ConversationStartFailed, SendMessage
from partyline.domain.model.results import InsightsFound, Refused, Succeeded
from partyline.domain.model.statuses import OnHangup
from partyline.domain.model.stored import Failure
from tests.support.domain_story import (
    FIRST,
    SECOND,
    Story,
    active_story,
    call_ref,
    guest,
    joined_story,
    plan,
)

SCREENED = plan(FIRST, SECOND, screening={"say": "Press 1."})


def dialled_dana(**settings: object) -> Story:
    story = active_story()
    story.invite(guest(to=plan(**settings)))
    story.succeed("dial:dana:1")
    return story


def screened_dana() -> Story:
    story = active_story()
    story.invite(guest(to=SCREENED))
    story.succeed("dial:dana:1")
    story.answer("dana")
    return story


# Times


def sending() -> tuple[Story, int]:
    story = Story()
    story.start()
    return story, 6


def ringing() -> tuple[Story, int]:
    story = Story()
    story.start(to=plan(ring_timeout_secs=40))
    story.succeed("dial:host:1")
    return story, 5


def answering() -> tuple[Story, int]:
    story = Story()
    story.inbound_call()
    story.succeed("answer:host:1")
    return story, 5


def ringing_on() -> tuple[Story, int]:
    story, _ = ringing()
    story.advance(5)
    story.call_state("look:host:1", alive=True, answered=False)
    return story, 6


def judging_with_care() -> tuple[Story, int]:
    story = Story()
    story.start(to=plan(machine_detection="premium"))
    story.succeed("dial:host:1")
    story.answer()
    story.succeed("hold:host:1")
    return story, 12


def attached() -> tuple[Story, int]:
    story = Story()
    story.attach()
    story.succeed("start:host:1")
    return story, 120


def attached_for_long() -> tuple[Story, int]:
    story, _ = attached()
    story.advance(600)
    story.call_state("look:host:1", alive=True, answered=True)
    return story, 8 * 60


def missing_in_a_census() -> tuple[Story, int]:
    story = active_story()
    story.poll("host")
    story.call_state("look:host:1", alive=True, answered=True)
    return story, 120


def hanging_up() -> tuple[Story, int]:
    story = joined_story()
    story.remove("dana")
    story.succeed("hang_up:dana:1")
    return story, 20


def hung_up_during_the_screening() -> tuple[Story, int]:
    story = screened_dana()
    story.succeed("screen:dana:1")
    story.press("", status="call_hangup")
    return story, 20


def with_insights() -> tuple[Story, int]:
    story = active_story()
    story.insights_generated("summary")
    return story, 30


def awaiting_the_hosts_hangup() -> tuple[Story, int]:
    story = joined_story(host={"on_hangup": OnHangup.CONTINUE})
    story.assistant_ended()
    story.call_state("look:host:1", alive=True, answered=True)
    story.advance(3)
    story.refuse("wait_words:dana:1")
    story.refuse("wait_words:dana:1")
    return story, 32


MOMENTS = [
    sending,
    ringing,
    answering,
    judging_with_care,
    ringing_on,
    attached,
    attached_for_long,
    missing_in_a_census,
    hanging_up,
    hung_up_during_the_screening,
    with_insights,
    awaiting_the_hosts_hangup,
]


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_sweep_comes_back_after_the_documented_seconds(
    moment: Callable[[], tuple[Story, int]],
) -> None:
    story, secs = moment()
    assert story.state.due_at == story.now + timedelta(seconds=secs)


def test_time_does_not_pass_for_a_healthy_live_call() -> None:
    assert joined_story().state.due_at is None


def test_a_poll_without_a_census_leaves_the_call_in_the_census() -> None:
    story = active_story()
    assert story.poll("host", missing=False) == ["look:host:1"]
    story.call_state("look:host:1", alive=True, answered=True)
    assert list(story.state.listed_calls) == ["leg-host-1"]
    assert story.state.due_at is None


def test_a_call_that_a_census_lacked_leaves_the_census() -> None:
    story = joined_story()
    story.poll("host")
    story.call_state("look:host:1", alive=True, answered=True)
    assert list(story.state.listed_calls) == ["leg-dana-1"]
    assert story.poll("host") == [], "a second message changes nothing"


def test_only_answered_calls_of_ours_are_in_the_census() -> None:
    story = Story()
    story.attach(guest())
    story.succeed("dial:dana:1")
    assert story.state.listed_calls == {}
    story.answer("dana")
    assert story.state.listed_calls == {"leg-dana-1": story.now}
    story.hang_up("dana")
    assert story.state.listed_calls == {}


def test_a_call_that_cannot_be_hung_up_is_polled_and_hung_up_again() -> None:
    story = joined_story()
    story.remove("dana")
    story.refuse("hang_up:dana:1", "10009")
    assert story.advance(121) == ["look:dana:1"]
    assert story.call_state("look:dana:1", alive=True, answered=True) == ["hang_up:dana:1"]


@pytest.mark.parametrize(("ended", "status"), [(True, "failed"), (False, "dialing")])
def test_a_ringing_call_that_is_not_alive_is_over_only_with_the_time_of_its_end(
    ended: bool, status: str
) -> None:
    story = active_story()
    story.invite()
    story.succeed("dial:dana:1")
    assert story.advance(5) == ["look:dana:1"]
    story.call_state("look:dana:1", alive=False, answered=False, ended=ended)
    assert story.participant("dana").status == status


def test_a_call_counts_as_unanswered_a_while_after_its_ring_timeout() -> None:
    story = Story()
    story.start(to=plan(ring_timeout_secs=30))
    story.succeed("dial:host:1")
    story.advance(49)
    story.call_state("look:host:1", alive=True, answered=False)
    assert story.status == "connecting"
    story.advance(6)
    story.call_state("look:host:1", alive=True, answered=False)
    assert (story.status, story.leg().outcome) == ("failed", "no_answer")


def test_a_command_without_an_answer_is_sent_twelve_times_with_longer_and_longer_pauses() -> None:
    story, pauses = Story(), []
    story.start()
    while story.status == "connecting":
        story.no_response("dial:host:1", had_no_effect=True)
        if story.state.due_at:
            pauses.append((story.state.due_at - story.now).total_seconds())
            story.advance(pauses[-1])

    assert pauses == [1, 2, 5, 15, 30, 60, 60, 60, 60, 60, 60]
    assert story.state.failure is not None
    assert (story.status, story.state.failure.code) == ("failed", "unanswered")


def test_insights_are_fetched_one_three_and_seven_minutes_after_the_end() -> None:
    story = active_story()
    story.hang_up()
    ended_at, minutes = story.now, []
    while story.state.due_at:
        minutes.append((story.state.due_at - ended_at).total_seconds() / 60)
        story.advance((story.state.due_at - story.now).total_seconds())
        story.result("fetch_insights", InsightsFound(insights=()))
        story.transcript_found()

    assert minutes == [1, 3, 7]


def test_insights_of_the_last_run_are_fetched_although_those_of_an_earlier_run_came() -> None:
    story = joined_story(host={"on_hangup": OnHangup.CONTINUE})
    story.hang_up("host")
    story.assistant_ended()
    story.insights_generated("summary")
    story.result("start:dana:1", Succeeded(telnyx_conversation_id="telnyx-conversation-2"))
    story.hang_up("dana")
    assert (story.status, list(story.state.insights)) == ("ended", ["0/summary"])

    assert story.advance(60) == ["fetch_insights", "fetch_transcript"]


# Boundaries


def test_guests_are_dialled_up_to_the_limit_of_calls_at_once() -> None:
    story = Story()
    story.inbound_call(limits=Limits(legs_at_once=2))
    dials = [story.invite(guest(name)) for name in ("dana", "eli", "lee")]

    assert dials == [["dial:dana:1"], ["dial:eli:1"], []]


@pytest.mark.parametrize(
    ("cause", "sip", "outcome"),
    [
        ("unspecified", "600", "busy"),
        ("unspecified", "603", "rejected"),
        ("unspecified", "480", "no_answer"),
        ("unspecified", "408", "no_answer"),
        ("normal_clearing", "404", "unreachable"),
        ("normal_clearing", "", "no_answer"),
        ("unspecified", "", "unreachable"),
        ("no_answer", "", "no_answer"),
        ("user_busy", "404", "busy"),
        ("not_found", "486", "unreachable"),
    ],
)
def test_the_sip_code_decides_the_outcome_of_a_call_only_if_the_cause_is_not_specific(
    cause: str, sip: str, outcome: str
) -> None:
    story = dialled_dana()
    story.hang_up("dana", cause=cause, sip=sip)

    assert story.participant("dana").outcome == story.leg("dana").outcome == outcome


@pytest.mark.parametrize(("participant", "status"), [("dana", "connecting"), ("host", "failed")])
def test_only_a_failed_start_on_the_hosts_call_fails_the_conversation(
    participant: str, status: str
) -> None:
    story = Story()
    story.start(guest())
    story.succeed("dial:host:1", "dial:dana:1")
    story.answer("dana")
    story.receive(ConversationStartFailed(id="", call=call_ref(participant)))

    assert story.status == status


# Sentences and fields


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("service_error", "The assistant did not start: service_error."),
        (None, "The assistant did not start: unknown."),
    ],
)
def test_the_failure_of_a_start_has_telnyxs_reason(reason: str | None, message: str) -> None:
    story = Story()
    story.start()
    story.succeed("dial:host:1")
    story.answer()
    story.receive(ConversationStartFailed(id="", call=call_ref(), reason=reason))

    assert story.state.failure == Failure(code="start_failed", message=message)


@pytest.mark.parametrize(
    ("answered", "failure"),
    [
        (True, Failure(code="hung_up", message="The host hung up before the assistant ran.")),
        (False, Failure(code="busy", message="The host was not reached: busy.")),
    ],
)
def test_the_failure_of_a_conversation_says_why_the_host_was_not_reached(
    answered: bool, failure: Failure
) -> None:
    story = Story()
    story.start()
    story.succeed("dial:host:1")
    if answered:
        story.answer()
    story.hang_up(cause="user_busy")

    assert story.state.failure == failure


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("destination_not_allowed", "“Dana” cannot be called from this line."),
        ("quiet_hours", "“Dana” may not be called at this hour of the day."),
        ("key_revoked", "“Dana” could not be called: the permission for the call has ended."),
        ("do_not_call", "“Dana” may not be called: the number is on the do-not-call list."),
        ("a rule of tomorrow", "“Dana” could not be called: the limit of calls is reached."),
    ],
)
def test_the_assistant_hears_which_dial_rule_refused_a_call(rule: str, words: str) -> None:
    story = active_story()
    story.invite()
    story.result("dial:dana:1", Refused(code=rule, message="No.", limit=True, rule=rule))

    [refused] = [event for event in story.events if event.type == "leg.refused"]
    assert (refused.data["rule"], refused.data["leg"]) == (rule, 1)
    assert story.messages == [words]


def test_a_leg_whose_screening_is_refused_has_telnyxs_words() -> None:
    story = screened_dana()
    story.refuse("screen:dana:1", "90001")

    assert story.leg("dana").failure == Failure(code="90001", message="No.")


def test_a_message_keeps_its_role() -> None:
    story = active_story()
    story.receive(SendMessage(id="", role="user", content="one"))

    [message] = story.sent[-1].messages or []
    assert (message.role, message.content) == ("user", "one")


def test_the_event_of_the_last_person_has_the_name_of_the_person() -> None:
    story = joined_story(host={"on_hangup": OnHangup.CONTINUE})
    story.hang_up("host")

    [alone] = [event for event in story.events if event.type == "participant.alone"]
    assert alone.data == {"participant_id": "dana", "name": "Dana"}


@pytest.mark.parametrize("machine", [True, False])
def test_the_verdict_of_the_machine_detection_is_an_event(machine: bool) -> None:
    story = dialled_dana(machine_detection="standard")
    story.answer("dana")
    story.machine_verdict("dana", machine=machine)

    [judged] = [event for event in story.events if event.type == "leg.judged"]
    assert (judged.data["participant_id"], judged.data["machine"]) == ("dana", machine)


# Which call


def test_the_assistant_is_restarted_on_the_call_of_a_guest_who_is_still_there() -> None:
    story = joined_story(host={"on_hangup": OnHangup.CONTINUE})
    story.invite(guest("lee"))
    story.succeed("dial:lee:1")
    story.answer("lee")
    story.succeed("join:lee:1")
    story.hang_up("dana")
    story.hang_up("host")

    assert [key for key in story.assistant_ended() if "start" in key] == ["start:lee:1"]
    restarted = [event for event in story.events if event.type == "conversation.restarted"]
    assert [event.data["participant_id"] for event in restarted] == ["lee"]


def test_a_message_does_not_go_through_the_call_of_a_removed_person() -> None:
    story = joined_story(host={"on_hangup": OnHangup.CONTINUE})
    assert story.remove("host") == ["hang_up:host:1"]

    assert story.send_message("one") == ["message:dana:1:2"]


def test_a_dial_that_is_looked_for_during_a_removal_counts_as_repaired() -> None:
    story = active_story()
    story.invite()
    assert story.advance(46) == ["find dial:dana:1"]
    story.remove("dana")

    assert "hang_up:dana:1" in story.succeed("dial:dana:1")
    assert "command.repaired" in story.event_types


def test_a_cancelled_call_that_rings_on_stays_cancelled() -> None:
    story = dialled_dana()
    story.call_initiated("dana")
    story.remove("dana")
    story.succeed("hang_up:dana:1")
    assert story.advance(51) == ["look:dana:1"]

    assert story.call_state("look:dana:1", alive=True, answered=False) == ["hang_up:dana:1"]
    assert story.leg("dana").outcome == "cancelled"


def test_the_sip_code_decides_the_outcome_of_a_call_without_a_cause() -> None:
    story = dialled_dana()
    story.receive(CallHangup(id="", call=call_ref("dana"), sip_cause="486"))

    assert story.leg("dana").outcome == "busy"


def test_a_stop_during_the_start_waits_for_the_answer_to_the_start() -> None:
    story = Story()
    story.start()
    story.succeed("dial:host:1")
    story.answer()
    story.stop()

    assert story.status == "stopping"
