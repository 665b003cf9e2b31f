"""A handover reaches a person as an invitation does, and ends exactly once with a typed outcome."""

from typing import Any

import pytest

from partyline.domain.model.inputs import NewParticipant
from partyline.domain.model.plan import Screening
from partyline.domain.model.statuses import OnHangup, Outcome
from tests.support.domain_story import (
    FIRST,
    SECOND,
    Story,
    active_story,
    guest,
    joined_story,
    plan,
)

SCREENED = plan(FIRST, screening=Screening(say="Press 1."))
DETECTED = plan(FIRST, machine_detection="standard")


def story_of(to: Any = None, then: Any = "stay", **host: Any) -> Story:
    """Return a story in which the caller is to be handed over to Dana, whose phone rings."""
    story = active_story(**host)
    story.hand_over(guest(to=to), then)
    story.succeed("dial:dana:1")
    return story


def ended(story: Story) -> list[Any]:
    """Return the data of the events `handover.ended`."""
    return [event.data for event in story.events if event.type == "handover.ended"]


def outcome(story: Story) -> str:
    """Return the outcome of the only handover, which has ended once."""
    [data], [handover] = ended(story), story.state.handovers
    assert data["outcome"] == handover.outcome
    assert handover.status == "ended"
    return str(data["outcome"])


def test_the_caller_is_handed_over_when_the_person_has_joined() -> None:
    story = story_of()
    story.answer("dana")
    assert ended(story) == []

    story.succeed("join:dana:1")

    assert outcome(story) == "handed_over"
    story.succeed("message:host:1:1")
    assert story.messages == ["“Dana” is on the line and takes over."]


def test_the_start_names_the_person_and_the_part_of_the_assistant() -> None:
    story = story_of(then="away")
    [data] = [event.data for event in story.events if event.type == "handover.started"]
    assert data == {
        "handover_id": "handover-1",
        "participant_id": "dana",
        "name": "Dana",
        "then": "away",
    }


@pytest.mark.parametrize(
    ("cause", "sip", "expected"),
    [
        ("user_busy", "486", "busy"),
        ("timeout", "487", "no_answer"),
        ("call_rejected", "603", "rejected"),
        ("not_found", "404", "unreachable"),
        ("originator_cancel", "", "cancelled"),
    ],
)
def test_a_call_that_ends_before_its_answer_gives_the_outcome_with_its_sip_evidence(
    cause: str, sip: str, expected: str
) -> None:
    story = story_of()
    story.hang_up("dana", cause=cause, sip=sip)
    assert outcome(story) == expected
    [data] = ended(story)
    assert data["hangup_cause"] == cause
    assert data.get("sip_hangup_cause", "") == sip
    assert data["leg"] == 1


def test_the_assistant_is_told_once_that_the_person_was_not_reached() -> None:
    story = story_of()
    story.hang_up("dana", cause="user_busy")
    story.succeed("message:host:1:1")
    assert story.messages == ["“Dana” could not be reached: the line is busy."]


def test_the_evidence_is_of_the_last_call_of_a_hunt() -> None:
    story = story_of(plan(FIRST, SECOND))
    story.hang_up("dana", cause="user_busy", sip="486")
    assert ended(story) == []
    story.succeed("dial:dana:2")
    story.hang_up("dana", 2, cause="call_rejected", sip="603")
    [data] = ended(story)
    assert (data["outcome"], data["leg"], data["sip_hangup_cause"]) == ("rejected", 2, "603")


def test_a_machine_ends_the_handover() -> None:
    story = story_of(DETECTED)
    story.answer("dana")
    story.machine_verdict("dana", machine=True)
    assert outcome(story) == "machine"


@pytest.mark.parametrize(("digits", "expected"), [("2", "declined"), ("", "no_answer")])
def test_a_person_who_does_not_accept_ends_the_handover(digits: str, expected: str) -> None:
    story = story_of(SCREENED)
    story.answer("dana")
    story.succeed("screen:dana:1")
    story.press(digits)
    if digits:
        story.hang_up("dana")
    assert outcome(story) == expected


