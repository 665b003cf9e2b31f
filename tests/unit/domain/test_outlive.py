"""The host leaves a conversation that is to go on, and Telnyx ends its own all the same."""

from dataclasses import replace

import pytest

from partyline.domain.model.inputs import ConversationEnded
from partyline.domain.model.results import Succeeded
from partyline.domain.model.statuses import OnHangup
from partyline.domain.model.timeouts import WORDS_DELAY
from partyline.domain.rules.phrases import UNNAMED_HOST
from tests.support.domain_story import TELNYX_ID, Story, active_story, call_ref, guest

GOES_ON = {"on_hangup": OnHangup.CONTINUE}
NEW_ID = "telnyx-conversation-2"


def story_with_guests(*names: str, on_hangup: OnHangup = OnHangup.CONTINUE) -> Story:
    """The host and these guests are joined, and the assistant knows."""
    story = active_story(on_hangup=on_hangup)
    for nth, name in enumerate(names, start=1):
        story.invite(guest(name))
        story.succeed(f"dial:{name}:1")
        story.answer(name)
        story.succeed(f"join:{name}:1", f"message:host:1:{nth}")
    return story


def two_guest_story(on_hangup: OnHangup = OnHangup.CONTINUE) -> Story:
    return story_with_guests("dana", "lee", on_hangup=on_hangup)


def test_the_assistant_is_restarted_for_the_guests_who_are_left() -> None:
    story = two_guest_story()
    story.hang_up("host")
    assert story.status == "active"
    assert "start:dana:1" in story.assistant_ended()
    assert story.status == "active"
    assert story.state.telnyx_conversation_id is None
    left = story.result("start:dana:1", Succeeded(telnyx_conversation_id=NEW_ID))
    assert "join:lee:1:2" in left
    assert "join:dana:1:2" not in left
    story.succeed("join:lee:1:2")
    assert story.state.telnyx_conversation_id == NEW_ID
    assert {story.participant(name).status for name in ("dana", "lee")} == {"joined"}
    assert "conversation.restarted" in story.event_types


def test_a_host_with_end_conversation_prevents_a_restart() -> None:
    story = two_guest_story(OnHangup.END)
    story.hang_up("host")
    assert story.assistant_ended() == []
    assert story.status == "ended"


def test_the_assistants_end_may_come_before_the_hosts_hangup() -> None:
    story = two_guest_story()
    assert story.assistant_ended() == ["look:host:1"]
    assert story.status == "active"
    assert "start:dana:1" in story.hang_up("host")
    assert story.status == "active"


def test_an_assistant_that_ends_by_itself_ends_the_conversation() -> None:
    story = two_guest_story()
    story.assistant_ended()
    story.call_state("look:host:1", alive=True, answered=True)
    assert "look:host:1" in story.advance(36)
    assert "hang_up:host:1" in story.call_state("look:host:1", alive=True, answered=True)
    assert story.status == "ended"
    assert story.state.start_command is not None
    assert story.state.start_command.key == "start:host:1"


def test_the_host_is_polled_once_and_the_hangup_awaited() -> None:
    story = two_guest_story()
    story.assistant_ended()
    assert story.call_state("look:host:1", alive=True, answered=True) == []
    assert story.state.due_at == story.now + WORDS_DELAY
    assert story.advance(3) == ["wait_words:dana:1", "wait_words:lee:1"]
    assert "start:dana:1" in story.hang_up("host")


def test_a_late_end_of_the_previous_assistant_has_no_effect() -> None:
    story = two_guest_story()
    story.hang_up("host")
    story.assistant_ended()
    story.assistant_ended()
    story.result("start:dana:1", Succeeded(telnyx_conversation_id=NEW_ID))
    story.assistant_ended()
    story.assistant_created()
    assert story.status == "active"
    assert story.state.telnyx_conversation_id == NEW_ID
    assert story.state.previous_telnyx_ids == [TELNYX_ID]


def test_the_reason_of_the_end_is_the_reason_of_the_last_assistant() -> None:
    story = story_with_guests("dana")
    story.hang_up("host")
    ended = ConversationEnded(id="", call=call_ref(), telnyx_conversation_id=TELNYX_ID)
    story.receive(replace(ended, reason="user_hangup"))
    story.result("start:dana:1", Succeeded(telnyx_conversation_id=NEW_ID))
    story.receive(
        replace(
            ended, call=call_ref("dana"), telnyx_conversation_id=NEW_ID, reason="assistant_hangup"
        )
    )
    assert story.status == "ended"
    [end] = [event for event in story.events if event.type == "conversation.ended"]
    assert end.data["reason"] == "assistant_hangup"


@pytest.mark.parametrize("call_of", ["host", "dana"])
def test_an_end_without_a_conversation_id_soon_after_a_restart_is_the_earlier_assistants(
    call_of: str,
) -> None:
    story = two_guest_story()
    story.hang_up("host")
    story.assistant_ended()
    story.result("start:dana:1", Succeeded(telnyx_conversation_id=NEW_ID))
    story.receive(ConversationEnded(id="a", call=call_ref(call_of)))
    story.advance(11)
    story.receive(ConversationEnded(id="b", call=call_ref("host")))
    assert (story.state.telnyx_ended_at, story.state.restarts) == (None, 1)
    story.receive(ConversationEnded(id="c", call=call_ref("dana")))
    assert story.state.restarts == 2, "the restarted assistant ended"


def test_messages_wait_for_the_restarted_assistant() -> None:
    story = two_guest_story()
    story.hang_up("host")
    story.succeed("message:dana:1:3")
    story.assistant_ended()
    assert story.send_message("Be brief.") == []
    left = story.result("start:dana:1", Succeeded(telnyx_conversation_id=NEW_ID))
    assert any(key.startswith("message:") for key in left)
    assert story.messages[-1] == "Be brief."


