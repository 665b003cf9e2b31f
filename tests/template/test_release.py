"""The release name of `make deploy`: SAM publishes new versions only for a new name."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKEFILE = ROOT / "Makefile"
PARAMETERS = "TelnyxConnectionId=1 DefaultNumber=+13125550100"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with a commit."""
    shutil.copy(MAKEFILE, tmp_path)
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    return tmp_path


def git(checkout: Path, *words: str) -> None:
    author = ("-c", "user.name=Robin", "-c", "user.email=robin@example.com")
    subprocess.run(["git", *author, *words], cwd=checkout, check=True)  # noqa: S603, S607


def commit(checkout: Path) -> None:
    git(checkout, "add", ".")
    git(checkout, "commit", "-q", "--allow-empty", "-m", "A release")


def deployed(checkout: Path, parameters: str, *more: str) -> str:
    """Return the SAM command of `make deploy` after a build."""
    command = ["make", "--old-file=build", "deploy", "SAM=echo", f"PARAMETERS={parameters}", *more]
    run = subprocess.run(command, cwd=checkout, check=True, capture_output=True, text=True)  # noqa: S603
    return run.stdout


def release(checkout: Path, parameters: str = PARAMETERS) -> str:
    [name] = re.findall(r"ReleaseSha=([0-9a-f]{40})\b", deployed(checkout, parameters)[-1000:])
    return str(name)


def test_a_new_commit_is_a_new_release(checkout: Path) -> None:
    before = release(checkout)
    assert release(checkout) == before
    commit(checkout)
    assert release(checkout) != before


def test_other_parameters_are_a_new_release(checkout: Path) -> None:
    """A version keeps its environment, so new parameters need new versions."""
    choices = ("", PARAMETERS, PARAMETERS.replace("=1", "=2"))
    names = [release(checkout, parameters) for parameters in choices]
    assert len(set(names)) == 3
    assert PARAMETERS in deployed(checkout, PARAMETERS)


def test_uncommitted_files_stop_a_release(checkout: Path) -> None:
    (checkout / "new.py").touch()
    with pytest.raises(subprocess.CalledProcessError):
        deployed(checkout, PARAMETERS)


def test_a_deployment_asks_nothing_unless_the_user_wants_a_question(checkout: Path) -> None:
    settings = tomllib.loads((ROOT / "samconfig.toml").read_text())
    assert settings["default"]["deploy"]["parameters"]["confirm_changeset"] is False
    assert "--confirm-changeset" not in deployed(checkout, PARAMETERS)
    assert "--confirm-changeset" in deployed(checkout, PARAMETERS, "CONFIRM=1")


def test_sam_gets_the_region_of_the_aws_cli(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    command = (checkout / "sam").resolve()
    command.write_text("#!/bin/sh\necho region=$AWS_DEFAULT_REGION\n")
    command.chmod(0o755)
    commit(checkout)
    assert "region=eu-west-1" in deployed(checkout, PARAMETERS, f"SAM={command}")
