"""The life of a conversation, row by row as the design tells it."""

from dataclasses import replace

import pytest

from partyline.domain.decide import Decision, decide
from partyline.domain.model.conversation import Limits
from partyline.domain.model.inputs import (
    CallAnswered,
    CallInitiated,
    CallRef,
    ConversationStartFailed,
    InviteParticipant,
    NewParticipant,
    TimerElapsed,
)
from partyline.domain.model.results import InsightsFound, Succeeded
from partyline.domain.model.statuses import OnHangup, ParticipantStatus
from tests.support.domain_story import (
    OURS,
    T0,
    TELNYX_ID,
    Story,
    call,
    guest,
    on_the_phone,
    plan,
    start,
    with_guest,
)

CONTINUES = {"on_hangup": OnHangup.CONTINUE}


def test_a_start_dials_the_host() -> None:
    story = Story()

    assert story.dials() == ["dial:host:1"]
    assert story.status == "connecting"
    assert story.who().status == "dialing"
    assert story.happened == ["conversation.started", "leg.dialing"]


def test_a_call_that_we_make_is_not_ours_to_answer() -> None:
    story = Story()
    story.dials()
    story.does("dial:host:1")

    assert story.rings() == []


def test_an_inbound_call_is_answered() -> None:
    story = Story()

    assert story.rings_us() == ["answer:host:1"]
    assert story.it.direction == "inbound"
    assert story.leg().status == "ringing"
    assert story.events[0].data["caller"] == "***0101"


def test_an_inbound_call_without_a_route_is_left_alone() -> None:
    story = Story()
    incoming = CallInitiated(
        id="", call=call(), conversation_id="conversation-1", incoming=True, to=OURS
    )

    assert story.plays(incoming) == []
    assert story.conversation is None


def test_an_inbound_call_becomes_a_conversation_with_the_assistant() -> None:
    story = Story()
    story.rings_us()
    story.does("answer:host:1")

    assert story.answers() == ["start:host:1"]
    story.does("start:host:1")
    assert story.status == "active"


def test_the_assistant_starts_at_once_on_a_call_that_is_live() -> None:
    story = Story()

    assert story.attaches() == ["start:host:1"]
    assert story.it.direction == "attached"
    story.does("start:host:1")
    assert (story.status, story.who().status) == ("active", "joined")


def test_a_call_that_the_assistant_was_attached_to_is_looked_at() -> None:
    story = Story()
    story.attaches()
    story.does("start:host:1")

    assert story.later(121) == ["look:host:1"]
    assert story.finds_gone("look:host:1") == []
    assert (story.status, story.who().status) == ("ended", "left")


def test_the_hosts_answer_starts_the_assistant() -> None:
    story = Story()
    story.dials()
    story.does("dial:host:1")

    assert story.answers() == ["start:host:1"]
    assert story.who().status == "joining"


def test_with_machine_detection_the_verdict_starts_the_assistant() -> None:
    story = Story()
    story.dials(to=plan(machine_detection="standard"))
    story.does("dial:host:1")

    assert story.answers() == []
    assert story.is_judged("host", machine=False) == ["start:host:1"]


def test_without_a_verdict_the_host_is_taken_for_a_person() -> None:
    story = Story()
    story.dials(to=plan(machine_detection="standard"))
    story.does("dial:host:1")
    story.answers()

    assert story.later(9) == []
    assert story.later(2) == ["start:host:1"]


def test_a_machine_at_the_hosts_number_fails_the_conversation() -> None:
    story = Story()
    story.dials(to=plan(machine_detection="premium"))
    story.does("dial:host:1")
    story.answers()

    assert story.is_judged("host", machine=True) == ["hang_up:host:1"]
    assert story.status == "failed"
    assert story.it.failure is not None
    assert story.it.failure.code == "machine"


def test_the_answer_to_the_start_makes_it_active() -> None:
    story = on_the_phone()

    assert (story.status, story.it.telnyx_conversation_id) == ("active", TELNYX_ID)
    assert story.who().status == "joined"


def test_the_webhook_makes_it_active_before_the_answer_to_the_start() -> None:
    story = Story()
    story.dials()
    story.does("dial:host:1")
    story.answers()

    story.assistant_begins()
    assert story.status == "active"
    assert not story.it.has_pending_commands
    assert story.does("start:host:1") == []
    assert story.happened.count("conversation.active") == 1


