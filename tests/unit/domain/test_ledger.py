"""What is owed: who does it, when it is too late for it, and when the sweep has to come by."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from partyline.domain.model.conversation import Limits
from partyline.domain.model.statuses import OnHangup
from tests.support.domain_story import FIRST, SECOND, Story, guest, on_the_phone, plan, with_guest

SCREENED = plan(screening={"say": "Press 1."})
GOES_ON = {"on_hangup": OnHangup.CONTINUE}
HOST_LEFT = "The first person on the line has left the conversation."


def test_what_is_on_its_way_again_is_not_given_up_by_somebody_who_comes_by() -> None:
    story = on_the_phone()
    story.invites()
    story.does("dial:dana:1")
    story.answers("dana")
    story.is_silent("join:dana:1")
    assert story.later(44) == ["join:dana:1"]

    assert story.later(2) == [], "46 seconds after the first time, and the second is under way"
    story.does("join:dana:1")
    assert story.who("dana").status == "joined"


def test_the_answer_to_what_is_on_its_way_is_no_repair_though_nobody_needs_it_now() -> None:
    story = on_the_phone()
    story.invites()
    story.removes("dana")
    assert not story.it.commands["dial:dana:1"].reconcile

    story.does("dial:dana:1")
    assert "command.repaired" not in story.happened


def test_a_message_on_its_way_through_a_call_that_ends_is_said_through_another_if_refused() -> None:
    story = with_guest(host=GOES_ON)
    story.says("one")
    story.hangs_up("host")

    assert story.finds_gone("message:host:1:2") == ["message:dana:1:3"]
    assert story.told[-2:] == ["one", HOST_LEFT]


def test_a_message_that_may_have_been_said_is_not_said_through_another_call() -> None:
    story = with_guest(host=GOES_ON)
    story.says("one")
    story.is_silent("message:host:1:2")
    story.now += timedelta(seconds=3)

    assert story.hangs_up("host") == ["message:dana:1:3"]
    assert story.told.count("one") == 1


def test_messages_that_were_surely_not_said_are_said_in_their_order() -> None:
    story = with_guest(host=GOES_ON)
    story.says("one")
    story.says("two")
    story.is_silent("message:host:1:2", sure=True)

    assert story.hangs_up("host") == ["message:dana:1:3"]
    assert story.told[-3:] == ["one", "two", HOST_LEFT]


def test_nothing_more_is_asked_of_a_call_that_has_ended() -> None:
    story = with_guest()
    assert story.later(121) == ["look:host:1", "look:dana:1"]
    story.is_silent("look:dana:1")
    story.hangs_up("dana")

    assert "look:dana:1" not in story.later(60)


def test_a_call_that_was_given_up_is_not_taken_after_all_while_another_number_rings() -> None:
    story = on_the_phone()
    story.invites(guest(to=plan(FIRST, SECOND)))
    story.does("dial:dana:1")
    story.rings("dana")
    story.later(51)
    left = story.looks("look:dana:1", alive=True, answered=False)
    assert left == ["dial:dana:2", "message:host:1:1", "hang_up:dana:1"]

    assert story.answers("dana") == []
    assert (story.who("dana").status, story.who("dana").accepted_leg) == ("dialing", None)


def test_whoever_was_sent_away_during_the_screening_did_not_fail_to_answer() -> None:
    story = on_the_phone()
    story.invites(guest(to=SCREENED))
    story.does("dial:dana:1")
    story.answers("dana")
    story.removes("dana")
    story.is_silent("hang_up:dana:1")

    story.later(60)
    assert story.leg("dana").outcome == "cancelled"


# When the sweep has to come by, if nobody else does


def limited() -> tuple[Story, int]:
    story = Story()
    story.rings_us(limits=Limits(minutes=1))
    story.does("answer:host:1")
    story.answers()
    story.does("start:host:1")
    return story, 60


def stopping() -> tuple[Story, int]:
    story = on_the_phone()
    story.stops()
    story.does("stop:host:1")
    return story, 60


def judging() -> tuple[Story, int]:
    story = Story()
    story.dials(to=plan(machine_detection="standard"))
    story.does("dial:host:1")
    story.answers()
    return story, 10


def screening() -> tuple[Story, int]:
    story = on_the_phone()
    story.invites(guest(to=SCREENED))
    story.does("dial:dana:1")
    story.answers("dana")
    story.does("screen:dana:1")
    return story, 15 + 1 + 30  # it takes a second to say "Press 1."


def racing_a_deadline() -> tuple[Story, int]:
    story = on_the_phone()
    story.invites(guest(to=plan(deadline_secs=35)))
    story.does("dial:dana:1")
    return story, 35


def pausing_between_two_rounds() -> tuple[Story, int]:
    story = on_the_phone()
    story.invites(guest(to=plan(max_attempts=2, pause_secs=20)))
    story.does("dial:dana:1", "message:host:1:1")
    story.hangs_up("dana", cause="user_busy")
    story.does("message:host:1:1")
    return story, 20


def awaiting_insights() -> tuple[Story, int]:
    story = on_the_phone()
    story.hangs_up("host")
    return story, 60


MOMENTS = [
    limited,
    stopping,
    judging,
    screening,
    racing_a_deadline,
    pausing_between_two_rounds,
    awaiting_insights,
]


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_sweep_comes_by_when_something_is_due(moment: Callable[[], tuple[Story, int]]) -> None:
    story, secs = moment()
    assert story.it.due_at == story.now + timedelta(seconds=secs)


def test_a_conversation_is_ended_in_the_moment_in_which_its_time_is_over() -> None:
    story, secs = limited()
    story.invites()
    story.does("dial:dana:1")
    story.now += timedelta(seconds=secs)

    story.answers("dana")
    assert (story.status, story.who("dana").status) == ("stopping", "failed")
    assert story.happened.count("participant.joining") == 1, "the host's"
