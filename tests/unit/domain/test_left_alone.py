"""A person who is left alone with a silent assistant hears the assistant again."""

from partyline.domain.model.statuses import AssistantMode
from tests.support.domain_story import Story, guest, joined_story


def silent_story() -> Story:
    """The assistant is silent, and the host and a guest are on the line."""
    story = joined_story()
    story.set_mode("silent")
    story.succeed("message:host:1:2")
    assert story.state.mode is AssistantMode.SILENT
    return story


def test_the_assistant_speaks_to_the_person_who_is_left_alone() -> None:
    story = silent_story()
    story.hang_up("dana")
    assert story.state.wanted_mode is AssistantMode.SPEAKING
    told = [m for c in story.state.commands.values() for m in c.messages or []]
    assert [(m.sets_mode, m.trigger_response) for m in told][-1] == (AssistantMode.SPEAKING, True)


def test_the_assistant_stays_silent_while_two_people_are_on_the_line() -> None:
    story = joined_story()
    story.succeed("message:host:1:1")
    story.invite(guest("lee"))
    story.succeed("dial:lee:1")
    story.answer("lee")
    story.succeed("join:lee:1", "message:host:1:2")
    story.set_mode("silent")
    story.succeed("message:host:1:3")
    story.hang_up("dana")
    assert story.state.wanted_mode is AssistantMode.SILENT