def test_whoever_waits_is_joined_when_the_assistant_runs() -> None:
    story = Story()
    story.dials(guest("dana"), guest("eli", plan("+13125550120")))
    story.does("dial:host:1", "dial:dana:1", "dial:eli:1")
    assert story.answers("dana") == []
    assert story.answers("eli") == []
    assert story.who("dana").status == "waiting"
    story.answers()

    assert story.does("start:host:1") == ["join:dana:1", "join:eli:1"]


def test_an_invitation_dials_the_first_number() -> None:
    story = on_the_phone()

    assert story.invites(guest(to=plan("+13125550110", "+13125550111"))) == ["dial:dana:1"]
    assert story.leg("dana").to == "+13125550110"


def test_an_invited_one_who_answers_is_joined_and_the_assistant_told() -> None:
    story = on_the_phone()
    story.invites()
    story.does("dial:dana:1")

    assert story.answers("dana") == ["join:dana:1"]
    assert story.does("join:dana:1") == ["message:host:1:1"]
    assert story.who("dana").status == "joined"
    assert story.told == ["Dana has joined the conversation."]


def test_a_live_call_is_joined_at_once() -> None:
    story = on_the_phone()
    live = NewParticipant(id="eli", name="Eli", call_control_id="v3:eli-1")

    assert story.invites(live) == ["join:eli:1"]


@pytest.mark.parametrize(
    ("cause", "sip", "outcome", "words"),
    [
        ("user_busy", "486", "busy", "Dana could not be reached: the line is busy."),
        ("timeout", "", "no_answer", "Dana did not answer the call."),
        ("call_rejected", "603", "rejected", "Dana could not be reached: the call was rejected."),
        ("unspecified", "486", "busy", "Dana could not be reached: the line is busy."),
        (
            "not_found",
            "404",
            "unreachable",
            "Dana could not be reached: the number is not available.",
        ),
        ("originator_cancel", "487", "cancelled", "The call to Dana was cancelled."),
        (
            "a cause of tomorrow",
            "",
            "unreachable",
            "Dana could not be reached: the number is not available.",
        ),
    ],
)
def test_an_invited_one_who_cannot_be_reached(
    cause: str, sip: str, outcome: str, words: str
) -> None:
    story = on_the_phone()
    story.invites()
    story.does("dial:dana:1")
    story.rings("dana")

    assert story.hangs_up("dana", cause=cause, sip=sip) == ["message:host:1:1"]
    assert (story.who("dana").status, story.who("dana").outcome) == ("failed", outcome)
    assert story.told == [words]
    assert story.status == "active"


def test_a_guest_leaves_and_the_conversation_goes_on() -> None:
    story = with_guest()

    assert story.hangs_up("dana") == ["message:host:1:2"]
    assert story.who("dana").status == "left"
    assert story.told[-1] == "Dana has left the conversation."
    assert story.status == "active"


def test_a_guest_who_ends_it_ends_it() -> None:
    story = with_guest(on_hangup=OnHangup.END)

    assert story.hangs_up("dana") == ["hang_up:host:1"]
    assert story.status == "stopping"
    story.does("hang_up:host:1")
    story.hangs_up()
    assert story.status == "ended"


def test_the_hosts_leaving_hangs_up_everybody() -> None:
    story = with_guest()

    assert story.hangs_up() == ["hang_up:dana:1"]
    assert story.events[-1].data["reason"] == "host_left"
    story.does("hang_up:dana:1")
    story.hangs_up("dana")
    assert story.status == "ended"


def test_the_host_may_leave_the_guests_to_talk() -> None:
    story = with_guest(host=CONTINUES)

    assert story.hangs_up() == ["message:dana:1:2"]
    assert story.status == "active"
    assert story.told[-1] == "The first person on the line has left the conversation."
    story.does("message:dana:1:2")
    story.hangs_up("dana")
    assert story.status == "ended"


def test_an_empty_line_ends_though_someone_is_still_being_called() -> None:
    story = on_the_phone(**CONTINUES)
    story.invites()
    story.does("dial:dana:1")

    assert story.hangs_up() == ["hang_up:dana:1"]
    assert story.events[-1].data["outcome"] == "cancelled"
    assert story.who("dana").status == "failed"


def test_the_last_one_with_the_assistant_is_an_event() -> None:
    story = with_guest()
    story.hangs_up("dana")

    [alone] = [each for each in story.events if each.type == "participant.alone"]
    assert alone.data["participant_id"] == "host"


