"""The life of a conversation, step by step."""

from dataclasses import replace
from typing import Any

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
from partyline.domain.model.timeouts import INFERRED_END_DELAY
from tests.support.domain_story import (
    OURS,
    T0,
    TELNYX_ID,
    Story,
    active_story,
    call_ref,
    guest,
    joined_story,
    plan,
    start_request,
)

CONTINUES = {"on_hangup": OnHangup.CONTINUE}


def test_a_start_dials_the_host() -> None:
    story = Story()

    assert story.start() == ["dial:host:1"]
    assert story.status == "connecting"
    assert story.participant().status == "dialing"
    assert story.event_types == ["conversation.started", "leg.dialing"]


def test_a_call_that_we_make_is_not_ours_to_answer() -> None:
    story = Story()
    story.start()
    story.succeed("dial:host:1")

    assert story.call_initiated() == []


def test_an_inbound_call_is_answered() -> None:
    story = Story()

    assert story.inbound_call() == ["answer:host:1"]
    assert story.state.direction == "inbound"
    assert story.leg().status == "ringing"
    assert story.events[0].data["caller"] == "***0101"


def test_an_inbound_call_without_a_route_is_left_alone() -> None:
    story = Story()
    incoming = CallInitiated(
        id="", call=call_ref(), conversation_id="conversation-1", incoming=True, to=OURS
    )

    assert story.receive(incoming) == []
    assert story.conversation is None


def test_an_inbound_call_becomes_a_conversation_with_the_assistant() -> None:
    story = Story()
    story.inbound_call()
    story.succeed("answer:host:1")

    assert story.answer() == ["start:host:1"]
    story.succeed("start:host:1")
    assert story.status == "active"


def test_the_assistant_starts_at_once_on_a_call_that_is_live() -> None:
    story = Story()

    assert story.attach() == ["start:host:1"]
    assert story.state.direction == "attached"
    story.succeed("start:host:1")
    assert (story.status, story.participant().status) == ("active", "joined")


def test_a_call_that_the_assistant_was_attached_to_is_looked_at() -> None:
    story = Story()
    story.attach()
    story.succeed("start:host:1")

    assert story.advance(121) == ["look:host:1"]
    assert story.call_ended("look:host:1") == []
    assert (story.status, story.participant().status) == ("ended", "left")


def test_the_hosts_answer_starts_the_assistant() -> None:
    story = Story()
    story.start()
    story.succeed("dial:host:1")

    assert story.answer() == ["start:host:1"]
    assert story.participant().status == "joining"


def test_with_machine_detection_the_verdict_starts_the_assistant() -> None:
    story = Story()
    story.start(to=plan(machine_detection="standard"))
    story.succeed("dial:host:1")

    assert story.answer() == []
    assert story.machine_verdict("host", machine=False) == ["start:host:1"]


def test_without_a_verdict_the_host_is_taken_for_a_person() -> None:
    story = Story()
    story.start(to=plan(machine_detection="standard"))
    story.succeed("dial:host:1")
    story.answer()

    assert story.advance(9) == []
    assert story.advance(2) == ["start:host:1"]


def test_a_machine_at_the_hosts_number_fails_the_conversation() -> None:
    story = Story()
    story.start(to=plan(machine_detection="premium"))
    story.succeed("dial:host:1")
    story.answer()

    assert story.machine_verdict("host", machine=True) == ["hang_up:host:1"]
    assert story.status == "failed"
    assert story.state.failure is not None
    assert story.state.failure.code == "machine"
    [failed] = [event for event in story.events if event.type == "conversation.failed"]
    assert failed.data["failure"]["code"] == "machine"


def test_the_answer_to_the_start_makes_the_conversation_active() -> None:
    story = active_story()

    assert (story.status, story.state.telnyx_conversation_id) == ("active", TELNYX_ID)
    assert story.participant().status == "joined"


def test_the_webhook_may_make_the_conversation_active_before_the_answer() -> None:
    story = Story()
    story.start()
    story.succeed("dial:host:1")
    story.answer()

    story.assistant_created()
    assert story.status == "active"
    assert not story.state.has_pending_commands
    assert story.succeed("start:host:1") == []
    assert story.event_types.count("conversation.active") == 1


