"""Telnyx refuses a command, gives no response, or carried out a command that we gave up."""

from datetime import timedelta

import pytest

from partyline.domain.model.inputs import NewParticipant
from partyline.domain.model.results import (
    CallEnded,
    CallState,
    CallUnknown,
    InsightsFound,
    Succeeded,
)
from partyline.domain.model.statuses import OnHangup
from partyline.domain.model.stored import Failure
from partyline.domain.model.timeouts import MAX_ATTEMPTS
from tests.support.domain_story import (
    TELNYX_ID,
    Story,
    active_story,
    call_ref,
    guest,
    joined_story,
    plan,
)

SCREENED = plan(screening={"say": "Ada is calling. Press 1."})


def ringing_dana() -> Story:
    story = active_story()
    story.invite()
    story.succeed("dial:dana:1")
    story.call_initiated("dana")
    return story


def test_a_refused_dial_of_the_host_fails_with_telnyxs_words() -> None:
    story = Story()
    story.start()
    story.refuse("dial:host:1", "10016")

    assert (story.status, story.state.due_at) == ("failed", None)
    assert story.state.failure is not None
    assert (story.state.failure.code, story.state.failure.message) == ("10016", "No.")


def test_a_refused_dial_of_a_guest_is_told() -> None:
    story = active_story()
    story.invite()

    assert story.refuse("dial:dana:1") == ["message:host:1:1"]
    assert story.participant("dana").outcome == "error"
    assert story.messages == [
        "“Dana” could not be brought into the conversation: a technical error."
    ]


def test_a_dial_over_the_limit_of_calls() -> None:
    story = active_story()
    story.invite()
    story.refuse("dial:dana:1", "90041", limit=True)

    assert story.participant("dana").outcome == "limited"
    assert story.messages == ["“Dana” could not be called: the limit of calls is reached."]


def test_a_refused_start_fails_and_hangs_up() -> None:
    story = Story()
    story.start()
    story.succeed("dial:host:1")
    story.answer()

    assert story.refuse("start:host:1", "10004") == ["hang_up:host:1"]
    assert story.state.failure is not None
    assert (story.status, story.state.failure.code) == ("failed", "10004")


def test_a_refused_start_leaves_a_call_that_is_not_ours() -> None:
    story = Story()
    story.attach()

    assert story.refuse("start:host:1") == ["look:host:1"]
    assert story.status == "failed"
    assert (story.leg().outcome, story.participant().outcome) == ("error", "error")
    assert story.call_state("look:host:1", alive=True, answered=True) == []
    assert (story.leg().status, story.state.due_at) == ("answered", None)


def test_an_attached_call_that_telnyx_does_not_have_is_an_error() -> None:
    story = Story()
    story.attach()
    story.refuse("start:host:1", "10005")  # a 404: the call or the assistant
    story.call_ended("look:host:1")

    assert (story.status, story.state.due_at) == ("failed", None)
    assert (story.leg().status, story.leg().outcome) == ("ended", "error")
    assert (story.participant().status, story.participant().outcome) == ("failed", "error")
    assert story.state.failure == story.leg().failure == Failure(code="10005", message="No.")


def test_an_attached_call_that_telnyx_does_not_have_is_not_joined() -> None:
    story = active_story()
    story.invite(NewParticipant(id="eli", name="Eli", call_control_id="v3:eli-1"))

    assert story.refuse("join:eli:1", "10005") == ["message:host:1:1", "look:eli:1"]
    story.call_ended("look:eli:1")
    assert (story.leg("eli").status, story.leg("eli").outcome) == ("ended", "error")
    assert (story.participant("eli").status, story.participant("eli").outcome) == (
        "failed",
        "error",
    )
    assert story.status == "active"


def test_a_refused_answer_fails() -> None:
    story = Story()
    story.inbound_call()
    story.refuse("answer:host:1")

    assert story.status == "failed"


def test_a_call_that_another_application_answered_first_is_not_hung_up() -> None:
    story = Story()
    story.inbound_call()
    assert story.refuse("answer:host:1") == []
    assert story.answer() == []
    assert story.status == "failed"
    assert not any(command.key.startswith("hang_up") for command in story.sent)


