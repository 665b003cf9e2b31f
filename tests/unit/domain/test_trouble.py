"""Telnyx says no, says nothing, or has done what we gave up."""

from datetime import timedelta

import pytest

from partyline.domain.model.conversation import Failure
from partyline.domain.model.inputs import NewParticipant
from partyline.domain.model.results import CallEnded, Succeeded
from partyline.domain.model.statuses import OnHangup
from partyline.domain.model.timeouts import MAX_ATTEMPTS
from tests.support.domain_story import TELNYX_ID, Story, call, guest, on_the_phone, plan, with_guest

SCREENED = plan(screening={"say": "Ada is calling. Press 1."})


def ringing_dana() -> Story:
    story = on_the_phone()
    story.invites()
    story.does("dial:dana:1")
    story.rings("dana")
    return story


def test_a_refused_dial_of_the_host_fails_with_telnyxs_words() -> None:
    story = Story()
    story.dials()
    story.refuses("dial:host:1", "10016")

    assert (story.status, story.it.due_at) == ("failed", None)
    assert story.it.failure is not None
    assert (story.it.failure.code, story.it.failure.message) == ("10016", "No.")


def test_a_refused_dial_of_a_guest_is_told() -> None:
    story = on_the_phone()
    story.invites()

    assert story.refuses("dial:dana:1") == ["message:host:1:1"]
    assert story.who("dana").outcome == "error"
    assert story.told == ["Dana could not be brought into the conversation: a technical error."]


def test_a_dial_over_the_limit_of_calls() -> None:
    story = on_the_phone()
    story.invites()
    story.refuses("dial:dana:1", "90041", limit=True)

    assert story.who("dana").outcome == "limited"
    assert story.told == ["Dana could not be called: the limit of calls is reached."]


def test_a_refused_start_fails_and_hangs_up() -> None:
    story = Story()
    story.dials()
    story.does("dial:host:1")
    story.answers()

    assert story.refuses("start:host:1", "10004") == ["hang_up:host:1"]
    assert story.it.failure is not None
    assert (story.status, story.it.failure.code) == ("failed", "10004")


def test_a_refused_start_leaves_a_call_that_is_not_ours() -> None:
    story = Story()
    story.attaches()

    assert story.refuses("start:host:1") == ["look:host:1"]
    assert story.status == "failed"
    assert (story.leg().outcome, story.who().outcome) == ("error", "error")
    assert story.looks("look:host:1", alive=True, answered=True) == []
    assert (story.leg().status, story.it.due_at) == ("answered", None)


def test_an_attached_call_that_telnyx_does_not_have_is_an_error() -> None:
    story = Story()
    story.attaches()
    story.refuses("start:host:1", "10005")  # a 404: the call or the assistant
    story.finds_gone("look:host:1")

    assert (story.status, story.it.due_at) == ("failed", None)
    assert (story.leg().status, story.leg().outcome) == ("ended", "error")
    assert (story.who().status, story.who().outcome) == ("failed", "error")
    assert story.it.failure == story.leg().failure == Failure(code="10005", message="No.")


def test_an_attached_call_that_telnyx_does_not_have_is_not_joined() -> None:
    story = on_the_phone()
    story.invites(NewParticipant(id="eli", name="Eli", call_control_id="v3:eli-1"))

    assert story.refuses("join:eli:1", "10005") == ["message:host:1:1", "look:eli:1"]
    story.finds_gone("look:eli:1")
    assert (story.leg("eli").status, story.leg("eli").outcome) == ("ended", "error")
    assert (story.who("eli").status, story.who("eli").outcome) == ("failed", "error")
    assert story.status == "active"


def test_a_refused_answer_fails() -> None:
    story = Story()
    story.rings_us()
    story.refuses("answer:host:1")

    assert story.status == "failed"


def test_a_call_that_another_application_answered_first_is_not_hung_up() -> None:
    story = Story()
    story.rings_us()
    assert story.refuses("answer:host:1") == []
    assert story.answers() == []
    assert story.status == "failed"
    assert not any(each.key.startswith("hang_up") for each in story.sent)


