"""Runs the experiments, and leaves no call up."""

from collections.abc import Callable

from local.live_test.api import Api, SurpriseError
from local.live_test.calls import Calls
from local.live_test.experiments import Experiment
from local.live_test.lab import Lab
from local.live_test.masking import Masker
from local.live_test.plan import Plan
from local.live_test.state import Result, State, StateFile


class StoppedError(Exception):
    """The live test has stopped before its end. The text says where, and what may still be up."""


class Runner:
    """Runs the experiments of a plan that have no result yet.

    Args:
        api: Telnyx.
        state: The state, new or resumed.
        file: The state's file, which is written before each call.
        tell: Gets the name of each experiment before its start.
    """

    def __init__(
        self, api: Api, state: State, file: StateFile, tell: Callable[[str], None]
    ) -> None:
        self._api = api
        self._state = state
        self._file = file
        self._tell = tell
        self._calls = Calls(api, state, file)

    def hang_up_earlier(self) -> None:
        """Hang up the calls that an earlier process has recorded. Raises StoppedError."""
        failures = self._calls.hang_up_all()
        if failures:
            raise StoppedError(f"The earlier run has left calls. {_advice(failures)}")

    def run(self, plan: Plan) -> None:
        """Run the experiments.

        Whatever ends an experiment, all calls are hung up first.

        Raises:
            StoppedError: A surprise, the budget, or an interruption. `--resume` goes on there.
        """
        for experiment in plan.experiments:
            if experiment.name in self._state.results:
                continue
            self._tell(experiment.name)
            try:
                result = self._play(experiment)
                failures = self._calls.hang_up_all()
            except (SurpriseError, KeyboardInterrupt) as error:
                raise self._stopped(experiment, str(error) or "Interrupted.") from None
            except Exception as error:
                raise self._stopped(experiment, f"{type(error).__name__}: {error}") from error
            if failures:
                raise self._stopped(experiment, failures[0])
            self._state.results[experiment.name] = result
            self._state.stopped = ""
            self._file.save(self._state)

    def _play(self, experiment: Experiment) -> Result:
        masker = Masker(self._api.clock.now())
        lab = Lab(self._api, self._calls, self._state, masker)
        experiment.play(lab)
        return lab.result

    def _stopped(self, experiment: Experiment, reason: str) -> StoppedError:
        """Hang up all calls, and say where the live test stopped."""
        failures = self._calls.hang_up_all()
        self._state.stopped = f"{experiment.name}: {reason}"
        self._file.save(self._state)
        text = f"Stopped at the experiment “{experiment.name}”: {reason}"
        advice = _advice(failures) if failures else "All calls are hung up; --resume goes on."
        return StoppedError(f"{text} {advice}")


def _advice(failures: list[str]) -> str:
    reasons = " ".join(dict.fromkeys(failures))
    return (
        f"Calls that may be up: {len(failures)}. {reasons} Run the command again with "
        "--resume, or hang up in the portal. Telnyx ends each call after two minutes."
    )
