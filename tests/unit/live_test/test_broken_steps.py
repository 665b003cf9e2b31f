"""Each request of the live test fails once: nothing stays up, and a resumed run reports the same.

Each experiment makes its own calls, so the failures of a whole run are those of its experiments.
"""

import itertools
from pathlib import Path
from typing import Any, get_args

import pytest

from local.connect.account import Json
from local.live_test.experiments import EXPERIMENTS, Experiment
from local.live_test.experiments.guests import OWN_PATH
from local.live_test.plan import Plan
from local.live_test.report import Report, make_report
from local.live_test.runner import StoppedError
from local.live_test.state import Result, State
from tests.support.live_telnyx import Failure, KilledError, LiveTelnyx, asking
from tests.unit.live_test.test_many_answers import TURNED

MOST_REQUESTS = 400

EARLIER = {"a guest and a stop": Result(facts={OWN_PATH: "accepted"})}
"""The result of an earlier experiment, which a later experiment uses."""


def content(state: State, plan: Plan) -> dict[str, object]:
    """Return the content of a report that does not depend on failed tries."""
    report: Report = make_report(state, plan)
    return report.model_dump(exclude={"digest", "begun_at", "calls", "minutes"})


def begin(telnyx: LiveTelnyx, plan: Plan) -> State:
    """Run an experiment, with the results of the experiments before."""
    names = [experiment.name for experiment in plan.experiments]
    return telnyx.begin(plan, {name: EARLIER[name] for name in EARLIER if name not in names})


def stop_of(telnyx: LiveTelnyx, plan: Plan) -> BaseException | None:
    """Run an experiment, and return the error that stopped the run."""
    try:
        begin(telnyx, plan)
    except (StoppedError, KilledError) as error:
        return error
    return None


FAILURES: list[tuple[Failure, dict[str, str]]] = [
    *((failure, {}) for failure in get_args(Failure)),
    # Calls have other ids after their answer, and the list of calls is late and incomplete.
    ("killed after", TURNED),
]


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("failure", "answers"), FAILURES, ids=[*get_args(Failure), "killed after, turned answers"]
)
@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.name)
def test_a_failed_request_leaves_nothing_up_and_the_same_report(
    experiment: Experiment, failure: Failure, answers: dict[str, str]
) -> None:
    whole = LiveTelnyx(answers=answers)
    plan = whole.plan((experiment,))
    expected = content(begin(whole, plan), plan)
    assert whole.requests < MOST_REQUESTS

    stops = 0
    for number in itertools.count(1):
        telnyx = LiveTelnyx(None, answers, number, failure)
        stopped = stop_of(telnyx, plan)
        if stopped is None:
            assert content(telnyx.file.load(), plan) == expected
            if telnyx.requests < number:
                break
            continue
        stops += 1
        if isinstance(stopped, StoppedError):
            assert experiment.name in str(stopped)
            assert telnyx.legs_up == []
            assert telnyx.file.load().stopped
        state = telnyx.resume(plan)
        assert telnyx.legs_up == []
        assert content(state, plan) == expected
    # Only a request of the final clean-up is repeated instead of stopping the run.
    assert stops > whole.requests / 2


def test_a_killed_run_leaves_calls_that_the_next_run_hangs_up_first(tmp_path: Path) -> None:
    (two_guests,) = (experiment for experiment in EXPERIMENTS if experiment.name == "two guests")
    left_up = 0
    for number in range(1, 20):
        telnyx = LiveTelnyx(tmp_path / "state", fails_at=number, failure="killed after")
        with pytest.raises(KilledError):
            telnyx.begin(telnyx.plan((two_guests,)))
        if telnyx.requests > number:
            break
        left_up += bool(telnyx.legs_up)
        first = len(telnyx.lab.telnyx.ledger)
        telnyx.resume(telnyx.plan((two_guests,)))
        later = [entry.action for entry in telnyx.lab.telnyx.ledger[first:]]
        dials = [place for place, action in enumerate(later) if action == "dial"]
        hangups = [place for place, action in enumerate(later) if action == "hangup"]
        assert not telnyx.legs_up
        assert hangups[0] < dials[0] or first == 1
    assert left_up > 10


def test_a_call_whose_id_has_changed_unseen_is_hung_up(tmp_path: Path) -> None:
    answers = {"ids-after-answer": "call"}
    telnyx = LiveTelnyx(tmp_path / "state", answers, fails_at=2, failure="killed before")
    telnyx.lab.answers_first = True
    with pytest.raises(KilledError):
        telnyx.begin(telnyx.plan(asking("time-limit-cause")))
    telnyx.sleep(2)
    assert len(telnyx.legs_up) == 2
    telnyx.resume(telnyx.plan(()))
    assert telnyx.legs_up == []


def test_a_hangup_that_fails_twice_is_tried_again(tmp_path: Path) -> None:
    telnyx = LiveTelnyx(tmp_path / "state")
    original, failures = telnyx.send, iter([503, 503])

    def send(method: str, path: str, body: Json | None) -> tuple[int, Any]:
        status = next(failures, None) if path.endswith("/hangup") else None
        return (status, {}) if status else original(method, path, body)

    telnyx.send = send  # type: ignore[method-assign]
    state = telnyx.begin(telnyx.plan(asking("guest-limit")))
    assert "two guests" in state.results
    assert telnyx.legs_up == []
