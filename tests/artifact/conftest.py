"""What `make artifact` built. Without it these tests have nothing to test, and say so."""

import os
from pathlib import Path

import pytest

from local.deploy.lambda_emulator import Runtime

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def runtime() -> Runtime:
    """The functions as built for this machine, and what runs them."""
    built = os.environ.get("PARTYLINE_ARTIFACT")
    if not built:
        pytest.skip("`make artifact` builds what this tests")
    return Runtime.locate(ROOT / built)


@pytest.fixture(scope="session")
def layers(runtime: Runtime) -> dict[str, Path]:
    """The layer by processor: of what is deployed, and of what was built for this machine."""
    deployed = ROOT / ".aws-sam" / "build" / "PartylineLayer" / "python"
    return {"deployed": deployed, "here": runtime.layer}
