"""The commands `partyline up` and `partyline down`: options, questions, errors."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError
from typer.testing import CliRunner, Result

from local.cli import up as cli
from local.cli.app import app
from local.connect import records
from local.deploy import aws
from local.up import release
from tests.support.pages import ROOT
from tests.support.up_setup import ASSISTANT, KEY, NUMBER, OWN_PHONE, UpSetup

Run = Callable[..., Result]


@pytest.fixture
def run(setup: UpSetup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in a terminal. `typed` are the user's answers."""
    monkeypatch.setattr(aws, "aws_client", setup.client)
    monkeypatch.setattr(cli, "_is_terminal", lambda: True)
    monkeypatch.setattr(release, "SamDeployer", lambda: setup.deployer)
    monkeypatch.setattr(records, "FOLDER", tmp_path / "records")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("TELNYX_API_KEY", raising=False)

    def command(*words: str, typed: tuple[str, ...] = ()) -> Result:
        telnyx = ("--telnyx-api-base-url", setup.telnyx_url)
        text = "".join(f"{line}\n" for line in typed)
        return CliRunner().invoke(app, [*words, *telnyx], input=text)

    return command


def test_up_asks_in_the_terminal_and_hides_the_key(setup: UpSetup, run: Run) -> None:
    result = run("up", typed=(KEY, "1", setup.simulator.public_key, OWN_PHONE))
    assert result.exit_code == 0, result.output
    assert KEY not in result.output
    assert f"1  {NUMBER}  free" in result.output
    assert f"Calling {OWN_PHONE}" in result.output
    assert "ok      A request that Telnyx itself has signed is accepted." in result.output
    again = run("up")
    assert again.exit_code == 0, again.output


def test_a_wrong_answer_is_asked_again(setup: UpSetup, run: Run) -> None:
    answers = (KEY, "hello", NUMBER, "not a key", setup.simulator.public_key, "5550100", "")
    result = run("up", typed=answers)
    assert result.exit_code == 0, result.output
    assert "Write the number with its country code" in result.output
    assert "44 characters" in result.output
    assert setup.api.conversations == []


def test_options_answer_every_question(
    setup: UpSetup, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "_is_terminal", lambda: False)
    (tmp_path / "key").write_text(KEY)
    result = run(
        *("up", "--key-from", str(tmp_path / "key"), "--number", NUMBER),
        *("--public-key", setup.simulator.public_key, "--assistant", ASSISTANT, "--call", ""),
        *("--parameter", "MaxMinutes=30", "--tag", "team=phones"),
    )
    assert result.exit_code == 0, result.output
    assert setup.stack().parameters["MaxMinutes"] == "30"
    [stack] = setup.client("cloudformation").describe_stacks()["Stacks"]
    tags = {tag["Key"]: tag["Value"] for tag in stack["Tags"]}
    assert tags == {"application": "partyline", "stage": "dev", "team": "phones"}


def test_a_missing_answer_names_its_option_without_a_terminal(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "_is_terminal", lambda: False)
    result = run("up")
    assert result.exit_code == 2
    assert "give --key-from" in result.output


@pytest.mark.parametrize(
    "options",
    [
        ("--number", "5550100"),
        ("--public-key", "short"),
        ("--parameter", "MaxMinutes"),
        ("--parameter", "MaxMinuts=30"),
        ("--key-from", "/no/such/file"),
        ("--call", "x"),
    ],
)
def test_an_unusable_option_ends_with_2(run: Run, setup: UpSetup, options: tuple[str, ...]) -> None:
    assert run("up", *options).exit_code == 2
    assert setup.simulator.ledger == []


def test_a_failure_is_a_sentence_that_says_how_to_go_on(
    setup: UpSetup, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup.deployer.failure = "build"
    typed = (KEY, "1", setup.simulator.public_key)
    result = run("up", typed=typed)
    assert result.exit_code == 1
    assert "The build failed." in result.output
    assert "Run `partyline up` again: it continues from here." in result.output

    def no_credentials(_: str) -> Any:
        raise NoCredentialsError

    monkeypatch.setattr(aws, "aws_client", no_credentials)
    result = run("up")
    assert result.exit_code == 1
    assert "Unable to locate credentials" in result.output


def test_a_wrong_finding_ends_with_1(setup: UpSetup, run: Run) -> None:
    setup.api.trusted.clear()
    result = run("up", typed=(KEY, "1", setup.simulator.public_key))
    assert result.exit_code == 1
    assert "Repair the findings that are wrong" in result.output


def test_down_asks_first(setup: UpSetup, run: Run) -> None:
    before = setup.account_state()
    run("up", typed=(KEY, "1", setup.simulator.public_key, ""))
    assert run("down", typed=("n",)).exit_code == 1
    assert setup.stack() is not None
    result = run("down", typed=("y",))
    assert result.exit_code == 0, result.output
    assert setup.stack() is None
    assert setup.account_state() == before
    assert run("down", "--yes").exit_code == 0


@pytest.mark.parametrize("command", [["up"], ["down", "--yes"]])
def test_a_user_without_an_aws_account_gets_a_sentence(command: list[str], tmp_path: Path) -> None:
    """In a process of its own: the layer is not on the path of a user's command."""
    run = subprocess.run(  # noqa: S603 our own program
        [sys.executable, "-m", "local", *command],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_REGION": "us-east-1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert "Unable to locate credentials" in run.stderr
    assert "Traceback" not in run.stderr


def test_sam_gets_the_parameters_and_tags_as_quoted_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    commands: list[list[str]] = []

    def note(command: list[str], **options: Any) -> SimpleNamespace:
        assert options["cwd"] == tmp_path
        assert options["env"]["AWS_DEFAULT_REGION"] == "eu-west-1"
        commands.append(command)
        return SimpleNamespace(returncode=len(commands) - 1)

    monkeypatch.setattr(subprocess, "run", note)
    deployer = release.SamDeployer(tmp_path, Path("sam"))
    with pytest.raises(release.DeployError, match="deployment failed"):
        deployer.deploy("partyline-dev", {"QuietHours": 'a "b"'}, {"stage": "dev"})
    build, deploy = commands
    assert build == ["make", "build"]
    assert deploy == [
        *("sam", "deploy", "--stack-name", "partyline-dev", "--no-confirm-changeset"),
        *("--tags", 'stage="dev"', "--parameter-overrides", 'QuietHours="a \\"b\\""'),
    ]
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=1))
    with pytest.raises(release.DeployError, match="build failed"):
        deployer.deploy("partyline-dev", {}, {})


def test_a_release_is_a_commit(tmp_path: Path) -> None:
    deployer = release.SamDeployer(tmp_path)
    with pytest.raises(release.DeployError, match="git status failed"):
        deployer.commit()
    for words in (["init", "-q"], ["add", "."], [*_AUTHOR, "commit", "-qm", "x", "--allow-empty"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)  # noqa: S603, S607
    assert len(deployer.commit()) == 40
    (tmp_path / "new").touch()
    with pytest.raises(release.DeployError, match="Commit first"):
        deployer.commit()


_AUTHOR = ("-c", "user.name=Robin", "-c", "user.email=robin@example.com")
