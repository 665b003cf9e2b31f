"""The host leaves a conversation that is to go on, and Telnyx ends its own all the same."""

from dataclasses import replace

from partyline.domain.model.results import Succeeded
from partyline.domain.model.statuses import OnHangup
from partyline.domain.model.timeouts import HANGUP_GRACE
from partyline.domain.rules.phrases import UNNAMED_HOST
from tests.support.domain_story import TELNYX_ID, Story, guest, on_the_phone

GOES_ON = {"on_hangup": OnHangup.CONTINUE}
NEW_ID = "telnyx-conversation-2"


def on_the_line(*names: str, on_hangup: OnHangup = OnHangup.CONTINUE) -> Story:
    """The host and these guests are joined, and the assistant knows."""
    story = on_the_phone(on_hangup=on_hangup)
    for nth, name in enumerate(names, start=1):
        story.invites(guest(name))
        story.does(f"dial:{name}:1")
        story.answers(name)
        story.does(f"join:{name}:1", f"message:host:1:{nth}")
    return story


def three_on_the_line(on_hangup: OnHangup = OnHangup.CONTINUE) -> Story:
    return on_the_line("dana", "lee", on_hangup=on_hangup)


def test_the_assistant_is_started_anew_for_those_who_are_left() -> None:
    story = three_on_the_line()
    story.hangs_up("host")
    assert story.status == "active"
    assert "start:dana:1" in story.assistant_ends()
    assert story.status == "active"
    assert story.it.telnyx_conversation_id is None
    left = story.result("start:dana:1", Succeeded(telnyx_conversation_id=NEW_ID))
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


def test_the_host_is_looked_at_once_and_the_hangup_waited_for() -> None:
    story = three_on_the_line()
    story.assistant_ends()
    assert story.looks("look:host:1", alive=True, answered=True) == []
    assert story.it.due_at == story.now + HANGUP_GRACE
    assert "start:dana:1" in story.hangs_up("host")


def test_a_late_word_of_the_one_before_ends_nothing() -> None:
    story = three_on_the_line()
    story.hangs_up("host")
    story.assistant_ends()
    story.assistant_ends()
    story.result("start:dana:1", Succeeded(telnyx_conversation_id=NEW_ID))
    story.assistant_ends()
    story.assistant_begins()
    assert story.status == "active"
    assert story.it.telnyx_conversation_id == NEW_ID
    assert story.it.previous_telnyx_ids == [TELNYX_ID]


def test_what_is_to_be_told_waits_for_the_new_one() -> None:
    story = three_on_the_line()
    story.hangs_up("host")
    story.does("message:dana:1:3")
    story.assistant_ends()
    assert story.says("Be brief.") == []
    left = story.result("start:dana:1", Succeeded(telnyx_conversation_id=NEW_ID))
    assert any(key.startswith("message:") for key in left)
    assert story.told[-1] == "Be brief."


def test_nobody_who_is_refused_the_new_one_stays_on_the_line_alone() -> None:
    story = three_on_the_line()
    story.hangs_up("host")
    story.assistant_ends()
    story.result("start:dana:1", Succeeded(telnyx_conversation_id=NEW_ID))
    assert "hang_up:lee:1" in story.refuses("join:lee:1:2")


def test_one_that_does_not_start_is_tried_on_the_next_call_and_then_it_ends() -> None:
    story = three_on_the_line()
    story.hangs_up("host")
    story.assistant_ends()
    assert story.refuses("start:dana:1") == ["start:lee:1"]
    assert {"hang_up:dana:1", "hang_up:lee:1"} <= set(story.refuses("start:lee:1"))
    assert story.status == "ended"
    assert "fetch_insights" in story.later(60), "those of the first one, which did run"


def test_the_heir_hangs_up_before_the_new_one_runs() -> None:
    story = three_on_the_line()
    story.hangs_up("host")
    story.assistant_ends()
    story.hangs_up("dana")
    assert story.finds_gone("start:dana:1") == []
    assert "start:lee:1" in {each.key for each in story.sent}