def test_nobody_is_said_to_be_alone_in_a_conversation_that_ends() -> None:
    story = with_guest()
    story.hangs_up()

    assert "participant.alone" not in story.happened


def test_a_guest_who_was_never_joined_does_not_end_it_by_hanging_up() -> None:
    story = on_the_phone()
    story.invites(guest(on_hangup=OnHangup.END))
    story.does("dial:dana:1")
    story.answers("dana")
    story.hangs_up("dana")

    assert story.status == "active"


def test_who_hangs_up_before_being_joined_has_not_left() -> None:
    story = on_the_phone()
    story.invites()
    story.does("dial:dana:1")
    story.answers("dana")

    story.hangs_up("dana")
    assert story.told == ["Dana was reached but declined to join the conversation."]
    assert "participant.alone" not in story.happened


def test_a_stop_leaves_the_calls_up() -> None:
    story = with_guest()

    assert story.stops() == ["stop:host:1"]
    assert story.status == "stopping"
    story.does("stop:host:1")
    assert story.assistant_ends() == []
    assert story.status == "ended"
    assert story.leg().is_up
    assert story.leg("dana").is_up


def test_a_stop_may_hang_everybody_up() -> None:
    story = with_guest()

    assert story.stops(hang_up=True) == ["stop:host:1", "hang_up:host:1", "hang_up:dana:1"]
    story.does("stop:host:1", "hang_up:host:1", "hang_up:dana:1")
    story.hangs_up()
    story.hangs_up("dana")
    assert story.status == "ended"


def test_a_second_stop_may_hang_up_after_all() -> None:
    story = with_guest()
    story.stops()
    story.does("stop:host:1")

    assert story.stops(hang_up=True) == ["hang_up:host:1", "hang_up:dana:1"]


def test_a_stop_gives_an_attached_call_back() -> None:
    story = Story()
    story.attaches()
    story.does("start:host:1")

    assert story.stops() == ["stop:host:1"]
    story.does("stop:host:1")
    assert story.status == "ended", "the word of its end may go to another application"
    story.assistant_ends()
    assert story.later(600) == ["fetch_insights"]
    assert story.leg().is_up


def test_an_attached_call_is_given_back_too_when_a_guest_has_ended_it() -> None:
    story = Story()
    story.attaches(guest(on_hangup=OnHangup.END))
    story.does("dial:dana:1", "start:host:1")
    story.answers("dana")
    story.does("join:dana:1")

    assert "stop:host:1" in story.hangs_up("dana")
    assert "hang_up:host:1" not in story.it.commands


def test_a_stop_does_not_keep_somebody_on_the_phone_who_was_never_joined() -> None:
    story = Story()
    story.dials(guest())
    story.does("dial:host:1", "dial:dana:1")
    story.answers("dana")
    story.answers("host")

    assert story.stops() == ["hang_up:dana:1"]


def test_a_stop_while_the_host_rings_gives_the_call_up() -> None:
    story = Story()
    story.dials()
    story.does("dial:host:1")
    story.rings()

    assert story.stops() == ["hang_up:host:1"]
    assert story.status == "ended"
    assert story.who().outcome == "cancelled"


def test_a_stop_while_the_assistant_starts_leaves_the_host_on_the_phone() -> None:
    story = Story()
    story.dials()
    story.does("dial:host:1")
    story.answers()

    assert story.stops() == []
    assert story.does("start:host:1") == ["stop:host:1"]
    story.does("stop:host:1")
    story.assistant_ends()
    assert story.status == "ended"
    assert story.leg().is_up


def test_the_assistant_is_stopped_through_a_guest_when_the_host_has_gone() -> None:
    story = with_guest(host=CONTINUES)
    story.hangs_up()

    assert story.stops() == ["stop:dana:1"]
    story.does("stop:dana:1")
    assert story.hangs_up("dana") == []


def test_it_counts_as_ended_when_nobody_says_so() -> None:
    story = on_the_phone()
    story.stops()
    story.does("stop:host:1")

    story.later(61)
    assert story.status == "ended"


def test_the_assistants_end_hangs_everybody_up() -> None:
    story = with_guest()

    assert story.assistant_ends() == ["hang_up:host:1", "hang_up:dana:1"]
    assert story.status == "ended"
    assert story.who("dana").status == "left"


def test_a_conversation_that_ended_before_its_start_was_known_has_run() -> None:
    story = Story()
    story.dials()
    story.does("dial:host:1")
    story.answers()
    story.later(1)

    assert story.assistant_ends() == ["hang_up:host:1"]
    assert story.who().status == "left"
    assert story.happened.count("conversation.active") == 1