def test_a_refused_join_is_told_and_the_call_hung_up() -> None:
    story = active_story()
    story.invite()
    story.succeed("dial:dana:1")
    story.answer("dana")

    assert story.refuse("join:dana:1") == ["message:host:1:1", "hang_up:dana:1"]
    assert story.participant("dana").outcome == "error"
    assert story.messages == [
        "“Dana” could not be brought into the conversation: a technical error."
    ]


def test_a_refused_second_join_leaves_a_joined_guest_joined() -> None:
    story = joined_story()

    assert story.refuse("join:dana:1") == []
    assert story.participant("dana").status == "joined"


def test_a_refused_screening_goes_on_to_the_next_number() -> None:
    story = active_story()
    two = plan("+13125550110", "+13125550111", screening={"say": "Press 1."})
    story.invite(guest(to=two))
    story.succeed("dial:dana:1")
    assert story.answer("dana") == ["screen:dana:1"]

    left = story.refuse("screen:dana:1")
    assert left == ["dial:dana:2", "message:host:1:1", "hang_up:dana:1"]
    assert story.leg("dana").outcome == "error"


def test_a_command_for_a_call_that_is_gone_ends_the_leg() -> None:
    story = active_story()
    story.invite()
    story.succeed("dial:dana:1")
    story.answer("dana")

    story.call_ended("join:dana:1")
    assert story.participant("dana").status == "failed"
    assert story.participant("dana").outcome == "no_answer"
    assert story.leg("dana").status == "ended"


def test_a_command_without_an_answer_is_sent_again_under_the_same_id() -> None:
    story = Story()
    story.start()
    story.no_response("dial:host:1")

    assert story.advance(2) == ["dial:host:1"]
    assert len({command.id for command in story.sent}) == 1


def test_a_command_is_sent_again_when_its_lease_is_over() -> None:
    story = Story()
    story.start()

    assert story.advance(5) == []
    assert story.advance(2) == ["dial:host:1"]


def test_a_dial_beyond_the_window_is_reconciled_and_not_sent_again() -> None:
    story = Story()
    story.start()

    assert story.advance(46) == ["find dial:host:1"]
    story.succeed("dial:host:1")
    assert "command.repaired" in story.event_types
    assert story.answer() == ["start:host:1"]


def test_a_dial_without_a_trace_is_given_up() -> None:
    story = Story()
    story.start()
    story.advance(46)
    story.not_found("dial:host:1")

    assert story.state.failure is not None
    assert (story.status, story.state.failure.code) == ("failed", "unanswered")


def test_a_dial_without_effect_may_be_sent_late() -> None:
    story = Story()
    story.start()
    story.no_response("dial:host:1", had_no_effect=True)

    assert story.advance(100) == ["dial:host:1"]


def test_a_dial_in_doubt_stays_in_doubt_after_a_sending_without_effect() -> None:
    story = Story()
    story.start()
    story.no_response("dial:host:1")  # the call may ring already
    story.advance(2)
    story.no_response("dial:host:1", had_no_effect=True)

    assert story.advance(100) == ["find dial:host:1"]


@pytest.mark.parametrize("late", ["initiated", "answered", "result"])
def test_a_dial_given_up_that_lives_after_all_is_hung_up(late: str) -> None:
    story = active_story()
    story.invite()
    story.advance(46)
    story.not_found("dial:dana:1")
    assert story.participant("dana").status == "failed"

    plays = {
        "initiated": lambda: story.call_initiated("dana"),
        "answered": lambda: story.answer("dana"),
        "result": lambda: story.succeed("dial:dana:1"),
    }
    assert plays[late]() == ["hang_up:dana:1"]


def test_a_call_cancelled_while_its_dial_is_on_its_way_is_hung_up_when_known() -> None:
    story = active_story()
    story.invite()

    assert story.remove("dana") == ["message:host:1:1"]
    assert story.succeed("dial:dana:1") == ["hang_up:dana:1"]
    assert story.leg("dana").outcome == "cancelled"


