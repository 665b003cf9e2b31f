"""The commands that run a stack, watch a stack, or operate a stack."""

from typing import Annotated, Literal

import typer

from local.cli import common

Queue = Literal["failover", "events", "bus", "starts"]


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


def dev() -> None:
    """Keep the local stack up until Ctrl-C."""
    from local import credentials, printing
    from local.live_test.report import ReportError
    from local.room.room_stack import RoomStack
    from local.stack.local_stack import Options, PublishedDefaultError

    stopped, console = common.stop_event(), common.stdout()
    with common.exit_on(PublishedDefaultError, ReportError):
        options = Options.from_environment()
    failing = common.exit_on(OSError, prefix="The local stack cannot start: ")
    seed = options.simulator.signing_seed
    files = credentials.written(options.api_key, options.telnyx_api_key, seed)
    with failing, RoomStack(options) as stack, files:
        stack.logs.follow(lambda line: printing.log_line(console, line))
        stack.bus.follow(lambda event: printing.bus_event(console, event))
        if stack.room:
            console.print(f"the room     {stack.url}/  (open it in a browser)")
        console.print(f"Partyline    {stack.url}\nwebhook URL  {stack.url}/webhooks")
        if stack.simulator:
            console.print(f"Telnyx       {stack.simulator.url} (simulated)")
        else:
            console.print(f"Telnyx       {options.telnyx_api_base_url}")
        console.print(f"bearer key   {options.api_key}", soft_wrap=True)
        console.print(f"             (in {credentials.folder() / credentials.BEARER_KEY})")
        console.print("Ctrl-C stops it.")
        stopped.wait()
    console.print("Stopped.")


def console(
    url: common.ApiUrl = common.LOCAL_URL,
    key_from: common.BearerKeyFile = None,
    port: Annotated[int, common.option("PORT", "The page's port.")] = 8410,
) -> None:
    """Watch a deployed stack in the browser."""
    from local.room.console import run_console

    stopped, out = common.stop_event(), common.stdout()
    errors = (common.KeyUnreadableError, OSError, ValueError)
    failing = common.exit_on(*errors, prefix="The console cannot start: ")
    with (
        failing,
        run_console(url.rstrip("/"), common.bearer_key(key_from, url), port) as console_url,
    ):
        out.print(f"the console  {console_url}  (open it in a browser)", soft_wrap=True)
        out.print(f"Partyline    {url}\nCtrl-C stops it.")
        stopped.wait()
    out.print("Stopped.")


def _check_event_type(event_type: str) -> str:
    from local.stack.webhook_fixtures import fixtures

    if event_type not in fixtures():
        known = ", ".join(sorted(fixtures()))
        raise typer.BadParameter(f"{event_type!r} has no fixture in events/. Choose from {known}.")
    return event_type


def trigger(
    event_type: Annotated[
        str, typer.Argument(metavar="EVENT.TYPE", help="A fixture.", callback=_check_event_type)
    ],
    changes: Annotated[
        list[str] | None,
        common.option("payload.from=+1...", "Change a field; can be repeated.", None, "--set"),
    ] = None,
    url: common.ApiUrl = common.LOCAL_URL,
    signing_key: common.SigningKeyFile = None,
) -> None:
    """Send a signed webhook made from a fixture in events/.

    Without --signing-key, the key of the running `partyline dev` signs the webhook, else the
    published test key.
    """
    import httpx

    from local import credentials
    from local.simulator.signing import Signer, read_seed
    from local.stack.webhook_fixtures import body_of

    out = common.stdout()
    with common.exit_on(ValueError, status=2):
        if signing_key is None and credentials.read(credentials.SIGNING_KEY):
            signing_key = credentials.folder() / credentials.SIGNING_KEY
        signer = Signer(read_seed(signing_key)) if signing_key else Signer()
        event_id, body = body_of(event_type, changes or ())
    out.print(f"--> {event_type} [{event_id}]")
    try:
        response = httpx.post(
            f"{url.rstrip('/')}/webhooks/{event_type}",
            content=body,
            headers=signer.headers(body),
            timeout=30,
            trust_env=False,
        )
    except httpx.HTTPError as error:
        common.print_error(f"<-- {type(error).__name__}: is the stack up at {url}?")
        raise typer.Exit(1) from None
    out.print(f"<-- [{response.status_code}] {response.text}")
    raise typer.Exit(0 if response.is_success else 1)


