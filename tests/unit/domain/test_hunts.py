"""Reaching a person: lists of numbers, rounds, deadlines, machines and screening."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from partyline.domain.decide import Decision, decide
from partyline.domain.model.conversation import Limits
from partyline.domain.model.errors import ErrorCode
from partyline.domain.model.inputs import CallRef, InviteParticipant, MachineVerdict, NewParticipant
from partyline.domain.rules.transition import Refusal
from tests.support.domain_story import (
    FIRST,
    HOST,
    SECOND,
    T0,
    THIRD,
    Story,
    guest,
    on_the_phone,
    plan,
    start,
)

SAY = "Ada is calling about the invoice. Press 1 to join."
SCREENING = {"say": SAY, "timeout_secs": 10}


def hunting(*numbers: str, dialled: int = 1, **settings: object) -> Story:
    """The host speaks with the assistant, and Dana is being called."""
    story = on_the_phone()
    story.invites(guest(to=plan(*numbers, **settings)))
    story.does(*(f"dial:dana:{number}" for number in range(1, dialled + 1)))
    return story


def test_numbers_are_tried_in_order_and_the_assistant_hears_of_each() -> None:
    story = hunting(FIRST, SECOND, THIRD)

    assert story.hangs_up("dana", cause="user_busy") == ["dial:dana:2", "message:host:1:1"]
    story.does("dial:dana:2", "message:host:1:1")
    assert story.hangs_up("dana", 2, cause="timeout") == ["dial:dana:3", "message:host:1:2"]
    story.does("dial:dana:3", "message:host:1:2")
    assert story.hangs_up("dana", 3, cause="call_rejected") == ["message:host:1:3"]
    assert [leg.outcome for leg in story.who("dana").legs] == ["busy", "no_answer", "rejected"]
    assert story.told == [
        "Dana could not be reached: the line is busy. The next number is being tried.",
        "Dana did not answer the call. The next number is being tried.",
        "Dana could not be reached: the call was rejected. There is no other number to try.",
    ]


def test_the_second_number_answers() -> None:
    story = hunting(FIRST, SECOND)
    story.hangs_up("dana", cause="user_busy")
    story.does("dial:dana:2")

    assert story.answers("dana", 2) == ["join:dana:2"]
    assert story.who("dana").accepted_leg == 2


def test_a_round_begins_again_after_a_pause() -> None:
    story = hunting(FIRST, max_attempts=2, pause_secs=40)

    assert story.hangs_up("dana", cause="user_busy") == ["message:host:1:1"]
    story.does("message:host:1:1")
    assert story.told[-1].endswith("Another try follows in a while.")
    assert story.later(39) == []
    assert story.later(1) == ["dial:dana:2"]
    assert story.leg("dana", 2).to == FIRST
    story.does("dial:dana:2")
    story.hangs_up("dana", 2, cause="user_busy")
    assert story.who("dana").status == "failed"


def test_the_deadline_shortens_the_last_ring() -> None:
    story = hunting(FIRST, SECOND, ring_timeout_secs=30, deadline_secs=40)
    story.now = story.now.replace(second=28)
    story.hangs_up("dana", cause="timeout")

    assert story.leg("dana", 2).ring_timeout_secs == 12


def test_at_the_deadline_it_is_over_whoever_rings() -> None:
    story = hunting(FIRST, SECOND, ring_timeout_secs=30, deadline_secs=40)
    story.rings("dana")

    assert story.later(40) == ["message:host:1:1", "hang_up:dana:1"]
    assert (story.who("dana").status, story.who("dana").outcome) == ("failed", "no_answer")
    assert story.leg("dana").outcome == "cancelled"


def test_the_deadline_also_ends_the_pause_between_rounds() -> None:
    story = hunting(FIRST, max_attempts=3, pause_secs=60, deadline_secs=35)
    story.hangs_up("dana", cause="user_busy")

    assert story.later(35) == ["message:host:1:1"]
    assert story.who("dana").status == "failed"


def test_a_machine_is_hung_up_and_the_next_number_tried() -> None:
    story = hunting(FIRST, SECOND, machine_detection="premium")
    assert story.answers("dana") == []

    left = story.is_judged("dana", machine=True)
    assert left == ["dial:dana:2", "message:host:1:1", "hang_up:dana:1"]
    assert story.leg("dana").outcome == "machine"


def test_a_webhook_without_ids_is_known_by_our_client_state() -> None:
    story = hunting(FIRST, SECOND, machine_detection="premium")
    story.answers("dana")

    call = CallRef(participant="dana", leg=1)
    story.plays(MachineVerdict(id="", call=call, machine=True))
    assert story.leg("dana").outcome == "machine"


def test_our_client_state_on_another_call_is_not_believed() -> None:
    story = hunting(FIRST, SECOND, machine_detection="premium")
    story.answers("dana")

    call = CallRef(call_control_id="v3:another", participant="dana", leg=1)
    story.plays(MachineVerdict(id="", call=call, machine=True))
    assert story.leg("dana").outcome is None


def test_a_machine_may_be_joined() -> None:
    story = hunting(FIRST, machine_detection="premium", on_machine="join")
    story.answers("dana")

    assert story.is_judged("dana", machine=True) == ["join:dana:1"]
    assert story.leg("dana").outcome == "machine"
    story.does("join:dana:1")
    assert story.who("dana").status == "joined"


def test_a_person_is_joined_on_the_verdict() -> None:
    story = hunting(FIRST, machine_detection="premium")
    story.answers("dana")

    assert story.is_judged("dana", machine=False) == ["join:dana:1"]


def test_a_verdict_that_never_comes_takes_a_person() -> None:
    story = hunting(FIRST, machine_detection="premium")
    story.answers("dana")

    assert story.later(34) == []
    assert story.later(2) == ["join:dana:1"]
    [judged] = [each for each in story.events if each.type == "leg.judged"]
    assert judged.data["reason"] == "no_verdict"


def test_the_first_verdict_counts() -> None:
    story = hunting(FIRST, machine_detection="premium")
    story.answers("dana")
    story.is_judged("dana", machine=False)

    assert story.is_judged("dana", machine=True) == []
    assert story.who("dana").status == "joining"


def test_a_verdict_before_the_answer_is_of_an_answered_call() -> None:
    story = hunting(FIRST, machine_detection="standard")

    assert story.is_judged("dana", machine=False) == ["join:dana:1"]
    assert story.answers("dana") == []


def test_a_greeting_may_be_all_the_verdict_that_comes() -> None:
    story = hunting(FIRST, machine_detection="standard")

    assert story.is_judged("dana", machine=True) == ["message:host:1:1", "hang_up:dana:1"]
    assert story.told == ["Dana could not be reached: an answering machine picked up."]


def test_who_presses_the_digit_is_joined() -> None:
    story = hunting(FIRST, screening=SCREENING)

    assert story.answers("dana") == ["screen:dana:1"]
    assert story.who("dana").status == "screening"
    story.does("screen:dana:1")
    assert story.presses("1") == ["join:dana:1"]


@pytest.mark.parametrize(
    ("digits", "outcome", "words"),
    [
        ("2", "declined", "Dana was reached but declined to join the conversation."),
        ("", "no_answer", "Dana did not answer the call."),
    ],
)
def test_who_presses_anything_else_is_hung_up(digits: str, outcome: str, words: str) -> None:
    story = hunting(FIRST, screening=SCREENING)
    story.answers("dana")
    story.does("screen:dana:1")

    assert story.presses(digits) == ["message:host:1:1", "hang_up:dana:1"]
    assert story.who("dana").outcome == outcome
    assert story.told == [words]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("valid", "declined"),
        ("invalid", "declined"),
        ("timeout", "no_answer"),
        ("cancelled", "no_answer"),
        (None, "no_answer"),
        ("call_hangup", None),
    ],
)
def test_no_digits_are_told_apart_by_how_it_ended(status: str | None, outcome: str | None) -> None:
    story = hunting(FIRST, screening=SCREENING)
    story.answers("dana")
    story.does("screen:dana:1")

    story.presses("", status=status)
    assert story.leg("dana").outcome == outcome


def test_a_screening_that_nothing_is_heard_of_is_over_some_time() -> None:
    story = hunting(FIRST, screening=SCREENING)
    story.answers("dana")
    story.does("screen:dana:1")

    # Its own 10 s, 30 s of air, and a second for each 8 characters of its sentence.
    assert story.later(40 + len(SAY) // 8) == []
    assert story.later(1) == ["message:host:1:1", "hang_up:dana:1"]
    assert story.leg("dana").outcome == "no_answer"
    assert story.presses("1") == []


def test_who_hangs_up_on_the_screening_has_declined() -> None:
    story = hunting(FIRST, screening=SCREENING)
    story.answers("dana")
    story.does("screen:dana:1")

    story.hangs_up("dana")
    assert story.who("dana").outcome == "declined"


def test_a_person_found_by_the_verdict_is_screened() -> None:
    story = hunting(FIRST, machine_detection="standard", screening=SCREENING)
    story.answers("dana")

    assert story.is_judged("dana", machine=False) == ["screen:dana:1"]


def test_the_conversation_ends_while_somebody_is_screened() -> None:
    story = hunting(FIRST, screening=SCREENING)
    story.answers("dana")
    story.does("screen:dana:1")

    assert story.hangs_up() == ["hang_up:dana:1"]
    assert story.presses("1") == []
    assert story.who("dana").outcome == "cancelled"


def test_a_host_may_be_hunted_too_and_the_assistant_is_not_told() -> None:
    story = Story()
    story.dials(to=plan(FIRST, max_attempts=2, pause_secs=5))
    story.does("dial:host:1")
    story.hangs_up(cause="user_busy")
    assert story.later(5) == ["dial:host:2"]
    story.does("dial:host:2")
    story.answers("host", 2)

    assert story.does("start:host:2") == []
    assert (story.status, story.told) == ("active", [])


def test_all_are_called_at_once() -> None:
    story = on_the_phone()
    at_once = guest(to=plan(FIRST, SECOND, THIRD, strategy="at_once"))

    assert story.invites(at_once) == ["dial:dana:1", "dial:dana:2", "dial:dana:3"]


def test_all_at_once_are_given_up_only_when_all_have_failed() -> None:
    story = hunting(FIRST, SECOND, dialled=2, strategy="at_once")

    assert story.hangs_up("dana", 1, cause="user_busy") == []
    assert story.hangs_up("dana", 2, cause="timeout") == ["message:host:1:1"]
    assert story.who("dana").status == "failed"


def test_all_at_once_have_their_rounds() -> None:
    story = hunting(FIRST, SECOND, dialled=2, strategy="at_once", max_attempts=2, pause_secs=10)
    story.hangs_up("dana", 1, cause="user_busy")
    assert story.hangs_up("dana", 2, cause="timeout") == ["message:host:1:1"]
    story.does("message:host:1:1")

    assert story.later(10) == ["dial:dana:3", "dial:dana:4"]


def test_a_machine_that_lost_keeps_its_outcome() -> None:
    story = hunting(FIRST, SECOND, dialled=2, strategy="at_once", machine_detection="standard")
    story.is_judged("dana", 1, machine=True)
    story.is_judged("dana", 2, machine=False)

    assert [leg.outcome for leg in story.who("dana").legs] == ["machine", "human"]


def _every_way(story: Story, turns: dict[int, list[str]]) -> Iterator[Story]:
    """The story told on in every order of these turns; each leg's come one after the other."""
    if not any(turns.values()):
        yield story
    for leg, (turn, *rest) in ((leg, left) for leg, left in turns.items() if left):
        branch = story.branch()
        _race(branch, turn, leg)
        yield from _every_way(branch, {**turns, leg: rest})


