"""A report of a live test: its content, its use, and the reports that are refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.live_test.plan import make_plan
from local.live_test.report import (
    PARAMETER,
    Report,
    ReportError,
    make_report,
    parameters_of,
    read_report,
)
from local.live_test.state import Finding, Result, Setup, State
from local.simulator.settings import Settings
from local.stack.local_stack import Options
from partyline.telnyx.webhook_urls import STEPS
from tests.support.live_telnyx import SECOND, LiveTelnyx, asking
from tests.support.simulator_harness import US


@pytest.fixture
def telnyx(tmp_path: Path) -> LiveTelnyx:
    """An account with two answers that are not assumed."""
    return LiveTelnyx(tmp_path / "state", {"webhook-urls-form": "text", "end-order": "before"})


@pytest.fixture
def report(telnyx: LiveTelnyx) -> Report:
    return telnyx.report(asking("webhook-urls-form", "end-order"))


@pytest.fixture
def path(report: Report, tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    report.save(path)
    return path


def test_a_saved_report_is_read_again(report: Report, path: Path) -> None:
    assert read_report(path) == report


def test_the_report_names_differences_with_their_effect(report: Report) -> None:
    observation = report.answers["webhook-urls-form"]
    assert observation.differs
    assert observation.effect.startswith("Partyline sends single URLs")
    summary = "\n".join(report.summary())
    assert "2 not as assumed" in summary
    assert "differs   webhook-urls-form: One URL; a list is refused with 422." in summary
    assert "assumed   duplicate-dial: bare" in summary
    assert "tool-header, tool-repeats: Only the deployment sees" in summary


def test_the_evidence_has_no_numbers_and_no_ids(telnyx: LiveTelnyx) -> None:
    text = telnyx.report().model_dump_json()
    legs = telnyx.lab.telnyx.legs
    secrets = {US, SECOND, telnyx.setup.connection_id, telnyx.setup.assistant_id}
    secrets |= {leg.call_control_id for leg in legs} | {leg.call_session_id for leg in legs}
    secrets |= {talk.conversation_id for talk in telnyx.lab.telnyx.conversations}
    assert [secret for secret in secrets if secret in text] == []
    assert "partyline.example" not in text


def test_every_answer_has_evidence(telnyx: LiveTelnyx) -> None:
    answers = telnyx.report().answers
    # A continuing conversation and a missing webhook are shown by nothing.
    assert {name for name, answer in answers.items() if not answer.evidence} <= {"host-hangup"}


def change(report: dict[str, Any]) -> None:
    report["answers"]["end-order"]["answer"] = "after"


def remove(report: dict[str, Any]) -> None:
    del report["answers"]["end-order"]


def add(report: dict[str, Any]) -> None:
    report["parameters"]["Stage"] = "prod"


def age(report: dict[str, Any]) -> None:
    report["version"] = 2


def forget(report: dict[str, Any]) -> None:
    del report["format"]


@pytest.mark.parametrize(
    ("tamper", "reason"),
    [
        (change, "was changed or cut"),
        (remove, "was changed or cut"),
        (add, "was changed or cut"),
        (age, "has version 2, and this Partyline reads version 1"),
        (forget, "is no report"),
    ],
)
def test_a_changed_report_is_refused(
    tamper: Callable[[dict[str, Any]], None], reason: str, path: Path
) -> None:
    document = json.loads(path.read_text())
    tamper(document)
    path.write_text(json.dumps(document))
    with pytest.raises(ReportError, match=reason):
        read_report(path)


def test_a_cut_report_is_refused_wherever_it_is_cut(path: Path) -> None:
    text = path.read_text().rstrip()
    for end in range(0, len(text), 97):
        path.write_text(text[:end])
        with pytest.raises(ReportError, match="cut or changed"):
            read_report(path)


@pytest.mark.parametrize("name", ["a-question-of-tomorrow", "end-order"])
def test_a_report_with_an_unknown_answer_is_refused(name: str, report: Report, path: Path) -> None:
    answer = report.answers["end-order"].model_copy(update={"answer": "sideways"})
    report.model_copy(update={"answers": {name: answer}}).save(path)
    with pytest.raises(ReportError, match=r"unknown answer|not in the list"):
        read_report(path)


def test_a_missing_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="cannot be read"):
        read_report(tmp_path / "missing")


@pytest.mark.parametrize(
    ("form", "keys", "parameter"),
    [
        ("list", "taken", "list"),
        ("list", "ignored", "list"),
        ("list", "refused", "list-of-calls"),
        ("text", "taken", "string"),
        ("text", "refused", "string-of-calls"),
    ],
)
def test_the_parameter_follows_from_the_answers(form: str, keys: str, parameter: str) -> None:
    answers = {"webhook-urls-form": form, "conversation-keys": keys}
    assert parameters_of(answers) == {PARAMETER: parameter}
    assert parameter in [name for name, _, _ in STEPS]


def test_without_an_answer_about_the_form_no_parameter_changes() -> None:
    assert parameters_of({"conversation-keys": "refused"}) == {}


def test_make_dev_plays_telnyx_as_observed(path: Path) -> None:
    options = Options.from_environment({"PARTYLINE_TELNYX_REPORT": str(path)})
    expected = Settings.answering({"webhook-urls-form": "text", "end-order": "before"})
    assert replace(options.simulator, signing_seed=expected.signing_seed) == expected
    assert options.template_parameters("http://127.0.0.1")[PARAMETER] == "string"


def test_make_dev_refuses_a_changed_report(path: Path) -> None:
    path.write_text(path.read_text().replace('"before"', '"after"'))
    with pytest.raises(ReportError, match="was changed or cut"):
        Options.from_environment({"PARTYLINE_TELNYX_REPORT": str(path)})


def test_an_answer_that_is_not_listed_is_kept_with_its_evidence() -> None:
    setup = Setup(
        telnyx="https://api.telnyx.example/v2",
        connection_id="1",
        webhook_url="https://partyline.example/webhooks",
        number=US,
        second_number=None,
        assistant_id="assistant-1",
        max_calls=1,
        max_minutes=1,
        max_usd=1,
    )
    finding = Finding(unlisted=True, evidence=["409"])
    state = State(
        setup=setup,
        begun_at="2036-07-01T12:00:00Z",
        results={"a": Result(findings={"duplicate-dial": finding})},
    )
    report = make_report(state, make_plan(setup))
    assert report.answers == {}
    assert report.unlisted["duplicate-dial"].evidence == ["409"]
    assert report.open["end-order"] == "A second number is needed (--second-number)."
    assert "unlisted  duplicate-dial: 409" in report.summary()
