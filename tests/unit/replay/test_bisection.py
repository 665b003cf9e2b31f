"""`partyline replay --bisect` names the commit that decides a file differently, and the step."""

import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from local.cli.app import app
from local.replay import bisection
from local.replay.bisection import BisectionError, find_first_bad
from local.replay.demo import FOLDER
from tests.unit.replay.plants import PLANTS, copy_domain

FILE = FOLDER / "hunt.replay"
PLANT = PLANTS[0]


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    ran = subprocess.run(  # noqa: S603
        ["git", *identity, *arguments],  # noqa: S607
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return ran.stdout.strip()


def commit(repository: Path, subject: str) -> str:
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", subject)
    return git(repository, "rev-parse", "HEAD")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository: no layer, the layer (good), a broken layer, the plant, and a comment (bad)."""
    folder = tmp_path_factory.mktemp("repository")
    git(folder, "init", "--quiet")
    commit(folder, "Begin")
    git(folder, "tag", "empty")
    layer = folder / bisection.LAYER
    copy_domain(layer)
    commit(folder, "Add the layer")
    git(folder, "tag", "good")
    inputs = layer / "partyline" / "domain" / "model" / "inputs.py"
    text = inputs.read_text()
    inputs.unlink()
    commit(folder, "Lose the inputs")
    inputs.write_text(text)
    commit(folder, "Find the inputs")
    PLANT.apply(layer)
    commit(folder, "Plant a change")
    git(folder, "tag", "planted")
    for nth in range(3):
        (folder / "notes").write_text(str(nth))
        commit(folder, f"Write note {nth}")
    git(folder, "tag", "bad")
    return folder


def test_the_planted_commit_and_the_first_difference_are_named(repository: Path) -> None:
    found = find_first_bad(FILE, "good", "bad", repository)
    assert found.commit == git(repository, "rev-parse", "planted")
    assert found.subject == "Plant a change"
    assert found.difference["recorded"] != found.difference["replayed"]
    assert git(repository, "worktree", "list").count("\n") == 0, "the worktree is left behind"


@pytest.mark.parametrize(
    ("good", "bad", "reason"),
    [
        ("planted", "bad", "planted, the good commit, differs already, at step "),
        ("good", "good", "good, the bad commit, decides every step as recorded"),
        ("empty", "bad", "empty cannot replay the file: No module named 'partyline'"),
        ("good", "nonsense", "git worktree: .*nonsense"),
    ],
)
def test_a_bisection_that_is_not_possible_says_why(
    repository: Path, good: str, bad: str, reason: str
) -> None:
    with pytest.raises(BisectionError, match=reason):
        find_first_bad(FILE, good, bad, repository)


def test_the_command_prints_the_commit_and_the_step(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bisection, "REPOSITORY", repository)
    arguments = ["replay", str(FILE), "--bisect", "good", "bad"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.stderr
    planted = git(repository, "rev-parse", "planted")
    assert result.stdout.startswith(f"{planted} Plant a change\nStep ")
    wrong = CliRunner().invoke(app, [*arguments[:-1], "good"])
    assert wrong.exit_code == 2
    assert "decides every step as recorded" in wrong.stderr