def test_a_call_cancelled_while_its_dial_is_in_doubt_is_looked_for() -> None:
    story = active_story()
    story.invite()
    story.no_response("dial:dana:1")
    story.remove("dana")

    assert story.advance(3) == ["find dial:dana:1"]
    assert story.succeed("dial:dana:1") == ["hang_up:dana:1"]


def test_a_dial_that_was_never_sent_is_dropped() -> None:
    story = active_story()
    story.invite()
    story.no_response("dial:dana:1", had_no_effect=True)
    story.remove("dana")

    assert story.leg("dana").status == "ended"
    assert not story.state.commands["dial:dana:1"].is_pending


def test_a_dial_that_is_never_taken_is_given_up() -> None:
    story = Story()
    story.start()
    for _ in range(MAX_ATTEMPTS):
        story.no_response("dial:host:1", had_no_effect=True)
        story.advance(61)

    assert story.status == "failed"
    assert len(story.sent) == MAX_ATTEMPTS


def test_a_duplicate_without_a_call_id_is_reconciled() -> None:
    story = Story()
    story.start()
    story.result("dial:host:1", Succeeded())

    assert "command.repaired" not in story.event_types
    assert story.advance(2) == ["find dial:host:1"]
    story.succeed("dial:host:1")
    assert story.leg().call_control_id == call_ref().call_control_id


def test_an_assistant_that_already_runs_is_asked_for_its_conversation() -> None:
    story = Story()
    story.attach()
    story.result("start:host:1", Succeeded())
    assert (story.status, story.state.telnyx_conversation_id) == ("active", None)

    assert story.advance(2) == ["find start:host:1"]
    story.succeed("start:host:1")
    assert story.state.telnyx_conversation_id == TELNYX_ID


def test_a_poll_that_finds_the_call_under_other_ids_adopts_the_ids() -> None:
    story = active_story()
    story.invite(guest())
    story.succeed("dial:dana:1")
    assert story.advance(6) == ["look:dana:1"]
    found = CallState(alive=True, answered=True, call_control_id="v3:new", call_leg_id="leg-new")
    assert story.result("look:dana:1", found) == ["join:dana:1"]
    leg = story.participant("dana").legs[0]
    assert (leg.call_control_id, leg.call_leg_id) == ("v3:new", "leg-new")
    assert leg.has_id(call_ref("dana").call_control_id)


def test_an_id_that_the_search_for_insights_finds_is_kept() -> None:
    story = Story()
    story.attach()
    story.result("start:host:1", Succeeded())
    story.hang_up()
    story.advance(60)
    found = InsightsFound(insights=(), telnyx_conversation_id=TELNYX_ID)
    story.result("fetch_insights", found)
    assert story.state.telnyx_conversation_id == TELNYX_ID


def test_guests_of_an_assistant_without_an_id_are_released() -> None:
    story = Story()
    story.attach(guest())
    story.succeed("dial:dana:1")
    story.answer("dana")
    story.result("start:host:1", Succeeded())
    for _ in range(MAX_ATTEMPTS):
        story.advance(61)
        story.not_found("start:host:1")

    assert story.participant("dana").outcome == "error"
    assert "join:dana:1" not in {command.key for command in story.sent}
    assert [command.reconcile for command in story.sent if command.key == "start:host:1"].count(
        False
    ) == 1
    assert story.stop()[0] == "stop:host:1"  # the assistant runs under an unknown id


def test_guests_wait_until_the_assistant_that_runs_has_been_found() -> None:
    story = Story()
    story.attach(guest())
    story.succeed("dial:dana:1")
    story.answer("dana")
    story.result("start:host:1", Succeeded())
    assert story.participant("dana").status == "waiting"

    assert story.advance(2) == ["find start:host:1"]
    assert story.succeed("start:host:1") == ["join:dana:1"]


