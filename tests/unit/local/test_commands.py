"""The command line reports unusable arguments."""

from pathlib import Path

import pytest

from local.__main__ import main


def test_a_console_without_a_valid_url_does_not_start(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["console", "--url", "nonsense", "--port", "0"]) == 1
    assert "nonsense is no URL of a stack" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["console"], ["conversations"]])
@pytest.mark.parametrize("name", ["missing", "binary"])
def test_an_unreadable_key_file_is_reported(
    command: list[str], name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    path = tmp_path / name
    look = [] if command == ["console"] else ["list"]
    assert main([*command, "--key-from", str(path), *look]) == 1
    output = " ".join(capsys.readouterr().out.split())
    assert "the bearer key can't be read from" in output
