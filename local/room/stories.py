"""Stories: what was done in the room and when, written down, told again, and a fixture of tests."""

import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from local.room.actions import ActionRunner, AnyAction, ApiRequest, SetPerson, SetTrouble
from local.room.trouble import Trouble
from local.simulator.model import Person

FOLDER = Path(__file__).resolve().parent.parent.parent / "tests" / "stories"
"""Where stories are saved: each is played by a test, too."""

_NAME = re.compile(r"[a-z0-9](-?[a-z0-9]){0,59}")


class Step(BaseModel):
    """An act at its moment, in seconds from the story's beginning."""

    model_config = ConfigDict(extra="forbid")

    at: float = Field(ge=0)
    act: AnyAction


class Story(BaseModel):
    """Everything that a story needs: who is there, what goes wrong, what is done.

    `expect` is how each conversation came out (see `outcome`), oldest first.
    """

    model_config = ConfigDict(extra="forbid")

    about: str
    people: list[Person]
    trouble: Trouble
    steps: list[Step]
    expect: list[dict[str, Any]]


class UnknownStoryError(Exception):
    """There is no story of that name, or it cannot be one's name; the text says which."""


class NotSavedError(Exception):
    """The story can't be kept so; the text says why. It is still being written."""


def story_path(name: str) -> Path:
    """Where a story is kept. Raises UnknownStoryError for what is not a plain name."""
    if not _NAME.fullmatch(name):
        raise UnknownStoryError("A story's name has small letters, digits and hyphens.")
    return FOLDER / f"{name}.json"


def load(name: str) -> Story:
    """Read a story. Raises UnknownStoryError, and pydantic's error for a broken file."""
    path = story_path(name)
    if not path.is_file():
        raise UnknownStoryError(f"There is no story {name}.")
    return Story.model_validate_json(path.read_text())


def list_stories() -> list[dict[str, str]]:
    """The stories that there are, with what each is about."""
    names = sorted(path.stem for path in FOLDER.glob("*.json"))
    return [{"name": name, "about": load(name).about} for name in names]


def outcome(conversation: dict[str, Any]) -> dict[str, Any]:
    """How a conversation came out, without anything that is another's in the next run."""
    return {
        "status": conversation["status"],
        "direction": conversation["direction"],
        "participants": [
            {"name": each["name"], "status": each["status"], "outcome": each["outcome"]}
            for each in conversation["participants"]
        ],
    }


class Recorder:
    """Writes down what is done, from `begin` on."""

    def __init__(self, performer: ActionRunner) -> None:
        """Write nothing yet."""
        self._action_runner = performer
        self._lock = threading.Lock()
        self._people: list[Person] = []
        self._trouble = Trouble()
        self.since = datetime.now(UTC)
        self.steps: list[Step] = []
        self.recording = False

    def begin(self, people: list[Person], trouble: Trouble) -> None:
        """Begin a new story, with the world as it is now."""
        with self._lock:
            self._people, self._trouble = people, trouble
            self.since, self.steps, self.recording = datetime.now(UTC), [], True

    def record(self, act: AnyAction) -> None:
        """Write an act down, if a story is being written."""
        if not self.recording:
            return
        at = (datetime.now(UTC) - self.since).total_seconds()
        if isinstance(act, ApiRequest):
            act = act.model_copy(
                update={"path": self._action_runner.replace_ids(act.path, self.since)}
            )
        with self._lock:
            self.steps.append(Step(at=round(at, 2), act=act))

    def save(self, name: str, about: str) -> Path:
        """End the story and keep it.

        Raises UnknownStoryError for a name that can't be one, and NotSavedError for a story without
        a step and for a name that another story has.
        """
        path = story_path(name)
        with self._lock:
            if not self.recording or not self.steps:
                raise NotSavedError("Nothing has been done yet: a story has at least one step.")
            if path.exists():
                raise NotSavedError(f"There is a story {name} already; choose another name.")
            story = Story(
                about=about,
                people=self._people,
                trouble=self._trouble,
                steps=self.steps,
                expect=[
                    outcome(each) for each in self._action_runner.conversations_since(self.since)
                ],
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x") as file:
                file.write(story.model_dump_json(indent=2, exclude_defaults=True) + "\n")
            self.recording = False
        return path


def play(
    story: Story,
    action_runner: ActionRunner,
    wait: Callable[[float], object],
    now: Callable[[], datetime],
) -> datetime:
    """Play a story: `wait` lets seconds pass, `now` says when it is. Returns when it began."""
    since = now()
    for person in story.people:
        action_runner.perform(SetPerson(do="person", person=person), since)
    action_runner.perform(SetTrouble(do="trouble", trouble=story.trouble), since)
    for step in story.steps:
        wait(max(0.0, step.at - (now() - since).total_seconds()))
        action_runner.perform(step.act, since)
    return since
