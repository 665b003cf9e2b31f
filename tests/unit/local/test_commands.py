"""The exit status and the error of a command that cannot run."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from local.cli.app import app
from partyline.services.bearer_keys import BearerKeys, Right
from partyline.services.secrets import Secret


class FixedSecret(Secret):
    """A secret with a value that does not change."""

    def __init__(self, value: dict[str, Any]) -> None:
        self.name = "bearer"
        self.value = value

    def document(self, *, fresh: bool = False) -> dict[str, Any]:
        del fresh
        return self.value


def run(*arguments: str, key: str | None = None) -> Result:
    return CliRunner().invoke(app, arguments, env={"PARTYLINE_API_KEY": key})


def test_the_console_refuses_a_text_that_is_not_a_url() -> None:
    result = run("console", "--url", "nonsense", "--port", "0", key="k")
    assert result.exit_code == 2
    assert "'nonsense' is no URL such as https://api.example.com" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("command", [("console",), ("conversations", "list")])
@pytest.mark.parametrize("name", ["missing", "binary"])
def test_an_unreadable_key_file_is_an_error(
    command: tuple[str, ...], name: str, tmp_path: Path
) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    group, *rest = command
    result = run(group, "--key-from", str(tmp_path / name), *rest)
    assert result.exit_code == 1
    assert f"The bearer key can't be read from {tmp_path / name}" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["trigger", "call.unknown"], "has no fixture in events/"),
        (["redrive", "letters", "--stack", "partyline-dev"], "'letters' is not one of"),
        (["connect"], "Missing option '--url'"),
        (
            ["doctor", "--url", "https://a.example", "--application", "1", "--name", "n"],
            "--name is not allowed with --application",
        ),
        (["trigger", "call.hangup", "--set", "nonsense"], "write field=value"),
    ],
)
def test_a_usage_error_ends_with_status_2(
    arguments: list[str], error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELNYX_API_KEY", "KEY-of-a-test")
    result = run(*arguments)
    assert result.exit_code == 2
    assert error in result.stderr


def test_a_new_key_is_printed_with_its_entry_for_the_secret() -> None:
    result = run("key", "ops")
    assert result.exit_code == 0
    assert '"id": "ops"' in result.stdout
    assert "partyline_" in result.stdout


def entry_of(result: Result) -> dict[str, object]:
    assert result.exit_code == 0, result.output
    entry: dict[str, object] = json.loads(result.stdout[result.stdout.index("{") :])
    return entry


def test_a_new_key_has_the_rights_and_the_end_that_are_asked_for() -> None:
    everything = entry_of(run("key", "ops"))
    assert everything["may"] == list(Right)
    assert "expires_at" not in everything
    entry = entry_of(run("key", "crm", "--may", "start,read", "--days", "90"))
    assert entry["may"] == ["start", "read"]
    left = datetime.fromisoformat(str(entry["expires_at"])) - datetime.now(UTC)
    assert timedelta(days=89) < left <= timedelta(days=90)
    secret = FixedSecret({"keys": [everything, entry]})
    keys = BearerKeys(secret, lambda: datetime.now(UTC))
    assert keys.has("crm", Right.READ)
    assert not keys.has("crm", Right.CONTROL)


def test_a_new_key_cannot_have_an_unknown_right() -> None:
    for rights in ("everything", "", "start read"):
        result = run("key", "ops", "--may", rights)
        assert result.exit_code == 2
        assert "the rights are start, control, read, directory" in result.stderr
        assert "partyline_" not in result.stdout


@pytest.mark.parametrize("arguments", [[], ["some-id", "--key", "ops"]])
def test_the_command_to_cancel_takes_an_id_or_a_key(arguments: list[str]) -> None:
    result = run("conversations", "cancel", *arguments)
    assert result.exit_code == 2