def test_the_end_of_an_assistant_that_was_not_ours_is_not_our_end() -> None:
    story = Story()
    story.dials()
    story.does("dial:host:1")

    story.assistant_ends(telnyx_id="another")
    assert story.status == "connecting"


def test_the_end_on_a_guests_leg_is_not_the_end() -> None:
    story = with_guest()

    assert story.assistant_ends("dana") == []
    assert story.status == "active"


def test_the_end_of_another_conversation_is_not_the_end() -> None:
    story = on_the_phone()

    assert story.assistant_ends(telnyx_id="another") == []
    assert story.status == "active"


def test_insights_come_after_the_end() -> None:
    story = on_the_phone()
    story.hangs_up()

    story.insights_come("summary")
    assert story.it.insights == ["summary"]
    assert story.it.due_at is None


def test_insights_come_before_the_end_and_twice() -> None:
    story = on_the_phone()
    story.insights_come("summary")
    story.insights_come("summary")
    story.hangs_up()

    assert story.happened.count("conversation.insights_generated") == 1
    assert story.it.due_at is None


def test_insights_that_do_not_come_are_fetched_three_times() -> None:
    story = on_the_phone()
    story.hangs_up()

    asked = []
    while story.it.due_at:
        asked += story.later((story.it.due_at - story.now).total_seconds())
        story.result("fetch_insights", InsightsFound(insights=()))
    assert asked == ["fetch_insights"] * 3


def test_removing_a_joined_one_hangs_up() -> None:
    story = with_guest()

    assert story.removes("dana") == ["hang_up:dana:1"]
    story.does("hang_up:dana:1")
    story.hangs_up("dana")
    assert story.who("dana").status == "left"


def test_removing_one_who_is_being_called_cancels_the_call() -> None:
    story = on_the_phone()
    story.invites()
    story.does("dial:dana:1")
    story.rings("dana")

    assert story.removes("dana") == ["message:host:1:1", "hang_up:dana:1"]
    assert story.who("dana").outcome == "cancelled"
    assert story.told == ["The call to Dana was cancelled."]


def test_removing_a_stranger_is_refused() -> None:
    story = on_the_phone()

    story.removes("nobody")
    assert story.refusal == "unknown_participant"


def test_what_was_to_be_told_is_forgotten_when_nobody_hears_it_any_more() -> None:
    story = Story()
    story.dials()
    story.does("dial:host:1")
    story.says("one")
    story.hangs_up(cause="user_busy")

    assert (story.status, story.it.pending_messages) == ("failed", [])


def test_a_message_is_held_until_the_assistant_runs() -> None:
    story = Story()
    story.dials()
    story.does("dial:host:1")
    assert story.says("The caller is called Ada.") == []
    story.answers()

    assert story.does("start:host:1") == ["message:host:1:1"]
    assert story.told == ["The caller is called Ada."]


def test_a_batch_of_messages_is_no_larger_than_a_step_holds() -> None:
    story = Story()
    story.dials()
    story.does("dial:host:1")
    for nth in range(25):
        story.says(f"{nth}")
    story.answers()

    story.does("start:host:1")
    assert len(story.told) == 20
    story.does("message:host:1:1")
    assert story.told == [f"{nth}" for nth in range(25)]


def test_messages_go_out_one_batch_at_a_time() -> None:
    story = on_the_phone()

    assert story.says("one") == ["message:host:1:1"]
    assert story.says("two") == story.says("three") == []
    assert story.does("message:host:1:1") == ["message:host:1:2"]
    assert story.told == ["one", "two", "three"]


def test_a_message_that_telnyx_refuses_is_said_to_have_failed() -> None:
    story = on_the_phone()
    story.says("one")
    story.refuses("message:host:1:1")

    assert story.events[-1].type == "message.failed"
    assert story.events[-1].data["content"] == "one"


def test_a_message_for_a_call_that_has_gone_goes_through_another() -> None:
    story = with_guest(host=CONTINUES)
    story.says("one")

    assert story.finds_gone("message:host:1:2") == ["message:dana:1:3"]
    assert story.told[1:3] == ["one", "one"]


def test_a_message_that_could_not_be_sent_yet_goes_through_another_call() -> None:
    story = with_guest(host=CONTINUES)
    story.says("one")
    story.is_silent("message:host:1:2", sure=True)

    assert story.hangs_up() == ["message:dana:1:3"]
    assert "one" in story.told


