"""A call that Telnyx does not know is not over: another poll decides, and a hangup is sent."""

from datetime import timedelta

import pytest

from partyline.domain.model.results import CallEnded, CallUnknown, Retryable
from partyline.domain.model.statuses import OnHangup
from tests.support.domain_story import FIRST, Story, active_story, guest, joined_story, plan

UNKNOWN = CallUnknown(code="10005", message="Resource not found")
SCREENED = plan(FIRST, screening={"say": "Press 1."})


def screened_dana() -> Story:
    story = active_story()
    story.invite(guest(to=SCREENED))
    story.succeed("dial:dana:1")
    assert story.answer("dana") == ["screen:dana:1"]
    return story


def test_a_404_to_a_message_on_a_live_call_ends_nothing() -> None:
    story = joined_story()
    assert story.send_message("hello") == ["message:host:1:2"]

    assert story.result("message:host:1:2", UNKNOWN) == ["look:host:1"]
    story.call_state("look:host:1", alive=True, answered=True)
    assert (story.status, story.participant("dana").status) == ("active", "joined")
    assert story.advance(2) == ["message:host:1:2"]
    assert story.succeed("message:host:1:2") == []
    assert story.messages[-1] == "hello"


def test_a_message_that_telnyx_never_takes_is_given_up_and_the_call_stays() -> None:
    story = joined_story()
    story.send_message("hello")
    for _ in range(3):
        story.result("message:host:1:2", UNKNOWN)
        story.call_state("look:host:1", alive=True, answered=True)
        story.advance(5)

    assert "message.failed" in story.event_types
    assert story.status == "active"


def test_a_404_to_a_screening_is_asked_again_and_then_the_guest_is_hung_up() -> None:
    story = screened_dana()
    assert story.result("screen:dana:1", UNKNOWN) == ["look:dana:1"]
    story.call_state("look:dana:1", alive=True, answered=True)
    assert story.leg("dana").outcome is None

    for _ in range(2):
        story.advance(3)
        left = story.result("screen:dana:1", UNKNOWN)
    assert "hang_up:dana:1" in left
    assert (story.leg("dana").outcome, story.leg("dana").is_up) == ("error", True)


def test_an_attached_call_on_which_telnyx_has_taken_a_start_is_not_over_by_a_404() -> None:
    story = Story()
    story.attach()
    assert story.stop(hang_up=True) == ["hang_up:host:1"]
    assert story.succeed("start:host:1") == ["stop:host:1"]
    story.result("stop:host:1", UNKNOWN)

    assert story.leg().is_up
    assert not story.succeed("hang_up:host:1")
    story.hang_up("host")
    assert (story.leg().status, story.status) == ("ended", "ended")


def test_an_attached_call_that_a_404_to_a_hangup_leaves_up_is_hung_up_again() -> None:
    """The start was not sent, so nothing tells yet whether the call's id is right."""
    story = Story()
    story.attach()
    story.result("start:host:1", Retryable(had_no_effect=True))
    assert "hang_up:host:1" in story.stop(hang_up=True)
    assert story.result("hang_up:host:1", UNKNOWN) == ["look:host:1"]

    assert "hang_up:host:1" in story.call_state("look:host:1", alive=True, answered=True)


def test_an_attached_call_that_telnyx_does_not_know_at_the_hangup_is_given_up() -> None:
    story = Story()
    story.attach()
    story.result("start:host:1", Retryable(had_no_effect=True))
    story.stop(hang_up=True)
    story.result("hang_up:host:1", UNKNOWN)
    story.result("look:host:1", UNKNOWN)
    for _ in range(4):
        for key in story.advance(25):
            story.result(key, UNKNOWN)

    assert (story.leg().status, story.status) == ("ended", "ended")
    assert story.state.due_at is None


def test_an_attached_call_whose_start_had_no_answer_is_not_over_by_a_404() -> None:
    story = Story()
    story.attach()
    story.no_response("start:host:1")
    story.stop(hang_up=True)
    story.result("hang_up:host:1", UNKNOWN)

    assert story.leg().is_up
    story.call_state("look:host:1", alive=True, answered=True)
    assert story.sent[-1].key == "hang_up:host:1"


def test_a_poll_after_a_404_may_say_that_the_call_is_over() -> None:
    story = screened_dana()
    story.result("screen:dana:1", UNKNOWN)
    story.call_state("look:dana:1", alive=False, answered=True)

    assert (story.participant("dana").status, story.leg("dana").status) == ("failed", "ended")


