"""Whole calls through the built functions in Lambda's own runtime."""

import io

from rich.console import Console

from local.demo import runner
from local.deploy.lambda_emulator import Runtime, emulated


def test_the_demo_runs_in_the_real_runtime(runtime: Runtime) -> None:
    output = io.StringIO()
    assert runner.run(Console(file=output, width=110), emulated) == 0, output.getvalue()