def test_what_comes_too_late_is_refused() -> None:
    story = on_the_phone()
    story.hangs_up()
    assert story.status == "ended"

    story.invites()
    assert story.refusal == "conversation_over"
    story.says("hello?")
    assert story.refusal == "conversation_over"
    story.stops()
    assert story.refusal == "conversation_over"


def test_there_is_a_most_of_participants() -> None:
    story = on_the_phone()
    for number in range(Limits().participants - 1):
        story.invites(guest(f"guest{number}"))
        assert story.refusal is None

    assert story.invites(guest("one-too-many")) == []
    assert story.refusal == "too_many_participants"


def test_a_start_with_more_participants_than_the_limit_is_refused() -> None:
    guests = tuple(guest(f"guest{number}") for number in range(Limits().participants))
    decision = decide(None, start(guests=guests), T0)

    assert decision.refusal is not None
    assert decision == Decision(None, refusal=decision.refusal)
    assert (decision.refusal.code, decision.refusal.field) == (
        "too_many_participants",
        "participants",
    )
    assert decide(None, start(guests=guests[1:]), T0).refusal is None


def test_an_invitation_beyond_the_limit_is_refused_in_the_words_of_a_start() -> None:
    limits = Limits(participants=1)
    refused_start = decide(None, replace(start(guests=(guest(),)), limits=limits), T0).refusal
    alone = decide(None, replace(start(), limits=limits), T0).conversation
    refused_invitation = decide(alone, InviteParticipant(id="", participant=guest()), T0).refusal

    assert refused_invitation is not None
    assert refused_start == replace(refused_invitation, field="participants")


def test_the_same_invitation_again_is_one_invitation() -> None:
    story = on_the_phone()
    story.invites()

    assert story.invites() == []
    assert len(story.it.participants) == 2


def test_an_inbound_caller_who_gives_up_before_the_answer_ends_it() -> None:
    story = Story()
    story.rings_us()
    story.hangs_up(cause="originator_cancel")

    assert story.status == "failed"
    assert story.it.due_at is None


def test_a_host_who_hangs_up_before_the_assistant_runs() -> None:
    story = Story()
    story.dials()
    story.does("dial:host:1")
    story.answers()
    story.hangs_up()

    assert story.it.failure is not None
    assert (story.status, story.it.failure.code) == ("failed", "hung_up")


def test_the_assistant_did_not_start() -> None:
    story = Story()
    story.dials()
    story.does("dial:host:1")
    story.answers()

    failed = ConversationStartFailed(id="", call=call(), reason="service_error")
    assert story.plays(failed) == ["hang_up:host:1"]
    assert story.it.failure is not None
    assert story.it.failure.code == "start_failed"


def test_our_client_state_is_believed_for_a_leg_without_ids() -> None:
    story = Story()
    story.dials()

    assert story.answers() == ["start:host:1"]  # before the answer to our dial
    assert story.leg().call_control_id == call().call_control_id
    assert story.result("dial:host:1", Succeeded()) == []


@pytest.mark.parametrize("known", [{"call_control_id": "v3:real"}, {"call_leg_id": "leg-real"}])
def test_our_client_state_is_not_believed_for_a_leg_with_an_id(known: dict[str, str]) -> None:
    story = Story()
    story.dials()
    story.plays(
        CallInitiated(
            id="",
            call=CallRef(participant="host", leg=1, **known),
            conversation_id="conversation-1",
            incoming=False,
        )
    )

    other = CallRef(call_control_id="v3:other", call_leg_id="other", participant="host", leg=1)
    assert story.plays(CallAnswered(id="", call=other)) == []
    assert story.leg().status == "ringing"


def test_a_webhook_of_a_call_that_is_not_ours_moves_nothing() -> None:
    story = on_the_phone()
    before = story.it
    stranger = CallRef(call_control_id="v3:stranger")

    assert story.plays(CallAnswered(id="", call=stranger)) == []
    assert story.it == before


def test_a_tick_without_a_conversation_is_nothing() -> None:
    story = Story()

    assert story.plays(TimerElapsed(id="")) == []
    assert story.conversation is None


def test_the_late_answer_of_a_call_that_is_over_moves_nothing_back() -> None:
    story = on_the_phone()
    story.hangs_up()

    assert story.answers() == story.rings() == []
    assert story.who().status is ParticipantStatus.LEFT