def test_a_dial_over_the_limit_ends_the_handover_as_limited() -> None:
    story = active_story()
    story.hand_over()
    story.refuse("dial:dana:1", limit=True)
    assert outcome(story) == "limited"


def test_a_dial_that_telnyx_refuses_ends_the_handover_with_the_failure() -> None:
    story = active_story()
    story.hand_over()
    story.refuse("dial:dana:1")
    assert outcome(story) == "error"
    [handover] = story.state.handovers
    assert handover.failure is not None
    assert handover.failure.code == "10015"


def test_every_outcome_of_a_person_who_was_not_reached_is_an_outcome_of_a_handover() -> None:
    for reason in set(Outcome) - {Outcome.HUMAN}:
        story = story_of()
        state = story.state.model_copy(deep=True)
        person = state.participants[1]
        person.status, person.outcome = type(person.status).FAILED, reason
        story.conversation = state
        story.advance(1)
        assert outcome(story) == reason


@pytest.mark.parametrize("phase", ["rings", "screened", "joining"])
def test_a_removed_person_cancels_the_handover(phase: str) -> None:
    story = at_phase(phase)
    story.remove("dana")
    assert outcome(story) == "cancelled"
    assert story.participant("dana").status in ("failed", "joining")
    assert "hang_up:dana:1" in story.state.commands


def at_phase(phase: str, then: Any = "away", **host: Any) -> Story:
    """Return a story in which the handover has come to a phase."""
    story = story_of(SCREENED, then, **host)
    if phase == "rings":
        return story
    story.answer("dana")
    story.succeed("screen:dana:1")
    if phase == "screened":
        return story
    story.press("1")
    if phase == "joined":
        story.succeed("join:dana:1")
    return story


PHASES = ["rings", "screened", "joining", "joined"]


@pytest.mark.parametrize("phase", PHASES)
def test_a_caller_who_leaves_ends_the_handover_and_the_call_of_the_person(phase: str) -> None:
    story = at_phase(phase)
    story.hang_up()
    assert outcome(story) == "caller_left"
    assert "hang_up:dana:1" in story.state.commands


@pytest.mark.parametrize("phase", PHASES)
def test_a_stop_cancels_the_handover(phase: str) -> None:
    story = at_phase(phase)
    story.stop(hang_up=True)
    assert outcome(story) == "cancelled"
    assert "hang_up:dana:1" in story.state.commands


@pytest.mark.parametrize("phase", PHASES[:3])
def test_a_caller_who_leaves_other_people_behind_ends_the_call_of_the_person(phase: str) -> None:
    """The conversation goes on with Eli, and nobody is called for a caller who has gone."""
    story = joined_story("eli", host={"on_hangup": OnHangup.CONTINUE})
    story.hand_over(guest(to=SCREENED))
    story.succeed("dial:dana:1")
    if phase != "rings":
        story.answer("dana")
        story.succeed("screen:dana:1")
    if phase == "joining":
        story.press("1")
    story.hang_up()
    assert story.status == "active"
    assert outcome(story) == "caller_left"
    assert "hang_up:dana:1" in story.state.commands


def test_a_caller_who_leaves_other_people_behind_does_not_end_an_attached_call() -> None:
    story = joined_story("eli", host={"on_hangup": OnHangup.CONTINUE})
    story.hand_over(NewParticipant(id="dana", call_control_id="v3:dana-1"))
    story.hang_up()
    assert outcome(story) == "caller_left"
    assert "hang_up:dana:1" not in story.state.commands


def test_a_removed_caller_cancels_the_handover() -> None:
    story = story_of()
    story.remove("host")
    story.hang_up()
    assert outcome(story) == "cancelled"


def test_the_end_of_a_handover_leaves_an_attached_call_with_its_owner() -> None:
    story = Story()
    story.start()
    story.hand_over(NewParticipant(id="dana", call_control_id="v3:dana-1"))
    story.stop()
    assert outcome(story) == "cancelled"
    assert "hang_up:dana:1" not in story.state.commands


