"""Each request of `up` is broken once, and a second run ends right."""

from collections.abc import Callable

import pytest

from tests.support.sampling import sampled
from tests.support.up_setup import CHANGES, KEY, UpSetup, breaks, prepared

NewSetup = Callable[[], UpSetup]


def assert_up(setup: UpSetup, expected: dict[str, object], *, twice: bool = True) -> None:
    """Check that `up` works now; with `twice`, that the run after it changes nothing."""
    assert setup.up(), [finding.sentence for finding in setup.findings]
    assert setup.account_state() == expected
    assert setup.keys_state() == (KEY, [("ops", True)])
    assert len(setup.api.conversations) == 1
    changes, deployed = setup.changes(), len(setup.deployer.deployed)
    if not twice:
        return
    assert setup.up()
    assert (setup.changes(), len(setup.deployer.deployed)) == (changes, deployed)
    assert setup.asked == []


@pytest.mark.parametrize("side", ["telnyx", "aws_calls"])
def test_up_continues_after_each_broken_request(new_setup: NewSetup, side: str) -> None:
    whole = prepared(new_setup)
    assert whole.up()
    expected, seen = whole.account_state(), list(getattr(whole, side).seen)
    assert {"profile_create", "number_update", "assistant_update"} <= set(whole.telnyx.seen)
    broken_off = 0
    for place, lost in sampled(list(breaks(seen))):
        setup = prepared(new_setup)
        counted = getattr(setup, side)
        counted.at, counted.lost = place, lost
        broken_off += setup.fails(setup.up)
        assert len(counted.seen) > place
        counted.at = None
        # After a failed look the second run is like a first run, which test_up.py repeats.
        assert_up(setup, expected, twice=seen[place] in CHANGES)
    # Telnyx's tests of a tool and the deliveries of webhooks are findings, and no errors.
    assert broken_off >= len(sampled(seen)) // 2


@pytest.mark.parametrize("failure", ["build", "interrupted", "resource"])
def test_up_continues_after_a_broken_deployment(new_setup: NewSetup, failure: str) -> None:
    whole = prepared(new_setup)
    assert whole.up()
    setup = prepared(new_setup)
    setup.deployer.failure = failure
    assert setup.fails(setup.up)
    assert_up(setup, whole.account_state())


def test_up_continues_after_a_broken_update(new_setup: NewSetup) -> None:
    setup = prepared(new_setup)
    assert setup.up()
    setup.deployer.head, setup.deployer.failure = "2" * 40, "resource"
    assert setup.fails(setup.up)
    assert_up(setup, setup.account_state())
    assert setup.stack().is_deployed


@pytest.mark.parametrize("statuses", [[403], [500], [403] * 9])
def test_up_continues_after_a_refused_first_call(new_setup: NewSetup, statuses: list[int]) -> None:
    setup = prepared(new_setup)
    setup.api.failures = statuses
    setup.fails(setup.up)
    assert_up(setup, setup.account_state())
