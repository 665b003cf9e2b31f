"""Settings and fixtures for all tests."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from local.simulator.violations import observed_violations
from local.stack.template import Template

# No test asserts a time, and in a fresh clone the first generated text takes seconds.
settings.register_profile("partyline", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("partyline")


@pytest.fixture(autouse=True)
def no_violations(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test in which a simulator has recorded a violation, such as a field without a reader.

    The mark `violates` is for tests that provoke a violation.
    """
    with observed_violations() as violations:
        yield
    assert bool(violations) == bool(request.node.get_closest_marker("violates")), violations


@pytest.fixture(scope="session")
def template() -> Template:
    """The template of stage dev with example parameters."""
    return Template(
        {
            "TelnyxConnectionId": "1494404757140276705",
            # The public key of RFC 8032's first test.
            "TelnyxPublicKeys": "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
            "DefaultNumber": "+13125550100",
            "DefaultAssistantId": "assistant-1",
            "ReleaseSha": "0123456789abcdef0123456789abcdef01234567",
        }
    )