@pytest.mark.parametrize("then", ["silent", "away"])
def test_the_assistant_is_to_step_back_after_the_join_and_not_before(then: Any) -> None:
    story = at_phase("joining", then)
    assert story.state.wanted_mode == "speaking"
    story.succeed("join:dana:1")
    assert story.state.wanted_mode == then
    assert ended(story) == []
    assert story.state.handovers[0].status == "stepping_back"


def silencing(story: Story) -> str:
    """Return the key of the message that makes the assistant silent."""
    [key] = [key for key in story.state.commands if key.startswith("message:")]
    return key


def test_the_caller_is_handed_over_when_the_assistant_has_been_told_to_be_silent() -> None:
    story = at_phase("joined", "silent")
    story.succeed(silencing(story))
    assert outcome(story) == "handed_over"
    story.hang_up("dana")
    assert len(ended(story)) == 1, "a later end of the call is no end of the handover"


def leaving_story(*commands: str) -> Story:
    """Return a story in which the assistant leaves after the join, and these commands worked."""
    story = at_phase("joined")
    story.succeed("message:host:1:1", *commands)
    return story


def test_the_caller_is_handed_over_when_the_assistant_is_away() -> None:
    story = leaving_story("stop:host:1:1")
    assert ended(story) == []
    story.succeed("bridge:host:1:1")
    assert outcome(story) == "handed_over"
    assert story.state.mode == "away"


def test_a_refused_stop_ends_the_handover_and_leaves_the_assistant_there() -> None:
    story = leaving_story()
    story.refuse("stop:host:1:1")
    assert outcome(story) == "error"
    assert ended(story)[0]["failure"]["code"] == "10015"
    assert (story.state.mode, story.state.wanted_mode) == ("speaking", "speaking")


def test_a_refused_bridge_ends_the_handover_and_brings_the_assistant_back() -> None:
    story = leaving_story("stop:host:1:1")
    [start] = [key for key in story.refuse("bridge:host:1:1") if key.startswith("start:host:1")]
    assert ended(story) == [], "the assistant is on the way back"
    story.succeed(start)
    assert outcome(story) == "error"
    assert ended(story)[0]["failure"]["code"] == "10015"
    assert story.participant("dana").status == "joined"


def test_a_conversation_without_a_connection_and_without_an_assistant_ends_as_an_error() -> None:
    story = leaving_story("stop:host:1:1")
    starts = [key for key in story.refuse("bridge:host:1:1") if key.startswith("start:")]
    for _ in range(2):  # on the host's call, then on Dana's
        [start] = starts
        starts = [key for key in story.refuse(start) if key.startswith("start:")]
    assert story.status == "ended"
    assert story.leg().is_up, "the caller did not leave"
    assert outcome(story) == "error"
    assert len(ended(story)) == 1


@pytest.mark.parametrize(("name", "expected"), [("host", "caller_left"), ("dana", "declined")])
def test_a_hangup_that_comes_after_the_refused_bridge_is_the_outcome(
    name: str, expected: str
) -> None:
    story = leaving_story("stop:host:1:1")
    story.refuse("bridge:host:1:1", "90018")
    story.hang_up(name)
    assert outcome(story) == expected


@pytest.mark.parametrize("commands", [(), ("stop:host:1:1",)])
def test_a_person_who_leaves_while_the_assistant_leaves_brings_the_assistant_back(
    commands: tuple[str, ...],
) -> None:
    story = leaving_story(*commands)
    story.hang_up("dana")
    assert outcome(story) == "declined"
    assert story.state.wanted_mode == "speaking"
    assert story.status == "active"


def test_a_mode_that_fails_ends_the_handover_with_the_failure_of_the_mode() -> None:
    story = at_phase("joined", "silent")
    story.refuse(silencing(story), "90018")
    assert outcome(story) == "error"
    [data] = ended(story)
    assert data["failure"]["code"] == "90018"
    assert story.participant("dana").status == "joined", "the people stay connected"
    assert story.state.wanted_mode == "speaking"


