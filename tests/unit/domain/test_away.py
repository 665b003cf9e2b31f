"""The assistant leaves two people or more to each other, and is taken back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from partyline.domain.model.inputs import (
    CallInput,
    ConferenceJoined,
    ConferenceLeft,
    ConversationCreated,
    TimerElapsed,
)
from partyline.domain.model.results import Succeeded
from partyline.domain.model.timeouts import CONNECT_WAIT, RETURN_WAIT, STEP_BACK_WAIT
from partyline.domain.rules.phrases import DEFAULTS
from tests.support.domain_story import Story, active_story, call_ref, guest, joined_story

CONTINUES: dict[str, Any] = {"on_hangup": "continue_conversation"}
NEW_ID = "telnyx-conversation-2"


def modes(story: Story) -> tuple[str, str]:
    return story.state.mode.value, story.state.wanted_mode.value


def mode_events(story: Story) -> list[tuple[str, str, str]]:
    """The mode events: the kind, the mode, and the reason or the code of the failure."""
    events = [event for event in story.events if event.type.startswith("assistant.")]
    return [
        (
            event.type.removeprefix("assistant.mode_"),
            event.data["mode"],
            event.data.get("reason") or event.data.get("failure", {}).get("code", ""),
        )
        for event in events
    ]


def three_people(**host: Any) -> Story:
    story = joined_story(host=host)
    story.invite(guest("lee"))
    story.succeed("dial:lee:1")
    story.answer("lee")
    story.succeed("join:lee:1", "message:host:1:2")
    return story


def bridged_story() -> Story:
    """Two people are bridged, and the assistant is away."""
    story = joined_story()
    story.set_mode("away")
    story.succeed("stop:host:1:1", "bridge:host:1:1")
    return story


def conferring_story(**host: Any) -> Story:
    """Three people are in a conference, and the assistant is away."""
    story = three_people(**host)
    story.set_mode("away")
    story.succeed("stop:host:1:1", "create_conference:host:1:1")
    story.succeed("join_conference:dana:1:2", "join_conference:lee:1:3")
    return story


def members(story: Story) -> list[str]:
    return story.state.conference.members if story.state.conference else []


def started_again(story: Story, key: str) -> list[str]:
    return story.result(key, Succeeded(telnyx_conversation_id=NEW_ID))


# The assistant leaves


def test_the_assistant_is_stopped_and_then_the_two_people_are_bridged() -> None:
    story = joined_story()
    assert story.set_mode("away") == ["stop:host:1:1"]
    assert modes(story) == ("speaking", "away")
    assert story.succeed("stop:host:1:1") == ["bridge:host:1:1"]
    assert modes(story) == ("speaking", "away")
    assert story.succeed("bridge:host:1:1") == []
    assert modes(story) == ("away", "away")
    assert mode_events(story) == [("changed", "away", "")]
    assert story.status == "active"


def test_the_webhook_of_the_end_counts_as_the_stop() -> None:
    story = joined_story()
    story.set_mode("away")
    assert story.assistant_ended() == ["bridge:host:1:1"]
    assert story.status == "active"
    story.succeed("stop:host:1:1")
    assert story.succeed("bridge:host:1:1") == []
    assert modes(story) == ("away", "away")


def test_the_end_after_the_stop_changes_nothing() -> None:
    story = bridged_story()
    assert story.assistant_ended() == []
    assert story.insights_generated("summary") == []
    assert story.advance(60) == []
    assert modes(story) == ("away", "away")
    assert story.status == "active"


def test_the_webhook_of_the_bridge_confirms_the_bridge_and_is_no_transfer() -> None:
    story = joined_story()
    story.set_mode("away")
    story.succeed("stop:host:1:1")
    assert story.bridged("host") == []
    assert modes(story) == ("away", "away")
    assert story.bridged("dana") == []
    assert not story.leg("host").transferred
    assert story.status == "active"


def test_three_people_meet_in_a_conference() -> None:
    story = three_people()
    story.set_mode("away")
    assert story.succeed("stop:host:1:1") == ["create_conference:host:1:1"]
    joins = ["join_conference:dana:1:2", "join_conference:lee:1:3"]
    assert story.succeed("create_conference:host:1:1") == joins
    story.succeed(joins[0])
    assert modes(story) == ("speaking", "away")
    story.succeed(joins[1])
    assert modes(story) == ("away", "away")
    assert members(story) == ["host", "dana", "lee"]


def test_two_people_of_whom_neither_ends_the_conversation_meet_in_a_conference() -> None:
    """Telnyx hangs up the second call of a bridge when the first leaves."""
    story = joined_story(host=CONTINUES)
    story.set_mode("away")
    assert story.succeed("stop:host:1:1") == ["create_conference:host:1:1"]


def test_no_message_reaches_the_assistant_while_it_is_away() -> None:
    story = bridged_story()
    assert story.send_message("Are you there?") == []


def test_the_stop_waits_for_a_message_that_is_under_way() -> None:
    story = joined_story()
    story.send_message("first")
    assert story.set_mode("away") == []
    assert story.succeed("message:host:1:2") == ["stop:host:1:1"]


def test_a_refused_stop_leaves_the_assistant() -> None:
    story = joined_story()
    story.set_mode("away")
    assert story.refuse("stop:host:1:1") == []
    assert modes(story) == ("speaking", "speaking")
    assert mode_events(story) == [("failed", "away", "10015")]
    assert story.send_message("still there") == ["message:host:1:2"]


def test_a_stop_that_is_refused_at_the_second_sending_has_worked_at_the_first() -> None:
    story = joined_story()
    story.set_mode("away")
    story.no_response("stop:host:1:1")
    assert story.advance(2) == ["stop:host:1:1"]
    assert story.refuse("stop:host:1:1") == ["bridge:host:1:1"]


def test_an_end_after_a_refused_stop_brings_the_assistant_back() -> None:
    story = joined_story()
    story.set_mode("away")
    story.refuse("stop:host:1:1")
    assert story.assistant_ended() == ["start:host:1:1"]
    started_again(story, "start:host:1:1")
    assert modes(story) == ("speaking", "speaking")


@pytest.mark.parametrize("refused", [True, False], ids=["refused", "without an answer"])
def test_the_assistant_comes_back_when_the_bridge_fails(refused: bool) -> None:
    story = joined_story()
    story.set_mode("away")
    story.succeed("stop:host:1:1")
    if refused:
        assert "start:host:1:2" in story.refuse("bridge:host:1:1")
    else:
        story.no_response("bridge:host:1:1")
        assert "start:host:1:2" in story.advance(CONNECT_WAIT.total_seconds())
    sent = started_again(story, "start:host:1:2")
    assert "join:dana:1:2" in sent
    told = [key for key in sent if key.startswith("message")]
    story.succeed("join:dana:1:2")
    assert modes(story) == ("speaking", "speaking")
    code = "10015" if refused else "unanswered"
    assert mode_events(story) == [("failed", "away", code)]
    story.succeed(*told)
    news = DEFAULTS["not_away"].replace("{reason}", "The first person on the line, “Dana”")
    assert news in story.messages
    assert story.participant("dana").status == "joined"


@pytest.mark.parametrize("person", ["create_conference:host:1:1", "join_conference:dana:1:2"])
def test_the_assistant_comes_back_when_the_conference_fails(person: str) -> None:
    story = three_people()
    story.set_mode("away")
    story.succeed("stop:host:1:1")
    if person.startswith("join"):
        story.succeed("create_conference:host:1:1")
        story.refuse(person)
        story.succeed("join_conference:lee:1:3", "leave_conference:host:1:4")
    else:
        story.refuse(person)
    start = story.state.start_command
    assert start is not None
    assert start.is_pending
    started_again(story, start.key)
    for command in list(story.state.commands.values()):
        if command.is_pending:
            story.succeed(command.key)
    story.succeed(*[c.key for c in story.state.commands.values() if c.is_pending])
    assert modes(story) == ("speaking", "speaking")
    assert [kind for kind, _, _ in mode_events(story)] == ["failed"]
    assert members(story) == []
    assert [p.status for p in story.state.participants] == ["joined"] * 3


def test_a_silent_assistant_is_silent_again_after_a_failed_bridge() -> None:
    story = joined_story()
    story.set_mode("silent")
    story.succeed("message:host:1:2")
    story.set_mode("away")
    story.succeed("stop:host:1:1")
    story.refuse("bridge:host:1:1")
    story.succeed(*started_again(story, "start:host:1:2"))
    assert story.state.wanted_mode == "silent"
    told = [command for command in story.state.commands.values() if command.action == "message"]
    story.succeed(*(command.key for command in told))
    assert modes(story) == ("silent", "silent")


# The assistant is away


def test_a_person_who_is_left_alone_has_the_assistant_again() -> None:
    story = bridged_story()
    assert story.hang_up("dana") == ["start:host:1:2"]
    assert story.status == "active"
    started_again(story, "start:host:1:2")
    assert modes(story) == ("speaking", "speaking")
    assert mode_events(story)[-1] == ("changed", "speaking", "alone")


def test_two_people_who_are_left_in_a_conference_stay_connected() -> None:
    story = conferring_story()
    assert story.hang_up("lee") == []
    assert modes(story) == ("away", "away")
    assert story.hang_up("dana") == ["leave_conference:host:1:4"]
    assert story.succeed("leave_conference:host:1:4") == ["start:host:1:5"]


def test_guests_stay_connected_when_the_host_leaves_who_does_not_end_the_conversation() -> None:
    story = conferring_story(**CONTINUES)
    assert story.hang_up("host") == []
    assert story.status == "active"
    assert modes(story) == ("away", "away")
    assert story.hang_up("lee") == ["leave_conference:dana:1:4"]
    assert story.succeed("leave_conference:dana:1:4") == ["start:dana:1:5"]
    started_again(story, "start:dana:1:5")
    assert modes(story) == ("speaking", "speaking")


@pytest.mark.parametrize("people", [2, 3])
def test_the_host_who_ends_the_conversation_ends_an_absence_too(people: int) -> None:
    story = bridged_story() if people == 2 else conferring_story()
    sent = story.hang_up("host")
    assert "hang_up:dana:1" in sent
    assert not any(key.startswith(("start", "stop")) for key in sent)
    assert story.status == "ended"


def test_a_stop_that_hangs_up_ends_an_absence() -> None:
    story = bridged_story()
    assert story.stop(hang_up=True) == ["hang_up:host:1", "hang_up:dana:1"]
    assert story.status == "ended"


def test_a_stop_that_leaves_the_calls_up_leaves_the_people_connected() -> None:
    story = bridged_story()
    assert story.stop() == []
    assert story.status == "ended"
    assert story.leg("host").is_up


def test_a_person_who_is_invited_while_the_assistant_is_away_meets_the_others() -> None:
    story = bridged_story()
    story.invite(guest("lee"))
    story.succeed("dial:lee:1")
    # The call that Telnyx would hang up at the end of the bridge leaves the bridge by itself.
    assert story.answer("lee") == ["create_conference:dana:1:2"]
    joins = story.succeed("create_conference:dana:1:2")
    assert joins == ["join_conference:host:1:3", "join_conference:lee:1:4"]
    story.succeed(*joins)
    assert story.participant("lee").status == "joined"
    assert members(story) == ["dana", "host", "lee"]
    assert modes(story) == ("away", "away")


def test_the_two_stay_bridged_when_the_conference_for_the_third_is_refused() -> None:
    story = bridged_story()
    story.invite(guest("lee"))
    story.succeed("dial:lee:1")
    story.answer("lee")
    assert story.refuse("create_conference:dana:1:2") == ["hang_up:lee:1", "look:dana:1"]
    assert story.participant("lee").outcome == "error"
    assert modes(story) == ("away", "away")
    assert story.state.absence is not None
    assert story.state.absence.is_bridged


def test_a_person_who_cannot_be_added_leaves_the_others_connected() -> None:
    story = conferring_story()
    story.invite(guest("eli"))
    story.succeed("dial:eli:1")
    assert story.answer("eli") == ["join_conference:eli:1:4"]
    assert story.refuse("join_conference:eli:1:4") == ["hang_up:eli:1", "look:eli:1"]
    assert modes(story) == ("away", "away")
    assert story.participant("dana").status == "joined"


def test_a_person_who_answers_during_the_stop_is_connected_too() -> None:
    story = joined_story()
    story.invite(guest("lee"))
    story.succeed("dial:lee:1")
    story.set_mode("away")
    assert story.answer("lee") == []
    assert story.succeed("stop:host:1:1") == ["create_conference:host:1:1"]


def test_a_person_who_leaves_during_the_stop_leaves_nobody_to_connect() -> None:
    story = joined_story()
    story.set_mode("away")
    story.hang_up("dana")
    assert story.succeed("stop:host:1:1") == ["start:host:1:1"]
    assert mode_events(story) == [("failed", "away", "too_few_people")]


# The assistant is taken back


def test_the_assistant_is_taken_back_from_a_bridge_by_way_of_a_conference() -> None:
    story = bridged_story()
    assert story.set_mode("speaking") == ["create_conference:dana:1:2"]
    assert story.succeed("create_conference:dana:1:2") == ["start:host:1:3"]
    assert started_again(story, "start:host:1:3") == [
        "leave_conference:dana:1:4",
        "message:host:1:2",
    ]
    assert story.succeed("leave_conference:dana:1:4") == ["join:dana:1:2"]
    story.succeed("join:dana:1:2", "message:host:1:2")
    assert modes(story) == ("speaking", "speaking")
    assert mode_events(story)[-1] == ("changed", "speaking", "")
    assert story.messages[-1].startswith("You were away")
    assert "“Dana”" in story.messages[-1]
    assert story.state.telnyx_conversation_id == NEW_ID


def test_the_assistant_is_taken_back_from_a_conference() -> None:
    story = conferring_story()
    assert story.set_mode("silent") == ["leave_conference:host:1:4"]
    assert story.succeed("leave_conference:host:1:4") == ["start:host:1:5"]
    sent = started_again(story, "start:host:1:5")
    assert sent[:2] == ["leave_conference:dana:1:6", "leave_conference:lee:1:7"]
    story.succeed("leave_conference:dana:1:6", "leave_conference:lee:1:7")
    story.succeed("join:dana:1:2", "join:lee:1:2", "message:host:1:3")
    story.succeed(*(c.key for c in story.state.commands.values() if c.is_pending))
    assert modes(story) == ("silent", "silent")
    assert story.state.conference is None


def test_the_people_stay_connected_when_the_assistant_does_not_start_again() -> None:
    story = conferring_story()
    story.set_mode("speaking")
    story.succeed("leave_conference:host:1:4")
    assert story.refuse("start:host:1:5") == ["join_conference:host:1:6"]
    story.succeed("join_conference:host:1:6")
    assert modes(story) == ("away", "away")
    assert mode_events(story)[-1] == ("failed", "speaking", "10015")
    assert members(story) == ["dana", "lee", "host"]
    story.set_mode("speaking")
    story.succeed("leave_conference:host:1:7")
    started_again(story, "start:host:1:8")
    assert modes(story) == ("speaking", "speaking")
    assert story.state.restarts == 1


def test_two_people_stay_bridged_when_the_way_back_is_refused() -> None:
    story = bridged_story()
    story.set_mode("speaking")
    assert story.refuse("create_conference:dana:1:2") == ["look:dana:1"]
    assert modes(story) == ("away", "away")
    assert mode_events(story)[-1] == ("failed", "speaking", "10015")


def test_another_call_is_tried_when_nobody_is_connected_and_the_start_is_refused() -> None:
    story = joined_story()
    story.set_mode("away")
    story.succeed("stop:host:1:1")
    story.refuse("bridge:host:1:1")
    assert story.refuse("start:host:1:2") == ["start:dana:1:3"]
    assert started_again(story, "start:dana:1:3")[0] == "join:host:1:2"


def test_the_conversation_ends_when_the_assistant_starts_on_no_call() -> None:
    story = joined_story()
    story.set_mode("away")
    story.succeed("stop:host:1:1")
    story.refuse("bridge:host:1:1")
    story.refuse("start:host:1:2")
    assert story.refuse("start:dana:1:3") == ["hang_up:host:1", "hang_up:dana:1"]
    assert story.status == "ended"


def test_an_assistant_that_was_taken_back_may_leave_again() -> None:
    story = bridged_story()
    story.set_mode("speaking")
    story.succeed("create_conference:dana:1:2")
    started_again(story, "start:host:1:3")
    story.succeed("leave_conference:dana:1:4", "join:dana:1:2", "message:host:1:2")
    assert story.set_mode("away") == ["stop:host:1:2"]
    assert story.succeed("stop:host:1:2") == ["bridge:host:1:5"]


def test_the_end_of_an_assistant_that_was_taken_back_ends_the_conversation() -> None:
    story = bridged_story()
    story.hang_up("dana")
    started_again(story, "start:host:1:2")
    story.succeed(*(c.key for c in story.state.commands.values() if c.is_pending))
    story.now = story.now.replace(minute=30)
    assert story.assistant_ended(telnyx_id=NEW_ID) == ["look:host:1"]
    story.hang_up("host")
    assert story.status == "ended"


def test_a_late_webhook_of_the_bridge_is_no_transfer_of_the_assistant_that_was_taken_back() -> None:
    story = bridged_story()
    story.hang_up("dana")
    started_again(story, "start:host:1:2")
    assert "look:host:1" in story.bridged("host")
    story.call_state("look:host:1", alive=True, answered=True)
    assert not story.leg("host").transferred
    assert story.status == "active"


def test_a_request_to_come_back_during_the_stop_takes_the_assistant_back_at_once() -> None:
    story = joined_story()
    story.set_mode("away")
    story.set_mode("speaking")
    assert story.succeed("stop:host:1:1") == ["start:host:1:1"]


def test_a_request_to_leave_during_the_return_is_met_after_the_return() -> None:
    story = bridged_story()
    story.set_mode("speaking")
    story.succeed("create_conference:dana:1:2")
    story.set_mode("away")
    started_again(story, "start:host:1:3")
    story.succeed("leave_conference:dana:1:4", "join:dana:1:2")
    assert story.succeed("message:host:1:2") == ["stop:host:1:2"]


def test_the_assistant_leaves_only_so_often() -> None:
    story = joined_story()
    story.state.absences = 20
    assert story.set_mode("away") == []
    assert mode_events(story) == [("failed", "away", "too_many_absences")]


def test_a_person_alone_cannot_be_left() -> None:
    story = active_story()
    story.set_mode("away")
    assert story.refusal == "too_few_people"


# Webhooks in place of lost answers


def in_conference(story: Story, person: str, kind: type[CallInput] = ConferenceJoined) -> list[str]:
    call = replace(call_ref(person), participant="host", leg=1)  # the first call's client_state
    return story.receive(kind(id="", call=call, occurred_at=story.now))


def test_the_webhook_of_a_conference_takes_the_place_of_a_lost_answer() -> None:
    story = three_people()
    story.set_mode("away")
    story.succeed("stop:host:1:1")
    story.no_response("create_conference:host:1:1")
    joins = in_conference(story, "host")
    assert joins == ["join_conference:dana:1:2", "join_conference:lee:1:3"]
    story.no_response(joins[0])
    in_conference(story, "lee")
    in_conference(story, "dana")
    assert modes(story) == ("away", "away")
    assert members(story) == ["host", "lee", "dana"]


def test_the_webhook_of_a_call_that_has_left_takes_the_place_of_a_lost_answer() -> None:
    story = conferring_story()
    story.set_mode("speaking")
    story.no_response("leave_conference:host:1:4")
    assert in_conference(story, "host", ConferenceLeft) == ["start:host:1:5"]


def test_a_late_webhook_of_a_conference_confirms_no_later_command() -> None:
    story = conferring_story()
    story.set_mode("speaking")
    story.succeed("leave_conference:host:1:4")
    began = story.now
    story.now += timedelta(seconds=5)
    story.refuse("start:host:1:5")
    late = ConferenceJoined(id="", call=call_ref("host"), occurred_at=began)
    assert story.receive(late) == []
    assert members(story) == ["dana", "lee"]


# Bounds


def test_a_stop_without_an_answer_leaves_the_assistant_after_a_while() -> None:
    story = joined_story()
    story.set_mode("away")
    story.no_response("stop:host:1:1")
    story.now += STEP_BACK_WAIT
    story.receive(TimerElapsed(id=""))
    assert modes(story) == ("speaking", "speaking")
    assert mode_events(story) == [("failed", "away", "unanswered")]


def test_a_start_without_an_answer_puts_the_person_back_to_the_others() -> None:
    story = conferring_story()
    story.set_mode("speaking")
    story.succeed("leave_conference:host:1:4")
    story.no_response("start:host:1:5")
    story.now += RETURN_WAIT
    assert "join_conference:host:1:6" in story.receive(TimerElapsed(id=""))
    assert mode_events(story)[-1] == ("failed", "speaking", "unanswered")


def test_an_assistant_whose_start_was_given_up_and_that_runs_has_returned() -> None:
    story = conferring_story()
    story.set_mode("speaking")
    story.succeed("leave_conference:host:1:4")
    story.no_response("start:host:1:5")
    story.now += RETURN_WAIT
    story.receive(TimerElapsed(id=""))
    story.succeed("join_conference:host:1:6")
    created = ConversationCreated(id="", call=call_ref(), telnyx_conversation_id=NEW_ID)
    story.receive(created)
    assert modes(story) == ("speaking", "speaking")
    assert story.state.absence is None


def test_a_conference_is_not_left_without_an_answer_so_the_people_stay_connected() -> None:
    story = conferring_story()
    story.set_mode("speaking")
    story.no_response("leave_conference:host:1:4")
    story.now += CONNECT_WAIT
    story.receive(TimerElapsed(id=""))
    assert modes(story) == ("away", "away")
    assert members(story) == ["host", "dana", "lee"]


@pytest.mark.parametrize("key", ["bridge:host:1:1", "stop:host:1:1"])
def test_a_person_waits_for_the_timer_of_each_step(key: str) -> None:
    story = joined_story()
    story.set_mode("away")
    if key.startswith("bridge"):
        story.succeed("stop:host:1:1")
    assert story.state.awaited_at is not None
    assert story.state.awaited_at <= story.now + STEP_BACK_WAIT
