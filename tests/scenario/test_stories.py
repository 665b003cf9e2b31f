"""Stories that were saved in the phone room are replayed in the lab, in virtual time."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.room import stories
from local.room.actions import ActionRunner
from local.room.hub import Hub
from local.room.lambda_faults import LambdaFaults
from local.room.observers import TableObserver
from local.room.server import SCRIPT
from local.simulator.settings import Settings
from local.stack.gateway import Gateway
from local.stack.handlers import HandlersInProcess
from local.stack.template import Template
from tests.scenario.conftest import EmbeddedBackend
from tests.support.exports import replayed_difference
from tests.support.lab import Lab, NewLab

NAMES = sorted(path.stem for path in stories.FOLDER.glob("*.json"))

AFTERWARDS_SECS = 300.0


class StoryPlayer:
    """A lab whose functions can crash, with a runner for the actions of a story."""

    def __init__(self, lab: Lab, faults: LambdaFaults) -> None:
        self.lab = lab
        self.faults = faults
        self.runner = ActionRunner(lab.telnyx, faults, self._ask)

    def play(self, name: str) -> list[dict[str, Any]]:
        """Replay a saved story and return the outcome of each of its conversations."""
        story = stories.load(name)
        since = stories.play(story, self.runner, self.lab.run, self.lab.clock.now)
        self.lab.run(AFTERWARDS_SECS)
        return [
            stories.outcome(conversation) for conversation in self.runner.conversations_since(since)
        ]

    def _ask(self, method: str, path: str, body: Any) -> Any:
        answer = self.lab.ask(method, path, body)
        assert answer.status < 300, answer.json
        return answer.json


@pytest.fixture
def backend(embedded_backend: EmbeddedBackend) -> EmbeddedBackend:
    """The embedded AWS: the room observes the events of a boto3 client."""
    return embedded_backend


@pytest.fixture
def player(
    new_lab: NewLab, backend: EmbeddedBackend, scenario_template: Template
) -> Iterator[StoryPlayer]:
    """A lab like the local phone room: phones are answered by the story, functions may crash."""
    handlers = HandlersInProcess(scenario_template.functions.values(), backend.environment)
    faults = LambdaFaults(handlers)
    settings = Settings(accepts_conversation_keys=True, busy_in_call=True, script=SCRIPT)
    lab = new_lab(settings=settings)
    lab.gateway = Gateway(scenario_template, invoke=faults)
    tap = TableObserver(Hub(), faults.table_written, lambda _: None)
    detach = tap.attach(backend.dynamodb)
    yield StoryPlayer(lab, faults)
    detach()


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_story_has_the_outcome_that_was_saved_and_is_decided_the_same_again(
    player: StoryPlayer, name: str
) -> None:
    assert player.play(name) == stories.load(name).expect
    assert player.lab.telnyx.violations == []
    assert [death for death in player.faults.crashes if death.times] == [], (
        "a planned crash did not happen"
    )
    assert player.lab.legs_up() == []
    for conversation in player.lab.conversations():
        assert replayed_difference(player.lab, conversation["id"]) is None


def test_at_least_three_stories_are_saved_and_one_lets_a_function_crash() -> None:
    """Check that the test above replays enough."""
    deaths = [death for name in NAMES for death in _deaths(name)]
    assert deaths
    assert len(NAMES) >= 3
    assert all(Path(stories.story_path(name)).is_file() for name in NAMES)


def _deaths(name: str) -> list[Any]:
    story = stories.load(name)
    switched = [step.action.trouble for step in story.steps if step.action.do == "trouble"]
    return list(
        itertools.chain.from_iterable(trouble.functions for trouble in (story.trouble, *switched))
    )