def test_a_poll_that_knows_nothing_is_repeated_and_the_conversation_goes_on() -> None:
    story = joined_story()
    story.poll("host", "dana")
    for _ in range(20):
        for name in ("host", "dana"):
            story.result(f"look:{name}:1", UNKNOWN)
        story.advance(30)
    assert (story.status, story.participant("dana").status) == ("active", "joined")


def test_a_call_that_stays_unknown_longer_than_telnyx_shows_ended_calls_is_hung_up() -> None:
    story = joined_story(host={"on_hangup": OnHangup.CONTINUE})
    story.poll("host", "dana")
    for _ in range(25):
        story.call_state("look:host:1", alive=True, answered=True)
        left = story.result("look:dana:1", UNKNOWN)
        if not story.leg("dana").is_up:
            break
        story.advance(30)

    assert "hang_up:dana:1" in left
    assert story.participant("dana").status == "left"
    assert story.now - story.leg("dana").created_at < timedelta(minutes=16)


def test_a_webhook_proves_that_an_unknown_call_is_up() -> None:
    story = joined_story()
    story.poll("host", "dana")
    story.result("look:dana:1", UNKNOWN)
    assert story.leg("dana").unknown_since is not None

    story.machine_verdict("dana", machine=False)
    assert story.leg("dana").unknown_since is None


def test_a_hangup_of_an_unknown_call_is_sent_again_when_the_call_is_up() -> None:
    story = joined_story()
    story.remove("dana")
    assert story.result("hang_up:dana:1", UNKNOWN) == ["look:dana:1"]

    assert story.call_state("look:dana:1", alive=True, answered=True) == ["hang_up:dana:1"]


def test_an_unneeded_call_that_telnyx_never_knows_is_over_after_three_polls() -> None:
    story = joined_story()
    story.remove("dana")
    story.result("hang_up:dana:1", UNKNOWN)
    for _ in range(3):
        story.result("look:dana:1", UNKNOWN)
        story.advance(20)

    assert not story.leg("dana").is_up
    story.result("hang_up:dana:1", UNKNOWN)
    assert not story.state.commands["hang_up:dana:1"].is_pending


@pytest.mark.parametrize("action", ["start", "answer"])
def test_a_caller_whom_telnyx_does_not_know_is_not_given_up_at_once(action: str) -> None:
    story = Story()
    story.inbound_call()
    if action == "start":
        story.answer()

    story.result(f"{action}:host:1", UNKNOWN)
    assert story.status == "connecting"
    assert story.advance(2) == [f"{action}:host:1"]


def test_a_start_that_telnyx_never_takes_hangs_up_the_host() -> None:
    story = Story()
    story.inbound_call()
    story.answer()
    for _ in range(3):
        left = story.result("start:host:1", UNKNOWN)
        story.advance(3)

    assert "hang_up:host:1" in left
    assert (story.status, story.leg().is_up) == ("failed", True)


def test_a_join_that_telnyx_never_takes_hangs_up_the_guest() -> None:
    story = active_story()
    story.invite()
    story.succeed("dial:dana:1")
    story.answer("dana")
    for _ in range(3):
        left = story.result("join:dana:1", UNKNOWN)
        story.advance(3)

    assert "hang_up:dana:1" in left
    assert (story.participant("dana").outcome, story.leg("dana").is_up) == ("error", True)


def test_code_90018_ends_a_call_at_once() -> None:
    story = joined_story(host={"on_hangup": OnHangup.CONTINUE})
    story.send_message("hello")
    story.result("message:host:1:2", CallEnded(code="90018"))

    assert story.participant().status == "left"


def test_a_hangup_that_is_owed_again_has_a_new_command_id() -> None:
    story = joined_story()
    story.remove("dana")
    for _ in range(2):
        story.result("hang_up:dana:1", UNKNOWN)
        story.call_state("look:dana:1", alive=True, answered=True)
        story.advance(120)

    ids = {command.id for command in story.sent if command.key == "hang_up:dana:1"}
    assert len(ids) == 3  # Telnyx drops a repeated id for 60 s


def test_a_command_that_is_sent_again_after_a_404_has_a_new_command_id() -> None:
    story = screened_dana()
    story.result("screen:dana:1", UNKNOWN)
    story.advance(2)

    first, second = [command.id for command in story.sent if command.key == "screen:dana:1"]
    assert first != second


def test_a_command_whose_effect_is_in_doubt_keeps_its_id_after_a_404() -> None:
    story = screened_dana()
    story.no_response("screen:dana:1")
    story.advance(2)
    story.result("screen:dana:1", UNKNOWN)
    story.advance(3)

    assert len({command.id for command in story.sent if command.key == "screen:dana:1"}) == 1
