"""An assistant that the answer of an inbound call starts: no start command may follow."""

from dataclasses import replace

from partyline.domain.model.inputs import ConversationCreated, ConversationStartFailed
from partyline.domain.model.timeouts import ASSISTANT_LOOKUP_DELAY, MAX_ASSISTANT_LOOKUPS
from tests.support.domain_story import TELNYX_ID, Story, call_ref, guest

LOOKUP_SECS = ASSISTANT_LOOKUP_DELAY.total_seconds()


def answered_story() -> Story:
    """A caller whose call was answered; the assistant's conversation is not known yet."""
    story = Story()
    assert story.inbound_call(start="with_answer") == ["answer:host:1"]
    assert story.succeed("answer:host:1") == []
    assert story.answer() == []
    return story


def test_no_start_command_follows_the_answer() -> None:
    story = answered_story()

    assert story.status == "connecting"
    assert story.participant().status == "joining"
    assert not story.state.has_pending_commands, "Telnyx would deliver call.initiated again"

    story.assistant_created()

    assert story.status == "active"
    assert story.state.telnyx_conversation_id == TELNYX_ID
    assert [command.action for command in story.sent] == ["answer"]
    assert story.state.due_at == story.leg().poll_at


def test_the_assistant_may_be_created_before_the_answer_is_known() -> None:
    story = Story()
    story.inbound_call(start="with_answer")

    story.assistant_created()
    story.answer()
    story.succeed("answer:host:1")
    story.assistant_created()

    assert story.status == "active"
    assert story.participant().status == "joined"
    assert [command.action for command in story.sent] == ["answer"]


def test_a_lost_created_webhook_is_looked_for() -> None:
    story = answered_story()

    assert story.advance(LOOKUP_SECS - 1) == []
    assert story.advance(1) == ["find start:host:1"]
    story.succeed("start:host:1")

    assert story.status == "active"
    assert story.state.telnyx_conversation_id == TELNYX_ID


def test_a_created_webhook_that_comes_during_the_search_settles_the_search() -> None:
    story = answered_story()
    story.advance(LOOKUP_SECS)

    story.assistant_created()

    assert story.status == "active"
    assert not story.state.has_pending_commands
    assert story.not_found("start:host:1") == []


def test_a_conversation_that_is_not_found_fails_and_is_never_started() -> None:
    story = answered_story()

    story.advance(LOOKUP_SECS)
    for _ in range(MAX_ASSISTANT_LOOKUPS - 1):
        story.not_found("start:host:1")
        assert story.status == "connecting"
        assert "find start:host:1" in story.advance(60)
    assert story.not_found("start:host:1") == ["hang_up:host:1"]

    assert story.status == "failed"
    assert story.state.failure is not None
    assert story.state.failure.code == "unanswered"


def test_a_failed_start_ends_the_call() -> None:
    story = answered_story()
    failed = ConversationStartFailed(id="", call=call_ref(), reason="invalid_request")

    assert story.receive(failed) == ["hang_up:host:1"]
    assert story.receive(failed) == []

    assert story.status == "failed"
    assert story.state.failure is not None
    assert story.state.failure.code == "start_failed"


def test_a_created_webhook_without_an_id_is_looked_up_and_guests_wait_for_the_id() -> None:
    story = answered_story()
    created = ConversationCreated(id="", call=call_ref(), telnyx_conversation_id=None)
    story.receive(created)
    story.invite(guest())
    story.succeed("dial:dana:1")
    story.answer("dana")

    assert story.participant("dana").status == "waiting"
    assert "find start:host:1" in story.advance(LOOKUP_SECS)
    assert story.succeed("start:host:1") == ["stop_words:dana:1", "join:dana:1"]


def test_an_assistant_that_is_created_after_a_stop_is_stopped() -> None:
    story = answered_story()

    assert story.stop() == []
    assert story.status == "stopping"
    assert story.assistant_created() == ["stop:host:1"]


def test_a_stopped_conversation_looks_for_the_assistant_that_the_answer_started() -> None:
    story = answered_story()
    story.stop()

    assert story.advance(LOOKUP_SECS) == ["find start:host:1"]
    assert story.succeed("start:host:1") == ["stop:host:1"]


def test_a_stop_before_the_answer_was_sent_waits_for_no_assistant() -> None:
    story = Story()
    story.inbound_call(start="with_answer")
    story.no_response("answer:host:1", had_no_effect=True)

    story.stop(hang_up=True)

    assert "answer:host:1" not in [key for key in story.advance(60) if "find" not in key]
    assert not story.state.awaits_answers_assistant


def test_a_refused_answer_looks_for_no_assistant() -> None:
    story = Story()
    story.inbound_call(start="with_answer")
    story.refuse("answer:host:1")

    assert story.status == "failed"
    assert story.advance(600) == []


def test_a_short_conversation_whose_end_comes_first_has_run() -> None:
    story = answered_story()

    story.assistant_ended()
    assert "conversation.active" in story.event_types
    story.hang_up()
    assert story.status == "ended"


def test_the_other_calls_webhooks_start_nothing() -> None:
    story = answered_story()
    created = ConversationCreated(
        id="", call=replace(call_ref("dana"), participant=None), telnyx_conversation_id="other"
    )

    story.receive(created)

    assert story.status == "connecting"