def test_a_mode_that_failed_before_the_join_is_no_failure_of_the_handover() -> None:
    story = at_phase("screened", "silent")
    story.set_mode("silent")
    story.refuse(silencing(story))
    story.press("1")
    story.succeed("join:dana:1")
    assert ended(story) == []
    story.succeed(silencing(story))
    assert outcome(story) == "handed_over"


def test_another_mode_that_is_asked_for_meanwhile_cancels_the_handover() -> None:
    story = at_phase("joined")
    story.set_mode("speaking")
    assert outcome(story) == "cancelled"
    assert story.participant("dana").status == "joined"
    assert story.state.wanted_mode == "speaking"


def test_a_person_who_leaves_before_the_mode_holds_brings_the_assistant_back() -> None:
    story = at_phase("joined")
    story.hang_up("dana")
    assert outcome(story) == "declined"
    assert story.state.wanted_mode == "speaking"


def test_the_assistant_does_not_step_back_for_a_machine_that_has_joined() -> None:
    story = story_of(plan(FIRST, machine_detection="standard", on_machine="join"), "away")
    story.answer("dana")
    story.machine_verdict("dana", machine=True)
    story.succeed("join:dana:1")
    assert outcome(story) == "machine"
    assert story.state.wanted_mode == "speaking"
    assert story.participant("dana").status == "joined"


def test_a_second_handover_is_refused_while_the_first_is_open() -> None:
    story = story_of()
    story.hand_over(guest("eli"), nth=2)
    assert story.refusal == "handover_open"
    assert story.state.participant("eli") is None

    story.hang_up("dana", cause="user_busy")
    assert story.hand_over(guest("eli"), nth=3) == ["dial:eli:1"]
    assert [handover.id for handover in story.state.handovers] == ["handover-1", "handover-3"]


def test_the_same_request_again_has_no_effect() -> None:
    story = story_of()
    events = len(story.events)
    assert story.hand_over() == []
    assert story.refusal is None
    assert len(story.events) == events


def test_a_handover_to_a_person_who_has_joined_dials_nobody() -> None:
    story = joined_story()
    story.hand_over(NewParticipant(id="dana"))
    assert outcome(story) == "handed_over"
    dials = [command.key for command in story.sent if command.action == "dial"]
    assert dials == ["dial:host:1", "dial:dana:1"]
    story.succeed("message:host:1:2")
    assert story.messages[1:] == ["“Dana” is on the line and takes over."]


def test_a_conversation_keeps_its_newest_handovers_and_tells_of_all() -> None:
    story = joined_story()
    for nth in range(45):
        story.hand_over(NewParticipant(id="dana"), nth=nth)
    assert len(ended(story)) == 45
    assert [handover.id for handover in story.state.handovers] == [
        f"handover-{nth}" for nth in range(5, 45)
    ]


def test_a_handover_to_a_person_whose_phone_rings_waits_for_the_join() -> None:
    story = active_story()
    story.invite()
    story.succeed("dial:dana:1")
    story.hand_over(NewParticipant(id="dana"), "silent")
    story.answer("dana")
    story.succeed("join:dana:1")
    assert story.state.wanted_mode == "silent"


def test_a_handover_to_the_number_of_a_person_who_is_there_is_refused() -> None:
    story = joined_story()
    story.hand_over(NewParticipant(id="dana-again", name="Dana", plan=plan(FIRST)))
    assert story.refusal == "already_there"
    assert story.state.handovers == []


@pytest.mark.parametrize("name", ["host", "eli", "unknown"])
def test_the_caller_a_departed_and_an_unknown_person_cannot_take_over(name: str) -> None:
    story = joined_story()
    story.invite(guest("eli"))
    story.refuse("dial:eli:1")
    story.hand_over(NewParticipant(id=name))
    assert story.refusal == "unknown_participant"
    assert story.state.handovers == []


def test_a_conversation_that_is_over_takes_no_handover() -> None:
    story = active_story()
    story.stop()
    story.hand_over()
    assert story.refusal == "conversation_over"
