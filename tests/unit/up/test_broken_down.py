"""Each request of `down` is broken once, and a second run ends right."""

from collections.abc import Callable

import pytest

from tests.support.sampling import sampled
from tests.support.up_setup import UpSetup, breaks, prepared


@pytest.mark.parametrize("side", ["telnyx", "aws_calls"])
def test_down_continues_after_each_broken_request(
    new_setup: Callable[[], UpSetup], side: str
) -> None:
    whole = prepared(new_setup)
    before = whole.account_state()
    assert whole.up()
    getattr(whole, side).seen.clear()
    whole.down()
    assert whole.account_state() == before
    for place, lost in sampled(list(breaks(list(getattr(whole, side).seen)))):
        setup = prepared(new_setup)
        assert setup.up()
        counted = getattr(setup, side)
        counted.seen.clear()
        counted.at, counted.lost = place, lost
        setup.fails(setup.down)
        counted.at = None
        setup.down()
        assert setup.account_state() == before
        assert setup.stack() is None
