"""`make deploy-local`: deploy into the embedded AWS with `partyline up`, and run the demo there.

The console's tests run there as well, in a browser. At the end, `partyline down` removes the stack.

Before the end comes a release in which only the layer differs. Callers must get the new code: an
alias that stays on an old version would serve the old layer, without an error.
"""

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from rich.console import Console

from local.demo import runner
from local.deploy.background_checks import NotDoneError, run_checks
from local.deploy.deployment import Deployment, DeploymentFailedError, with_another_layer
from local.deploy.lambda_emulator import ROOT, Runtime, RuntimeMissingError
from local.deploy.reverse_proxy import ReverseProxy
from local.deploy.up_locally import BuildDeployer, UpLocally
from local.serving import serve
from local.simulator.running import run_simulator
from local.stack.embedded_aws import EmbeddedAws
from local.stack.local_stack import Options

_FIRST, _SECOND = "1" * 40, "2" * 40
_PATIENCE_SECS = 300.0


def run(console: Console) -> int:
    """Deploy, run the demo, check, update; return 0 after success, else 1."""
    runtime, options, started = Runtime.locate(), Options(), time.monotonic()

    def done(step: str) -> None:
        console.print(f"{time.monotonic() - started:5.1f} s  {step}", style="dim")

    with ExitStack() as closing:
        aws = closing.enter_context(EmbeddedAws(lambda_python=runtime.python))
        simulator = run_simulator(
            replace(runner.simulator_settings(), api_key=options.telnyx_api_key)
        )
        closing.callback(simulator.stop)
        proxy = ReverseProxy(aws.access)
        server = serve(proxy)
        closing.callback(server.stop)
        options = replace(options, public_base_url=server.url)
        parameters = options.template_parameters(simulator.api_url)
        parameters["ApiAuthorization"] = "both"  # for the check of an IAM caller
        deployer = BuildDeployer(Deployment(aws.access, parameters), runtime.build, proxy)
        done("the embedded AWS and the simulator are up")
        folder = Path(closing.enter_context(TemporaryDirectory(prefix="partyline-up-")))
        stack = UpLocally(options, deployer, simulator.api_url, folder, console.print)
        stack.up()
        deployment = deployer.deployment
        done(f"the stack is up: {len(deployment.resources)} resources")
        telnyx, key = simulator.simulator, stack.bearer_key
        if runner.run_scenarios(console, server.url, key, telnyx, deployment.log):
            return 1
        done("the demo has run on it")
        for check in run_checks(deployment, server.url, key):
            done(check)
        if not _console_works(server.url, key):
            return 1
        done("the console's tests have run on it")

        def layer() -> str | None:
            answer = httpx.get(
                f"{server.url}/conversations",
                headers={"authorization": f"Bearer {key}"},
                timeout=_PATIENCE_SECS,
                trust_env=False,
            )
            version: str | None = answer.raise_for_status().headers.get("x-layer")
            return version

        before = layer()
        with with_another_layer(runtime.build) as changed:
            deployment.deploy(changed, _SECOND)
        done("a release that changes the layer alone is deployed")
        if (before, layer()) != (None, "2"):
            console.print("[bold red]The alias still serves the old layer.[/bold red]")
            return 1
        done("the alias serves it")
        stack.down()
        done("the stack is down, and the table has stayed")
    return 0


def _console_works(url: str, api_key: str) -> bool:
    """Run the console's tests on this stack. Without a browser, pytest reports them as skipped."""
    tests = [sys.executable, "-m", "pytest", "--quiet", "tests/browser/test_console.py"]
    environment = {**os.environ, "PARTYLINE_DEPLOYED": url, "PARTYLINE_API_KEY": api_key}
    return subprocess.run(tests, cwd=ROOT, env=environment, check=False).returncode == 0  # noqa: S603


def main() -> int:
    """Run the command for `make`."""
    console = Console(width=110, highlight=False)
    try:
        return run(console)
    except (RuntimeMissingError, DeploymentFailedError, NotDoneError) as error:
        console.print(f"[bold red]{type(error).__name__}:[/bold red] {error}", markup=True)
        return 1


if __name__ == "__main__":
    sys.exit(main())
