"""The commands that run a local stack, or watch a stack in the browser."""

import json
import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any

import typer

from local import printing
from local.cli import common
from local.cli.api import Api, api_command

if TYPE_CHECKING:
    from local.room.room_stack import RoomStack
    from local.stack.http_api import HttpRequest, HttpResponse
    from local.stack.local_stack import Options

_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

FOLLOWED = ("/webhooks", "/failover", "/tools/")
"""The paths whose requests `dev` prints; of other paths, only requests that change something."""


@common.examples("partyline demo", "partyline demo --runtime")
def demo(
    runtime: Annotated[
        bool,
        typer.Option("--runtime", help="Use `make artifact`'s functions in Lambda's own runtime."),
    ] = False,
) -> None:
    """Run the demo: whole calls on a local stack."""
    from local.demo import runner
    from local.deploy.lambda_emulator import RuntimeMissingError, emulated
    from local.stack.local_stack import in_process

    with common.exit_on(RuntimeMissingError, prefix="The demo cannot start: "):
        raise typer.Exit(runner.run(common.stdout(), emulated if runtime else in_process))


@common.examples("partyline dev", "PORT=8500 partyline dev", "partyline dev --bus")
def dev(
    bus: Annotated[
        bool, typer.Option("--bus", envvar="BUS", help="Print each event of the bus too.")
    ] = False,
    as_json: common.AsJson = False,
) -> None:
    """Keep the local stack up until Ctrl-C.

    Prints a line for each webhook and its effects. docs/local.md lists the variables. With --json,
    the first line has the addresses, and each line of the log is a line of JSON.
    """
    from botocore.exceptions import BotoCoreError

    from local import credentials
    from local.live_test.report import ReportError
    from local.room.room_stack import RoomStack
    from local.serving import PortError
    from local.stack.intrinsics import TemplateError
    from local.stack.local_stack import Options, PublishedDefaultError, VariableError

    cannot = "The local stack cannot start: "
    errors = (PublishedDefaultError, ReportError, VariableError)
    with common.exit_on(*errors, prefix=cannot, status=common.MISUSED):
        options = Options.from_environment()
    with common.exit_on(OSError, BotoCoreError, prefix=cannot), ExitStack() as closing:
        stopped = closing.enter_context(common.stop_event())
        try:
            with common.progress("Starting the local stack ..."):
                stack = closing.enter_context(RoomStack(options))
        except PortError as error:
            common.print_error(f"{cannot}{error}. Choose another: PORT=8500 make dev")
            raise typer.Exit(common.FAILED) from None
        except TemplateError as error:
            common.print_error(f"{cannot}{_with_variable(str(error))}")
            raise typer.Exit(common.MISUSED) from None
        telnyx = stack.simulator.url if stack.simulator else str(options.telnyx_api_base_url)
        keys = (options.api_key, options.telnyx_api_key, options.simulator.signing_seed)
        closing.enter_context(credentials.written(*keys, stack.url, telnyx))
        _print_addresses(stack, options, as_json=as_json)
        _follow(stack, bus=bus, as_json=as_json)
        common.wait_for_stop(stopped)
    if not as_json:
        common.print_line("Stopped.")


def _with_variable(message: str) -> str:
    """Return an error of the template, with the name of the variable that sets the parameter."""
    from local.stack.local_stack import PARAMETER_VARIABLES

    parameter, equals, rest = message.partition("=")
    return PARAMETER_VARIABLES.get(parameter, parameter) + equals + rest


def _print_addresses(stack: "RoomStack", options: "Options", *, as_json: bool) -> None:
    from local import credentials

    telnyx = stack.simulator.url if stack.simulator else options.telnyx_api_base_url
    if as_json:
        folder = str(credentials.folder())
        typer.echo(json.dumps({"api": stack.url, "telnyx": telnyx, "credentials": folder}))
        return
    simulated = " (simulated)" if stack.simulator else ""
    for line in (
        *((f"the room     {stack.url}/  (open it in a browser)",) if stack.room else ()),
        f"Partyline    {stack.url}",
        f"webhook URL  {stack.url}/webhooks",
        f"Telnyx       {telnyx}{simulated}",
        f"keys         {credentials.folder()}",
        "",
        "In a second terminal:",
        '  export PATH="$PWD/.venv/bin:$PATH"',
        "  partyline call +13125550111 --name Robin --watch",
        "or, for curl:",
        f"  API={stack.url}",
        f'  AUTH="authorization: Bearer $(cat {credentials.folder() / credentials.BEARER_KEY})"',
        "",
        "Ctrl-C stops the stack.",
    ):
        common.print_line(line)


def _follow(stack: "RoomStack", *, bus: bool, as_json: bool) -> None:
    """Print webhooks, the log and, with `bus`, the events from now on."""
    if as_json:
        stack.logs.follow(lambda line: typer.echo(printing.json_text(line)))
        if bus:
            stack.bus.follow(lambda event: typer.echo(printing.json_text({"bus": event})))
        return
    console = common.stdout()

    def print_request(request: "HttpRequest", response: "HttpResponse | None", secs: float) -> None:
        name, about = named(request)
        if name:
            ended = f"{response.status} in {secs * 1000:.0f} ms" if response else ""
            printing.request_line(console, name, about, ended)

    stack.gateway.follow(print_request)
    stack.logs.follow(lambda line: printing.log_line(console, line))
    if bus:
        stack.bus.follow(lambda event: printing.bus_event(console, event))


def named(request: "HttpRequest") -> tuple[str, str]:
    """Return the name of a request in the output of `dev`, and a number; empty without a line."""
    if not request.path.startswith(FOLLOWED):
        path = _ID.sub(lambda match: match[0][: printing.SHORT_ID_CHARS], request.path)
        return (f"{request.method} {path}" if request.method != "GET" else ""), ""
    try:
        data: Any = json.loads(request.body)["data"]
        payload = data["payload"]
        person = payload["from" if payload.get("direction") == "incoming" else "to"]
        return str(data["event_type"]), f"***{person[-4:]}"
    except (ValueError, LookupError, TypeError):
        return request.path, ""


@common.examples(
    "partyline console --url https://calls.example.com --key-from operator-key",
    "partyline console --url https://calls.example.com --stage prod --stack partyline-prod",
)
@api_command
def console(
    api: Api,
    port: Annotated[int, common.option("PORT", "The page's port.", min=0, max=65_535)] = 8410,
    stage: Annotated[str, common.option("NAME", "The stage that the page shows, as prod.")] = "",
    stack: Annotated[
        str, common.option("STACK", "Link to this stack's logs; AWS is asked for their names.")
    ] = "",
    *,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Only watch: the page has no forms.")
    ] = False,
) -> None:
    """Watch a deployed stack in the browser."""
    from botocore.exceptions import BotoCoreError, ClientError

    from local.deploy.redrive import NoSuchStackError
    from local.room.aws_links import find_logs, logs_of_url
    from local.room.console import run_console

    errors = (OSError, ValueError, NoSuchStackError, BotoCoreError, ClientError)
    failing = common.exit_on(*errors, prefix="The console cannot start: ")
    with (
        failing,
        common.stop_event() as stopped,
        run_console(
            api.url,
            api.key,
            port,
            stage=stage,
            read_only=read_only,
            logs=find_logs(stack) if stack else logs_of_url(api.url),
        ) as console_url,
    ):
        lines = (f"the console  {console_url}  (open it in a browser)", f"Partyline    {api.url}")
        api.print_result({"url": console_url}, *lines, note="Ctrl-C stops it.")
        common.wait_for_stop(stopped)
    if not api.as_json:
        common.print_line("Stopped.")
