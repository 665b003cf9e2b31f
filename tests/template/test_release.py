"""The release name of `make deploy`: SAM publishes new versions only for a new name."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parents[2] / "Makefile"
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


def deployed(checkout: Path, parameters: str) -> str:
    """Return the SAM command of `make deploy` after a build."""
    command = ["make", "--old-file=build", "deploy", "SAM=echo", f"PARAMETERS={parameters}"]
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