def test_a_start_without_a_trace_is_sent_again() -> None:
    story = Story()
    story.attach()

    assert story.advance(46) == ["find start:host:1"]
    story.not_found("start:host:1")
    assert story.advance(3) == ["start:host:1"]


def test_an_assistant_that_starts_although_given_up_is_stopped() -> None:
    story = Story()
    story.attach()
    story.refuse("start:host:1")
    assert story.status == "failed"

    assert story.assistant_created() == ["stop:host:1"]


def test_an_assistant_found_after_the_end_is_stopped() -> None:
    story = Story()
    story.attach()
    story.no_response("start:host:1")
    story.stop()
    story.advance(61)
    assert story.status == "ended"

    assert story.succeed("start:host:1") == ["stop:host:1"]


def join_in_doubt() -> Story:
    """A join without a response, too old to be sent again, is looked for at Telnyx."""
    story = active_story()
    story.invite()
    story.succeed("dial:dana:1")
    story.answer("dana")
    story.no_response("join:dana:1")

    assert story.advance(2) == ["join:dana:1"]
    assert story.advance(60) == ["find join:dana:1"]
    return story


def test_a_join_in_doubt_without_a_trace_is_given_up() -> None:
    story = join_in_doubt()

    assert story.not_found("join:dana:1") == ["message:host:1:1", "hang_up:dana:1"]
    assert story.participant("dana").outcome == "error"


def test_a_join_in_doubt_that_arrived_has_taken_effect() -> None:
    story = join_in_doubt()

    assert story.result("join:dana:1", Succeeded()) == ["message:host:1:1"]
    assert story.participant("dana").status == "joined"
    assert "command.repaired" in story.event_types


def test_a_command_is_looked_for_only_once() -> None:
    unknown, died = join_in_doubt(), join_in_doubt()

    assert unknown.no_response("join:dana:1") == ["message:host:1:1", "hang_up:dana:1"]
    after_death = died.advance(60)
    assert "hang_up:dana:1" in after_death
    assert not [key for key in after_death if key.startswith("find")]


def test_a_message_in_doubt_is_looked_for_and_not_said_twice() -> None:
    story = active_story()
    story.send_message("one")
    story.no_response("message:host:1:1")

    assert story.advance(50) == ["find message:host:1:1"]
    arrived = story.copy()
    assert story.not_found("message:host:1:1") == []
    assert story.events[-1].type == "message.failed"
    assert arrived.result("message:host:1:1", Succeeded()) == []
    assert arrived.events[-1].type == "message.sent"


def test_a_screening_in_doubt_that_arrived_waits_for_the_digit() -> None:
    story = active_story()
    story.invite(guest(to=SCREENED))
    story.succeed("dial:dana:1")
    story.answer("dana")
    story.no_response("screen:dana:1")

    assert story.advance(45.5) == ["find screen:dana:1"]
    lost = story.copy()
    assert story.result("screen:dana:1", Succeeded()) == []
    assert story.press("1") == ["join:dana:1"]
    assert lost.not_found("screen:dana:1") == ["message:host:1:1", "hang_up:dana:1"]
    assert lost.leg("dana").outcome == "error"


def test_a_screening_that_was_heard_is_not_said_again() -> None:
    story = active_story()
    story.invite(guest(to=SCREENED))
    story.succeed("dial:dana:1")
    story.answer("dana")
    story.no_response("screen:dana:1")
    assert story.press("1") == ["join:dana:1"]

    story.succeed("join:dana:1")
    story.advance(60)
    assert story.leg("dana").outcome == "human"
    assert [command.key for command in story.sent].count("screen:dana:1") == 1


def test_an_accepted_person_is_not_screened_again_after_a_late_answer() -> None:
    story = active_story()
    story.invite(guest(to=SCREENED))
    story.succeed("dial:dana:1")
    story.answer("dana")
    story.press("1")

    story.refuse("screen:dana:1")
    assert story.leg("dana").outcome == "human"


def test_a_ringing_call_without_webhooks_is_polled_and_hung_up() -> None:
    story = ringing_dana()
    assert story.advance(51) == ["look:dana:1"]

    left = story.call_state("look:dana:1", alive=True, answered=False)
    assert left == ["message:host:1:1", "hang_up:dana:1"]
    assert story.participant("dana").outcome == "no_answer"