def test_waiting_guests_are_joined_when_the_assistant_runs() -> None:
    story = Story()
    story.start(guest("dana"), guest("eli", plan("+13125550120")))
    story.succeed("dial:host:1", "dial:dana:1", "dial:eli:1")
    assert story.answer("dana") == ["wait_words:dana:1"]
    assert story.answer("eli") == ["wait_words:eli:1"]
    assert story.participant("dana").status == "waiting"
    story.answer()

    assert story.succeed("start:host:1") == [
        *("stop_words:dana:1", "stop_words:eli:1"),
        *("join:dana:1", "join:eli:1"),
    ]


def test_an_invitation_dials_the_first_number() -> None:
    story = active_story()

    assert story.invite(guest(to=plan("+13125550110", "+13125550111"))) == ["dial:dana:1"]
    assert story.leg("dana").to == "+13125550110"


def test_an_invited_guest_who_answers_is_joined_and_announced() -> None:
    story = active_story()
    story.invite()
    story.succeed("dial:dana:1")

    assert story.answer("dana") == ["join:dana:1"]
    assert story.succeed("join:dana:1") == ["message:host:1:1"]
    assert story.participant("dana").status == "joined"
    assert story.messages == ["“Dana” has joined the conversation."]


def test_a_live_call_is_joined_at_once() -> None:
    story = active_story()
    live = NewParticipant(id="eli", name="Eli", call_control_id="v3:eli-1")

    assert story.invite(live) == ["join:eli:1"]


@pytest.mark.parametrize(
    ("cause", "sip", "outcome", "words"),
    [
        ("user_busy", "486", "busy", "“Dana” could not be reached: the line is busy."),
        ("timeout", "", "no_answer", "“Dana” did not answer the call."),
        ("call_rejected", "603", "rejected", "“Dana” could not be reached: the call was rejected."),
        ("unspecified", "486", "busy", "“Dana” could not be reached: the line is busy."),
        (
            "not_found",
            "404",
            "unreachable",
            "“Dana” could not be reached: the number is not available.",
        ),
        ("originator_cancel", "487", "cancelled", "The call to “Dana” was cancelled."),
        (
            "a cause of tomorrow",
            "",
            "unreachable",
            "“Dana” could not be reached: the number is not available.",
        ),
    ],
)
def test_an_unreachable_guest_fails_with_the_outcome_of_the_call(
    cause: str, sip: str, outcome: str, words: str
) -> None:
    story = active_story()
    story.invite()
    story.succeed("dial:dana:1")
    story.call_initiated("dana")

    assert story.hang_up("dana", cause=cause, sip=sip) == ["message:host:1:1"]
    assert (story.participant("dana").status, story.participant("dana").outcome) == (
        "failed",
        outcome,
    )
    assert story.messages == [words]
    assert story.status == "active"


def test_a_guest_leaves_and_the_conversation_goes_on() -> None:
    story = joined_story()

    assert story.hang_up("dana") == ["message:host:1:2"]
    assert story.participant("dana").status == "left"
    assert story.messages[-1] == "“Dana” has left the conversation."
    assert story.status == "active"


@pytest.mark.parametrize(
    ("words", "guest", "host"),
    [
        ({"guest_left": ""}, "", "The first person on the line has left the conversation."),
        ({"left": "{name} is gone."}, "“Dana” is gone.", "The first person on the line is gone."),
    ],
)
def test_the_guests_departures_can_be_left_to_telnyx(
    words: dict[str, str], guest: str, host: str
) -> None:
    for person, sentence in (("dana", guest), ("host", host)):
        story = joined_story(host=CONTINUES)
        story.state.phrases = words
        told = len(story.messages)
        story.hang_up(person)
        assert story.messages[told:] == ([sentence] if sentence else [])


def test_a_guest_with_end_conversation_ends_the_conversation() -> None:
    story = joined_story(on_hangup=OnHangup.END)

    assert story.hang_up("dana") == ["hang_up:host:1"]
    assert story.status == "stopping"
    story.succeed("hang_up:host:1")
    story.hang_up()
    assert story.status == "ended"


