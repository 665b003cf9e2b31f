"""Stories are plain data, and their names plain names."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from local.room import stories
from local.room.acts import ACT
from local.room.stories import UnknownStoryError


@pytest.mark.parametrize("name", ["", "../secret", "a/b", "Big", "-x", "x-", "a b", "a" * 130])
def test_a_name_leads_nowhere_else(name: str) -> None:
    with pytest.raises(UnknownStoryError):
        stories.path_of(name)


def test_every_story_has_words_steps_and_an_end() -> None:
    for each in stories.listed():
        story = stories.load(each["name"])
        assert story.about
        assert story.steps
        assert story.expect
        assert [step.at for step in story.steps] == sorted(step.at for step in story.steps)


def test_a_story_is_read_as_it_was_written(tmp_path: Path) -> None:
    story = stories.load("a-function-dies")
    path = tmp_path / "copy.json"
    path.write_text(story.model_dump_json(exclude_defaults=True))
    assert stories.Story.model_validate_json(path.read_text()) == story


@pytest.mark.parametrize(
    "act",
    [
        {"do": "explode"},
        {"do": "answer", "phone": "0312"},
        {"do": "press", "phone": "+13125550101", "digits": "x"},
        {"do": "answer", "phone": "+13125550101", "extra": 1},
        {"do": "trouble", "trouble": {"telnyx": [{"kind": "explode"}]}},
    ],
)
def test_an_act_that_there_is_none_of_is_refused(act: object) -> None:
    with pytest.raises(ValidationError):
        ACT.validate_python(act)
