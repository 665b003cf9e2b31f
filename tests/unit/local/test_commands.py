"""The exit status and the error of a command that cannot run."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from local.cli.app import app


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_the_console_refuses_a_text_that_is_not_a_url() -> None:
    result = run("console", "--url", "nonsense", "--port", "0")
    assert result.exit_code == 1
    assert "The console cannot start: nonsense is no URL of a stack" in result.stderr
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