def test_a_poll_finds_the_answer_of_a_lost_webhook() -> None:
    story = ringing_dana()
    story.advance(51)

    assert story.call_state("look:dana:1", alive=True, answered=True) == ["join:dana:1"]
    assert "command.repaired" in story.event_types


def test_a_refused_poll_is_repeated() -> None:
    story = active_story()
    assert story.poll("host") == ["look:host:1"]
    story.refuse("look:host:1", "10009")

    assert story.advance(121) == ["look:host:1"]


def test_a_poll_finds_the_hangup_of_a_lost_webhook() -> None:
    story = joined_story()
    assert story.poll("host", "dana") == ["look:host:1", "look:dana:1"]
    story.call_state("look:host:1", alive=True, answered=True)
    assert "command.repaired" not in story.event_types

    story.call_state("look:dana:1", alive=False, answered=True)
    assert story.participant("dana").status == "left"


def test_a_dial_that_went_out_late_rings_its_time() -> None:
    story = active_story()
    story.invite()
    story.no_response("dial:dana:1", had_no_effect=True)
    assert story.advance(45) == ["dial:dana:1"]
    story.succeed("dial:dana:1")
    story.call_initiated("dana")
    assert story.advance(6) == ["look:dana:1"]

    assert story.call_state("look:dana:1", alive=True, answered=False) == []
    assert story.answer("dana") == ["join:dana:1"]


@pytest.mark.parametrize("alive", [True, False])
def test_an_inbound_call_that_we_still_try_to_answer_is_not_given_up(alive: bool) -> None:
    story = Story()
    story.inbound_call()
    story.no_response("answer:host:1", had_no_effect=True)
    assert "look:host:1" in story.advance(16)

    story.call_state("look:host:1", alive=alive, answered=False)
    assert story.succeed("answer:host:1") == []
    assert story.answer() == ["start:host:1"]


def test_a_poll_finds_the_end_of_an_inbound_call_that_we_answered() -> None:
    story = Story()
    story.inbound_call()
    story.succeed("answer:host:1")
    story.advance(16)

    story.call_state("look:host:1", alive=False, answered=False)
    assert story.status == "failed"


def test_a_poll_finds_the_answer_and_the_hangup_of_lost_webhooks() -> None:
    story = ringing_dana()
    story.advance(51)

    story.call_state("look:dana:1", alive=False, answered=True)
    assert story.leg("dana").outcome == "human"
    assert story.participant("dana").outcome == "no_answer"  # as after the webhooks


def test_a_poll_finds_the_answer_of_an_inbound_call() -> None:
    story = Story()
    story.inbound_call()
    story.succeed("answer:host:1")
    assert story.advance(16) == ["look:host:1"]

    assert story.call_state("look:host:1", alive=True, answered=False) == ["start:host:1"]


def test_a_call_that_is_alive_though_hung_up_is_hung_up_again() -> None:
    story = joined_story()
    story.remove("dana")
    story.succeed("hang_up:dana:1")
    assert story.advance(21) == ["look:dana:1"]

    assert story.call_state("look:dana:1", alive=True, answered=True) == ["hang_up:dana:1"]


def test_a_call_is_not_hung_up_twice_by_a_look_at_the_same_time() -> None:
    story = joined_story()
    assert story.poll("host", "dana") == ["look:host:1", "look:dana:1"]
    assert story.remove("dana") == ["hang_up:dana:1"]

    assert story.call_state("look:dana:1", alive=True, answered=True) == []


@pytest.mark.parametrize("answer", ["done", "refused"])
def test_a_ringing_call_that_does_not_die_is_never_forgotten(answer: str) -> None:
    story = ringing_dana()
    story.remove("dana")
    tries = 1
    for _ in range(5):
        if answer == "done":
            story.succeed("hang_up:dana:1")
        else:
            story.refuse("hang_up:dana:1", "10009")
        assert "look:dana:1" in story.advance(121)
        left = story.call_state("look:dana:1", alive=True, answered=False)
        tries += "hang_up:dana:1" in left

    assert tries == 6
    story.call_ended("hang_up:dana:1")
    assert not story.leg("dana").is_up