def test_the_hosts_departure_hangs_up_all_calls() -> None:
    story = joined_story()

    assert story.hang_up() == ["hang_up:dana:1"]
    assert story.events[-1].data["reason"] == "host_left"
    story.succeed("hang_up:dana:1")
    story.hang_up("dana")
    assert story.status == "ended"


def test_the_host_may_leave_the_guests_to_talk() -> None:
    story = joined_story(host=CONTINUES)

    assert story.hang_up() == ["message:dana:1:2"]
    assert story.status == "active"
    assert story.messages[-1] == "The first person on the line has left the conversation."
    story.succeed("message:dana:1:2")
    story.hang_up("dana")
    assert story.status == "ended"


def test_a_conversation_without_joined_people_ends_and_cancels_ringing_calls() -> None:
    story = active_story(**CONTINUES)
    story.invite()
    story.succeed("dial:dana:1")

    assert story.hang_up() == ["hang_up:dana:1"]
    assert story.events[-1].data["outcome"] == "cancelled"
    assert story.participant("dana").status == "failed"


def test_the_last_person_with_the_assistant_is_an_event() -> None:
    story = joined_story()
    story.hang_up("dana")

    [alone] = [event for event in story.events if event.type == "participant.alone"]
    assert alone.data["participant_id"] == "host"


def test_a_conversation_that_ends_has_no_alone_event() -> None:
    story = joined_story()
    story.hang_up()

    assert "participant.alone" not in story.event_types


def test_a_guest_never_joined_does_not_end_the_conversation() -> None:
    story = active_story()
    story.invite(guest(on_hangup=OnHangup.END))
    story.succeed("dial:dana:1")
    story.answer("dana")
    story.hang_up("dana")

    assert story.status == "active"


def test_a_guest_who_hangs_up_before_the_join_has_declined() -> None:
    story = active_story()
    story.invite()
    story.succeed("dial:dana:1")
    story.answer("dana")

    story.hang_up("dana")
    assert story.messages == ["“Dana” was reached but declined to join the conversation."]
    assert "participant.alone" not in story.event_types


def test_a_stop_leaves_the_calls_up() -> None:
    story = joined_story()

    assert story.stop() == ["stop:host:1"]
    assert story.status == "stopping"
    story.succeed("stop:host:1")
    assert story.assistant_ended() == []
    assert story.status == "ended"
    assert story.leg().is_up
    assert story.leg("dana").is_up


def test_a_stop_may_hang_up_all_calls() -> None:
    story = joined_story()

    assert story.stop(hang_up=True) == ["stop:host:1", "hang_up:host:1", "hang_up:dana:1"]
    story.succeed("stop:host:1", "hang_up:host:1", "hang_up:dana:1")
    story.hang_up()
    story.hang_up("dana")
    assert story.status == "ended"


def test_a_second_stop_may_hang_up_after_all() -> None:
    story = joined_story()
    story.stop()
    story.succeed("stop:host:1")

    assert story.stop(hang_up=True) == ["hang_up:host:1", "hang_up:dana:1"]


def test_a_stop_gives_an_attached_call_back() -> None:
    story = Story()
    story.attach()
    story.succeed("start:host:1")

    assert story.stop() == ["stop:host:1"]
    story.succeed("stop:host:1")
    assert story.status == "ended", "the word of its end may go to another application"
    story.assistant_ended()
    assert story.advance(600) == ["fetch_insights", "fetch_transcript"]
    assert story.leg().is_up


def test_an_attached_call_is_given_back_when_a_guest_ends_the_conversation() -> None:
    story = Story()
    story.attach(guest(on_hangup=OnHangup.END))
    story.succeed("dial:dana:1", "start:host:1")
    story.answer("dana")
    story.succeed("join:dana:1")

    assert "stop:host:1" in story.hang_up("dana")
    assert "hang_up:host:1" not in story.state.commands


