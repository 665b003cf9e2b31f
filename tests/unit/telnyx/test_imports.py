"""The package imports no heavy library: a caller hears silence while a function starts."""

import subprocess
import sys
from pathlib import Path

import pytest

LAYER = Path(__file__).parents[3] / "layers" / "partyline"
MODULES = (
    "call_control",
    "client",
    "client_state",
    "errors",
    "requests",
    "responses",
    "signature",
    "webhooks",
)


@pytest.mark.parametrize(
    "heavy", ["boto3", "botocore", "telnyx", "aws_lambda_powertools", "partyline.domain"]
)
def test_the_package_imports_no_heavy_library(heavy: str) -> None:
    imports = "".join(f"import partyline.telnyx.{name}\n" for name in MODULES)
    program = f"import sys\n{imports}print({heavy!r} in sys.modules)"

    ran = subprocess.run(  # noqa: S603 - our own interpreter and our own program
        [sys.executable, "-c", program],
        cwd=LAYER,
        capture_output=True,
        text=True,
        check=True,
    )

    assert ran.stdout.strip() == "False"
