"""`make demo`: runs all scenarios on a local stack."""

from collections.abc import Callable

from rich.console import Console

from local.client import ApiRefusedError, Client
from local.demo.driver import Demo, DemoFailedError, expect
from local.demo.scenarios import PEOPLE, SCENARIOS
from local.simulator.settings import Settings
from local.simulator.telnyx import Simulator
from local.stack.local_stack import LocalStack, Options, Runner, in_process
from local.stack.logs import Line


def run(console: Console, runner: Runner = in_process) -> int:
    """Run the demo on a local stack. Returns 0 when every result is as expected, else 1."""
    console.print("[bold]Partyline[/bold]  starting the local stack ...", markup=True)
    with LocalStack(Options(simulator=simulator_settings()), runner) as stack:
        if stack.simulator is None:
            raise DemoFailedError("the demo needs the simulator")
        console.print(
            f"  the API of template.yaml, real handlers   {stack.url}\n"
            f"  a simulated Telnyx, signed webhooks       {stack.simulator.url}\n"
            "  an embedded AWS with the template's table"
        )
        telnyx = stack.simulator.simulator
        return run_scenarios(console, stack.url, stack.api_key, telnyx, stack.logs.lines)


PATIENCE_SECS = 300.0
"""A function that starts for the first time takes minutes on a machine with much other work."""


def simulator_settings() -> Settings:
    """Return the simulator's settings: insights come after half a second."""
    return Settings(insights_after_secs=0.5, accepts_conversation_keys=True)


def run_scenarios(
    console: Console, url: str, api_key: str, telnyx: Simulator, log: Callable[[], list[Line]]
) -> int:
    """Run the scenarios on a running stack. Returns 0 when every result is as expected, else 1.

    `url` is the API's base URL, `api_key` a bearer key, and `log` returns the log so far.
    """
    client = Client(url, api_key, PATIENCE_SECS)
    demo = Demo(url, client, telnyx, log, console)
    for person in PEOPLE:
        telnyx.set_person(person)
    try:
        for scenario in SCENARIOS:
            scenario(demo)
        _check_end_state(demo)
    except (DemoFailedError, ApiRefusedError) as error:
        console.print(f"\nThe demo failed: {error}", style="bold red")
        return 1
    finally:
        client.close()
    console.print("\n[bold green]All as it should be.[/bold green]", markup=True)
    return 0


def _check_end_state(demo: Demo) -> None:
    """Check that no request broke a rule of Telnyx and that no call is up."""
    expect(not demo.telnyx.violations, f"no violations: {demo.telnyx.violations}")
    demo.poll(
        "every call to be over", lambda: all(leg.state == "ended" for leg in demo.telnyx.legs)
    )
