"""The bounded form of `make histories`."""

import pytest

from tests.histories.histories import History

FEW = 40
FOUND = (519, 645, 3348, 7594, 7824)
"""Histories that the long form found: a sentence came whole and then cut by an interruption, came
again after newer messages, or came at the moment of the next start.
"""


@pytest.mark.sampled
@pytest.mark.parametrize("number", [*range(FEW), *FOUND])
def test_the_transcript_is_what_was_said(number: int) -> None:
    assert History(number).run() == []
