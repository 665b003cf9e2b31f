"""`make test` runs a part of each long list of cases, and `make check` leaves no case out."""

import re
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests import conftest
from tests.support import sampling
from tests.support.sampling import examples, sampled

ROOT = Path(__file__).resolve().parents[2]


def test_a_sample_begins_with_the_first_case_and_has_every_seventh(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sampling, "EVERY_CASE", False)
    assert sampled(range(20)) == [0, 7, 14]
    assert sampled(["the only case"]) == ["the only case"]
    assert (examples(100), examples(1)) == (15, 1)


def test_every_case_runs_if_the_environment_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "EVERY_CASE", True)
    assert sampled(range(20)) == list(range(20))
    assert examples(100) == 100


def test_a_marked_test_runs_a_sample_and_the_other_tests_run_every_case(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sampling, "EVERY_CASE", False)
    long = [_Item(f"test_file.py::test_long[{nth}]", marked=True) for nth in range(20)]
    other = [_Item(f"test_file.py::test_other[{nth}]", marked=False) for nth in range(20)]
    items: list[Any] = [*long, *other]
    told: list[Any] = []

    def tell(items: list[Any]) -> None:
        told.extend(items)

    hook = SimpleNamespace(pytest_deselected=tell)
    conftest.leave_out(cast("pytest.Config", SimpleNamespace(hook=hook)), items)

    assert items == [long[0], long[7], long[14], *other]
    assert len(told) == 17


def test_check_asks_for_every_case() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^check: export EVERY_CASE := 1$", makefile, re.MULTILINE)
    assert re.search(r"^export .*\bEVERY_CASE\b", makefile, re.MULTILINE)


@dataclass(frozen=True)
class _Item:
    """A collected case of a test, as pytest shows it to the rules of the suite."""

    nodeid: str
    marked: bool

    def get_closest_marker(self, name: str) -> bool:
        return self.marked and name == "sampled"
