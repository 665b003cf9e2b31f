"""The results of SAM's transform are kept, and a kept result is never that of another template."""

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from local.simulator.settings import Settings
from local.stack import transform
from local.stack.intrinsics import TemplateError
from local.stack.local_stack import Options
from local.stack.template import Template

SOURCE = """
Transform: AWS::Serverless-2016-10-31
Parameters: {Size: {Type: Number}}
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: here, Handler: a.b, Runtime: python3.13, MemorySize: !Ref Size}
"""
SMALL, LARGE = (("Size", "128"),), (("Size", "512"),)


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder, as in a new checkout."""
    monkeypatch.setattr(transform, "KEPT", tmp_path / "kept")
    _next_process()
    yield tmp_path / "kept"
    _next_process()


def _next_process() -> None:
    transform.source_json.cache_clear()
    transform.transformed_json.cache_clear()


def _transformed(source: str = SOURCE, parameters: tuple[tuple[str, str], ...] = SMALL) -> str:
    return transform.transformed_json(transform.source_json(source), parameters)


def test_the_next_process_transforms_nothing(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = _transformed()
    assert '"AWS::Lambda::Function"' in first
    _next_process()
    for name in ("_read_yaml", "_transform"):
        monkeypatch.setattr(transform, name, lambda *_: pytest.fail("transformed again"))

    assert _transformed() == first
    assert len(list(kept.iterdir())) == 2


def test_the_next_start_of_a_stack_transforms_nothing(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(port: int, seed: bytes) -> Mapping[str, str]:
        options = Options(simulator=Settings(signing_seed=seed))
        template = Template(options.template_parameters(f"http://127.0.0.1:{port}"))
        return template.functions["CallAnsweredFunction"].environment

    first = start(4001, b"1" * 32)
    _next_process()
    monkeypatch.setattr(transform, "_transform", lambda *_: pytest.fail("transformed again"))
    second = start(4002, b"2" * 32)

    assert len(list(kept.iterdir())) == 2
    assert first["TELNYX_API_BASE_URL"] == "http://127.0.0.1:4001"
    assert second["TELNYX_API_BASE_URL"] == "http://127.0.0.1:4002"
    assert {name for name in first if first[name] != second[name]} == {
        "TELNYX_API_BASE_URL",
        "TELNYX_PUBLIC_KEYS",
    }


def test_each_template_and_each_parameter_has_a_result_of_its_own(kept: Path) -> None:
    assert "a.b" in _transformed()
    assert "c.d" in _transformed(SOURCE.replace("a.b", "c.d"))
    _transformed(parameters=LARGE)
    assert len(list(kept.iterdir())) == 5  # two sources, three results


def test_a_result_of_another_version_of_sam_is_not_used(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _transformed()
    _next_process()
    monkeypatch.setattr(transform, "version", lambda _: "0.0.1")
    _transformed()
    assert len(list(kept.iterdir())) == 4


def test_a_refused_template_is_not_kept(kept: Path) -> None:
    refused = SOURCE.replace("Runtime: python3.13, ", "Events: {Api: {Type: Unknown}}, ")
    with pytest.raises(TemplateError, match="SAM refuses the template"):
        _transformed(refused)
    assert len(list(kept.iterdir())) == 1


def test_a_folder_that_cannot_be_written_costs_time_only(kept: Path) -> None:
    kept.write_text("a file in place of the folder")
    assert '"AWS::Lambda::Function"' in _transformed()


def test_results_of_former_templates_are_deleted(kept: Path) -> None:
    _transformed()
    former = time.time() - transform.KEPT_SECS - 60
    for file in kept.iterdir():
        os.utime(file, (former, former))
    _next_process()
    _transformed(parameters=LARGE)
    assert len(list(kept.iterdir())) == 1
