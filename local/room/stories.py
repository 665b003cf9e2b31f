"""Stories: recorded actions with their times, which the room replays and the tests use."""

import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from local.room.actions import (
    ActionRefusedError,
    ActionRunner,
    AnyAction,
    ApiRequest,
    SetPerson,
    SetTrouble,
)
from local.room.trouble import Trouble
from local.simulator.errors import ApiError
from local.simulator.model import Person

FOLDER = Path(__file__).resolve().parent.parent.parent / "tests" / "stories"
"""The folder of saved stories; a test replays each story."""

_LATE = timedelta(seconds=30)
"""How much later than its time an action of a replayed story may be possible."""

_RETRY_SECS = 0.25

_NAME = re.compile(r"[a-z0-9](-?[a-z0-9]){0,59}")


class Step(BaseModel):
    """An action and its time, in seconds from the story's start."""

    model_config = ConfigDict(extra="forbid")

    at: float = Field(ge=0)
    action: AnyAction


class Story(BaseModel):
    """The people, the faults and the actions of a story.

    `expect` has the outcome of each conversation (see `outcome`), oldest first.
    """

    model_config = ConfigDict(extra="forbid")

    about: str
    people: list[Person]
    trouble: Trouble
    steps: list[Step]
    expect: list[dict[str, Any]]


class UnknownStoryError(Exception):
    """The name of a story is unknown or invalid. The text is a sentence for the user."""


class NotSavedError(Exception):
    """A story cannot be saved; the recording goes on. The text is a sentence for the user."""


def story_path(name: str) -> Path:
    """Return the path of a story. Raises UnknownStoryError for an invalid name."""
    if not _NAME.fullmatch(name):
        raise UnknownStoryError("A story's name has small letters, digits and hyphens.")
    return FOLDER / f"{name}.json"


def load(name: str) -> Story:
    """Read a story. Raises UnknownStoryError, and pydantic's error for an invalid file."""
    path = story_path(name)
    if not path.is_file():
        raise UnknownStoryError(f"There is no story {name}.")
    return Story.model_validate_json(path.read_text())


def list_stories() -> list[dict[str, str]]:
    """Return the name and the subject of each saved story."""
    names = sorted(path.stem for path in FOLDER.glob("*.json"))
    return [{"name": name, "about": load(name).about} for name in names]


def delete(name: str) -> None:
    """Delete a saved story. Raises UnknownStoryError."""
    load(name)
    story_path(name).unlink()


def difference(story: Story, conversations: list[dict[str, Any]]) -> str | None:
    """Tell the first difference of a replay from the recording; None for the same outcome."""
    found = [outcome(conversation) for conversation in conversations]
    if len(found) != len(story.expect):
        return f"{len(found)} conversations in place of {len(story.expect)}"
    for number, (now, then) in enumerate(zip(found, story.expect, strict=True), 1):
        for name in then.keys() | now.keys():
            if now.get(name) != then.get(name):
                return f"{name} of conversation {number} differs from the recording"
    return None


def outcome(conversation: dict[str, Any]) -> dict[str, Any]:
    """Return a conversation's outcome, without the fields that differ from run to run."""
    handovers = [
        {name: handover[name] for name in ("then", "outcome")}
        for handover in conversation["handovers"]
    ]
    return {
        "status": conversation["status"],
        "direction": conversation["direction"],
        "participants": [
            {name: participant[name] for name in ("name", "status", "outcome")}
            for participant in conversation["participants"]
        ],
        **({"handovers": handovers} if handovers else {}),
    }


class Recorder:
    """Records actions after `begin`."""

    def __init__(self, action_runner: ActionRunner) -> None:
        self._action_runner = action_runner
        self._lock = threading.Lock()
        self._people: list[Person] = []
        self._trouble = Trouble()
        self.since = datetime.now(UTC)
        self.steps: list[Step] = []
        self.recording = False

    def begin(self, people: list[Person], trouble: Trouble) -> None:
        """Start a new story with these people and faults."""
        with self._lock:
            self._people, self._trouble = people, trouble
            self.since, self.steps, self.recording = datetime.now(UTC), [], True

    def record(self, action: AnyAction) -> None:
        """Record an action, if the recorder is on."""
        if not self.recording:
            return
        at = (datetime.now(UTC) - self.since).total_seconds()
        if isinstance(action, ApiRequest):
            path = self._action_runner.replace_ids(action.path, self.since)
            action = action.model_copy(update={"path": path})
        with self._lock:
            self.steps.append(Step(at=round(at, 2), action=action))

    def save(self, name: str, about: str) -> Path:
        """Save the story and stop recording.

        Raises UnknownStoryError for an invalid name, and NotSavedError for a story without a step
        and for another story's name.
        """
        path = story_path(name)
        with self._lock:
            if not self.recording or not self.steps:
                raise NotSavedError("No action is recorded yet: a story has at least one step.")
            if path.exists():
                raise NotSavedError(f"There is a story {name} already; choose another name.")
            conversations = self._action_runner.conversations_since(self.since)
            story = Story(
                about=about,
                people=self._people,
                trouble=self._trouble,
                steps=self.steps,
                expect=[outcome(row) for row in conversations],
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
    on_step: Callable[[int], object] = lambda _: None,
) -> datetime:
    """Replay a story. `wait` lets seconds pass, `now` is the clock. Returns the start's time.

    `on_step` gets the number of each step before the step.

    A refused action is tried again for some seconds: the state before the action may come later
    than at the recording, such as the assistant's start before a sentence. Raises the errors of
    `perform`.
    """
    since = now()
    for person in story.people:
        action_runner.perform(SetPerson(do="person", person=person), since)
    action_runner.perform(SetTrouble(do="trouble", trouble=story.trouble), since)
    for number, step in enumerate(story.steps, 1):
        on_step(number)
        wait(max(0.0, step.at - (now() - since).total_seconds()))
        latest = now() + _LATE
        while not _is_performed(action_runner, step.action, since, last=now() >= latest):
            wait(_RETRY_SECS)
    return since


def _is_performed(
    action_runner: ActionRunner, action: AnyAction, since: datetime, *, last: bool
) -> bool:
    """Run an action; return False for a refused action, and raise the refusal of the last try."""
    try:
        action_runner.perform(action, since)
    except (ActionRefusedError, ApiError):
        if last:
            raise
        return False
    return True