@pytest.mark.parametrize("digits", ["11", "12", "21", "22"])
def test_two_who_race_are_never_both_joined(digits: str) -> None:
    race = hunting(FIRST, SECOND, dialled=2, strategy="at_once", screening=SCREENING)
    turns = {leg: ["answers", f"presses {digits[leg - 1]}", "hangs up"] for leg in (1, 2)}
    for story in _every_way(race, turns):
        _nobody_stranded(story)
        assert len(_joins(story)) == (1 if "1" in digits else 0)


@pytest.mark.parametrize("verdict_first", [False, True])
def test_a_machine_and_two_people_race(verdict_first: bool) -> None:
    race = hunting(
        FIRST, SECOND, THIRD, dialled=3, strategy="at_once", machine_detection="standard"
    )
    turns = {leg: ["answers", "machine" if leg == 1 else "person"] for leg in (1, 2, 3)}
    for story in _every_way(
        race, {leg: t[::-1] if verdict_first else t for leg, t in turns.items()}
    ):
        _nobody_stranded(story)
        assert len(_joins(story)) == 1
        assert story.leg("dana", 1).outcome in ("machine", "cancelled")


@pytest.mark.parametrize("lost", ["answers", "presses 1"])
def test_whatever_is_lost_of_a_race_nobody_is_joined_twice(lost: str) -> None:
    race = hunting(FIRST, SECOND, dialled=2, strategy="at_once", screening=SCREENING)
    turns = {1: ["answers", "presses 1", "hangs up"], 2: ["answers", "presses 1", "hangs up"]}
    turns[1].remove(lost)
    for story in _every_way(race, turns):
        _nobody_stranded(story)


