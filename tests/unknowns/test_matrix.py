"""A small part of `make unknowns`: each story under one combination of answers, on each line."""

from typing import Any

import pytest

from partyline.domain.rules import apply
from partyline.telnyx import errors
from tests.unknowns.judging import judge
from tests.unknowns.matrix import (
    ANSWERS,
    ASSUMED,
    CONDITIONS,
    PLAYS,
    Run,
    changes,
    combinations,
    paired_runs,
    single_runs,
)
from tests.unknowns.pairwise import all_pairs, pairs_of

STORIES = list(PLAYS)


def run_of(nth: int) -> Run:
    """A run of the nth story; neighbours have other answers and another condition."""
    row = combinations()[nth * 7 % len(combinations())]
    return Run(STORIES[nth], list(CONDITIONS)[nth % len(CONDITIONS)], changes(row))


def test_the_combinations_of_the_matrix_have_all_pairs() -> None:
    covered = {pair for row in combinations() for pair in pairs_of(row)}
    assert covered == all_pairs(ANSWERS)


def test_every_story_runs_under_every_answer() -> None:
    wanted = {
        (story, name, answer) for story in PLAYS for name in ANSWERS for answer in ANSWERS[name]
    }
    paired = {
        (run.story, *answer)
        for run in paired_runs()
        for answer in {**ASSUMED, **dict(run.answers)}.items()
    }
    alone = {(run.story, *run.answers[0]) for run in single_runs()}
    assert paired == wanted
    assert alone == {item for item in wanted if ASSUMED[item[1]] != item[2]}


@pytest.mark.sampled
@pytest.mark.parametrize("nth", range(len(STORIES)), ids=STORIES)
def test_a_story_ends_right_or_fails_honestly_under_other_answers(nth: int) -> None:
    result = judge(run_of(nth))
    assert result.violations == (), str(result.run)


def test_the_insights_of_a_start_without_a_response_are_found_by_a_list_that_is_late() -> None:
    answers = (("conversations-listed", "minutes"),)
    assert judge(Run("demo: attached", "lost responses", answers)).violations == ()


# The judge, judged


def test_an_end_of_an_earlier_assistant_that_counts_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(apply, "_is_of_earlier_run", lambda *_: False)
    run = Run("goes on without its host", "calm", (("end-names-conversation", "unnamed"),))
    assert judge(run).violations == ("not told: “Lee” has left the conversation.",)


@pytest.mark.violates
def test_a_refused_repetition_that_counts_as_a_refusal_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rules: Any = [rule for rule in errors._RULES if rule.kind is not errors.DuplicateCommandError]
    monkeypatch.setattr(errors, "_RULES", rules)
    answers = (("duplicate-join", "refused"), ("join-path", "either"))
    violations = judge(Run("attached", "lost responses", answers)).violations
    assert any(violation.endswith("was joined twice") for violation in violations)
