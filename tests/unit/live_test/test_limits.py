"""The live test stops at its budget and at a surprise, and skips questions without a number."""

from pathlib import Path
from typing import Any

import pytest

from local.connect.account import Json
from local.live_test.experiments import EXPERIMENTS
from local.live_test.runner import StoppedError
from local.simulator.unknowns import PLAYED
from tests.support.live_telnyx import LiveTelnyx, asking

LIVE_TEST = Path(__file__).parents[3] / "docs" / "live-test.md"


@pytest.mark.parametrize(
    ("budget", "unit"),
    [({"max_calls": 4}, "calls"), ({"max_minutes": 4}, "minutes"), ({"max_usd": 0.6}, "dollars")],
)
def test_the_budget_stops_the_live_test_and_a_larger_budget_goes_on(
    budget: dict[str, Any], unit: str, tmp_path: Path
) -> None:
    telnyx = LiveTelnyx(tmp_path / "state", **budget)
    with pytest.raises(StoppedError, match=rf"The budget of .* {unit} is used up"):
        telnyx.begin(telnyx.plan())
    dialled = [entry for entry in telnyx.lab.telnyx.ledger if entry.action == "dial"]
    assert len([entry for entry in dialled if not entry.duplicate]) == 4
    assert telnyx.legs_up == []

    state = telnyx.file.load()
    enough = {"max_calls": 100, "max_minutes": 100, "max_usd": 100.0}
    state.setup = state.setup.model_copy(update=enough)
    telnyx.file.save(state)
    finished = telnyx.resume(telnyx.plan())
    assert len(finished.results) == len(EXPERIMENTS)


def test_a_whole_live_test_stays_within_its_estimate(tmp_path: Path) -> None:
    telnyx = LiveTelnyx(tmp_path / "state")
    plan = telnyx.plan()
    state = telnyx.begin(plan)
    assert state.dialled <= plan.calls
    assert state.minutes <= plan.minutes
    cost = f"At most {plan.calls} calls and {plan.minutes} minutes, about {plan.usd:.2f} US dollars"
    answered = f"{len(plan.questions)} of the {len(PLAYED)} questions about Telnyx."
    page = LIVE_TEST.read_text()
    assert cost in page
    assert answered in page


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_a_status_that_answers_no_question_is_a_surprise(status: int, tmp_path: Path) -> None:
    telnyx = LiveTelnyx(tmp_path / "state")
    original = telnyx.send

    def send(method: str, path: str, body: Json | None) -> tuple[int, Any]:
        if path.endswith("ai_assistant_start"):
            return status, {"errors": [{"code": "10010"}]}
        return original(method, path, body)

    telnyx.send = send  # type: ignore[method-assign]
    with pytest.raises(StoppedError, match=rf"a guest and a stop.*ai_assistant_start: {status}"):
        telnyx.begin(telnyx.plan(asking("start-on-joined")))
    assert telnyx.legs_up == []


def test_a_call_that_ends_early_is_a_surprise(tmp_path: Path) -> None:
    telnyx = LiveTelnyx(tmp_path / "state")
    original = telnyx.send

    def send(method: str, path: str, body: Json | None) -> tuple[int, Any]:
        if path.endswith("/actions/answer"):
            for call in telnyx.legs_up:
                telnyx.lab.telnyx.hang_up(call)
        return original(method, path, body)

    telnyx.send = send  # type: ignore[method-assign]
    with pytest.raises(StoppedError, match=r"No incoming call|ended before its answer"):
        telnyx.begin(telnyx.plan(asking("time-limit-cause")))
    assert telnyx.legs_up == []


def test_calls_that_cannot_be_hung_up_are_named(tmp_path: Path) -> None:
    telnyx = LiveTelnyx(tmp_path / "state")
    original = telnyx.send

    def send(method: str, path: str, body: Json | None) -> tuple[int, Any]:
        return (503, {}) if path.endswith("/hangup") else original(method, path, body)

    telnyx.send = send  # type: ignore[method-assign]
    with pytest.raises(StoppedError, match=r"Calls that may be up: 1\. .*--resume"):
        telnyx.begin(telnyx.plan(asking("calls-listed")))
    assert telnyx.file.load().open_calls

    telnyx.send = original  # type: ignore[method-assign]
    telnyx.resume(telnyx.plan(asking("calls-listed")))
    assert telnyx.legs_up == []


def test_without_a_second_number_the_other_questions_are_skipped_and_named(tmp_path: Path) -> None:
    telnyx = LiveTelnyx(tmp_path / "state", second_number=None)
    report = telnyx.report()
    assert [*report.answers] == [
        *("duplicate-dial", "webhook-urls-form", "redelivered-id"),
        *("redelivery-signature", "default-retries"),
    ]
    reason = "A second number is needed (--second-number)."
    assert sum(text == reason for text in report.open.values()) == 51
    assert "Skipped: end-order. " + reason in telnyx.plan().describe()


def test_without_a_second_application_its_question_is_skipped_and_named(tmp_path: Path) -> None:
    telnyx = LiveTelnyx(tmp_path / "state")
    telnyx.setup = telnyx.setup.model_copy(update={"second_connection_id": None})
    skipped = {"join-other-connection": "A second application is needed (--second-application)."}
    assert telnyx.plan().skipped == skipped


def test_a_repetition_that_telnyx_does_not_recognize_is_no_listed_answer(tmp_path: Path) -> None:
    telnyx = LiveTelnyx(tmp_path / "state")
    original = telnyx.send

    def send(method: str, path: str, body: Json | None) -> tuple[int, Any]:
        sent = {name: value for name, value in (body or {}).items() if name != "command_id"}
        return original(method, path, body and sent)

    telnyx.send = send  # type: ignore[method-assign]
    report = telnyx.report(asking("duplicate-dial", "duplicate-start"))
    unlisted = report.unlisted["duplicate-dial"].evidence, report.unlisted["duplicate-start"]
    assert "2 calls" in unlisted[0]
    assert any("90061" in text for text in unlisted[1].evidence)
    assert telnyx.legs_up == []
