"""The release: a commit with its parameters, deployed by SAM."""

import os
import subprocess
from collections.abc import Mapping
from hashlib import sha1
from pathlib import Path
from typing import Any, Protocol

from local.up.stack import StackState

ROOT = Path(__file__).resolve().parents[2]
SAM = ROOT / ".venv-sam" / "bin" / "sam"
RELEASE = "ReleaseSha"


class DeployError(Exception):
    """The build or the deployment failed. The output of the program has the reason."""


class Deployer(Protocol):
    """Deploys the commit that is checked out."""

    def commit(self) -> str:
        """Return the hash of the commit. Raises DeployError with uncommitted changes."""

    def deploy(self, stack: str, parameters: Mapping[str, str], tags: Mapping[str, str]) -> None:
        """Create or update the stack. Parameters that are not named keep their values.

        Raises DeployError.
        """


class SamDeployer:
    """Builds with `make build` and deploys with `sam deploy`. Both print to the terminal."""

    def __init__(self, root: Path = ROOT, sam: Path = SAM, make: str = "make") -> None:
        self._root = root
        self._sam = sam
        self._make = make

    def commit(self) -> str:
        """Return the hash of the commit. Raises DeployError with uncommitted changes."""
        if self._git("status", "--porcelain"):
            raise DeployError("Commit first: a release is a commit.")
        return self._git("rev-parse", "HEAD")

    def deploy(self, stack: str, parameters: Mapping[str, str], tags: Mapping[str, str]) -> None:
        """Build and deploy. `samconfig.toml` has the other options. Raises DeployError."""
        self._run([self._make, "build"], "The build failed")
        self._run(
            [
                *(str(self._sam), "deploy", "--stack-name", stack, "--no-confirm-changeset"),
                *("--tags", *_assignments(tags)),
                *("--parameter-overrides", *_assignments(parameters)),
            ],
            "The deployment failed",
        )

    def _run(self, command: list[str], failure: str) -> None:
        environment = {**os.environ, "SAM_CLI_TELEMETRY": "0"}
        if "AWS_REGION" in environment:  # the variable of the AWS CLI, which SAM does not read
            environment["AWS_DEFAULT_REGION"] = environment["AWS_REGION"]
        run = subprocess.run(command, cwd=self._root, env=environment, check=False)  # noqa: S603
        if run.returncode:
            raise DeployError(f"{failure}: the reason is above.")

    def _git(self, *words: str) -> str:
        run = subprocess.run(  # noqa: S603
            ["git", *words],  # noqa: S607 the user's git
            cwd=self._root,
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode:
            raise DeployError(f"git {words[0]} failed: {run.stderr.strip()}")
        return run.stdout.strip()


def _assignments(values: Mapping[str, str]) -> list[str]:
    """Return NAME=VALUE for each value. SAM reads quotes and backslashes as in a shell."""
    escaped = {
        name: value.replace("\\", "\\\\").replace('"', '\\"') for name, value in values.items()
    }
    return [f'{name}="{value}"' for name, value in escaped.items()]


def release_parameters(
    declared: Mapping[str, Any],
    state: StackState | None,
    requested: Mapping[str, str],
    commit: str,
) -> dict[str, str]:
    """Return the parameters of a deployment, or no parameters if the deployment exists already.

    SAM publishes new versions of the functions only for a new `ReleaseSha`, so the hash covers the
    commit and every parameter. CloudFormation does not show the value of a secret parameter: the
    hash leaves such a parameter out, and a request that names such a parameter is deployed.

    Args:
        declared: The parameters in the template, by name.
        state: The stack, or None before the first deployment.
        requested: The values that the user has chosen.
        commit: The hash of the commit.
    """
    secret = {name for name, declaration in declared.items() if declaration.get("NoEcho")}
    values = {name: str(declaration.get("Default", "")) for name, declaration in declared.items()}
    values |= state.parameters if state else {}
    values |= requested
    hashed = [
        f"{name}={values[name]}" for name in sorted(declared) if name not in {RELEASE, *secret}
    ]
    sha = sha1("\n".join([commit, *hashed]).encode(), usedforsecurity=False).hexdigest()
    is_current = state is not None and state.is_deployed and state.parameters.get(RELEASE) == sha
    if is_current and not secret & requested.keys():
        return {}
    return {**requested, RELEASE: sha}
