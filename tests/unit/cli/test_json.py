"""The JSON of the commands for a Telnyx account and for a deployed stack."""

import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from typer.testing import CliRunner, Result

from local.cli.app import app
from local.connect.findings import Finding, ok
from local.connect.records import Record
from local.deploy.redrive import RedriveResult


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_a_new_key_and_its_entry_are_json() -> None:
    document = json.loads(run("key", "crm", "--may", "read", "--json").stdout)
    assert document["key"].startswith("partyline_")
    assert document["entry"]["id"] == "crm"


@pytest.mark.parametrize(
    ("function", "answer", "arguments", "exit_code", "document"),
    [
        (
            *("local.deploy.revoke.revoke", ["ops"], ["revoke", "crm"], 0),
            {"revoked": "crm", "left": ["ops"]},
        ),
        (
            *("local.deploy.redrive.redrive", RedriveResult(2, ["a letter"])),
            *(["redrive", "starts"], 1, {"sent": 2, "left": ["a letter"]}),
        ),
        (
            *("local.deploy.dialing.set_dialing", "ops"),
            *(["dialing", "off", "--reason", "x"], 0, {"dialing": "off", "by": "ops"}),
        ),
    ],
)
def test_the_result_at_a_deployed_stack_is_json(
    function: str, answer: Any, arguments: list[str], exit_code: int, document: Any
) -> None:
    with patch(function, return_value=answer):
        result = run(*arguments, "--stack", "partyline-dev", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (exit_code, document)


TELNYX = ("--telnyx-api-base-url", "http://127.0.0.1:1")
URL = ("--url", "https://api.example.com")


@pytest.fixture
def record(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Record:
    """The record of a connected application, and no account behind the commands."""
    monkeypatch.setenv("TELNYX_API_KEY", "KEY-of-a-test")
    monkeypatch.setattr("local.connect.records.FOLDER", tmp_path)
    return Record(application_id="123", before={}, created=False)


def test_the_changes_of_connect_are_json(record: Record, tmp_path: Path) -> None:
    with (
        patch("local.connect.application.connect", return_value=(record, ["a change"])),
        patch("local.connect.tools.attach_tools", return_value=["a tool"]),
        patch("local.connect.skip_turn.add", return_value=["Skip Turn"]),
    ):
        result = run("connect", *URL, *TELNYX, "--assistant", "assistant-1", "--json")
    document = json.loads(result.stdout)
    assert document["application_id"] == "123"
    assert document["changes"] == ["a change", "a tool", "Skip Turn"]
    assert document["previous_settings"].startswith(str(tmp_path))
    assert len(document["limits"]) > 1


def test_the_findings_of_the_doctor_are_json(record: Record) -> None:
    findings = [ok("The key works."), Finding("wrong", "The URL is wrong.")]
    with patch("local.connect.doctor.examine", return_value=iter(findings)):
        result = run("doctor", *URL, *TELNYX, "--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["wrong"]) == (1, 1)
    assert [finding["verdict"] for finding in document["findings"]] == ["ok", "wrong"]
