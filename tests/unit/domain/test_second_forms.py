"""A command that Telnyx refuses in one form is sent in another form, under another command_id."""

from datetime import UTC, datetime, timedelta

from partyline.domain.model.commands import (
    MAX_CHANGES,
    WEBHOOK_URLS,
    Action,
    Command,
    command_id,
)
from partyline.domain.model.results import FormRefused, Retryable
from partyline.domain.model.timeouts import BACKOFF, LEASE, START_LEASE
from tests.support.domain_story import Story

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def claimed(action: Action = Action.START) -> Command:
    command = Command(
        id=command_id("c-1", "start:host:1"), key="start:host:1", action=action, not_before=NOW
    )
    command.claim(NOW)
    return command


def test_each_form_has_its_own_id_which_every_process_derives() -> None:
    first, second = claimed(), claimed()
    ids = {first.id}
    for nth in range(1, 4):
        for command in (first, second):
            command.change_form(["message_history"], "c-1", NOW)
        assert first.id == second.id
        ids.add(first.id)
        assert len(ids) == nth + 1


def test_another_form_is_due_at_once_and_has_no_sending_in_doubt() -> None:
    command = claimed()
    command.change_form(["message_history"], "c-1", NOW)
    assert command.not_before == NOW
    assert command.sent_at is None
    command.claim(NOW + timedelta(seconds=1))
    assert not command.may_have_taken_effect


def starting() -> Story:
    story = Story()
    story.start()
    story.succeed("dial:host:1")
    assert story.answer() == ["start:host:1"]
    return story


def form_refused(*changes: str) -> FormRefused:
    return FormRefused(code="10000", message="Invalid message format", changes=changes)


def test_a_command_in_another_form_is_sent_in_the_same_step_and_told_in_the_timeline() -> None:
    story = starting()
    assert story.result("start:host:1", form_refused("message_history")) == ["start:host:1"]
    assert "command.changed" in story.event_types
    assert story.state.commands["start:host:1"].changes == ["message_history"]


def test_another_form_of_the_webhook_urls_is_not_told() -> None:
    story = Story()
    story.start()
    assert story.result("dial:host:1", form_refused(WEBHOOK_URLS)) == ["dial:host:1"]
    assert "command.changed" not in story.event_types


def test_a_command_is_refused_after_too_many_forms() -> None:
    story = Story()
    story.start()
    for _ in range(MAX_CHANGES):
        assert story.result("dial:host:1", form_refused(WEBHOOK_URLS)) == ["dial:host:1"]
    assert story.result("dial:host:1", form_refused(WEBHOOK_URLS)) == []
    assert story.status == "failed"
    assert story.state.failure is not None
    assert story.state.failure.code == "10000"


def test_a_start_without_an_answer_is_repeated_with_its_id_after_its_lease() -> None:
    story = starting()
    sent = story.state.commands["start:host:1"].id
    story.result("start:host:1", Retryable(had_no_effect=False, unanswered=True))
    assert story.advance(START_LEASE.total_seconds() - 1) == []
    assert story.advance(1) == ["start:host:1"]
    assert story.state.commands["start:host:1"].id == sent


def test_a_start_that_telnyx_refuses_for_now_is_repeated_after_the_pause() -> None:
    story = starting()
    story.result("start:host:1", Retryable(had_no_effect=False))
    assert story.advance(BACKOFF[0].total_seconds()) == ["start:host:1"]


def test_a_start_has_a_longer_lease() -> None:
    assert claimed().not_before == NOW + START_LEASE
    assert claimed(Action.DIAL).not_before == NOW + LEASE
    assert max(LEASE, BACKOFF[0]) < START_LEASE
