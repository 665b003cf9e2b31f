"""The assistant is silent, and speaks again."""

import pytest

from partyline.domain.model.conversation import Conversation
from partyline.domain.model.events import Event
from partyline.domain.rules.phrases import DEFAULTS
from tests.support.domain_story import Story, active_story, guest, joined_story

MESSAGE = "message:host:1:2"  # the first message after the announcement of the guest


def silent_story() -> Story:
    """The assistant is silent, and a guest is joined."""
    story = joined_story()
    story.set_mode("silent")
    story.succeed(MESSAGE)
    return story


def modes(story: Story) -> tuple[str, str]:
    return story.state.mode.value, story.state.wanted_mode.value


def mode_events(story: Story) -> list[Event]:
    return [event for event in story.events if event.type.startswith("assistant.")]


def triggers(conversation: Conversation) -> list[bool]:
    commands = conversation.commands.values()
    return [m.trigger_response for command in commands for m in command.messages or []]


def test_the_assistant_is_told_to_be_silent_and_is_silent_once_told() -> None:
    story = joined_story()
    assert story.set_mode("silent") == [MESSAGE]
    assert modes(story) == ("speaking", "silent")
    story.succeed(MESSAGE)
    assert modes(story) == ("silent", "silent")
    assert story.messages[-1] == DEFAULTS["silent"]
    [changed] = mode_events(story)
    assert changed.data == {"mode": "silent", "previous": "speaking"}


def test_the_assistant_speaks_again() -> None:
    story = silent_story()
    assert story.set_mode("speaking") == ["message:host:1:3"]
    story.succeed("message:host:1:3")
    assert modes(story) == ("speaking", "speaking")
    assert story.messages[-1] == DEFAULTS["speaking"]
    assert mode_events(story)[-1].data == {"mode": "speaking", "previous": "silent"}


def test_a_second_request_for_the_same_mode_tells_nothing() -> None:
    story = silent_story()
    assert story.set_mode("silent") == []
    assert len(mode_events(story)) == 1


def test_a_request_that_is_taken_back_before_the_message_is_sent_tells_nothing() -> None:
    story = active_story()
    story.send_message("first")
    story.set_mode("silent")
    story.set_mode("speaking")
    assert story.succeed("message:host:1:1") == []
    assert modes(story) == ("speaking", "speaking")
    assert mode_events(story) == []


def test_a_request_that_is_taken_back_while_the_message_is_sent_is_followed_by_the_other() -> None:
    story = joined_story()
    story.set_mode("silent")
    assert story.set_mode("speaking") == []
    assert story.succeed(MESSAGE) == ["message:host:1:3"]
    story.succeed("message:host:1:3")
    assert modes(story) == ("speaking", "speaking")
    assert [event.data["mode"] for event in mode_events(story)] == ["silent", "speaking"]


def test_the_mode_before_holds_when_telnyx_refuses_the_message() -> None:
    story = joined_story()
    story.set_mode("silent")
    story.refuse(MESSAGE)
    assert modes(story) == ("speaking", "speaking")
    [failed] = mode_events(story)
    assert failed.type == "assistant.mode_failed"
    assert failed.data["mode"] == "silent"
    assert failed.data["failure"]["code"] == "10015"


@pytest.mark.parametrize("told", [True, False], ids=["silent", "about to be silent"])
def test_news_of_ours_triggers_no_response_of_a_silent_assistant(told: bool) -> None:
    story = joined_story()
    story.set_mode("silent")
    if told:
        story.succeed(MESSAGE)
    story.invite(guest("eli"))
    story.hang_up("eli", cause="user_busy", sip="486")
    if not told:
        story.succeed(MESSAGE)
    assert triggers(story.state) == [False]


def test_news_of_ours_triggers_a_response_of_a_speaking_assistant() -> None:
    story = joined_story()
    story.invite(guest("eli"))
    story.hang_up("eli", cause="user_busy", sip="486")
    assert triggers(story.state) == [True]


def test_an_empty_phrase_changes_the_mode_without_a_message() -> None:
    story = joined_story()
    story.state.phrases["silent"] = ""
    assert story.set_mode("silent") == []
    assert modes(story) == ("silent", "silent")


def test_a_mode_may_be_asked_for_before_the_assistant_runs() -> None:
    story = Story()
    story.start()
    story.succeed("dial:host:1")
    story.answer()
    assert story.set_mode("silent") == []
    assert "message:host:1:1" in story.succeed("start:host:1")
    story.succeed("message:host:1:1")
    assert modes(story) == ("silent", "silent")


def test_an_assistant_that_is_restarted_is_told_again_to_be_silent() -> None:
    story = joined_story(host={"on_hangup": "continue_conversation"})
    story.invite(guest("lee"))
    story.succeed("dial:lee:1")
    story.answer("lee")
    story.succeed("join:lee:1", "message:host:1:2")
    story.set_mode("silent")
    story.succeed("message:host:1:3")
    story.succeed(*story.hang_up("host"))
    story.assistant_ended()
    story.succeed("start:dana:1", "message:dana:1:5")
    assert story.messages[-1] == DEFAULTS["silent"]
    assert modes(story) == ("silent", "silent")


def test_a_mode_cannot_be_asked_for_after_the_end() -> None:
    story = joined_story()
    story.stop(hang_up=True)
    story.set_mode("silent")
    assert story.refusal == "conversation_over"


def test_the_assistant_does_not_leave_a_person_alone() -> None:
    story = active_story()
    story.set_mode("away")
    assert story.refusal == "too_few_people"
    assert modes(story) == ("speaking", "speaking")