def test_a_refused_join_is_told_and_the_call_hung_up() -> None:
    story = on_the_phone()
    story.invites()
    story.does("dial:dana:1")
    story.answers("dana")

    assert story.refuses("join:dana:1") == ["message:host:1:1", "hang_up:dana:1"]
    assert story.who("dana").outcome == "error"
    assert story.told == ["Dana could not be brought into the conversation: a technical error."]


def test_who_was_joined_is_not_sent_away_by_a_second_sending_that_is_refused() -> None:
    story = with_guest()

    assert story.refuses("join:dana:1") == []
    assert story.who("dana").status == "joined"


def test_a_refused_screening_goes_on_to_the_next_number() -> None:
    story = on_the_phone()
    two = plan("+13125550110", "+13125550111", screening={"say": "Press 1."})
    story.invites(guest(to=two))
    story.does("dial:dana:1")
    assert story.answers("dana") == ["screen:dana:1"]

    left = story.refuses("screen:dana:1")
    assert left == ["dial:dana:2", "message:host:1:1", "hang_up:dana:1"]
    assert story.leg("dana").outcome == "error"


def test_a_command_for_a_call_that_is_gone_ends_the_leg() -> None:
    story = on_the_phone()
    story.invites()
    story.does("dial:dana:1")
    story.answers("dana")

    story.finds_gone("join:dana:1")
    assert story.who("dana").status == "left"
    assert story.leg("dana").status == "ended"


def test_a_command_without_an_answer_is_sent_again_under_the_same_id() -> None:
    story = Story()
    story.dials()
    story.is_silent("dial:host:1")

    assert story.later(2) == ["dial:host:1"]
    assert len({each.id for each in story.sent}) == 1


def test_a_lost_step_is_made_good_when_the_lease_is_over() -> None:
    story = Story()
    story.dials()

    assert story.later(5) == []
    assert story.later(2) == ["dial:host:1"]


def test_beyond_the_window_a_dial_is_looked_for_and_not_sent_again() -> None:
    story = Story()
    story.dials()

    assert story.later(46) == ["find dial:host:1"]
    story.does("dial:host:1")
    assert "command.repaired" in story.happened
    assert story.answers() == ["start:host:1"]


def test_a_dial_of_which_there_is_no_trace_is_given_up() -> None:
    story = Story()
    story.dials()
    story.later(46)
    story.finds_nothing("dial:host:1")

    assert story.it.failure is not None
    assert (story.status, story.it.failure.code) == ("failed", "unanswered")


def test_a_dial_that_surely_was_not_sent_may_be_sent_late() -> None:
    story = Story()
    story.dials()
    story.is_silent("dial:host:1", sure=True)

    assert story.later(100) == ["dial:host:1"]


def test_a_dial_in_doubt_stays_in_doubt_though_a_later_one_was_not_sent() -> None:
    story = Story()
    story.dials()
    story.is_silent("dial:host:1")  # it may ring already
    story.later(2)
    story.is_silent("dial:host:1", sure=True)

    assert story.later(100) == ["find dial:host:1"]


@pytest.mark.parametrize("late", ["initiated", "answered", "result"])
def test_a_dial_given_up_that_lives_after_all_is_hung_up(late: str) -> None:
    story = on_the_phone()
    story.invites()
    story.later(46)
    story.finds_nothing("dial:dana:1")
    assert story.who("dana").status == "failed"

    plays = {
        "initiated": lambda: story.rings("dana"),
        "answered": lambda: story.answers("dana"),
        "result": lambda: story.does("dial:dana:1"),
    }
    assert plays[late]() == ["hang_up:dana:1"]


def test_a_call_cancelled_while_its_dial_is_on_its_way_is_hung_up_when_known() -> None:
    story = on_the_phone()
    story.invites()

    assert story.removes("dana") == ["message:host:1:1"]
    assert story.does("dial:dana:1") == ["hang_up:dana:1"]
    assert story.leg("dana").outcome == "cancelled"


def test_a_call_cancelled_while_its_dial_is_in_doubt_is_looked_for() -> None:
    story = on_the_phone()
    story.invites()
    story.is_silent("dial:dana:1")
    story.removes("dana")

    assert story.later(3) == ["find dial:dana:1"]
    assert story.does("dial:dana:1") == ["hang_up:dana:1"]


