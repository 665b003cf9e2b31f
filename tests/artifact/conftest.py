"""The build of `make artifact`. Without a build, these tests are skipped."""

import os
from pathlib import Path

import pytest

from local.deploy.lambda_emulator import Runtime

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def runtime() -> Runtime:
    """The functions as built for this machine, and their runtime."""
    built = os.environ.get("PARTYLINE_ARTIFACT")
    if not built:
        pytest.skip("`make artifact` makes the build for this test")
    return Runtime.locate(ROOT / built)


@pytest.fixture(scope="session")
def layers(runtime: Runtime) -> dict[str, Path]:
    """The layer of the deployed build, and the layer of the build for this machine."""
    deployed = ROOT / ".aws-sam" / "build" / "PartylineLayer" / "python"
    return {"deployed": deployed, "here": runtime.layer}