def test_a_call_that_was_hung_up_is_looked_after_when_all_else_is_over_too() -> None:
    story = joined_story()
    story.hang_up("host")
    story.assistant_ended()
    assert story.status == "ended"
    story.succeed("hang_up:dana:1")

    assert "look:dana:1" in story.advance(21)


def test_hanging_up_is_tried_for_ever() -> None:
    story = joined_story()
    story.remove("dana")
    for _ in range(3 * MAX_ATTEMPTS):
        story.no_response("hang_up:dana:1")
        assert "hang_up:dana:1" in story.advance(61)


def test_a_call_taken_for_over_that_answers_is_hung_up() -> None:
    story = ringing_dana()
    story.advance(51)
    story.call_state("look:dana:1", alive=False, answered=False)
    assert not story.leg("dana").is_up

    assert story.answer("dana") == ["hang_up:dana:1"]


@pytest.mark.parametrize(
    ("ended", "outcome"),
    [
        (CallEnded(code="90018", message="Call has already ended"), "unreachable"),
        (CallUnknown(code="90015", message="Invalid call_control_id"), "error"),
    ],
)
def test_an_attached_call_that_is_over_or_unknown_fails_the_conversation(
    ended: CallEnded | CallUnknown, outcome: str
) -> None:
    story = Story()
    story.attach()
    story.result("start:host:1", ended)

    assert (story.status, story.state.due_at) == ("failed", None)
    assert story.state.failure == Failure(code=ended.code, message=ended.message)
    assert (story.leg().status, story.leg().outcome) == ("ended", outcome)
    assert (story.participant().status, story.participant().outcome) == ("failed", outcome)


def test_an_unknown_call_to_join_is_an_error() -> None:
    story = active_story()
    story.invite(NewParticipant(id="eli", name="Eli", call_control_id="v3:eli-1"))
    story.result("join:eli:1", CallUnknown(code="90015", message="Invalid"))

    assert (story.leg("eli").outcome, story.participant("eli").outcome) == ("error", "error")
    assert story.messages == [
        "“Eli” could not be brought into the conversation: a technical error."
    ]


def test_an_unknown_call_to_join_is_told() -> None:
    story = active_story()
    story.invite(NewParticipant(id="eli", name="Eli", call_control_id="v3:eli-1"))
    story.call_ended("join:eli:1")

    assert story.participant("eli").status == "failed"
    assert story.participant("eli").outcome == "unreachable"
    assert story.messages == ["“Eli” could not be reached: the number is not available."]


def test_the_result_of_an_unknown_command_has_no_effect() -> None:
    story = active_story()
    before = story.state

    story.now += timedelta(seconds=1)
    assert story.succeed("join:nobody:7") == []
    assert story.state == before


def test_an_assistant_that_telnyx_has_ended_is_not_stopped() -> None:
    story = Story()
    story.attach()
    story.succeed("start:host:1")

    assert story.assistant_ended() == []
    assert story.status == "ended"


def test_a_stop_that_did_not_work_goes_through_another_call() -> None:
    done = joined_story(host={"on_hangup": OnHangup.CONTINUE})
    assert done.stop() == ["stop:host:1"]
    refused, gone = done.copy(), done.copy()

    done.succeed("stop:host:1")
    assert done.hang_up("host") == []
    refused.refuse("stop:host:1")
    assert refused.hang_up("host") == ["stop:dana:1"]
    assert gone.call_ended("stop:host:1") == ["stop:dana:1"]


def test_an_assistant_that_surely_never_ran_is_not_waited_for() -> None:
    story = Story()
    story.start()
    story.succeed("dial:host:1")
    story.answer()
    story.no_response("start:host:1", had_no_effect=True)

    story.stop()
    assert story.status == "ended"
