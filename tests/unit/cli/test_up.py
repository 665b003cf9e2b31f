"""`partyline up` and `down` print lines for a person, or a single JSON document."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from local.cli.app import app
from local.connect.findings import ok

up_module: Any = importlib.import_module("local.up.up")
down_module: Any = importlib.import_module("local.up.down")


@pytest.fixture(autouse=True)
def without_accounts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let both commands say a line and touch no account."""

    def bring_up(_: object, around: Any) -> bool:
        around.say("deployed the stack")
        around.report(ok("The key works."))
        return True

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(up_module, "up", bring_up)
    monkeypatch.setattr(down_module, "down", lambda _, around, **__: around.say("deleted"))


def test_json_of_up_has_the_findings_and_the_lines_go_to_stderr() -> None:
    result = CliRunner().invoke(app, ["up", "--json"])
    assert result.exit_code == 0, result.output
    finding = {"verdict": "ok", "sentence": "The key works.", "subject": ""}
    document = {"stack": "partyline-dev", "ok": True, "findings": [finding]}
    assert json.loads(result.stdout) == document
    assert result.stderr == "deployed the stack\n"


def test_json_of_down_names_the_deleted_stack() -> None:
    result = CliRunner().invoke(app, ["down", "--yes", "--json"])
    assert json.loads(result.stdout) == {"stack": "partyline-dev", "deleted": True}
    assert result.stderr == "deleted\n"


def test_without_json_all_lines_are_the_output() -> None:
    result = CliRunner().invoke(app, ["up"])
    assert result.stdout.splitlines() == ["deployed the stack", "ok      The key works."]
    assert CliRunner().invoke(app, ["down", "--yes"]).stdout == "deleted\n"
