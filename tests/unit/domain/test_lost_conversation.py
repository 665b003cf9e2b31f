"""Telnyx does not know the assistant's conversation when a guest is joined."""

from partyline.domain.model.handover import HandoverOutcome
from partyline.domain.model.results import Refused
from tests.support.domain_story import Story, active_story

UNKNOWN = Refused(code="10007", message="No such conversation.", no_conversation=True)


def joining_story() -> Story:
    """The host is handed over to Dana, whose join Telnyx refuses."""
    story = active_story()
    story.hand_over()
    story.succeed("dial:dana:1")
    story.answer("dana")
    assert story.result("join:dana:1", UNKNOWN) == []
    return story


def test_a_join_is_sent_again_because_the_cause_of_the_end_is_on_the_way() -> None:
    story = joining_story()
    assert story.participant("dana").status == "joining"
    assert story.advance(1) == ["join:dana:1"]
    story.succeed("join:dana:1")
    assert story.participant("dana").status == "joined"


def test_the_hangup_of_the_host_is_the_cause_of_a_refused_join() -> None:
    story = joining_story()
    story.hang_up("host")
    assert [handover.outcome for handover in story.state.handovers] == [HandoverOutcome.CALLER_LEFT]


def test_a_join_that_telnyx_refuses_three_times_is_given_up() -> None:
    story = joining_story()
    for secs in (1, 2):
        assert story.advance(secs) == ["join:dana:1"]
        story.result("join:dana:1", UNKNOWN)
    assert (story.participant("dana").status, story.participant("dana").outcome) == (
        "failed",
        "error",
    )
