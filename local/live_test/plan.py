"""What a live test will do: its experiments, its questions, and an estimate of its cost."""

from dataclasses import dataclass

from local.live_test.calls import ASSISTANT_USD, CALL_USD
from local.live_test.experiments import EXPERIMENTS, NOT_ASKED, Experiment
from local.live_test.state import Setup
from local.simulator.unknowns import UNKNOWNS


@dataclass(frozen=True)
class Plan:
    """The experiments that can run with a setup, and the questions that stay open."""

    experiments: tuple[Experiment, ...]
    skipped: dict[str, str]
    """The reason for each question of which no experiment can run."""

    @property
    def questions(self) -> list[str]:
        """The ids of the unknowns that are asked."""
        asked = {name for experiment in self.experiments for name in experiment.asks}
        return [name for name in UNKNOWNS if name in asked]

    @property
    def calls(self) -> int:
        """The most calls."""
        return sum(experiment.calls for experiment in self.experiments)

    @property
    def minutes(self) -> int:
        """The most minutes of all calls."""
        return sum(experiment.minutes for experiment in self.experiments)

    @property
    def usd(self) -> float:
        """An estimate of the cost in US dollars."""
        talking = sum(item.minutes for item in self.experiments if item.with_assistant)
        return self.minutes * CALL_USD + talking * ASSISTANT_USD

    def describe(self) -> list[str]:
        """Return the lines that the user reads before agreeing."""
        lines = [
            f"{experiment.name}: {experiment.calls} calls, asks {', '.join(experiment.asks)}"
            for experiment in self.experiments
        ]
        lines.append(
            f"Altogether at most {self.calls} calls and {self.minutes} minutes, which cost about "
            f"{self.usd:.2f} US dollars at {CALL_USD} a minute for a call and {ASSISTANT_USD} for "
            "an assistant."
        )
        lines += [f"Skipped: {name}. {reason}" for name, reason in self.skipped.items()]
        return lines


def make_plan(setup: Setup, experiments: tuple[Experiment, ...] = EXPERIMENTS) -> Plan:
    """Return the plan of a live test with a setup."""
    runnable = tuple(experiment for experiment in experiments if not experiment.lack(setup))
    asked = {name for experiment in runnable for name in experiment.asks}
    skipped = {
        name: experiment.lack(setup) or ""
        for experiment in experiments
        for name in experiment.asks
        if name not in asked
    }
    return Plan(runnable, skipped)


def open_questions(plan: Plan) -> dict[str, str]:
    """Return the reason for each question that the plan does not ask."""
    return {**NOT_ASKED, **plan.skipped}