def _race(story: Story, turn: str, leg: int) -> None:
    if turn == "answers":
        story.answers("dana", leg)
    elif turn.startswith("presses"):
        story.presses(turn.split()[1], "dana", leg)
    elif turn == "hangs up":
        story.hangs_up("dana", leg)
    else:
        story.is_judged("dana", leg, machine=turn == "machine")


def _joins(story: Story) -> list[str]:
    return [each.key for each in story.sent if each.action == "join"]


def _nobody_stranded(story: Story) -> None:
    sent, joins, dana = [each.key for each in story.sent], _joins(story), story.who("dana")
    assert len(joins) <= 1
    for leg in dana.legs:
        hung_up = f"hang_up:dana:{leg.number}" in sent
        assert not leg.is_up or hung_up or leg.number == dana.accepted_leg
        assert leg.outcome == "human" if f"join:dana:{leg.number}" in joins else leg.is_finished


# Only so many calls at once


def one_call_at_once() -> Story:
    story = Story()
    story.rings_us(limits=Limits(legs_at_once=1))
    story.does("answer:host:1")
    story.answers()
    story.does("start:host:1")
    return story


def test_a_guest_waits_for_the_end_of_another_ones_ringing() -> None:
    story = one_call_at_once()
    assert story.invites(guest("dana")) == ["dial:dana:1"]
    story.does("dial:dana:1")
    assert story.invites(guest("eli")) == []

    assert "dial:eli:1" in story.hangs_up("dana", cause="user_busy")


