"""A violation of any simulator fails the test in which the violation happens."""

import pytest

from local.simulator.violations import Violations, observed_violations

pytest_plugins = ("pytester",)


@pytest.mark.violates
def test_the_violations_of_all_simulators_are_observed() -> None:
    first, second = Violations(), Violations()

    with observed_violations() as outer, observed_violations() as inner:
        first.record("one")
        second.record("two")
    first.record("three")

    assert outer == inner == ["one", "two"]
    assert (first, second) == (["one", "three"], ["two"])


def test_an_ended_observation_leaves_an_equal_observation() -> None:
    with observed_violations() as outer:
        with observed_violations():
            pass
        assert outer == []


@pytest.mark.violates
def test_a_test_with_a_violation_fails(pytester: pytest.Pytester) -> None:
    pytester.makeconftest("from tests.conftest import no_violations")
    pytester.makeini("[pytest]\nmarkers = violates: as in this project")
    pytester.makepyfile(
        """
        import pytest
        from local.simulator.violations import Violations

        def test_without_a_violation(): pass
        def test_with_a_violation(): Violations().record("x")
        @pytest.mark.violates
        def test_with_an_expected_violation(): Violations().record("x")
        @pytest.mark.violates
        def test_without_the_expected_violation(): pass
        """
    )

    pytester.runpytest("-p", "no:cacheprovider").assert_outcomes(passed=4, errors=2)
