"""The AWS clients of `partyline revoke`, `redrive`, `dialing` and `up`: region and profile."""

import inspect
from pathlib import Path

import boto3
import pytest

from local.deploy import dialing, redrive, revoke
from local.deploy.aws import aws_client


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The settings of a user with two profiles, and no region in the environment."""
    config = tmp_path / "config"
    config.write_text("[default]\nregion = us-west-1\n[profile work]\nregion = eu-central-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


def region() -> str:
    return str(aws_client("sqs").meta.region_name)


def test_without_a_variable_the_profile_has_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    assert region() == "us-west-1"
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setenv("AWS_PROFILE", "work")
    assert region() == "eu-central-1"


def test_aws_region_comes_before_aws_default_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-2")
    assert region() == "us-east-2"
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert region() == "eu-west-1"


@pytest.mark.parametrize("command", [revoke.revoke, redrive.redrive, dialing.set_dialing])
def test_each_command_uses_this_client(command: object) -> None:
    assert callable(command)
    assert inspect.signature(command).parameters["client"].default is aws_client