def test_a_dial_that_was_never_sent_is_dropped() -> None:
    story = on_the_phone()
    story.invites()
    story.is_silent("dial:dana:1", sure=True)
    story.removes("dana")

    assert story.leg("dana").status == "ended"
    assert not story.it.commands["dial:dana:1"].is_pending


def test_a_dial_that_is_never_taken_is_given_up() -> None:
    story = Story()
    story.dials()
    for _ in range(MAX_ATTEMPTS):
        story.is_silent("dial:host:1", sure=True)
        story.later(61)

    assert story.status == "failed"
    assert len(story.sent) == MAX_ATTEMPTS


def test_a_double_that_names_no_call_is_looked_for() -> None:
    story = Story()
    story.dials()
    story.result("dial:host:1", Succeeded())

    assert "command.repaired" not in story.happened
    assert story.later(2) == ["find dial:host:1"]
    story.does("dial:host:1")
    assert story.leg().call_control_id == call().call_control_id


def test_an_assistant_that_already_runs_is_asked_for_its_conversation() -> None:
    story = Story()
    story.attaches()
    story.result("start:host:1", Succeeded())
    assert (story.status, story.it.telnyx_conversation_id) == ("active", None)

    assert story.later(2) == ["find start:host:1"]
    story.does("start:host:1")
    assert story.it.telnyx_conversation_id == TELNYX_ID


def test_guests_of_an_assistant_that_nobody_can_name_are_let_go() -> None:
    story = Story()
    story.attaches(guest())
    story.does("dial:dana:1")
    story.answers("dana")
    story.result("start:host:1", Succeeded())
    for _ in range(MAX_ATTEMPTS):
        story.later(61)
        story.finds_nothing("start:host:1")

    assert story.who("dana").outcome == "error"
    assert "join:dana:1" not in {each.key for each in story.sent}
    assert [each.reconcile for each in story.sent if each.key == "start:host:1"].count(False) == 1
    assert story.stops()[0] == "stop:host:1"  # it runs, whatever its name


def test_guests_wait_until_the_assistant_that_runs_has_been_found() -> None:
    story = Story()
    story.attaches(guest())
    story.does("dial:dana:1")
    story.answers("dana")
    story.result("start:host:1", Succeeded())
    assert story.who("dana").status == "waiting"

    assert story.later(2) == ["find start:host:1"]
    assert story.does("start:host:1") == ["join:dana:1"]


def test_a_start_of_which_there_is_no_trace_is_sent_again() -> None:
    story = Story()
    story.attaches()

    assert story.later(46) == ["find start:host:1"]
    story.finds_nothing("start:host:1")
    assert story.later(3) == ["start:host:1"]


def test_an_assistant_that_starts_although_given_up_is_stopped() -> None:
    story = Story()
    story.attaches()
    story.refuses("start:host:1")
    assert story.status == "failed"

    assert story.assistant_begins() == ["stop:host:1"]


def test_an_assistant_found_after_the_end_is_stopped() -> None:
    story = Story()
    story.attaches()
    story.is_silent("start:host:1")
    story.stops()
    story.later(61)
    assert story.status == "ended"

    assert story.does("start:host:1") == ["stop:host:1"]


def test_a_join_in_doubt_is_sent_again_and_then_given_up() -> None:
    story = on_the_phone()
    story.invites()
    story.does("dial:dana:1")
    story.answers("dana")
    story.is_silent("join:dana:1")

    assert story.later(2) == ["join:dana:1"]
    assert story.later(60) == ["message:host:1:1", "hang_up:dana:1"]
    assert story.who("dana").outcome == "error"


def test_a_message_in_doubt_is_not_said_twice() -> None:
    story = on_the_phone()
    story.says("one")
    story.is_silent("message:host:1:1")

    assert story.later(50) == []
    assert story.events[-1].type == "message.failed"


def test_a_screening_that_was_heard_is_not_said_again() -> None:
    story = on_the_phone()
    story.invites(guest(to=SCREENED))
    story.does("dial:dana:1")
    story.answers("dana")
    story.is_silent("screen:dana:1")
    assert story.presses("1") == ["join:dana:1"]

    story.does("join:dana:1")
    story.later(60)
    assert story.leg("dana").outcome == "human"
    assert [each.key for each in story.sent].count("screen:dana:1") == 1


