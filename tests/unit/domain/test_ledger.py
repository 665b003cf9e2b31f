"""Pending commands: leases, commands that are too late, and the time of the next sweep."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from partyline.domain.model.conversation import Limits
from partyline.domain.model.statuses import OnHangup
from tests.support.domain_story import FIRST, SECOND, Story, active_story, guest, joined_story, plan

SCREENED = plan(screening={"say": "Press 1."})
CONTINUES = {"on_hangup": OnHangup.CONTINUE}
HOST_LEFT = "The first person on the line has left the conversation."


def test_a_leased_second_sending_is_not_given_up_by_the_sweep() -> None:
    story = active_story()
    story.invite()
    story.succeed("dial:dana:1")
    story.answer("dana")
    story.no_response("join:dana:1")
    assert story.advance(44) == ["join:dana:1"]

    assert story.advance(2) == [], "46 seconds after the first time, and the second is under way"
    story.succeed("join:dana:1")
    assert story.participant("dana").status == "joined"


def test_the_answer_to_a_leased_dial_is_no_repair_after_a_removal() -> None:
    story = active_story()
    story.invite()
    story.remove("dana")
    assert not story.state.commands["dial:dana:1"].reconcile

    story.succeed("dial:dana:1")
    assert "command.repaired" not in story.event_types


def test_a_message_on_its_way_through_a_call_that_ends_is_said_through_another_if_refused() -> None:
    story = joined_story(host=CONTINUES)
    story.send_message("one")
    story.hang_up("host")

    assert story.call_ended("message:host:1:2") == ["message:dana:1:3"]
    assert story.messages[-2:] == ["one", HOST_LEFT]


def test_a_message_that_may_have_been_said_is_not_said_through_another_call() -> None:
    story = joined_story(host=CONTINUES)
    story.send_message("one")
    story.no_response("message:host:1:2")
    story.now += timedelta(seconds=3)

    assert story.hang_up("host") == ["message:dana:1:3"]
    assert story.messages.count("one") == 1


def test_messages_that_were_surely_not_said_are_said_in_their_order() -> None:
    story = joined_story(host=CONTINUES)
    story.send_message("one")
    story.send_message("two")
    story.no_response("message:host:1:2", had_no_effect=True)

    assert story.hang_up("host") == ["message:dana:1:3"]
    assert story.messages[-3:] == ["one", "two", HOST_LEFT]


def test_an_ended_call_is_not_polled_again() -> None:
    story = joined_story()
    assert story.poll("host", "dana") == ["look:host:1", "look:dana:1"]
    story.no_response("look:dana:1")
    story.hang_up("dana")

    assert "look:dana:1" not in story.advance(60)


def test_a_call_that_was_given_up_is_not_taken_after_all_while_another_number_rings() -> None:
    story = active_story()
    story.invite(guest(to=plan(FIRST, SECOND)))
    story.succeed("dial:dana:1")
    story.call_initiated("dana")
    story.advance(51)
    left = story.call_state("look:dana:1", alive=True, answered=False)
    assert left == ["dial:dana:2", "message:host:1:1", "hang_up:dana:1"]

    assert story.answer("dana") == []
    assert (story.participant("dana").status, story.participant("dana").accepted_leg) == (
        "dialing",
        None,
    )


def test_a_guest_removed_during_the_screening_is_cancelled() -> None:
    story = active_story()
    story.invite(guest(to=SCREENED))
    story.succeed("dial:dana:1")
    story.answer("dana")
    story.remove("dana")
    story.no_response("hang_up:dana:1")

    story.advance(60)
    assert story.leg("dana").outcome == "cancelled"


# The due time


def limited() -> tuple[Story, float]:
    story = Story()
    story.inbound_call(limits=Limits(minutes=1))
    story.succeed("answer:host:1")
    story.answer()
    story.succeed("start:host:1")
    return story, 60


def stopping() -> tuple[Story, float]:
    story = active_story()
    story.stop()
    story.succeed("stop:host:1")
    return story, 60


def judging() -> tuple[Story, float]:
    story = Story()
    story.start(to=plan(machine_detection="standard"))
    story.succeed("dial:host:1")
    story.answer()
    return story, 10


def screening() -> tuple[Story, float]:
    story = active_story()
    story.invite(guest(to=SCREENED))
    story.succeed("dial:dana:1")
    story.answer("dana")
    story.succeed("screen:dana:1")
    return story, 15 + 0.8 + 10  # the time to speak "Press 1."


def racing_a_deadline() -> tuple[Story, float]:
    story = active_story()
    story.invite(guest(to=plan(deadline_secs=35)))
    story.succeed("dial:dana:1")
    story.advance(5)
    story.call_state("look:dana:1", alive=True, answered=False)
    story.advance(26)
    story.call_state("look:dana:1", alive=True, answered=False)
    return story, 35 - 31


def pausing_between_two_rounds() -> tuple[Story, float]:
    story = active_story()
    story.invite(guest(to=plan(max_attempts=2, pause_secs=20)))
    story.succeed("dial:dana:1", "message:host:1:1")
    story.hang_up("dana", cause="user_busy")
    story.succeed("message:host:1:1")
    return story, 20


def awaiting_insights() -> tuple[Story, float]:
    story = active_story()
    story.hang_up("host")
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
def test_the_due_time_is_the_next_timer(moment: Callable[[], tuple[Story, float]]) -> None:
    story, secs = moment()
    assert story.state.due_at == story.now + timedelta(seconds=secs)


def test_a_conversation_is_ended_in_the_moment_in_which_its_time_is_over() -> None:
    story, secs = limited()
    story.invite()
    story.succeed("dial:dana:1")
    story.now += timedelta(seconds=secs)

    story.answer("dana")
    assert (story.status, story.participant("dana").status) == ("stopping", "failed")
    assert story.event_types.count("participant.joining") == 1, "the host's"
