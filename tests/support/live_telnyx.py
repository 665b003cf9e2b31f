"""A simulated Telnyx for the live test: virtual time, and requests that fail on demand."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from local.connect.account import Json
from local.live_test.api import Api, NoAnswerError
from local.live_test.experiments import EXPERIMENTS, Experiment
from local.live_test.plan import Plan, make_plan
from local.live_test.report import Report, make_report
from local.live_test.runner import Runner
from local.live_test.state import Result, Setup, State, StateError, StateFile
from local.simulator.settings import Settings
from tests.support.simulator_harness import HOOK, US, SimulatorHarness

SECOND = "+13125550199"
ASSISTANT = "assistant-of-the-user"
TELNYX = "https://api.telnyx.example/v2"

Failure = Literal["refused", "lost after", "interrupted", "killed before", "killed after"]


class KilledError(BaseException):
    """The process of the live test is dead: no request leaves it any more."""


class UnreachableHarness(SimulatorHarness):
    """A simulator that reaches every receiver except those of the domain `.invalid`.

    `answers_first`: a deployment answers each incoming call at once.
    """

    answers_first = False

    def _post(self, url: str, body: bytes, headers: dict[str, str]) -> int | None:
        status = super()._post(url, body, headers)
        if self.answers_first:
            payload = self.received[-1].envelope.get("data", {}).get("payload", {})
            if payload.get("state") == "parked":
                leg = self.telnyx.world.legs[payload["call_control_id"]]
                self.command(leg, "answer")
        return None if str(urlsplit(url).hostname).endswith(".invalid") else status


class StateInMemory(StateFile):
    """The text of the state in memory, for tests that save thousands of states."""

    def __init__(self) -> None:
        super().__init__(Path("in-memory"))
        self._text: str | None = None

    def exists(self) -> bool:
        return self._text is not None

    def load(self) -> State:
        if self._text is None:
            raise StateError("There is nothing to resume.")
        return State.model_validate_json(self._text)

    def save(self, state: State) -> None:
        self._text = state.model_dump_json()

    def delete(self) -> None:
        self._text = None


@dataclass
class LiveTelnyx:
    """A simulated account with two numbers and a second application.

    `path` is that of the state's file; without a path, the state is in memory.
    `answers` are the answers that the simulator plays. The request with the number `fails_at`
    fails once, as `failure` says.
    """

    path: Path | None = None
    answers: Mapping[str, str] = field(default_factory=dict)
    fails_at: int | None = None
    failure: Failure = "refused"
    max_calls: int = 100
    max_minutes: int = 100
    max_usd: float = 100.0
    second_number: str | None = SECOND
    requests: int = 0
    is_dead: bool = False

    def __post_init__(self) -> None:
        settings = Settings.answering(
            self.answers,
            webhook_url=HOOK,
            assistants=frozenset({ASSISTANT}),
            numbers=(US, SECOND),
        )
        self.lab = UnreachableHarness(settings)
        application = {
            "application_name": "second",
            "active": True,
            "webhook_event_url": HOOK,
            "webhook_api_version": "2",
        }
        other = self.lab.request("POST", "/call_control_applications", application)[1]["data"]["id"]
        self.setup = Setup(
            telnyx=TELNYX,
            connection_id=settings.connection_id,
            webhook_url=HOOK,
            number=US,
            second_number=self.second_number,
            assistant_id=ASSISTANT,
            second_connection_id=other,
            max_calls=self.max_calls,
            max_minutes=self.max_minutes,
            max_usd=self.max_usd,
        )
        self.file = StateFile(self.path) if self.path else StateInMemory()
        self.told: list[str] = []

    # The clock

    def now(self) -> datetime:
        """Return the virtual time."""
        return self.lab.clock.now()

    def sleep(self, secs: float) -> None:
        """Let virtual time pass."""
        self.lab.clock.advance(secs)

    # Requests

    def send(self, method: str, path: str, body: Json | None) -> tuple[int, Any]:
        """Send a request to the simulator."""
        if self.is_dead:
            raise KilledError
        self.requests += 1
        fails = self.requests == self.fails_at
        if fails and self.failure == "refused":
            return 500, {}
        if fails and self.failure == "interrupted":
            raise KeyboardInterrupt
        if fails and self.failure == "killed before":
            self._die()
        reply = self.lab.reply(method, path, body)
        self.sleep(reply.held_secs)
        if fails and self.failure == "lost after":
            raise NoAnswerError("The answer was lost.")
        if fails and self.failure == "killed after":
            self._die()
        return reply.status, json.loads(reply.body)

    def _die(self) -> None:
        self.is_dead = True
        raise KilledError

    # Runs

    def plan(self, experiments: tuple[Experiment, ...] = EXPERIMENTS) -> Plan:
        """Return the plan of these experiments."""
        return make_plan(self.setup, experiments)

    def begin(self, plan: Plan, results: Mapping[str, Result] = {}) -> State:
        """Run a new live test; `results` are those of experiments that have been run."""
        state = State(setup=self.setup, begun_at=self.now(), results=dict(results))
        return self._run(state, plan)

    def resume(self, plan: Plan) -> State:
        """Run the rest of a live test, in a new process."""
        self.is_dead = False
        state = self.file.load()
        return self._run(state, plan)

    def _run(self, state: State, plan: Plan) -> State:
        runner = Runner(Api(self.send, self), state, self.file, self.told.append)
        runner.hang_up_earlier()
        runner.run(plan)
        return state

    def report(self, experiments: tuple[Experiment, ...] = EXPERIMENTS) -> Report:
        """Run a whole live test, and return its report."""
        plan = self.plan(experiments)
        return make_report(self.begin(plan), plan)

    @property
    def legs_up(self) -> list[str]:
        """The calls that are up."""
        return [leg.call_control_id for leg in self.lab.telnyx.legs if leg.state != "ended"]


def asking(*names: str) -> tuple[Experiment, ...]:
    """Return the experiments that ask these questions, in their order."""
    return tuple(experiment for experiment in EXPERIMENTS if {*experiment.asks} & {*names})
