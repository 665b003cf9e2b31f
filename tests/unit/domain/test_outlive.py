"""The host leaves a conversation that is to go on, and Telnyx ends its own all the same."""

from partyline.domain.inputs import Accepted
from partyline.domain.statuses import OnHangup
from tests.unit.domain.story import TELNYX_ID, Story, guest, on_the_phone

GOES_ON = {"on_hangup": OnHangup.CONTINUE}
NEW_ID = "telnyx-conversation-2"


def three_on_the_line(on_hangup: OnHangup = OnHangup.CONTINUE) -> Story:
    """The host, Dana and Lee are joined, and the assistant knows."""
    story = on_the_phone(on_hangup=on_hangup)
    for nth, name in enumerate(("dana", "lee"), start=1):
        story.invites(guest(name))
        story.does(f"dial:{name}:1")
        story.answers(name)
        story.does(f"join:{name}:1", f"message:host:1:{nth}")
    return story


def test_the_assistant_is_started_anew_for_those_who_are_left() -> None:
    story = three_on_the_line()
    story.hangs_up("host")
    assert story.status == "active"
    assert "start:dana:1" in story.assistant_ends()
    assert story.status == "active"
    assert story.it.telnyx_conversation_id is None
    left = story.result("start:dana:1", Accepted(telnyx_conversation_id=NEW_ID))
    assert "join:lee:1:2" in left
    assert "join:dana:1:2" not in left
    story.does("join:lee:1:2")
    assert story.it.telnyx_conversation_id == NEW_ID
    assert {story.who(name).status for name in ("dana", "lee")} == {"joined"}
    assert "conversation.restarted" in story.happened


def test_it_ends_with_the_host_where_that_was_asked() -> None:
    story = three_on_the_line(OnHangup.END)
    story.hangs_up("host")
    assert story.assistant_ends() == []
    assert story.status == "ended"


def test_the_end_comes_before_the_hangup_that_caused_it() -> None:
    story = three_on_the_line()
    assert story.assistant_ends() == ["look:host:1"]
    assert story.status == "active"
    assert "start:dana:1" in story.hangs_up("host")
    assert story.status == "active"


def test_an_assistant_that_ends_by_itself_ends_it_for_all() -> None:
    story = three_on_the_line()
    story.assistant_ends()
    story.looks("look:host:1", alive=True, answered=True)
    story.later(11)
    assert story.status == "ended"
    assert story.it.start_command is not None
    assert story.it.start_command.key == "start:host:1"


def test_a_late_word_of_the_one_before_ends_nothing() -> None:
    story = three_on_the_line()
    story.hangs_up("host")
    story.assistant_ends()
    story.assistant_ends()
    story.result("start:dana:1", Accepted(telnyx_conversation_id=NEW_ID))
    story.assistant_ends()
    story.assistant_begins()
    assert story.status == "active"
    assert story.it.telnyx_conversation_id == NEW_ID
    assert story.it.past_telnyx_ids == [TELNYX_ID]


def test_what_is_to_be_told_waits_for_the_new_one() -> None:
    story = three_on_the_line()
    story.hangs_up("host")
    story.does("message:dana:1:3")
    story.assistant_ends()
    assert story.says("Be brief.") == []
    left = story.result("start:dana:1", Accepted(telnyx_conversation_id=NEW_ID))
    assert any(key.startswith("message:") for key in left)
    assert story.told[-1] == "Be brief."


def test_nobody_who_is_refused_the_new_one_stays_on_the_line_alone() -> None:
    story = three_on_the_line()
    story.hangs_up("host")
    story.assistant_ends()
    story.result("start:dana:1", Accepted(telnyx_conversation_id=NEW_ID))
    assert "hang_up:lee:1" in story.refuses("join:lee:1:2")


def test_one_that_does_not_start_is_tried_on_the_next_call_and_then_it_ends() -> None:
    story = three_on_the_line()
    story.hangs_up("host")
    story.assistant_ends()
    assert story.refuses("start:dana:1") == ["start:lee:1"]
    assert {"hang_up:dana:1", "hang_up:lee:1"} <= set(story.refuses("start:lee:1"))
    assert story.status == "ended"


def test_the_heir_hangs_up_before_the_new_one_runs() -> None:
    story = three_on_the_line()
    story.hangs_up("host")
    story.assistant_ends()
    story.hangs_up("dana")
    assert story.finds_gone("start:dana:1") == []
    assert "start:lee:1" in {each.key for each in story.sent}
