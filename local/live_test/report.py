"""The report of a live test: observed answers with their evidence, in a sealed JSON file."""

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from local.live_test.plan import Plan, open_questions
from local.live_test.state import Finding, State
from local.simulator.unknowns import UNKNOWNS, Unknown

FORMAT = "partyline-live-test"
VERSION = 1

PARAMETER = "TelnyxWebhookUrls"
"""The parameter of the template that an observed answer can change."""

_FORMS = {"list": "list", "text": "string"}


class ReportError(Exception):
    """A report cannot be used. The text is a sentence for the user."""


class Observation(BaseModel):
    """An answer to a question. `effect` is Partyline's behaviour under the answer."""

    question: str
    answer: str | None
    assumed: str
    differs: bool
    effect: str
    evidence: list[str]

    @classmethod
    def of(cls, unknown: Unknown, finding: Finding) -> Self:
        """Return the observation of a finding."""
        effect = "Partyline has no rule for this answer."
        if finding.answer is not None:
            effect = unknown.answer(finding.answer).effect
        return cls(
            question=unknown.question,
            answer=finding.answer,
            assumed=unknown.assumed,
            differs=finding.answer != unknown.assumed,
            effect=effect,
            evidence=finding.evidence,
        )


class Report(BaseModel):
    """A report.

    `answers` has the observed answers, `unlisted` answers that the list of unknowns does not have,
    `open` the reason for each question without an answer, all by the id of the unknown.
    `parameters` are the template's parameters that the answers change. `digest` seals the rest.
    """

    model_config = ConfigDict(extra="forbid")

    format: Literal["partyline-live-test"] = "partyline-live-test"
    version: int = VERSION
    begun_at: datetime
    telnyx: str
    calls: int
    minutes: int
    answers: dict[str, Observation]
    unlisted: dict[str, Observation]
    open: dict[str, str]
    parameters: dict[str, str]
    digest: str = ""

    def sealed(self) -> Self:
        """Return the report with its digest."""
        return self.model_copy(update={"digest": _digest(self.model_dump(mode="json"))})

    @property
    def observed(self) -> dict[str, str]:
        """The id of the observed answer for the id of each answered unknown."""
        return {name: str(observation.answer) for name, observation in self.answers.items()}

    def save(self, path: Path) -> None:
        """Write the report."""
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.sealed().model_dump(mode="json"), indent=1, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")

    def summary(self) -> list[str]:
        """Return the report as lines for the user, differences first."""
        differences = {n: o for n, o in self.answers.items() if o.differs}
        lines = [
            f"{len(self.answers)} questions answered, {len(differences)} not as assumed, "
            f"{len(self.unlisted)} with an answer that is not listed, {len(self.open)} open; "
            f"{self.calls} calls, {self.minutes} minutes."
        ]
        for name, observation in differences.items():
            answer = UNKNOWNS[name].answer(str(observation.answer))
            lines.append(f"differs   {name}: {answer.meaning} {observation.effect}")
        for name, observation in self.unlisted.items():
            lines.append(f"unlisted  {name}: {'; '.join(observation.evidence)}")
        for name, observation in self.answers.items():
            if not observation.differs:
                lines.append(f"assumed   {name}: {observation.answer}")
        for reason in dict.fromkeys(self.open.values()):
            names = [name for name, other in self.open.items() if other == reason]
            lines.append(f"open      {', '.join(names)}: {reason}")
        return lines


def make_report(state: State, plan: Plan) -> Report:
    """Return the report of a finished live test."""
    findings: dict[str, Finding] = {}
    for result in state.results.values():
        for name, finding in result.findings.items():
            if name not in findings or finding.answer or finding.unlisted:
                findings[name] = finding
    answers = {n: Observation.of(UNKNOWNS[n], f) for n, f in findings.items() if f.answer}
    unlisted = {n: Observation.of(UNKNOWNS[n], f) for n, f in findings.items() if f.unlisted}
    reasons = {n: f.reason for n, f in findings.items() if f.reason}
    report = Report(
        begun_at=state.begun_at,
        telnyx=state.setup.telnyx,
        calls=state.dialled,
        minutes=state.minutes,
        answers=_in_order(answers),
        unlisted=_in_order(unlisted),
        open=_in_order({**open_questions(plan), **reasons}),
        parameters={},
    )
    report.parameters = parameters_of(report.observed)
    return report.sealed()


def parameters_of(answers: Mapping[str, str]) -> dict[str, str]:
    """Return the template's parameters for answers.

    With the right form from the start, no process has to send a refused dial first.
    """
    if "webhook-urls-form" not in answers:
        return {}
    form = _FORMS[answers["webhook-urls-form"]]
    if answers.get("conversation-keys") == "refused":
        form += "-of-calls"
    return {PARAMETER: form}


def read_report(path: Path) -> Report:
    """Read a report.

    Raises:
        ReportError: The file cannot be read, is cut or changed, is of a newer version, or names an
            unknown or an answer that this version of Partyline does not have.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ReportError(f"{path} cannot be read: {type(error).__name__}.") from None
    except ValueError:
        raise ReportError(f"{path} is cut or changed: it is not JSON.") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ReportError(f"{path} is no report of `partyline live-test`.")
    version = document.get("version")
    if isinstance(version, int) and version > VERSION:
        raise ReportError(
            f"{path} has version {version}, and this Partyline reads version {VERSION}: use a "
            "newer Partyline."
        )
    if document.get("digest") != _digest(document):
        raise ReportError(f"{path} was changed or cut: its digest does not match.")
    try:
        report = Report.model_validate(document)
        for name, answer_id in report.observed.items():
            if name not in UNKNOWNS:
                raise ReportError(f"{path} answers {name}, which is not in the list of unknowns.")
            UNKNOWNS[name].answer(answer_id)
    except ValidationError as error:
        field = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise ReportError(f"{path} is no report: {field} is wrong.") from None
    except ValueError as error:
        raise ReportError(f"{path} has an unknown answer: {error}") from None
    return report


def _digest(document: dict[str, Any]) -> str:
    content = {name: value for name, value in document.items() if name != "digest"}
    text = json.dumps(content, sort_keys=True, ensure_ascii=True)
    return "sha256:" + sha256(text.encode()).hexdigest()


def _in_order(values: dict[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in UNKNOWNS if name in values}