def test_nobody_waits_for_a_guest_who_has_answered() -> None:
    story = one_call_at_once()
    story.invites(guest("dana"))
    story.does("dial:dana:1")
    story.answers("dana")

    assert story.invites(guest("eli")) == ["dial:eli:1"]


AT_ONCE = plan(FIRST, SECOND, strategy="at_once")


@pytest.mark.parametrize(
    ("people", "field"),
    [
        ((replace(HOST, plan=AT_ONCE),), "to"),
        ((HOST, guest("dana"), guest("eli", AT_ONCE)), "participants.1.to"),
    ],
)
def test_a_start_with_more_calls_at_once_than_the_limit_is_refused(
    people: tuple[NewParticipant, ...], field: str
) -> None:
    host, *guests = people
    request = replace(start(host, tuple(guests)), limits=Limits(legs_at_once=1))
    decision = decide(None, request, T0)

    assert decision.refusal == Refusal(
        code=ErrorCode.TOO_MANY_LEGS,
        message="A conversation makes 1 calls at once at most.",
        field=field,
    )
    assert decision == Decision(None, refusal=decision.refusal)


def test_an_invitation_with_more_calls_at_once_than_the_limit_is_refused_in_the_same_words() -> (
    None
):
    story = one_call_at_once()
    request = InviteParticipant(id="", participant=guest("dana", AT_ONCE))
    refusal = decide(story.it, request, story.now).refusal

    assert refusal == Refusal(
        code=ErrorCode.TOO_MANY_LEGS,
        message="A conversation makes 1 calls at once at most.",
        field="to",
    )


