"""Stories are valid data with plain names."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import ValidationError

from local.room import stories
from local.room.actions import ACTION_ADAPTER, ActionRunner, Press
from local.room.stories import NotSavedError, Recorder, UnknownStoryError
from local.room.trouble import Trouble
from local.simulator.errors import ApiError


@pytest.mark.parametrize("name", ["", "../secret", "a/b", "Big", "-x", "x-", "a b", "a" * 130])
def test_a_name_with_another_path_is_refused(name: str) -> None:
    with pytest.raises(UnknownStoryError):
        stories.story_path(name)


def test_every_saved_story_has_a_subject_steps_and_outcomes() -> None:
    for row in stories.list_stories():
        story = stories.load(row["name"])
        assert story.about
        assert story.steps
        assert story.expect
        assert [step.at for step in story.steps] == sorted(step.at for step in story.steps)


def test_a_story_survives_saving_and_loading(tmp_path: Path) -> None:
    story = stories.load("a-function-dies")
    path = tmp_path / "copy.json"
    path.write_text(story.model_dump_json(exclude_defaults=True))
    assert stories.Story.model_validate_json(path.read_text()) == story


@pytest.mark.parametrize(
    "action",
    [
        {"do": "explode"},
        {"do": "answer", "phone": "0312"},
        {"do": "person", "person": {"number": "abc"}},
        {"do": "ring_in", "phone": "+13125550101\n", "to": "+13125550100"},
        {"do": "press", "phone": "+13125550101", "digits": "x"},
        {"do": "answer", "phone": "+13125550101", "extra": 1},
        {"do": "trouble", "trouble": {"telnyx": [{"kind": "explode"}]}},
    ],
)
def test_an_invalid_action_is_refused(action: object) -> None:
    with pytest.raises(ValidationError):
        ACTION_ADAPTER.validate_python(action)


class NoConversations:
    """An action runner without a conversation."""

    def conversations_since(self, since: object) -> list[object]:
        return []


def test_a_story_without_steps_or_with_a_used_name_is_not_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stories, "FOLDER", tmp_path)
    recorder = Recorder(cast("ActionRunner", NoConversations()))
    recorder.begin([], Trouble())
    with pytest.raises(NotSavedError, match="at least one step"):
        recorder.save("new", "No step")
    recorder.record(Press(do="press", phone="+13125550101", digits="1"))
    recorder.save("new", "A key is pressed")
    saved = (tmp_path / "new.json").read_text()
    recorder.begin([], Trouble())
    recorder.record(Press(do="press", phone="+13125550101", digits="2"))
    with pytest.raises(NotSavedError, match="already"):
        recorder.save("new", "Another")
    assert recorder.recording
    assert (tmp_path / "new.json").read_text() == saved
    recorder.save("newer", "Another")
    assert not recorder.recording


def conversation(status: str) -> dict[str, Any]:
    return {"status": status, "direction": "inbound", "participants": [], "handovers": []}


@pytest.mark.parametrize(
    ("statuses", "told"),
    [
        (["ended"], None),
        (["failed"], "status of conversation 1 differs from the recording"),
        (["ended", "ended"], "2 conversations in place of 1"),
    ],
)
def test_a_replay_is_compared_with_its_recording(statuses: list[str], told: str | None) -> None:
    expect = [stories.outcome(conversation("ended"))]
    story = stories.Story(about="A call", people=[], trouble=Trouble(), steps=[], expect=expect)
    assert stories.difference(story, [conversation(status) for status in statuses]) == told


def test_only_a_saved_story_is_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    story = stories.story_path("three-guests").read_text()
    monkeypatch.setattr(stories, "FOLDER", tmp_path)
    (tmp_path / "kept.json").write_text(story)
    (tmp_path / "gone.json").write_text(story)
    for name in ("missing", "../kept"):
        with pytest.raises(UnknownStoryError):
            stories.delete(name)
    stories.delete("gone")
    assert [path.name for path in tmp_path.iterdir()] == ["kept.json"]


class LateState:
    """An action runner that refuses a pressed key for some seconds."""

    def __init__(self, secs: float) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.accepts_at = self.now + timedelta(seconds=secs)
        self.presses = 0

    def wait(self, secs: float) -> None:
        self.now += timedelta(seconds=secs)

    def perform(self, action: object, _since: object) -> None:
        if isinstance(action, Press):
            if self.now < self.accepts_at:
                raise ApiError("10015", "No AI Assistant is in progress on this call")
            self.presses += 1

    def play(self) -> None:
        press = Press(do="press", phone="+13125550101", digits="1")
        steps = [stories.Step(at=1, action=press)]
        story = stories.Story(about="A key", people=[], trouble=Trouble(), steps=steps, expect=[])
        stories.play(story, cast("ActionRunner", self), self.wait, lambda: self.now)


def test_an_action_of_a_replay_waits_for_a_state_that_comes_late() -> None:
    runner = LateState(secs=20)
    runner.play()
    assert runner.presses == 1


def test_a_replay_ends_with_the_refusal_of_an_action_that_stays_impossible() -> None:
    runner = LateState(secs=3600)
    with pytest.raises(ApiError):
        runner.play()
    assert runner.presses == 0
