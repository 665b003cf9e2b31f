"""Settings and fixtures for all tests."""

import gc
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

from local.simulator.violations import observed_violations
from local.stack.template import Template
from tests.support.sampling import EVERY_CASE, examples, sampled

# No test asserts a time, and in a fresh clone the first generated text takes seconds. The examples
# are the same in each run: a change fails for its own fault. `make faults-long` tries others.
settings.register_profile(
    "partyline",
    deadline=None,
    derandomize=True,
    max_examples=examples(100),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("partyline")

BROWSER = "tests/browser"
SLOW = (
    BROWSER,
    "tests/unit/up",
    "tests/unit/domain/test_size.py",
    "tests/security/test_api_fuzz.py",
    "tests/faults",
    "tests/unit/domain/test_tables.py",
    "tests/unit/test_docs_commands.py",
    "tests/scenario/test_away.py",
    "tests/scenario/test_at_once.py",
    "tests/security",
    "tests/unit/domain/test_histories.py",
    "tests/unit/local/test_bench_silence.py",
)
"""The slow tests. They run first, so that at the end no process waits for a slow file."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the slow tests first. Leave out the cases that are not in the sample of their test."""
    if not EVERY_CASE:
        leave_out(config, items)

    def rank(item: pytest.Item) -> int:
        places = (nth for nth, path in enumerate(SLOW) if item.nodeid.startswith(path))
        return next(places, len(SLOW))

    items.sort(key=rank)


def leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take the cases out that are not in the sample of a test with the mark `sampled`."""
    cases = defaultdict[str, list[pytest.Item]](list)
    for item in items:
        if item.get_closest_marker("sampled"):
            cases[item.nodeid.partition("[")[0]].append(item)
    kept = {item for own in cases.values() for item in sampled(own)}
    left_out = {item for own in cases.values() for item in own} - kept
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


def pytest_collection_finish() -> None:
    """Collect garbage less often: a collection looks at all objects, and took a tenth of the time.

    The objects from before the first test are left out of every collection.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


class _ByFile(LoadFileScheduling):  # type: ignore[misc]
    """Runs the tests of a file in the same process, and the tests of the browser in two processes.

    The browser's tests of a process share a stack and a browser.
    """

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(BROWSER):
            return f"{BROWSER}, {'first' if nodeid < f'{BROWSER}/test_i' else 'second'} half"
        return str(super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """Return the scheduler for `--dist loadfile`."""
    return _ByFile(config, log) if config.getoption("dist") == "loadfile" else None


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
