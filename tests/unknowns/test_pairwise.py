"""The generated combinations cover all pairs, and are few and repeatable."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.simulator.unknowns import PLAYED
from tests.support.sampling import examples
from tests.unknowns.pairwise import all_pairs, pairs_of, pairwise

ANSWERS = {name: [answer.id for answer in unknown.answers] for name, unknown in PLAYED.items()}


def covered(answers: dict[str, list[str]]) -> set[frozenset[tuple[str, str]]]:
    return {pair for row in pairwise(answers) for pair in pairs_of(row)}


def test_all_pairs_of_the_list_are_covered() -> None:
    assert covered(ANSWERS) == all_pairs(ANSWERS)


def test_each_combination_answers_every_question() -> None:
    assert all(row.keys() == ANSWERS.keys() for row in pairwise(ANSWERS))


def test_the_combinations_are_few() -> None:
    assert len(pairwise(ANSWERS)) <= 40


def test_the_combinations_are_the_same_each_time() -> None:
    assert pairwise(ANSWERS) == pairwise(dict(reversed(ANSWERS.items())))


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(2, 4), min_size=2))
@settings(max_examples=examples(50), deadline=None)
def test_all_pairs_of_any_questions_are_covered(sizes: dict[str, int]) -> None:
    answers = {name: [str(nth) for nth in range(size)] for name, size in sizes.items()}
    assert covered(answers) == all_pairs(answers)
    assert len(pairwise(answers)) < len(all_pairs(answers)) or len(answers) == 2


@pytest.mark.parametrize("answers", [{}, {"a": ["1", "2"]}])
def test_without_two_questions_there_is_no_pair(answers: dict[str, list[str]]) -> None:
    assert pairwise(answers) == []
