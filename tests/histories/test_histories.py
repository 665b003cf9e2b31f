"""The bounded form of `make histories`."""

import pytest

from tests.histories.histories import History

FEW = 40


@pytest.mark.parametrize("number", range(FEW))
def test_the_transcript_is_what_was_said(number: int) -> None:
    assert History(number).run() == []
