"""Reaching a person: lists of numbers, rounds, deadlines, machines and screening."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from partyline.domain.decide import Decision, decide
from partyline.domain.model.commands import Action
from partyline.domain.model.conversation import Limits
from partyline.domain.model.error_codes import ErrorCode
from partyline.domain.model.inputs import CallRef, InviteParticipant, MachineVerdict, NewParticipant
from partyline.domain.rules.transition import Refusal
from tests.support.domain_story import (
    FIRST,
    HOST,
    HOST_NUMBER,
    SECOND,
    T0,
    THIRD,
    Story,
    active_story,
    guest,
    joined_story,
    plan,
    start_request,
)

SAY = "Ada is calling about the invoice. Press 1 to join."
SCREENING = {"say": SAY, "timeout_secs": 10}


def calling_dana(*numbers: str, dialled: int = 1, **settings: object) -> Story:
    """The host speaks with the assistant, and “Dana” is being called."""
    story = active_story()
    story.invite(guest(to=plan(*numbers, **settings)))
    story.succeed(*(f"dial:dana:{number}" for number in range(1, dialled + 1)))
    return story


def test_numbers_are_tried_in_order_and_the_assistant_hears_of_each() -> None:
    story = calling_dana(FIRST, SECOND, THIRD)

    assert story.hang_up("dana", cause="user_busy") == ["dial:dana:2", "message:host:1:1"]
    story.succeed("dial:dana:2", "message:host:1:1")
    assert story.hang_up("dana", 2, cause="timeout") == ["dial:dana:3", "message:host:1:2"]
    story.succeed("dial:dana:3", "message:host:1:2")
    assert story.hang_up("dana", 3, cause="call_rejected") == ["message:host:1:3"]
    assert [leg.outcome for leg in story.participant("dana").legs] == [
        "busy",
        "no_answer",
        "rejected",
    ]
    assert story.messages == [
        "“Dana” could not be reached: the line is busy. The next number is being tried.",
        "“Dana” did not answer the call. The next number is being tried.",
        "“Dana” could not be reached: the call was rejected. There is no other number to try.",
    ]


def test_the_second_number_answers() -> None:
    story = calling_dana(FIRST, SECOND)
    story.hang_up("dana", cause="user_busy")
    story.succeed("dial:dana:2")

    assert story.answer("dana", 2) == ["join:dana:2"]
    assert story.participant("dana").accepted_leg == 2


def test_a_round_begins_again_after_a_pause() -> None:
    story = calling_dana(FIRST, max_attempts=2, pause_secs=40)

    assert story.hang_up("dana", cause="user_busy") == ["message:host:1:1"]
    story.succeed("message:host:1:1")
    assert story.messages[-1].endswith("Another try follows in a while.")
    assert story.advance(39) == []
    assert story.advance(1) == ["dial:dana:2"]
    assert story.leg("dana", 2).to == FIRST
    story.succeed("dial:dana:2")
    story.hang_up("dana", 2, cause="user_busy")
    assert story.participant("dana").status == "failed"


def test_the_deadline_shortens_the_last_ring() -> None:
    story = calling_dana(FIRST, SECOND, ring_timeout_secs=30, deadline_secs=40)
    story.now = story.now.replace(second=28)
    story.hang_up("dana", cause="timeout")

    assert story.leg("dana", 2).ring_timeout_secs == 12


def test_a_ringing_call_is_given_up_at_the_deadline() -> None:
    story = calling_dana(FIRST, SECOND, ring_timeout_secs=30, deadline_secs=40)
    story.call_initiated("dana")

    assert story.advance(40) == ["message:host:1:1", "hang_up:dana:1", "look:dana:1"]
    assert (story.participant("dana").status, story.participant("dana").outcome) == (
        "failed",
        "no_answer",
    )
    assert story.leg("dana").outcome == "cancelled"


def test_the_deadline_also_ends_the_pause_between_rounds() -> None:
    story = calling_dana(FIRST, max_attempts=3, pause_secs=60, deadline_secs=35)
    story.hang_up("dana", cause="user_busy")

    assert story.advance(35) == ["message:host:1:1"]
    assert story.participant("dana").status == "failed"


def test_a_machine_is_hung_up_and_the_next_number_tried() -> None:
    story = calling_dana(FIRST, SECOND, machine_detection="premium")
    assert story.answer("dana") == ["hold:dana:1"]

    left = story.machine_verdict("dana", machine=True)
    assert left == ["dial:dana:2", "message:host:1:1", "hang_up:dana:1"]
    assert story.leg("dana").outcome == "machine"


def test_a_webhook_without_ids_is_known_by_our_client_state() -> None:
    story = calling_dana(FIRST, SECOND, machine_detection="premium")
    story.answer("dana")

    call = CallRef(participant="dana", leg=1)
    story.receive(MachineVerdict(id="", call=call, machine=True))
    assert story.leg("dana").outcome == "machine"


def test_our_client_state_on_the_call_of_a_caller_is_not_believed() -> None:
    story = calling_dana(FIRST, SECOND, machine_detection="premium")
    story.answer("dana")

    call = CallRef(call_control_id="v3:another", participant="dana", leg=1, incoming=True)
    story.receive(MachineVerdict(id="", call=call, machine=True))
    assert story.leg("dana").outcome is None


def test_a_machine_may_be_joined() -> None:
    story = calling_dana(FIRST, machine_detection="premium", on_machine="join")
    story.answer("dana")

    assert story.machine_verdict("dana", machine=True) == ["join:dana:1"]
    assert story.leg("dana").outcome == "machine"
    story.succeed("join:dana:1")
    assert story.participant("dana").status == "joined"


def test_a_person_is_joined_on_the_verdict() -> None:
    story = calling_dana(FIRST, machine_detection="premium")
    story.answer("dana")

    assert story.machine_verdict("dana", machine=False) == ["join:dana:1"]


def test_a_verdict_that_never_comes_takes_a_person() -> None:
    story = calling_dana(FIRST, machine_detection="premium")
    story.answer("dana")
    story.succeed("hold:dana:1")

    assert story.advance(11) == []
    assert story.advance(2) == ["join:dana:1"]
    [judged] = [event for event in story.events if event.type == "leg.judged"]
    assert judged.data["reason"] == "no_verdict"


def test_the_end_of_the_words_to_a_waiting_person_ends_the_wait() -> None:
    wait = {"secs": 6, "say": "Un moment."}
    story = calling_dana(FIRST, machine_detection="standard", verdict_wait=wait)
    assert story.answer("dana") == ["hold:dana:1"]
    story.succeed("hold:dana:1")

    assert story.press("", status="timeout") == ["join:dana:1"]


@pytest.mark.parametrize("status", ["cancelled", "cancelled_amd"])
def test_words_that_are_cancelled_end_no_wait(status: str) -> None:
    story = calling_dana(FIRST, machine_detection="premium", screening=SCREENING)
    story.answer("dana")
    story.succeed("hold:dana:1")

    assert story.press("", status=status) == []
    assert story.machine_verdict("dana", machine=False) == ["screen:dana:1"]


@pytest.mark.parametrize("digits", ["1", ""])  # Telnyx does not report the terminating key
def test_a_person_who_presses_a_key_while_waiting_is_no_machine(digits: str) -> None:
    story = calling_dana(FIRST, machine_detection="premium", screening=SCREENING)
    story.answer("dana")
    story.succeed("hold:dana:1")

    assert story.press(digits, status="valid", prompt=Action.HOLD) == ["screen:dana:1"]
    assert story.leg("dana").machine is False
    assert story.press("1", status="valid", prompt=Action.SCREEN) == ["join:dana:1"]


@pytest.mark.parametrize("status", ["cancelled", "cancelled_amd", "timeout"])
def test_the_end_of_the_words_is_no_answer_to_the_screening(status: str) -> None:
    story = calling_dana(FIRST, machine_detection="premium", screening=SCREENING)
    story.answer("dana")
    story.succeed("hold:dana:1")
    story.machine_verdict("dana", machine=False)
    story.succeed("screen:dana:1")

    assert story.press("", status=status) == []
    assert story.leg("dana").outcome is None
    assert story.press("1") == ["join:dana:1"]


def test_a_plan_may_switch_the_words_off() -> None:
    story = calling_dana(FIRST, machine_detection="premium", verdict_wait={"secs": 5})
    assert story.answer("dana") == []
    assert story.advance(6) == ["join:dana:1"]


# Invitations of people who are present


def test_a_person_on_the_line_is_not_called_again() -> None:
    story = joined_story()
    assert story.invite(guest("lee", to=plan(FIRST))) == []

    assert story.refusal == "already_there"


def test_a_person_whose_phone_rings_is_not_called_again() -> None:
    story = calling_dana(FIRST)
    story.invite(guest("lee", to=plan(FIRST)))

    assert story.refusal == "already_there"


def test_the_host_is_not_called_again() -> None:
    story = active_story()
    story.invite(guest("lee", to=plan(HOST_NUMBER)))

    assert story.refusal == "already_there"


def test_a_person_who_has_left_may_be_called_again() -> None:
    story = joined_story()
    story.hang_up("dana")

    assert "dial:lee:1" in story.invite(guest("lee", to=plan(FIRST)))


@pytest.mark.parametrize("contact", [None, "team"])
def test_a_group_is_called_without_the_person_who_is_present(contact: str | None) -> None:
    story = joined_story()
    group = plan(FIRST, SECOND, THIRD, strategy="at_once")

    dials = story.invite(guest("team", to=group, contact=contact))
    assert [key for key in dials if "dial" in key] == ["dial:team:1", "dial:team:2"]
    assert [leg.to for leg in story.participant("team").legs] == [SECOND, THIRD]


def test_a_present_person_is_not_called_at_another_number() -> None:
    story = joined_story()
    again = NewParticipant(id="again", name="DANA", contact="dana", plan=plan(FIRST, SECOND))
    story.invite(again)

    assert story.refusal == "already_there"


def test_a_caller_whose_number_proves_nothing_keeps_only_that_number_from_being_called() -> None:
    story = Story()
    story.inbound_call()
    story.answer()
    story.succeed("answer:host:1", "start:host:1")

    assert story.invite(guest("lee", to=plan(HOST_NUMBER))) == []
    assert story.refusal == "already_there"
    assert story.invite(guest("lee", to=plan(HOST_NUMBER, SECOND))) == ["dial:lee:1"]
    assert story.leg("lee").to == SECOND


def test_the_proof_of_a_machine_counts_whatever_the_first_verdict_said() -> None:
    story = calling_dana(FIRST, machine_detection="premium")
    story.answer("dana")
    story.machine_verdict("dana", machine=False)

    assert "hang_up:dana:1" in story.machine_verdict("dana", machine=True)
    assert story.participant("dana").outcome == story.leg("dana").outcome == "machine"
    assert story.machine_verdict("dana", machine=False) == []
    assert story.leg("dana").machine


def test_a_late_proof_of_a_machine_is_told_to_the_assistant() -> None:
    story = calling_dana(FIRST, machine_detection="premium")
    story.machine_verdict("dana", machine=False)
    story.succeed("join:dana:1", "message:host:1:1")

    assert story.machine_verdict("dana", machine=True) == ["message:host:1:2"]
    assert story.messages[-1] == (
        "“Dana” is not there in person: an answering machine is on the line."
    )
    assert story.participant("dana").status == "joined"
    judged = [event.data for event in story.events if event.type == "leg.judged"]
    assert [data.get("reason") for data in judged] == [None, "late_proof"]


def test_a_plan_removes_a_machine_that_is_noticed_late() -> None:
    story = calling_dana(FIRST, machine_detection="premium", on_late_machine="remove")
    story.machine_verdict("dana", machine=False)
    story.succeed("join:dana:1", "message:host:1:1")

    assert "hang_up:dana:1" in story.machine_verdict("dana", machine=True)


def test_a_verdict_before_the_answer_is_of_an_answered_call() -> None:
    story = calling_dana(FIRST, machine_detection="standard")

    assert story.machine_verdict("dana", machine=False) == ["join:dana:1"]
    assert story.answer("dana") == []


def test_a_greeting_may_be_all_the_verdict_that_comes() -> None:
    story = calling_dana(FIRST, machine_detection="standard")

    assert story.machine_verdict("dana", machine=True) == ["message:host:1:1", "hang_up:dana:1"]
    assert story.messages == ["“Dana” could not be reached: an answering machine picked up."]


def test_the_accept_digit_joins_the_guest() -> None:
    story = calling_dana(FIRST, screening=SCREENING)

    assert story.answer("dana") == ["screen:dana:1"]
    assert story.participant("dana").status == "screening"
    story.succeed("screen:dana:1")
    assert story.press("1") == ["join:dana:1"]


@pytest.mark.parametrize(
    ("digits", "outcome", "words"),
    [
        ("2", "declined", "“Dana” was reached but declined to join the conversation."),
        ("", "declined", "“Dana” was reached but declined to join the conversation."),
    ],
)
def test_a_second_mistake_or_silence_after_a_mistake_hangs_up(
    digits: str, outcome: str, words: str
) -> None:
    story = calling_dana(FIRST, screening=SCREENING)
    story.answer("dana")
    story.succeed("screen:dana:1")
    assert story.press("2") == ["screen:dana:1:2"]
    story.succeed("screen:dana:1:2")

    assert story.press(digits) == ["message:host:1:1", "hang_up:dana:1"]
    assert story.participant("dana").outcome == outcome
    assert story.messages == [words]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("timeout", "no_answer"),
        ("cancelled", "no_answer"),
        (None, "no_answer"),
        ("call_hangup", None),
    ],
)
def test_a_gather_without_digits_is_judged_by_its_status(
    status: str | None, outcome: str | None
) -> None:
    story = calling_dana(FIRST, screening=SCREENING)
    story.answer("dana")
    story.succeed("screen:dana:1")

    story.press("", status=status)
    assert story.leg("dana").outcome == outcome


@pytest.mark.parametrize("status", ["valid", "invalid"])
def test_a_mistaken_key_is_asked_about_once_more(status: str) -> None:
    story = calling_dana(FIRST, screening=SCREENING)
    story.answer("dana")
    story.succeed("screen:dana:1")

    assert story.press("", status=status) == ["screen:dana:1:2"]
    story.succeed("screen:dana:1:2")
    assert story.press("1") == ["join:dana:1"]
    assert story.leg("dana").outcome == "human"


def test_silence_hangs_up_at_once() -> None:
    story = calling_dana(FIRST, screening=SCREENING)
    story.answer("dana")
    story.succeed("screen:dana:1")

    assert story.press("") == ["message:host:1:1", "hang_up:dana:1"]
    assert story.participant("dana").outcome == "no_answer"
    assert story.messages == ["“Dana” did not answer the call."]


def test_a_screening_without_a_webhook_times_out() -> None:
    story = calling_dana(FIRST, screening=SCREENING)
    story.answer("dana")
    story.succeed("screen:dana:1")

    # Its own 10 s, the grace of 30 s, and a second for each 8 characters of the sentence.
    assert story.advance(40 + len(SAY) // 8) == []
    assert story.advance(1) == ["message:host:1:1", "hang_up:dana:1"]
    assert story.leg("dana").outcome == "no_answer"
    assert story.press("1") == []


def test_a_hangup_during_the_screening_is_declined() -> None:
    story = calling_dana(FIRST, screening=SCREENING)
    story.answer("dana")
    story.succeed("screen:dana:1")

    story.hang_up("dana")
    assert story.participant("dana").outcome == "declined"


def test_a_person_found_by_the_verdict_is_screened() -> None:
    story = calling_dana(FIRST, machine_detection="standard", screening=SCREENING)
    story.answer("dana")

    assert story.machine_verdict("dana", machine=False) == ["screen:dana:1"]


def test_the_end_of_the_conversation_cancels_a_screening() -> None:
    story = calling_dana(FIRST, screening=SCREENING)
    story.answer("dana")
    story.succeed("screen:dana:1")

    assert story.hang_up() == ["hang_up:dana:1"]
    assert story.press("1") == []
    assert story.participant("dana").outcome == "cancelled"


def test_a_host_may_be_hunted_too_and_the_assistant_is_not_told() -> None:
    story = Story()
    story.start(to=plan(FIRST, max_attempts=2, pause_secs=5))
    story.succeed("dial:host:1")
    story.hang_up(cause="user_busy")
    assert story.advance(5) == ["dial:host:2"]
    story.succeed("dial:host:2")
    story.answer("host", 2)

    assert story.succeed("start:host:2") == []
    assert (story.status, story.messages) == ("active", [])


def test_all_are_called_at_once() -> None:
    story = active_story()
    at_once = guest(to=plan(FIRST, SECOND, THIRD, strategy="at_once"))

    assert story.invite(at_once) == ["dial:dana:1", "dial:dana:2", "dial:dana:3"]


def test_all_at_once_are_given_up_only_when_all_have_failed() -> None:
    story = calling_dana(FIRST, SECOND, dialled=2, strategy="at_once")

    assert story.hang_up("dana", 1, cause="user_busy") == []
    assert story.hang_up("dana", 2, cause="timeout") == ["message:host:1:1"]
    assert story.participant("dana").status == "failed"


def test_all_at_once_have_their_rounds() -> None:
    story = calling_dana(
        FIRST, SECOND, dialled=2, strategy="at_once", max_attempts=2, pause_secs=10
    )
    story.hang_up("dana", 1, cause="user_busy")
    assert story.hang_up("dana", 2, cause="timeout") == ["message:host:1:1"]
    story.succeed("message:host:1:1")

    assert story.advance(10) == ["dial:dana:3", "dial:dana:4"]


def test_a_machine_that_lost_keeps_its_outcome() -> None:
    story = calling_dana(FIRST, SECOND, dialled=2, strategy="at_once", machine_detection="standard")
    story.machine_verdict("dana", 1, machine=True)
    story.machine_verdict("dana", 2, machine=False)

    assert [leg.outcome for leg in story.participant("dana").legs] == ["machine", "human"]


def _every_order(story: Story, turns: dict[int, list[str]]) -> Iterator[Story]:
    """Continue a copy of the story in every order of the turns; the turns of a leg keep theirs."""
    if not any(turns.values()):
        yield story
    for leg, (turn, *rest) in ((leg, left) for leg, left in turns.items() if left):
        branch = story.copy()
        _take_turn(branch, turn, leg)
        yield from _every_order(branch, {**turns, leg: rest})


@pytest.mark.parametrize("digits", ["11", "12", "21", "22"])
def test_two_calls_of_a_guest_are_never_both_joined(digits: str) -> None:
    race = calling_dana(FIRST, SECOND, dialled=2, strategy="at_once", screening=SCREENING)
    turns = {leg: ["answers", f"presses {digits[leg - 1]}", "hangs up"] for leg in (1, 2)}
    for story in _every_order(race, turns):
        _check_no_leg_is_stranded(story)
        assert len(_joins(story)) == (1 if "1" in digits else 0)


@pytest.mark.parametrize("verdict_first", [False, True])
def test_a_machine_and_two_people_race(verdict_first: bool) -> None:
    race = calling_dana(
        FIRST, SECOND, THIRD, dialled=3, strategy="at_once", machine_detection="standard"
    )
    turns = {leg: ["answers", "machine" if leg == 1 else "person"] for leg in (1, 2, 3)}
    for story in _every_order(
        race, {leg: t[::-1] if verdict_first else t for leg, t in turns.items()}
    ):
        _check_no_leg_is_stranded(story)
        assert len(_joins(story)) == 1
        assert story.leg("dana", 1).outcome in ("machine", "cancelled")


@pytest.mark.parametrize("lost", ["answers", "presses 1"])
def test_a_lost_webhook_of_a_race_joins_no_guest_twice(lost: str) -> None:
    race = calling_dana(FIRST, SECOND, dialled=2, strategy="at_once", screening=SCREENING)
    turns = {1: ["answers", "presses 1", "hangs up"], 2: ["answers", "presses 1", "hangs up"]}
    turns[1].remove(lost)
    for story in _every_order(race, turns):
        _check_no_leg_is_stranded(story)


def _take_turn(story: Story, turn: str, leg: int) -> None:
    if turn == "answers":
        story.answer("dana", leg)
    elif turn.startswith("presses"):
        story.press(turn.split()[1], "dana", leg)
    elif turn == "hangs up":
        story.hang_up("dana", leg)
    else:
        story.machine_verdict("dana", leg, machine=turn == "machine")


def _joins(story: Story) -> list[str]:
    return [command.key for command in story.sent if command.action == "join"]


def _check_no_leg_is_stranded(story: Story) -> None:
    sent, joins, dana = (
        [command.key for command in story.sent],
        _joins(story),
        story.participant("dana"),
    )
    assert len(joins) <= 1
    for leg in dana.legs:
        hung_up = f"hang_up:dana:{leg.number}" in sent
        assert not leg.is_up or hung_up or leg.number == dana.accepted_leg
        assert leg.outcome == "human" if f"join:dana:{leg.number}" in joins else leg.is_finished


# Only so many calls at once


def limited_to_one_call() -> Story:
    story = Story()
    story.inbound_call(limits=Limits(legs_at_once=1))
    story.succeed("answer:host:1")
    story.answer()
    story.succeed("start:host:1")
    return story


def test_a_guest_is_dialled_when_another_guest_stops_ringing() -> None:
    story = limited_to_one_call()
    assert story.invite(guest("dana")) == ["dial:dana:1"]
    story.succeed("dial:dana:1")
    assert story.invite(guest("eli")) == []

    assert "dial:eli:1" in story.hang_up("dana", cause="user_busy")


def test_an_answered_guest_frees_a_call_for_the_next_guest() -> None:
    story = limited_to_one_call()
    story.invite(guest("dana"))
    story.succeed("dial:dana:1")
    story.answer("dana")

    assert story.invite(guest("eli")) == ["dial:eli:1"]


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
    request = replace(start_request(host, tuple(guests)), limits=Limits(legs_at_once=1))
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
    story = limited_to_one_call()
    request = InviteParticipant(id="", participant=guest("dana", AT_ONCE))
    refusal = decide(story.state, request, story.now).refusal

    assert refusal == Refusal(
        code=ErrorCode.TOO_MANY_LEGS,
        message="A conversation makes 1 calls at once at most.",
        field="to",
    )


def test_a_list_as_long_as_the_limit_of_calls_at_once_is_dialled() -> None:
    story = Story()
    story.receive(
        replace(start_request(replace(HOST, plan=AT_ONCE)), limits=Limits(legs_at_once=2))
    )

    assert [command.key for command in story.sent] == ["dial:host:1", "dial:host:2"]


# A guest who answers first and hangs up while waiting for the assistant


def waiting_guest(*numbers: str, **settings: object) -> Story:
    """The host rings; Dana has answered on the first number and waits."""
    story = Story()
    story.start(guest(to=plan(*numbers, **settings)))
    story.succeed("dial:host:1", "dial:dana:1")
    story.answer("dana")
    assert story.participant("dana").status == "waiting"
    return story


def test_a_guest_who_hangs_up_while_waiting_is_called_on_the_next_number() -> None:
    story = waiting_guest(FIRST, SECOND)

    assert story.hang_up("dana") == ["dial:dana:2"]
    assert (story.participant("dana").status, story.participant("dana").accepted_leg) == (
        "dialing",
        None,
    )
    assert story.leg("dana").outcome == "human"
    story.succeed("dial:dana:2")
    story.answer("dana", 2)
    story.answer()
    assert story.succeed("start:host:1") == [
        "stop_words:dana:2",
        "join:dana:2",
        "message:host:1:1",
    ]
    assert story.messages == ["“Dana” did not answer the call. The next number is being tried."]


def test_a_guest_who_hangs_up_while_waiting_on_the_last_number_did_not_decline() -> None:
    story = waiting_guest(FIRST)

    assert story.hang_up("dana") == []
    assert (story.participant("dana").status, story.participant("dana").outcome) == (
        "failed",
        "no_answer",
    )
    story.answer()
    story.succeed("start:host:1")
    assert story.messages == ["“Dana” did not answer the call."]


def test_a_guest_who_hangs_up_while_waiting_is_called_again_in_the_next_round() -> None:
    story = waiting_guest(FIRST, max_attempts=2, pause_secs=20)

    assert story.hang_up("dana") == []
    assert "dial:dana:2" in story.advance(20)


def test_a_guest_called_at_once_who_hangs_up_while_waiting_did_not_decline() -> None:
    story = Story()
    story.start(guest(to=AT_ONCE))
    story.succeed("dial:host:1", "dial:dana:1", "dial:dana:2")
    story.answer("dana", 1)
    story.hang_up("dana", 1)

    assert (story.participant("dana").status, story.participant("dana").outcome) == (
        "failed",
        "no_answer",
    )
    assert story.answer("dana", 2) == [], "the other call was cancelled at the first answer"


def test_a_removed_guest_who_waited_is_not_called_again() -> None:
    story = waiting_guest(FIRST, SECOND)
    story.remove("dana")

    assert story.hang_up("dana") == []
    assert (story.participant("dana").status, story.participant("dana").outcome) == (
        "failed",
        "cancelled",
    )


def test_a_guest_on_an_attached_call_who_hangs_up_while_waiting_fails() -> None:
    story = Story()
    story.start(NewParticipant(id="dana", name="Dana", call_control_id="v3:dana-1"))
    assert story.participant("dana").status == "waiting"
    story.hang_up("dana")

    assert (story.participant("dana").status, story.participant("dana").outcome) == (
        "failed",
        "no_answer",
    )


def test_guests_ring_while_the_host_does() -> None:
    story = Story()
    story.receive(replace(start_request(HOST, (guest("dana"),)), limits=Limits(legs_at_once=1)))

    assert [command.key for command in story.sent] == ["dial:host:1", "dial:dana:1"]


def test_the_last_number_rings_at_least_as_long_as_telnyx_requires() -> None:
    story = active_story()
    story.invite(guest(to=plan(FIRST, SECOND, deadline_secs=35)))
    story.succeed("dial:dana:1")
    story.now += timedelta(seconds=33)
    assert "dial:dana:2" in story.hang_up("dana", cause="user_busy")

    assert story.leg("dana", 2).ring_timeout_secs == 5
