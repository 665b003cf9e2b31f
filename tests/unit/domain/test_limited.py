"""A limit of Telnyx's rate: every command waits as Telnyx says, as long as a caller can bear."""

import pytest

from partyline.domain.model.results import Retryable
from partyline.domain.model.statuses import OnHangup
from tests.support.domain_story import (
    FIRST,
    SECOND,
    THIRD,
    Story,
    active_story,
    guest,
    joined_story,
    plan,
)


def limited(secs: float) -> Retryable:
    return Retryable(had_no_effect=True, retry_after=secs)


def test_a_dial_waits_as_telnyx_says() -> None:
    story = active_story()
    assert story.invite() == ["dial:dana:1"]
    story.result("dial:dana:1", limited(30))
    assert story.advance(29) == []
    assert story.advance(1) == ["dial:dana:1"]
    story.succeed("dial:dana:1")
    assert story.participant("dana").status == "dialing"


def test_the_other_dials_of_a_conversation_wait_too() -> None:
    story = active_story()
    story.invite(guest("dana"))
    story.result("dial:dana:1", limited(30))
    assert story.invite(guest("eli", plan(SECOND, THIRD, strategy="at_once"))) == []
    assert set(story.advance(30)) == {"dial:dana:1", "dial:eli:1", "dial:eli:2"}


def test_other_commands_do_not_wait_for_the_limit_of_dials() -> None:
    story = joined_story()
    story.invite(guest("eli", plan(SECOND)))
    story.result("dial:eli:1", limited(50))
    assert story.remove("dana") == ["hang_up:dana:1"]


def test_a_dial_that_would_wait_too_long_is_limited_and_no_other_number_is_asked_for() -> None:
    story = active_story()
    story.invite(guest("dana", plan(FIRST, SECOND, THIRD)))
    sent = story.result("dial:dana:1", limited(3600))
    assert [key for key in sent if key.startswith("dial")] == []
    dana = story.participant("dana")
    assert (dana.status, dana.outcome) == ("failed", "limited")
    assert dana.legs[0].failure is not None
    assert dana.legs[0].failure.code == "rate_limited"
    assert any("limit of calls" in message for message in story.messages)


def test_waits_add_up_to_what_a_caller_can_bear() -> None:
    story = active_story()
    story.invite()
    for _ in range(2):
        story.result("dial:dana:1", limited(59))
        assert story.advance(59) == ["dial:dana:1"]
    story.result("dial:dana:1", limited(59))
    assert story.participant("dana").outcome == "limited"


def test_a_limit_without_a_wait_is_borne_no_longer() -> None:
    story = active_story()
    story.invite()
    for _ in range(2):
        story.result("dial:dana:1", limited(0))
        assert story.advance(60) == ["dial:dana:1"]
    story.result("dial:dana:1", limited(0))
    assert story.participant("dana").outcome == "limited"


def test_a_deadline_within_the_wait_is_limited_since_no_phone_rang() -> None:
    story = active_story()
    story.invite(guest("dana", plan(FIRST, deadline_secs=30)))
    story.result("dial:dana:1", limited(50))
    story.advance(31)
    assert (story.participant("dana").status, story.participant("dana").outcome) == (
        "failed",
        "limited",
    )


@pytest.mark.parametrize(
    ("key", "bearable"), [("answer:host:1", 30), ("start:host:1", 20), ("dial:host:1", 60)]
)
def test_a_conversation_fails_when_its_first_commands_would_wait_too_long(
    key: str, bearable: int
) -> None:
    for secs, status in ((bearable, "connecting"), (bearable + 1, "failed")):
        story = Story()
        if key.startswith("answer"):
            story.inbound_call()
        else:
            story.start()
        if key.startswith("start"):
            story.succeed("dial:host:1")
            story.answer()
        story.result(key, limited(secs))
        assert story.status == status
    assert story.state.failure is not None
    assert story.state.failure.code in ("rate_limited", "limited")


def test_a_join_that_would_wait_too_long_is_limited_and_hung_up() -> None:
    story = active_story()
    story.invite()
    story.succeed("dial:dana:1")
    assert story.answer("dana") == ["join:dana:1"]
    sent = story.result("join:dana:1", limited(60))
    assert story.participant("dana").outcome == "limited"
    assert "hang_up:dana:1" in sent


def test_a_hangup_waits_as_told_and_is_never_given_up() -> None:
    story = joined_story()
    story.remove("dana")
    for _ in range(20):
        story.result("hang_up:dana:1", limited(10**9))
        assert "hang_up:dana:1" not in story.advance(299)
        assert "hang_up:dana:1" in story.advance(1)


def test_a_wait_without_a_limit_is_observed_too() -> None:
    story = joined_story(host={"on_hangup": OnHangup.END})
    story.remove("dana")
    story.result("hang_up:dana:1", Retryable(had_no_effect=False, retry_after=40))
    assert story.advance(39) == []
    assert story.advance(1) == ["hang_up:dana:1"]


def test_a_message_given_up_for_the_limit_is_no_sign_of_the_assistants_end() -> None:
    story = joined_story(host={"on_hangup": OnHangup.CONTINUE})
    assert story.hang_up("host") == ["message:dana:1:2"]
    story.result("message:dana:1:2", limited(3600))
    assert "message.failed" in story.event_types
    assert story.state.telnyx_ended_at is None
