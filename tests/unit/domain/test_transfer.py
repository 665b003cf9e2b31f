"""Telnyx transfers the caller, or the assistant ends for no reason that we know."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from partyline.domain.model.inputs import CallAnswered, CallBridged, CallHangup, CallInput
from partyline.domain.model.results import Succeeded
from partyline.domain.model.statuses import OnHangup
from partyline.domain.model.timeouts import END_GRACE, INFERRED_END_DELAY
from tests.support.domain_story import TELNYX_ID, Story, active_story, call_ref, guest, joined_story

CONTINUES = {"on_hangup": OnHangup.CONTINUE}


def inbound_story() -> Story:
    story = Story()
    story.inbound_call()
    story.succeed("answer:host:1")
    story.answer()
    story.succeed("start:host:1")
    assert story.status == "active"
    return story


def hangups(story: Story) -> list[str]:
    return [command.key for command in story.sent if command.action == "hang_up"]


def pass_time(story: Story) -> None:
    """Let Telnyx say at each poll that the calls are up, for ten minutes."""
    for _ in range(20):
        for key in story.advance(30):
            if key.startswith("look:"):
                story.call_state(key, alive=True, answered=True)


BOTH_ORDERS: list[Callable[[Story], object]] = [
    lambda story: (story.bridged(), story.assistant_ended()),
    lambda story: (story.assistant_ended(), story.bridged()),
    lambda story: (
        (story.assistant_ended(), story.advance(END_GRACE.total_seconds() - 1)) and story.bridged()
    ),
    lambda story: story.bridged(),
]


@pytest.mark.parametrize("make", [active_story, inbound_story])
@pytest.mark.parametrize("transfer", BOTH_ORDERS)
def test_a_transferred_caller_is_never_hung_up(
    make: Callable[[], Story], transfer: Callable[[Story], object]
) -> None:
    story = make()
    transfer(story)
    pass_time(story)
    assert hangups(story) == []
    assert story.status == "ended"
    assert (story.leg().is_up, story.leg().owned) == (True, False)
    assert story.participant().status == "left"
    [ended] = [event for event in story.events if event.type == "conversation.ended"]
    assert ended.data["reason"] == "transferred"
    assert story.event_types.count("leg.transferred") == 1


def test_a_transferred_caller_is_hung_up_by_no_later_request() -> None:
    story = active_story()
    story.bridged()
    story.remove("host")
    story.stop(hang_up=True)
    assert hangups(story) == []


def test_a_caller_whose_call_bridged_is_lost_is_found_by_a_look_at_the_session() -> None:
    story = active_story()
    assert story.assistant_ended() == ["look:host:1"]
    story.call_state("look:host:1", alive=True, answered=True)
    assert story.status == "active"
    assert story.advance(END_GRACE.total_seconds()) == ["look:host:1"]
    story.call_state("look:host:1", alive=True, answered=True, transferred=True)
    pass_time(story)
    assert (story.status, hangups(story)) == ("ended", [])
    assert story.leg().transferred


def test_a_call_that_is_bridged_before_its_hangup_is_sent_again_is_not_hung_up() -> None:
    story = active_story()
    assert story.assistant_ended_for_no_reason() == ["hang_up:host:1"]
    story.no_response("hang_up:host:1", had_no_effect=True)
    story.bridged()
    pass_time(story)
    assert hangups(story) == ["hang_up:host:1"]


def test_an_end_for_no_reason_hangs_the_call_up_after_the_wait() -> None:
    story = active_story()
    story.assistant_ended()
    story.call_state("look:host:1", alive=True, answered=True)
    assert story.advance(END_GRACE.total_seconds() - 1) == []
    assert story.advance(1) == ["look:host:1"]
    assert story.call_state("look:host:1", alive=True, answered=True) == ["hang_up:host:1"]
    assert story.status == "ended"


def test_the_hangup_that_follows_the_assistants_end_ends_the_wait() -> None:
    story = active_story()
    story.assistant_ended()
    assert story.hang_up() == []
    assert story.status == "ended"


def test_an_end_after_a_stop_is_not_waited_for() -> None:
    story = active_story()
    story.stop()
    story.succeed("stop:host:1")
    story.assistant_ended()
    assert story.status == "ended"


def test_a_telnyx_that_does_not_answer_does_not_delay_the_hangup_for_ever() -> None:
    story = active_story()
    story.assistant_ended()
    for _ in range(30):
        for key in story.advance(60):
            if key.startswith("look:"):
                story.no_response(key, had_no_effect=True)
    assert "hang_up:host:1" in hangups(story)


# With guests


def test_the_guests_of_a_transferred_host_are_hung_up_as_after_the_hosts_hangup() -> None:
    story = joined_story()
    story.assistant_ended()
    assert story.bridged() == ["hang_up:dana:1"]
    assert story.status == "ended"


def test_the_guests_of_a_transferred_host_go_on_if_they_are_to_continue() -> None:
    story = joined_story(host=CONTINUES)
    story.assistant_ended()
    assert "start:dana:1" in story.bridged()
    story.result("start:dana:1", Succeeded(telnyx_conversation_id="telnyx-2"))
    assert story.status == "active"
    assert story.participant().status == "left"
    assert "join:host:1:2" not in story.state.commands
    pass_time(story)
    assert hangups(story) == []


def test_a_bridge_to_a_joined_guest_is_no_transfer() -> None:
    story = joined_story()
    assert story.bridged() == ["look:host:1"]
    story.call_state("look:host:1", alive=True, answered=True)
    assert story.status == "active"
    assert story.leg().owned
    assert "hang_up:host:1" in story.assistant_ended_for_no_reason()


def test_a_bridge_to_a_strangers_call_is_a_transfer_while_a_guest_is_joined() -> None:
    story = joined_story()
    assert story.bridged() == ["look:host:1"]
    left = story.call_state("look:host:1", alive=True, answered=True, transferred=True)
    assert left == ["hang_up:dana:1"]
    assert story.status == "ended"


def test_a_bridge_that_the_end_follows_is_a_transfer_before_the_look() -> None:
    story = joined_story()
    story.bridged()
    assert story.assistant_ended() == ["hang_up:dana:1"]
    assert story.leg().transferred


def test_a_bridged_call_that_has_ended_is_not_transferred() -> None:
    story = joined_story()
    story.bridged()
    story.hang_up("host")
    story.assistant_ended()
    assert story.status == "ended"
    assert "leg.transferred" not in story.event_types


def test_a_bridged_guest_is_not_the_assistants_call() -> None:
    story = joined_story()
    assert story.bridged("dana") == []
    assert story.leg("dana").owned


def test_a_bridge_before_our_assistant_was_started_is_anothers() -> None:
    story = Story()
    story.start()
    story.succeed("dial:host:1")
    story.bridged()
    assert (story.status, story.leg().owned) == ("connecting", True)


# A start that fails after its answer


def test_a_start_that_fails_after_its_answer_ends_the_conversation() -> None:
    story = active_story()
    assert story.start_failed() == ["hang_up:host:1"]
    assert story.status == "ended"
    assert story.state.failure is not None
    assert story.state.failure.code == "start_failed"
    assert story.events[-2].data["reason"] == "start_failed"


def test_a_failed_start_of_another_call_ends_nothing() -> None:
    story = joined_story()
    assert story.start_failed("dana") == []
    assert story.status == "active"


def test_a_failed_restart_is_tried_on_the_next_guest() -> None:
    story = joined_story(host=CONTINUES)
    story.invite(guest("lee"))
    story.succeed("dial:lee:1")
    story.answer("lee")
    story.succeed("join:lee:1")
    story.hang_up()
    story.assistant_ended()
    story.result("start:dana:1", Succeeded(telnyx_conversation_id="telnyx-2"))
    assert "start:lee:1" in story.start_failed("dana")
    assert story.start_failed("dana") == []
    assert story.status == "active"


def test_a_start_that_fails_before_the_call_is_accepted_fails_the_conversation() -> None:
    story = Story()
    story.start()
    story.succeed("dial:host:1")
    assert story.start_failed() == ["hang_up:host:1"]
    assert story.status == "failed"


# The analysis


def test_the_analysis_proves_the_end_of_an_attached_assistant() -> None:
    story = Story()
    story.attach()
    story.succeed("start:host:1")
    story.analyzed("another-assistants")
    assert "conversation.analyzed" not in story.event_types
    story.analyzed(TELNYX_ID)
    story.advance(INFERRED_END_DELAY.total_seconds() + 1)
    assert story.status == "ended"
    assert story.leg().is_up


def test_the_analysis_of_a_lost_end_gives_a_bridged_call_back() -> None:
    story = joined_story()
    story.bridged()
    story.analyzed()
    story.advance(INFERRED_END_DELAY.total_seconds() + 1)
    assert story.leg().transferred


def test_a_transferred_call_that_gets_another_id_is_not_hung_up() -> None:
    story = active_story()
    story.stop(hang_up=True)
    story.bridged()
    assert story.leg().transferred
    before = hangups(story)

    call = replace(call_ref(), call_control_id="v3:new")
    assert story.receive(CallBridged(id="", call=call)) == []
    assert (story.leg().call_control_id, hangups(story)) == ("v3:new", before)


@pytest.mark.parametrize("kind", [CallAnswered, CallHangup])
def test_the_target_of_a_transfer_with_our_client_state_is_not_our_call(
    kind: type[CallInput],
) -> None:
    story = active_story()
    target = replace(call_ref(), call_control_id="v3:target", call_leg_id="leg-target")

    assert story.receive(kind(id="", call=target)) == []
    assert story.leg().call_control_id == call_ref().call_control_id
    assert story.leg().is_up


def test_the_analysis_of_a_call_brings_no_id_back() -> None:
    story = active_story()
    story.receive(CallAnswered(id="", call=replace(call_ref(), call_control_id="v3:new")))
    story.hang_up()
    sent = len(story.sent)
    story.analyzed()

    assert story.leg().call_control_id == "v3:new"
    assert [command.key for command in story.sent[sent:]] == []


def test_a_look_tells_a_transfer_before_any_webhook_tells_the_start() -> None:
    story = Story()
    story.inbound_call(start="with_answer", **CONTINUES)
    story.advance(7)
    story.succeed("answer:host:1")
    story.answer()
    assert story.participant().status == "joining"
    story.call_state("look:host:1", alive=True, answered=True, transferred=True)

    assert (story.status, story.participant().status) == ("ended", "left")
    assert (story.leg().is_up, story.leg().owned) == (True, False)
    assert hangups(story) == []


def test_a_call_that_another_application_bridges_before_our_start_is_no_transfer_of_ours() -> None:
    story = Story()
    story.attach()
    story.poll("host")
    story.call_state("look:host:1", alive=True, answered=True, transferred=True)

    assert (story.status, story.leg().transferred) == ("connecting", False)
    story.succeed("start:host:1")
    assert story.status == "active"