def test_a_stop_hangs_up_a_guest_who_was_never_joined() -> None:
    story = Story()
    story.start(guest())
    story.succeed("dial:host:1", "dial:dana:1")
    story.answer("dana")
    story.answer("host")

    assert story.stop() == ["hang_up:dana:1"]


def test_a_stop_while_the_host_rings_gives_the_call_up() -> None:
    story = Story()
    story.start()
    story.succeed("dial:host:1")
    story.call_initiated()

    assert story.stop() == ["hang_up:host:1"]
    assert story.status == "ended"
    assert story.participant().outcome == "cancelled"


def test_a_stop_while_the_assistant_starts_leaves_the_host_on_the_phone() -> None:
    story = Story()
    story.start()
    story.succeed("dial:host:1")
    story.answer()

    assert story.stop() == []
    assert story.succeed("start:host:1") == ["stop:host:1"]
    story.succeed("stop:host:1")
    story.assistant_ended()
    assert story.status == "ended"
    assert story.leg().is_up


def test_the_assistant_is_stopped_through_a_guest_when_the_host_has_gone() -> None:
    story = joined_story(host=CONTINUES)
    story.hang_up()

    assert story.stop() == ["stop:dana:1"]
    story.succeed("stop:dana:1")
    assert story.hang_up("dana") == []


def test_a_stopped_conversation_ends_without_a_webhook() -> None:
    story = active_story()
    story.stop()
    story.succeed("stop:host:1")

    story.advance(61)
    assert story.status == "ended"


def test_the_assistants_end_hangs_up_all_calls() -> None:
    story = joined_story()

    assert story.assistant_ended_for_no_reason() == ["hang_up:host:1", "hang_up:dana:1"]
    assert story.status == "ended"
    assert story.participant("dana").status == "left"


def test_a_conversation_that_ended_before_its_start_was_known_has_run() -> None:
    story = Story()
    story.start()
    story.succeed("dial:host:1")
    story.answer()
    story.advance(1)

    assert story.assistant_ended_for_no_reason() == ["hang_up:host:1"]
    assert story.participant().status == "left"
    assert story.event_types.count("conversation.active") == 1


def test_the_end_of_an_assistant_that_was_not_ours_is_not_our_end() -> None:
    story = Story()
    story.start()
    story.succeed("dial:host:1")

    story.assistant_ended(telnyx_id="another")
    assert story.status == "connecting"


def test_the_end_on_a_guests_leg_is_not_the_end() -> None:
    story = joined_story()

    assert story.assistant_ended("dana") == []
    assert story.status == "active"


def test_the_end_of_another_conversation_is_not_the_end() -> None:
    story = active_story()

    assert story.assistant_ended(telnyx_id="another") == []
    assert story.status == "active"


def test_insights_come_after_the_end() -> None:
    story = active_story()
    story.hang_up()

    story.insights_generated("summary")
    assert list(story.state.insights) == ["0/summary"]
    assert story.advance(60) == ["fetch_insights", "fetch_transcript"]
    story.result("fetch_insights", InsightsFound(insights=(), complete=True))
    story.transcript_found("Hello")
    assert story.state.due_at is None


def test_insights_come_before_the_end_and_twice() -> None:
    story = active_story()
    story.insights_generated("summary")
    story.insights_generated("summary")
    story.hang_up()

    assert story.event_types.count("conversation.insights_generated") == 1


@pytest.mark.parametrize(("participant", "has_ended"), [("host", True), ("dana", False)])
def test_only_insights_of_the_hosts_call_are_a_sign_of_the_end(
    participant: str, has_ended: bool
) -> None:
    story = joined_story()
    story.insights_generated("summary", participant=participant)
    assert list(story.state.insights) == ["0/summary"]
    assert story.status == "active"

    story.advance(INFERRED_END_DELAY.total_seconds() + 1)
    assert (story.state.telnyx_ended_at is not None) is has_ended


def test_insights_that_do_not_come_are_fetched_three_times() -> None:
    story = active_story()
    story.hang_up()

    asked = []
    while story.state.due_at:
        asked += story.advance((story.state.due_at - story.now).total_seconds())
        story.result("fetch_insights", InsightsFound(insights=()))
        story.transcript_found()
    assert asked == ["fetch_insights", "fetch_transcript"] * 3