def test_a_guest_whose_rejoin_is_refused_is_hung_up() -> None:
    story = two_guest_story()
    story.hang_up("host")
    story.assistant_ended()
    story.result("start:dana:1", Succeeded(telnyx_conversation_id=NEW_ID))
    assert "hang_up:lee:1" in story.refuse("join:lee:1:2")


def test_a_refused_restart_is_tried_on_the_next_call_and_then_ends() -> None:
    story = two_guest_story()
    story.hang_up("host")
    story.assistant_ended()
    assert story.refuse("start:dana:1") == ["start:lee:1"]
    assert {"hang_up:dana:1", "hang_up:lee:1"} <= set(story.refuse("start:lee:1"))
    assert story.status == "ended"
    assert "fetch_insights" in story.advance(60), "those of the first one, which did run"


def test_a_restart_moves_to_the_next_guest_when_the_first_hangs_up() -> None:
    story = two_guest_story()
    story.hang_up("host")
    story.assistant_ended()
    story.hang_up("dana")
    assert story.call_ended("start:dana:1") == []
    assert "start:lee:1" in {command.key for command in story.sent}


def test_the_briefing_is_sent_once_for_several_restarts() -> None:
    story = two_guest_story()
    story.hang_up("host")
    story.succeed("message:dana:1:3")
    story.assistant_ended()
    story.refuse("start:dana:1")
    story.result("start:lee:1", Succeeded(telnyx_conversation_id=NEW_ID))
    assert [text for text in story.messages if "“Dana”, “Lee”" in text] == story.messages[-1:]


def test_an_assistant_restarted_beside_the_host_is_restarted_at_once_after_its_end() -> None:
    story = two_guest_story()
    assert "start:dana:1" in story.start_failed()
    story.result("start:dana:1", Succeeded(telnyx_conversation_id=NEW_ID))
    assert story.leg().is_up
    assert "start:lee:1" in story.assistant_ended("host", NEW_ID)


def test_a_removed_guest_is_no_candidate_for_a_restart() -> None:
    story = story_with_guests("dana")
    story.remove("dana")
    story.no_response("hang_up:dana:1")
    story.hang_up("host")
    story.assistant_ended()
    assert (story.status, story.state.previous_telnyx_ids) == ("ended", [])


def test_a_stopping_conversation_is_not_restarted() -> None:
    story = two_guest_story()
    story.stop()
    story.hang_up("host")
    story.assistant_ended()
    assert story.status == "ended"
    assert story.state.previous_telnyx_ids == []


def test_the_number_of_restarts_is_limited() -> None:
    names = ("dana", "lee", "kim", "max", "ada")
    story = story_with_guests(*names)
    story.hang_up("host")
    for nth, name in enumerate(names[:3], start=2):
        story.assistant_ended(telnyx_id=story.state.telnyx_conversation_id or "")
        story.result(f"start:{name}:1", Succeeded(telnyx_conversation_id=f"telnyx-{nth}"))
    assert story.status == "active"
    story.assistant_ended("kim", "telnyx-4")
    assert story.status == "ended"


def test_a_guest_invited_after_a_restart_is_joined_once() -> None:
    story = two_guest_story()
    story.hang_up("host")
    story.assistant_ended()
    story.result("start:dana:1", Succeeded(telnyx_conversation_id=NEW_ID))
    story.invite(guest("kim"))
    story.succeed("dial:kim:1")
    assert "join:kim:1" in story.answer("kim")
    assert "join:kim:1:2" not in story.succeed("join:kim:1")


def test_a_late_answer_to_the_first_start_is_not_the_answer_to_the_restart() -> None:
    story = two_guest_story()
    story.hang_up("host")
    story.assistant_ended()
    story.succeed("start:host:1")
    assert story.state.telnyx_conversation_id is None


# The host has left, and no webhook tells whether the assistant still runs


def test_an_assistant_that_refuses_the_hosts_departure_message_has_ended() -> None:
    story = two_guest_story()
    assert story.hang_up("host") == ["message:dana:1:3"]
    assert story.refuse("message:dana:1:3") == ["start:dana:1"]


def test_an_assistant_without_a_response_may_still_run() -> None:
    story = two_guest_story()
    story.hang_up("host")
    story.no_response("message:dana:1:3")
    story.advance(60)
    story.not_found("message:dana:1:3")
    assert story.events[-1].type == "message.failed"
    assert story.state.previous_telnyx_ids == []


def test_an_assistant_that_refuses_another_message_still_runs() -> None:
    story = two_guest_story()
    story.hang_up("host")
    story.succeed("message:dana:1:3")
    story.send_message("one")
    assert story.refuse("message:dana:1:4") == []
    assert story.state.previous_telnyx_ids == []


def test_a_refused_message_about_a_guest_with_the_hosts_name_ends_no_assistant() -> None:
    story = active_story()
    story.invite(replace(guest("dana"), name=UNNAMED_HOST))
    story.succeed("dial:dana:1")
    story.answer("dana")
    story.succeed("join:dana:1", "message:host:1:1")
    assert story.hang_up("dana") == ["message:host:1:2"]
    story.refuse("message:host:1:2")
    assert story.status == "active"


def test_a_restarted_assistant_does_not_end_with_an_earlier_departure_message() -> None:
    story = two_guest_story()
    story.hang_up("host")
    story.no_response("message:dana:1:3", had_no_effect=True)
    story.assistant_ended()
    story.result("start:dana:1", Succeeded(telnyx_conversation_id=NEW_ID))
    assert "message:dana:1:3" in story.advance(2)
    story.refuse("message:dana:1:3")
    assert story.state.telnyx_conversation_id == NEW_ID