def key(
    key_id: Annotated[
        str, typer.Argument(metavar="ID", help="A name for the application that uses the key.")
    ],
    may: Annotated[
        str | None, common.option("RIGHTS", "The rights of the key, such as read,control.", "all")
    ] = None,
    days: Annotated[
        int | None, common.option("DAYS", "After how many days the key expires.", "never", min=1)
    ] = None,
) -> None:
    """Make a bearer key and its entry for the secret."""
    from datetime import UTC, datetime, timedelta

    from local.connect import bearer_keys
    from local.layer import use_layer

    use_layer()
    from partyline.services.bearer_keys import Right

    rights = may.split(",") if may is not None else list(Right)
    if not set(rights) <= set(Right):
        raise typer.BadParameter(f"the rights are {', '.join(Right)}, separated by commas")
    expires_at = None if days is None else datetime.now(UTC) + timedelta(days=days)
    out, new_key = common.stdout(), bearer_keys.new_key()
    out.print(f"bearer key, shown this once:  {new_key}")
    out.print("add to `keys` in the BearerKeys secret:")
    out.print_json(data=bearer_keys.entry(key_id, new_key, rights, expires_at))


def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The id of the key.")],
    stack: Annotated[str, common.option("STACK", "The stack's name, such as partyline-dev.")],
) -> None:
    """Delete a bearer key from the secret of a deployed stack."""
    from botocore.exceptions import BotoCoreError, ClientError

    from local.deploy.redrive import NoSuchStackError
    from local.deploy.revoke import KeyNotFoundError
    from local.deploy.revoke import revoke as delete

    errors = (NoSuchStackError, KeyNotFoundError, BotoCoreError, ClientError)
    with common.exit_on(*errors, prefix="Not revoked: "):
        left = delete(key_id, stack)
    out = common.stdout()
    out.print(f"{key_id} is revoked; requests with this key are refused within 90 seconds.")
    out.print(f"keys that are left: {', '.join(left) or 'none'}")


def redrive(
    queue: Annotated[Queue, typer.Argument(help="The dead-letter queue.")],
    stack: Annotated[str, common.option("STACK", "The stack's name, such as partyline-dev.")],
) -> None:
    """Send a deployed stack's dead letters again."""
    from botocore.exceptions import BotoCoreError, ClientError

    from local.deploy.redrive import NoSuchStackError
    from local.deploy.redrive import redrive as send_again

    with common.exit_on(NoSuchStackError, BotoCoreError, ClientError, prefix="Not sent again: "):
        result = send_again(queue, stack)
    out = common.stdout()
    out.print(f"{result.sent} sent again.")
    for letter in result.left:
        out.print(f"left in the queue: {letter}")
    raise typer.Exit(1 if result.left else 0)


def dialing(
    switch: Annotated[Literal["on", "off"], typer.Argument(help="Whether phones may be dialled.")],
    stack: Annotated[str, common.option("STACK", "The stack's name, such as partyline-dev.")],
    reason: Annotated[str, common.option("TEXT", "The reason, for the event.")],
) -> None:
    """Switch all dials of a deployed stack off, and on again. Calls that are up go on."""
    from botocore.exceptions import BotoCoreError, ClientError

    from local.deploy.dialing import EventNotSentError, set_dialing
    from local.deploy.redrive import NoSuchStackError

    errors = (NoSuchStackError, EventNotSentError, BotoCoreError, ClientError)
    with common.exit_on(*errors, prefix="Check the switch: "):
        by = set_dialing(switch, stack, reason)
    common.stdout().print(f"dialing is {switch}, by {by}; every function sees it within a minute.")
