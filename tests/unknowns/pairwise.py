"""Combinations of answers that have every pair of answers at least once."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

Pair = frozenset[tuple[str, str]]
Row = dict[str, str]


def pairs_of(row: Mapping[str, str]) -> Iterator[Pair]:
    """Return the pairs of answers of a combination."""
    return (frozenset(pair) for pair in combinations(sorted(row.items()), 2))


def all_pairs(answers: Mapping[str, Sequence[str]]) -> set[Pair]:
    """Return every pair of answers to two questions."""
    return {
        frozenset({(one, one_answer), (other, other_answer)})
        for one, other in combinations(sorted(answers), 2)
        for one_answer in answers[one]
        for other_answer in answers[other]
    }


def pairwise(answers: Mapping[str, Sequence[str]]) -> list[Row]:
    """Return combinations that cover all pairs; the same answers give the same combinations.

    Greedy: a combination begins with a pair that is not covered, then each question gets the answer
    with the most pairs that are not covered.

    Args:
        answers: The possible answers by question.
    """
    missing = all_pairs(answers)
    rows: list[Row] = []
    while missing:
        row: Row = dict(min(missing, key=sorted))
        # Questions with many answers have the most pairs, so their answers are chosen first.
        questions = sorted(
            answers.keys() - row.keys(), key=lambda name: (-len(answers[name]), name)
        )
        for question in questions:
            row[question] = max(
                answers[question], key=lambda answer: _gain(row, question, answer, missing)
            )
        missing.difference_update(pairs_of(row))
        rows.append(row)
    return rows


def _gain(row: Row, question: str, answer: str, missing: set[Pair]) -> int:
    """Return the number of missing pairs that an answer adds to a combination."""
    return sum(frozenset({(question, answer), chosen}) in missing for chosen in row.items())
