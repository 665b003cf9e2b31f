"""Stories that were saved in the phone room, played again on the stage, by its own time."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.room import stories
from local.room.actions import ActionRunner
from local.room.hub import Hub
from local.room.lambda_faults import LambdaFaults
from local.room.observers import TableTap
from local.room.server import SCRIPT
from local.simulator.settings import Settings
from local.stack.gateway import Gateway
from local.stack.handlers import HandlersInProcess
from local.stack.template import Template
from tests.scenario.conftest import EmbeddedBackend
from tests.support.lab import Lab, NewLab

NAMES = sorted(path.stem for path in stories.FOLDER.glob("*.json"))

AFTERWARDS_SECS = 300.0


class Theatre:
    """A stage whose functions can die, and somebody who does what a story says."""

    def __init__(self, new_lab: Lab, perils: LambdaFaults) -> None:
        self.stage = new_lab
        self.perils = perils
        self.performer = ActionRunner(new_lab.telnyx, perils, self._ask)

    def play(self, name: str) -> list[dict[str, Any]]:
        """Play a saved story, and say how its conversations came out."""
        story = stories.load(name)
        since = stories.play(story, self.performer, self.stage.run, self.stage.clock.now)
        self.stage.run(AFTERWARDS_SECS)
        return [stories.outcome(each) for each in self.performer.told(since)]

    def _ask(self, method: str, path: str, body: Any) -> Any:
        answer = self.stage.ask(method, path, body)
        assert answer.status < 300, answer.json
        return answer.json


@pytest.fixture
def backend(embedded_backend: EmbeddedBackend) -> EmbeddedBackend:
    """The embedded AWS: the room observes the events of a boto3 client."""
    return embedded_backend


@pytest.fixture
def theatre(
    new_lab: NewLab, backend: EmbeddedBackend, scenario_template: Template
) -> Iterator[Theatre]:
    """A stage like the local stack's room: people who pick up when told, functions that may die."""
    handlers = HandlersInProcess(scenario_template.functions.values(), backend.environment)
    perils = LambdaFaults(handlers)
    settings = Settings(accepts_conversation_keys=True, script=SCRIPT)
    lab = new_lab(settings=settings)
    lab.gateway = Gateway(scenario_template, invoke=perils)
    tap = TableTap(Hub(), perils.wrote, lambda _: None)
    detach = tap.attach(backend.dynamodb)
    yield Theatre(lab, perils)
    detach()


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_story_has_the_outcome_that_was_saved(theatre: Theatre, name: str) -> None:
    assert theatre.play(name) == stories.load(name).expect
    assert theatre.stage.telnyx.violations == []
    assert [each for each in theatre.perils.deaths if each.times] == [], "who was to die has died"
    assert theatre.stage.legs_up() == []


def test_at_least_three_stories_are_saved_and_one_lets_a_function_crash(theatre: Theatre) -> None:
    """What the test above plays is not nothing."""
    deaths = [death for name in NAMES for death in _deaths(name)]
    assert deaths
    assert len(NAMES) >= 3
    assert all(Path(stories.path_of(name)).is_file() for name in NAMES)


def _deaths(name: str) -> list[Any]:
    story = stories.load(name)
    switched = [step.act.trouble for step in story.steps if step.act.do == "trouble"]
    return list(
        itertools.chain.from_iterable(each.functions for each in (story.trouble, *switched))
    )