def test_an_accepted_person_is_not_screened_again_after_a_late_answer() -> None:
    story = on_the_phone()
    story.invites(guest(to=SCREENED))
    story.does("dial:dana:1")
    story.answers("dana")
    story.presses("1")

    story.refuses("screen:dana:1")
    assert story.leg("dana").outcome == "human"


def test_a_ringing_call_of_which_nothing_is_heard_is_looked_at_and_hung_up() -> None:
    story = ringing_dana()
    assert story.later(51) == ["look:dana:1"]

    left = story.looks("look:dana:1", alive=True, answered=False)
    assert left == ["message:host:1:1", "hang_up:dana:1"]
    assert story.who("dana").outcome == "no_answer"


def test_a_look_finds_the_answer_that_no_webhook_brought() -> None:
    story = ringing_dana()
    story.later(51)

    assert story.looks("look:dana:1", alive=True, answered=True) == ["join:dana:1"]
    assert "command.repaired" in story.happened


def test_a_look_that_was_refused_is_taken_again() -> None:
    story = on_the_phone()
    assert story.later(121) == ["look:host:1"]
    story.refuses("look:host:1", "10009")

    assert story.later(121) == ["look:host:1"]


def test_a_look_finds_the_hangup_that_no_webhook_brought() -> None:
    story = with_guest()
    assert story.later(121) == ["look:host:1", "look:dana:1"]
    story.looks("look:host:1", alive=True, answered=True)
    assert "command.repaired" not in story.happened

    story.looks("look:dana:1", alive=False, answered=True)
    assert story.who("dana").status == "left"


def test_a_dial_that_went_out_late_rings_its_time() -> None:
    story = on_the_phone()
    story.invites()
    story.is_silent("dial:dana:1", sure=True)
    assert story.later(45) == ["dial:dana:1"]
    story.does("dial:dana:1")
    story.rings("dana")
    assert story.later(6) == ["look:dana:1"]

    assert story.looks("look:dana:1", alive=True, answered=False) == []
    assert story.answers("dana") == ["join:dana:1"]


@pytest.mark.parametrize("alive", [True, False])
def test_an_inbound_call_that_we_still_try_to_answer_is_not_given_up(alive: bool) -> None:
    story = Story()
    story.rings_us()
    story.is_silent("answer:host:1", sure=True)
    assert "look:host:1" in story.later(16)

    story.looks("look:host:1", alive=alive, answered=False)
    assert story.does("answer:host:1") == []
    assert story.answers() == ["start:host:1"]


def test_an_inbound_call_that_ended_as_we_answered_it_is_found_out() -> None:
    story = Story()
    story.rings_us()
    story.does("answer:host:1")
    story.later(16)

    story.looks("look:host:1", alive=False, answered=False)
    assert story.status == "failed"


def test_a_look_finds_the_answer_and_the_hangup_that_no_webhook_brought() -> None:
    story = ringing_dana()
    story.later(51)

    story.looks("look:dana:1", alive=False, answered=True)
    assert story.leg("dana").outcome == "declined"


def test_an_inbound_call_whose_answered_webhook_is_lost_is_found_out() -> None:
    story = Story()
    story.rings_us()
    story.does("answer:host:1")
    assert story.later(16) == ["look:host:1"]

    assert story.looks("look:host:1", alive=True, answered=False) == ["start:host:1"]


def test_a_call_that_is_alive_though_hung_up_is_hung_up_again() -> None:
    story = with_guest()
    story.removes("dana")
    story.does("hang_up:dana:1")
    assert story.later(21) == ["look:dana:1"]

    assert story.looks("look:dana:1", alive=True, answered=True) == ["hang_up:dana:1"]


def test_a_call_is_not_hung_up_twice_by_a_look_at_the_same_time() -> None:
    story = with_guest()
    assert story.later(121) == ["look:host:1", "look:dana:1"]
    assert story.removes("dana") == ["hang_up:dana:1"]

    assert story.looks("look:dana:1", alive=True, answered=True) == []