def test_who_is_there_is_said_once_however_often_it_is_tried() -> None:
    story = three_on_the_line()
    story.hangs_up("host")
    story.does("message:dana:1:3")
    story.assistant_ends()
    story.refuses("start:dana:1")
    story.result("start:lee:1", Succeeded(telnyx_conversation_id=NEW_ID))
    assert [each for each in story.told if "Dana, Lee" in each] == story.told[-1:]


def test_nobody_who_was_sent_away_becomes_the_heir() -> None:
    story = on_the_line("dana")
    story.removes("dana")
    story.is_silent("hang_up:dana:1")
    story.hangs_up("host")
    story.assistant_ends()
    assert (story.status, story.it.previous_telnyx_ids) == ("ended", [])


def test_one_that_is_being_stopped_is_not_started_anew() -> None:
    story = three_on_the_line()
    story.stops()
    story.hangs_up("host")
    story.assistant_ends()
    assert story.status == "ended"
    assert story.it.previous_telnyx_ids == []


def test_it_is_not_started_anew_for_ever() -> None:
    names = ("dana", "lee", "kim", "max", "ada")
    story = on_the_line(*names)
    story.hangs_up("host")
    for nth, name in enumerate(names[:3], start=2):
        story.assistant_ends(telnyx_id=story.it.telnyx_conversation_id or "")
        story.result(f"start:{name}:1", Succeeded(telnyx_conversation_id=f"telnyx-{nth}"))
    assert story.status == "active"
    story.assistant_ends("kim", "telnyx-4")
    assert story.status == "ended"


def test_who_comes_later_is_joined_once() -> None:
    story = three_on_the_line()
    story.hangs_up("host")
    story.assistant_ends()
    story.result("start:dana:1", Succeeded(telnyx_conversation_id=NEW_ID))
    story.invites(guest("kim"))
    story.does("dial:kim:1")
    assert "join:kim:1" in story.answers("kim")
    assert "join:kim:1:2" not in story.does("join:kim:1")


def test_a_late_answer_to_the_first_start_is_not_taken_for_one_to_the_second() -> None:
    story = three_on_the_line()
    story.hangs_up("host")
    story.assistant_ends()
    story.does("start:host:1")
    assert story.it.telnyx_conversation_id is None


# The host has left, and Telnyx has not said whether the assistant still runs


def test_an_assistant_that_cannot_be_told_that_the_host_has_left_has_ended_with_them() -> None:
    story = three_on_the_line()
    assert story.hangs_up("host") == ["message:dana:1:3"]
    assert story.refuses("message:dana:1:3") == ["start:dana:1"]


def test_one_that_did_not_answer_may_run_on() -> None:
    story = three_on_the_line()
    story.hangs_up("host")
    story.is_silent("message:dana:1:3")
    story.later(60)
    assert story.events[-1].type == "message.failed"
    assert story.it.previous_telnyx_ids == []


def test_one_that_refuses_another_message_runs_on() -> None:
    story = three_on_the_line()
    story.hangs_up("host")
    story.does("message:dana:1:3")
    story.says("one")
    assert story.refuses("message:dana:1:4") == []
    assert story.it.previous_telnyx_ids == []


def test_one_that_cannot_be_told_of_a_guest_with_the_host_s_name_runs_on() -> None:
    story = on_the_phone()
    story.invites(replace(guest("dana"), name=UNNAMED_HOST))
    story.does("dial:dana:1")
    story.answers("dana")
    story.does("join:dana:1", "message:host:1:1")
    assert story.hangs_up("dana") == ["message:host:1:2"]
    story.refuses("message:host:1:2")
    assert story.status == "active"


def test_one_that_was_started_anew_does_not_end_with_a_host_who_left_before() -> None:
    story = three_on_the_line()
    story.hangs_up("host")
    story.is_silent("message:dana:1:3", sure=True)
    story.assistant_ends()
    story.result("start:dana:1", Succeeded(telnyx_conversation_id=NEW_ID))
    assert "message:dana:1:3" in story.later(2)
    story.refuses("message:dana:1:3")
    assert story.it.telnyx_conversation_id == NEW_ID