def test_a_list_as_long_as_the_limit_of_calls_at_once_is_dialled() -> None:
    story = Story()
    story.plays(replace(start(replace(HOST, plan=AT_ONCE)), limits=Limits(legs_at_once=2)))

    assert [each.key for each in story.sent] == ["dial:host:1", "dial:host:2"]


# A guest who answers first and hangs up while waiting for the assistant


def waiting_guest(*numbers: str, **settings: object) -> Story:
    """The host rings; Dana has answered on the first number and waits."""
    story = Story()
    story.dials(guest(to=plan(*numbers, **settings)))
    story.does("dial:host:1", "dial:dana:1")
    story.answers("dana")
    assert story.who("dana").status == "waiting"
    return story


def test_a_guest_who_hangs_up_while_waiting_is_called_on_the_next_number() -> None:
    story = waiting_guest(FIRST, SECOND)

    assert story.hangs_up("dana") == ["dial:dana:2"]
    assert (story.who("dana").status, story.who("dana").accepted_leg) == ("dialing", None)
    assert story.leg("dana").outcome == "human"
    story.does("dial:dana:2")
    story.answers("dana", 2)
    story.answers()
    assert story.does("start:host:1") == ["join:dana:2", "message:host:1:1"]
    assert story.told == ["Dana did not answer the call. The next number is being tried."]


def test_a_guest_who_hangs_up_while_waiting_on_the_last_number_did_not_decline() -> None:
    story = waiting_guest(FIRST)

    assert story.hangs_up("dana") == []
    assert (story.who("dana").status, story.who("dana").outcome) == ("failed", "no_answer")
    story.answers()
    story.does("start:host:1")
    assert story.told == ["Dana did not answer the call."]


def test_a_guest_who_hangs_up_while_waiting_is_called_again_in_the_next_round() -> None:
    story = waiting_guest(FIRST, max_attempts=2, pause_secs=20)

    assert story.hangs_up("dana") == []
    assert story.later(20) == ["dial:dana:2"]


def test_a_guest_called_at_once_who_hangs_up_while_waiting_did_not_decline() -> None:
    story = Story()
    story.dials(guest(to=AT_ONCE))
    story.does("dial:host:1", "dial:dana:1", "dial:dana:2")
    story.answers("dana", 1)
    story.hangs_up("dana", 1)

    assert (story.who("dana").status, story.who("dana").outcome) == ("failed", "no_answer")
    assert story.answers("dana", 2) == [], "the other call was cancelled at the first answer"


def test_a_removed_guest_who_waited_is_not_called_again() -> None:
    story = waiting_guest(FIRST, SECOND)
    story.removes("dana")

    assert story.hangs_up("dana") == []
    assert (story.who("dana").status, story.who("dana").outcome) == ("failed", "cancelled")


def test_a_guest_on_an_attached_call_who_hangs_up_while_waiting_fails() -> None:
    story = Story()
    story.dials(NewParticipant(id="dana", name="Dana", call_control_id="v3:dana-1"))
    assert story.who("dana").status == "waiting"
    story.hangs_up("dana")

    assert (story.who("dana").status, story.who("dana").outcome) == ("failed", "no_answer")


def test_guests_ring_while_the_host_does() -> None:
    story = Story()
    story.plays(replace(start(HOST, (guest("dana"),)), limits=Limits(legs_at_once=1)))

    assert [each.key for each in story.sent] == ["dial:host:1", "dial:dana:1"]


def test_a_last_number_rings_as_long_as_telnyx_lets_one_ring_at_least() -> None:
    story = on_the_phone()
    story.invites(guest(to=plan(FIRST, SECOND, deadline_secs=35)))
    story.does("dial:dana:1")
    story.now += timedelta(seconds=33)
    assert "dial:dana:2" in story.hangs_up("dana", cause="user_busy")

    assert story.leg("dana", 2).ring_timeout_secs == 5