def test_removing_a_joined_guest_hangs_up() -> None:
    story = joined_story()

    assert story.remove("dana") == ["hang_up:dana:1"]
    story.succeed("hang_up:dana:1")
    story.hang_up("dana")
    assert story.participant("dana").status == "left"


def test_removing_a_ringing_guest_cancels_the_call() -> None:
    story = active_story()
    story.invite()
    story.succeed("dial:dana:1")
    story.call_initiated("dana")

    assert story.remove("dana") == ["message:host:1:1", "hang_up:dana:1"]
    assert story.participant("dana").outcome == "cancelled"
    assert story.messages == ["The call to “Dana” was cancelled."]


def test_removing_an_unknown_participant_is_refused() -> None:
    story = active_story()

    story.remove("nobody")
    assert story.refusal == "unknown_participant"


def test_pending_messages_are_dropped_when_the_conversation_fails() -> None:
    story = Story()
    story.start()
    story.succeed("dial:host:1")
    story.send_message("one")
    story.hang_up(cause="user_busy")

    assert (story.status, story.state.pending_messages) == ("failed", [])


def test_a_message_is_held_until_the_assistant_runs() -> None:
    story = Story()
    story.start()
    story.succeed("dial:host:1")
    assert story.send_message("The caller is called Ada.") == []
    story.answer()

    assert story.succeed("start:host:1") == ["message:host:1:1"]
    assert story.messages == ["The caller is called Ada."]


def test_a_batch_of_messages_is_no_larger_than_a_step_holds() -> None:
    story = Story()
    story.start()
    story.succeed("dial:host:1")
    for nth in range(25):
        story.send_message(f"{nth}")
    story.answer()

    story.succeed("start:host:1")
    assert len(story.messages) == 20
    story.succeed("message:host:1:1")
    assert story.messages == [f"{nth}" for nth in range(25)]


def test_messages_go_out_batch_by_batch() -> None:
    story = active_story()

    assert story.send_message("one") == ["message:host:1:1"]
    assert story.send_message("two") == story.send_message("three") == []
    assert story.succeed("message:host:1:1") == ["message:host:1:2"]
    assert story.messages == ["one", "two", "three"]


def test_a_message_that_telnyx_refuses_is_an_event() -> None:
    story = active_story()
    story.send_message("one")
    story.refuse("message:host:1:1")

    assert story.events[-1].type == "message.failed"
    assert story.events[-1].data["content"] == "one"


def test_a_message_for_a_call_that_has_gone_goes_through_another() -> None:
    story = joined_story(host=CONTINUES)
    story.send_message("one")

    assert story.call_ended("message:host:1:2") == ["message:dana:1:3"]
    assert story.messages[1:3] == ["one", "one"]


def test_a_message_that_could_not_be_sent_yet_goes_through_another_call() -> None:
    story = joined_story(host=CONTINUES)
    story.send_message("one")
    story.no_response("message:host:1:2", had_no_effect=True)

    assert story.hang_up() == ["message:dana:1:3"]
    assert "one" in story.messages


def test_requests_after_the_end_are_refused() -> None:
    story = active_story()
    story.hang_up()
    assert story.status == "ended"

    story.invite()
    assert story.refusal == "conversation_over"
    story.send_message("hello?")
    assert story.refusal == "conversation_over"
    story.stop()
    assert story.refusal == "conversation_over"


def test_an_invitation_beyond_the_limit_of_participants_is_refused() -> None:
    story = active_story()
    for number in range(Limits().participants - 1):
        story.invite(guest(f"guest{number}"))
        assert story.refusal is None

    assert story.invite(guest("one-too-many")) == []
    assert story.refusal == "too_many_participants"


