"""Each request of `up` and `down` is broken once, and a second run ends right."""

from collections.abc import Callable

import pytest

from tests.support.up_setup import KEY, UpSetup

NewSetup = Callable[[], UpSetup]

CHANGES = frozenset(
    {
        *("application_create", "application_update", "application_delete", "profile_create"),
        *("profile_delete", "number_update", "tool_create", "tool_attach", "tool_detach"),
        *("tool_delete", "assistant_update", "PutSecretValue", "DeleteStack"),
    }
)
"""The requests with an effect: only such a request can lose its answer after the effect."""


def prepared(new_setup: NewSetup) -> UpSetup:
    """Return surroundings in which `up` sends every kind of request."""
    setup = new_setup()
    setup.simulator.world.profiles["2"] = {"id": "2", "name": "Second", "enabled": True}
    return setup


def breaks(seen: list[str]) -> list[tuple[int, bool]]:
    """Return each place of a request, and for a change also the loss of its answer."""
    refused = [(place, False) for place in range(len(seen))]
    return refused + [(place, True) for place, name in enumerate(seen) if name in CHANGES]


def assert_up(setup: UpSetup, expected: dict[str, object]) -> None:
    """Check that `up` works now, and that the run after it changes nothing."""
    assert setup.up(), [finding.sentence for finding in setup.findings]
    assert setup.account_state() == expected
    assert setup.keys_state() == (KEY, [("ops", True)])
    assert len(setup.api.conversations) == 1
    changes, deployed = setup.changes(), len(setup.deployer.deployed)
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
    for place, lost in breaks(seen):
        setup = prepared(new_setup)
        counted = getattr(setup, side)
        counted.at, counted.lost = place, lost
        broken_off += setup.fails(setup.up)
        assert len(counted.seen) > place
        counted.at = None
        assert_up(setup, expected)
    # Telnyx's tests of a tool and the deliveries of webhooks are findings, and no errors.
    assert broken_off >= len(seen) // 2


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


@pytest.mark.parametrize("side", ["telnyx", "aws_calls"])
def test_down_continues_after_each_broken_request(new_setup: NewSetup, side: str) -> None:
    whole = prepared(new_setup)
    before = whole.account_state()
    assert whole.up()
    getattr(whole, side).seen.clear()
    whole.down()
    assert whole.account_state() == before
    for place, lost in breaks(list(getattr(whole, side).seen)):
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