@pytest.mark.parametrize("answer", ["done", "refused"])
def test_a_ringing_call_that_does_not_die_is_never_forgotten(answer: str) -> None:
    story = ringing_dana()
    story.removes("dana")
    tries = 1
    for _ in range(5):
        if answer == "done":
            story.does("hang_up:dana:1")
        else:
            story.refuses("hang_up:dana:1", "10009")
        assert "look:dana:1" in story.later(121)
        left = story.looks("look:dana:1", alive=True, answered=False)
        tries += "hang_up:dana:1" in left

    assert tries == 6
    story.finds_gone("hang_up:dana:1")
    assert not story.leg("dana").is_up


def test_a_call_that_was_hung_up_is_looked_after_when_all_else_is_over_too() -> None:
    story = with_guest()
    story.hangs_up("host")
    story.assistant_ends()
    assert story.status == "ended"
    story.does("hang_up:dana:1")

    assert "look:dana:1" in story.later(21)


def test_hanging_up_is_tried_for_ever() -> None:
    story = with_guest()
    story.removes("dana")
    for _ in range(3 * MAX_ATTEMPTS):
        story.is_silent("hang_up:dana:1")
        assert "hang_up:dana:1" in story.later(61)


def test_a_call_taken_for_over_that_answers_is_hung_up() -> None:
    story = ringing_dana()
    story.later(51)
    story.looks("look:dana:1", alive=False, answered=False)
    assert not story.leg("dana").is_up

    assert story.answers("dana") == ["hang_up:dana:1"]


@pytest.mark.parametrize(
    ("ended", "outcome"),
    [
        (CallEnded(code="90018", message="Call has already ended"), "unreachable"),
        (CallEnded(code="90015", message="Invalid call_control_id", unknown=True), "error"),
    ],
)
def test_an_attached_call_that_is_over_or_unknown_fails_the_conversation(
    ended: CallEnded, outcome: str
) -> None:
    story = Story()
    story.attaches()
    story.finds_gone("start:host:1", ended)

    assert (story.status, story.it.due_at) == ("failed", None)
    assert story.it.failure == Failure(code=ended.code, message=ended.message)
    assert (story.leg().status, story.leg().outcome) == ("ended", outcome)
    assert (story.who().status, story.who().outcome) == ("failed", outcome)


def test_an_unknown_call_to_join_is_an_error() -> None:
    story = on_the_phone()
    story.invites(NewParticipant(id="eli", name="Eli", call_control_id="v3:eli-1"))
    story.finds_gone("join:eli:1", CallEnded(code="90015", message="Invalid", unknown=True))

    assert (story.leg("eli").outcome, story.who("eli").outcome) == ("error", "error")
    assert story.told == ["Eli could not be brought into the conversation: a technical error."]


def test_an_unknown_call_to_join_is_told() -> None:
    story = on_the_phone()
    story.invites(NewParticipant(id="eli", name="Eli", call_control_id="v3:eli-1"))
    story.finds_gone("join:eli:1")

    assert story.who("eli").status == "failed"
    assert story.who("eli").outcome == "unreachable"
    assert story.told == ["Eli could not be reached: the number is not available."]


def test_the_result_of_a_command_that_nobody_owes_moves_nothing() -> None:
    story = on_the_phone()
    before = story.it

    story.now += timedelta(seconds=1)
    assert story.does("join:nobody:7") == []
    assert story.it == before


def test_an_assistant_that_telnyx_has_ended_is_not_stopped() -> None:
    story = Story()
    story.attaches()
    story.does("start:host:1")

    assert story.assistant_ends() == []
    assert story.status == "ended"


def test_a_stop_that_did_not_work_goes_through_another_call() -> None:
    done = with_guest(host={"on_hangup": OnHangup.CONTINUE})
    assert done.stops() == ["stop:host:1"]
    refused, gone = done.branch(), done.branch()

    done.does("stop:host:1")
    assert done.hangs_up("host") == []
    refused.refuses("stop:host:1")
    assert refused.hangs_up("host") == ["stop:dana:1"]
    assert gone.finds_gone("stop:host:1") == ["stop:dana:1"]


def test_an_assistant_that_surely_never_ran_is_not_waited_for() -> None:
    story = Story()
    story.dials()
    story.does("dial:host:1")
    story.answers()
    story.is_silent("start:host:1", sure=True)

    story.stops()
    assert story.status == "ended"