def test_a_start_with_more_participants_than_the_limit_is_refused() -> None:
    guests = tuple(guest(f"guest{number}") for number in range(Limits().participants))
    decision = decide(None, start_request(guests=guests), T0)

    assert decision.refusal is not None
    assert decision == Decision(None, refusal=decision.refusal)
    assert (decision.refusal.code, decision.refusal.field) == (
        "too_many_participants",
        "participants",
    )
    assert decide(None, start_request(guests=guests[1:]), T0).refusal is None


def test_an_invitation_beyond_the_limit_is_refused_in_the_words_of_a_start() -> None:
    limits = Limits(participants=1)
    refused_start = decide(
        None, replace(start_request(guests=(guest(),)), limits=limits), T0
    ).refusal
    alone = decide(None, replace(start_request(), limits=limits), T0).conversation
    refused_invitation = decide(alone, InviteParticipant(id="", participant=guest()), T0).refusal

    assert refused_invitation is not None
    assert refused_start == replace(refused_invitation, field="participants")


def test_a_repeated_invitation_adds_no_participant() -> None:
    story = active_story()
    story.invite()

    assert story.invite() == []
    assert len(story.state.participants) == 2


def test_an_inbound_caller_who_gives_up_before_the_answer_fails_the_conversation() -> None:
    story = Story()
    story.inbound_call()
    story.hang_up(cause="originator_cancel")

    assert story.status == "failed"
    assert story.state.due_at is None


def test_a_host_hangup_before_the_assistant_runs_fails_the_conversation() -> None:
    story = Story()
    story.start()
    story.succeed("dial:host:1")
    story.answer()
    story.hang_up()

    assert story.state.failure is not None
    assert (story.status, story.state.failure.code) == ("failed", "hung_up")


def test_the_assistant_did_not_start() -> None:
    story = Story()
    story.start()
    story.succeed("dial:host:1")
    story.answer()

    failed = ConversationStartFailed(id="", call=call_ref(), reason="service_error")
    assert story.receive(failed) == ["hang_up:host:1"]
    assert story.state.failure is not None
    assert story.state.failure.code == "start_failed"


def test_our_client_state_is_believed_for_a_leg_without_ids() -> None:
    story = Story()
    story.start()

    assert story.answer() == ["start:host:1"]  # before the answer to our dial
    assert story.leg().call_control_id == call_ref().call_control_id
    assert story.result("dial:host:1", Succeeded()) == []


@pytest.mark.parametrize("known", [{"call_control_id": "v3:real"}, {"call_leg_id": "leg-real"}])
def test_our_client_state_is_not_believed_on_the_call_of_a_caller(known: Any) -> None:
    story = Story()
    story.start()
    story.receive(
        CallInitiated(
            id="",
            call=CallRef(participant="host", leg=1, **known),
            conversation_id="conversation-1",
            incoming=False,
        )
    )

    other = CallRef(
        call_control_id="v3:other", call_leg_id="other", participant="host", leg=1, incoming=True
    )
    assert story.receive(CallAnswered(id="", call=other)) == []
    assert story.leg().status == "ringing"


def test_a_webhook_of_an_unknown_call_has_no_effect() -> None:
    story = active_story()
    before = story.state
    stranger = CallRef(call_control_id="v3:stranger")

    assert story.receive(CallAnswered(id="", call=stranger)) == []
    assert story.state == before


def test_a_timer_without_a_conversation_has_no_effect() -> None:
    story = Story()

    assert story.receive(TimerElapsed(id="")) == []
    assert story.conversation is None


def test_the_late_answer_of_a_call_that_is_over_has_no_effect() -> None:
    story = active_story()
    story.hang_up()

    assert story.answer() == story.call_initiated() == []
    assert story.participant().status is ParticipantStatus.LEFT


def test_a_start_whose_answer_names_a_conversation_counts_though_no_created_follows() -> None:
    story = Story()
    story.start()
    story.succeed("dial:host:1")
    story.answer()
    story.succeed("start:host:1")
    assert (story.status, story.state.telnyx_conversation_id) == ("active", TELNYX_ID)

    story.advance(600)
    assert [command.key for command in story.sent].count("start:host:1") == 1
    story.invite()
    story.succeed("dial:dana:1")
    assert story.answer("dana") == ["join:dana:1"]
    assert story.status == "active"
