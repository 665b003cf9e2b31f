"""`partyline live-test`: its options and its output."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from local.cli import common
from local.cli.common import exit_on, option, print_line
from local.cli.connect import (
    TELNYX_URL,
    ApplicationId,
    ApplicationName,
    TelnyxKeyFile,
    TelnyxUrl,
    application_name,
    open_account,
)

if TYPE_CHECKING:
    from local.connect.account import Account
    from local.live_test.plan import Plan
    from local.live_test.preflight import Wanted
    from local.live_test.report import Report
    from local.live_test.runner import Runner
    from local.live_test.state import State, StateFile

REPORT = Path("live-test-report.json")

AssistantId = Annotated[
    str | None, option("ID", "The assistant that talks on the calls.", None, "--assistant")
]
Number = Annotated[
    str | None, option("NUMBER", "The caller number.", "the application's first number")
]
SecondNumber = Annotated[
    str | None, option("NUMBER", "A second number of the application, which is called.")
]
SecondApplication = Annotated[
    str | None, option("ID", "A second application with a voice profile, for one question.")
]
ReportFile = Annotated[Path, option("FILE", "The report's file.", None, "--report")]
MaxCalls = Annotated[int, typer.Option(min=1, help="The budget of calls.")]
MaxMinutes = Annotated[int, typer.Option(min=1, help="The budget of minutes.")]
MaxUsd = Annotated[float, typer.Option(min=0, help="The budget in US dollars, as estimated.")]
Resume = Annotated[
    bool, typer.Option("--resume", help="Hang up the calls of the last run, and go on there.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before the first call.")]


@common.examples(
    "partyline live-test --key-from telnyx-key.json --assistant assistant-1 "
    "--second-number +13125550199",
    "partyline live-test --key-from telnyx-key.json --resume",
)
def live_test(  # noqa: PLR0913, PLR0917 each argument is an option of the command
    key_from: TelnyxKeyFile = None,
    telnyx_api_base_url: TelnyxUrl = TELNYX_URL,
    application_id: ApplicationId = None,
    name: ApplicationName = None,
    assistant_id: AssistantId = None,
    number: Number = None,
    second_number: SecondNumber = None,
    second_application: SecondApplication = None,
    report: ReportFile = REPORT,
    max_calls: MaxCalls = 40,
    max_minutes: MaxMinutes = 60,
    max_usd: MaxUsd = 8.0,
    resume: Resume = False,
    yes: Yes = False,
    as_json: common.AsJson = False,
) -> None:
    """Ask Telnyx what its documentation leaves open.

    The live test makes calls between two numbers of yours.
    """
    from local.connect.account import read_key
    from local.connect.records import FOLDER
    from local.live_test.api import Api, HttpSend, WallClock
    from local.live_test.plan import make_plan
    from local.live_test.preflight import Wanted
    from local.live_test.report import make_report
    from local.live_test.runner import Runner, StoppedError
    from local.live_test.state import StateError, StateFile

    say = common.print_note if as_json else print_line
    file = StateFile(FOLDER / "live-test.json")
    wanted = Wanted(
        name=application_name(application_id, name),
        application_id=application_id,
        assistant_id=assistant_id or "",
        number=number,
        second_number=second_number,
        second_application_id=second_application,
        max_calls=max_calls,
        max_minutes=max_minutes,
        max_usd=max_usd,
    )
    with exit_on(StateError, StoppedError), open_account(key_from, telnyx_api_base_url) as account:
        state = _resumed(file, account, wanted) if resume else _new(file, account, wanted)
        key = read_key(key_from, os.environ)
        with closing(HttpSend(telnyx_api_base_url, key)) as send, _sigterm_interrupts():
            runner = Runner(Api(send, WallClock()), state, file, lambda name: say(f"... {name}"))
            plan = make_plan(state.setup)
            _make_calls(runner, plan, say, ask=not yes)
            finished = make_report(state, plan)
    finished.save(report)
    file.delete()
    if as_json:
        common.print_json({"report": str(report), **finished.model_dump(mode="json")})
    else:
        _print_report(finished, report)


def _new(file: "StateFile", account: "Account", wanted: "Wanted") -> "State":
    """Check the account, and return the state of a new live test."""
    from local.live_test import preflight
    from local.live_test.api import WallClock
    from local.live_test.state import State, StateError

    if file.exists():
        raise StateError(
            f"A live test is unfinished ({file.path}): go on with --resume, which first hangs up "
            "the calls of that test."
        )
    if not wanted.assistant_id:
        raise typer.BadParameter("name the assistant with --assistant")
    return State(setup=preflight.check(account, wanted), begun_at=WallClock().now())


def _resumed(file: "StateFile", account: "Account", wanted: "Wanted") -> "State":
    """Return the state of the last run, with the budget of this run."""
    from local.live_test.state import StateError

    state = file.load()
    if state.setup.telnyx != account.base_url:
        raise StateError(f"The last run was at {state.setup.telnyx}: name this URL.")
    budget = {name: getattr(wanted, name) for name in ("max_calls", "max_minutes", "max_usd")}
    state.setup = state.setup.model_copy(update=budget)
    return state


def _make_calls(runner: "Runner", plan: "Plan", say: Callable[[str], None], *, ask: bool) -> None:
    """Hang up earlier calls, show the plan, ask the user, and run the experiments."""
    runner.hang_up_earlier()
    for line in plan.describe():
        say(line)
    if ask:
        typer.confirm("Make these calls?", abort=True, err=True)
    runner.run(plan)


@contextmanager
def _sigterm_interrupts() -> Iterator[None]:
    """Let SIGTERM interrupt the live test as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _print_report(report: "Report", path: Path) -> None:
    for line in report.summary():
        print_line(line)
    print_line(f"The report, with the evidence, is in {path}.")
    print_line(f"Replay on this computer: PARTYLINE_TELNYX_REPORT={path} make dev")
    if report.parameters:
        pairs = " ".join(f"{name}={value}" for name, value in report.parameters.items())
        print_line(f'Deploy with: make deploy PARAMETERS="{pairs}"')
