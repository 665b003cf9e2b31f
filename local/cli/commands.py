"""The commands of `partyline` and their options."""

import argparse
import os
import secrets
import signal
import threading
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import httpx
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.markup import escape

from local import printing
from local.client import ApiRefusedError, Client
from local.connect import cli as connecting
from local.demo import runner
from local.deploy import redrive
from local.deploy.lambda_emulator import RuntimeMissingError, emulated
from local.room.console import run_console
from local.stack.local_stack import API_KEY, LocalStack, Options, in_process
from local.webhook_fixtures import Signer, body_of, fixtures

Parser = argparse.ArgumentParser
URL = "http://127.0.0.1:8400"


def add(parser: Parser) -> None:
    """Add every command to the parser; each sets `run`, which takes a console and the options."""
    commands = parser.add_subparsers(required=True, metavar="command")

    one = commands.add_parser("demo", help="run a whole multi-party call and tell it")
    one.add_argument(
        "--runtime",
        action="store_true",
        help="run the functions that `make artifact` built in Lambda's own runtime",
    )
    one.set_defaults(run=_demo)

    one = commands.add_parser("dev", help="keep the local stack up until Ctrl-C")
    one.set_defaults(run=_dev)

    one = commands.add_parser("console", help="watch a deployed stack in the browser")
    one.add_argument("--url", default=URL, help="the API's base URL (default: %(default)s)")
    one.add_argument(
        "--key-from",
        type=Path,
        help="file with the bearer key (default: $PARTYLINE_API_KEY, else the local stack's)",
    )
    one.add_argument("--port", type=int, default=8410, help="of the page (default: %(default)s)")
    one.set_defaults(run=_console)

    one = commands.add_parser("trigger", help="send a signed webhook from events/")
    one.add_argument("event_type", choices=sorted(fixtures()), metavar="event.type")
    one.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="payload.from=+1...",
        help="change a field of the fixture; repeat for more",
    )
    one.add_argument("--url", default=URL, help="the API's base URL (default: %(default)s)")
    one.add_argument(
        "--signing-key",
        type=Path,
        help="file with the base64 seed of an Ed25519 key whose public half the deployment knows "
        "(default: the simulator's published test key)",
    )
    one.set_defaults(run=_trigger)

    one = commands.add_parser("conversations", help="look at conversations")
    one.add_argument("--url", default=URL, help="the API's base URL (default: %(default)s)")
    one.add_argument(
        "--key-from",
        type=Path,
        help="file with the bearer key (default: $PARTYLINE_API_KEY, else the local stack's)",
    )
    looks = one.add_subparsers(required=True, metavar="list|show|timeline")
    look = looks.add_parser("list", help="the newest ones")
    look.add_argument("--status", help="only those of this status")
    look.set_defaults(run=_list)
    for name, run in (("show", _show), ("timeline", _timeline)):
        look = looks.add_parser(name, help=f"{name} one conversation")
        look.add_argument("id")
        look.set_defaults(run=run)

    one = commands.add_parser("key", help="make a new bearer key and what the secret is to hold")
    one.add_argument("id", help="a name for who will use it")
    one.set_defaults(run=_key)

    one = commands.add_parser("redrive", help="send a deployed stack's dead letters again")
    one.add_argument("what", choices=("failover", "events", "bus", "starts"))
    one.add_argument("--stack", required=True, help="the stack's name, such as partyline-dev")
    one.set_defaults(run=_redrive)

    connecting.add(commands)


def _demo(console: Console, given: argparse.Namespace) -> int:
    try:
        return runner.run(console, emulated if given.runtime else in_process)
    except RuntimeMissingError as error:
        console.print(f"[red]The demo cannot start:[/red] {error}", highlight=False)
        return 1


def _until_stopped() -> threading.Event:
    """An event that Ctrl-C and SIGTERM set."""
    over = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: over.set())
    return over


def _console(console: Console, given: argparse.Namespace) -> int:
    try:
        running = run_console(given.url.rstrip("/"), _bearer(given), given.port)
    except (NoKeyError, OSError, ValueError) as error:
        console.print(f"[red]The console cannot start:[/red] {escape(str(error))}")
        return 1
    over = _until_stopped()
    console.print(f"the console  {running.url}/  (open it in a browser)")
    console.print(f"Partyline    {given.url}\nCtrl-C stops it.")
    over.wait()
    running.stop()
    console.print("Stopped.")
    return 0


def _dev(console: Console, _: argparse.Namespace) -> int:
    over = _until_stopped()
    options = replace(Options.from_environment(), with_room=True)
    try:
        with LocalStack(options) as stack:
            stack.logs.follow(lambda line: printing.log_line(console, line))
            stack.bus.follow(lambda event: printing.bus_event(console, event))
            if stack.room:
                console.print(f"the room     {stack.url}/  (open it in a browser)")
            console.print(f"Partyline    {stack.url}\nwebhook URL  {stack.url}/webhooks")
            if stack.simulator:
                console.print(f"Telnyx       {stack.simulator.url} (simulated)")
            else:
                console.print(f"Telnyx       {options.telnyx_api_base_url}")
            shown = "from PARTYLINE_API_KEY" if options.api_key != API_KEY else API_KEY
            console.print(f"bearer key   {shown}\nCtrl-C stops it.")
            over.wait()
    except OSError as error:
        console.print(f"[red]The local stack cannot start:[/red] {error}")
        return 1
    console.print("Stopped.")
    return 0


def _redrive(console: Console, given: argparse.Namespace) -> int:
    try:
        sent = redrive.redrive(given.what, given.stack)
    except (redrive.NoSuchStackError, BotoCoreError, ClientError) as error:
        console.print(f"[red]Not sent again:[/red] {error}", highlight=False)
        return 1
    console.print(f"{sent.sent} sent again.")
    for each in sent.left:
        console.print(f"left where it is: {each}", markup=False)
    return 1 if sent.left else 0


def _trigger(console: Console, given: argparse.Namespace) -> int:
    signer = Signer.from_file(given.signing_key) if given.signing_key else Signer()
    try:
        event_id, body = body_of(given.event_type, given.set)
    except ValueError as error:
        console.print(f"[red]{error}[/red]")
        return 2
    url = f"{given.url.rstrip('/')}/webhooks/{given.event_type}"
    console.print(f"--> {given.event_type} [{event_id}]", markup=False)
    try:
        response = httpx.post(
            url, content=body, headers=signer.headers(body), timeout=30, trust_env=False
        )
    except httpx.HTTPError as error:
        console.print(f"<-- {type(error).__name__}: is the stack up at {given.url}?", markup=False)
        return 1
    console.print(f"<-- [{response.status_code}] {response.text}", markup=False)
    return 0 if response.is_success else 1


class NoKeyError(Exception):
    """The bearer key is not where it was said to be; the text says so."""


def _bearer(given: argparse.Namespace) -> str:
    """The bearer key to ask with. Raises NoKeyError for a file that can't be read."""
    try:
        key = given.key_from.read_text().strip() if given.key_from else None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise NoKeyError(f"the bearer key can't be read from {given.key_from}: {why}") from error
    return key or os.environ.get("PARTYLINE_API_KEY") or API_KEY


def _client(given: argparse.Namespace) -> Client:
    return Client(given.url.rstrip("/"), _bearer(given))


def _list(console: Console, given: argparse.Namespace) -> int:
    query = f"?status={given.status}" if given.status else ""
    return _asked(
        console,
        lambda: printing.conversations(
            console, _client(given).ask("GET", f"/conversations{query}")["conversations"]
        ),
    )


def _show(console: Console, given: argparse.Namespace) -> int:
    return _asked(console, lambda: console.print_json(data=_client(given).conversation(given.id)))


def _timeline(console: Console, given: argparse.Namespace) -> int:
    return _asked(console, lambda: printing.timeline(console, _client(given).timeline(given.id)))


def _asked(console: Console, show: "printing.Show") -> int:
    try:
        show()
    except (ApiRefusedError, NoKeyError, httpx.HTTPError) as error:
        console.print(str(error) or type(error).__name__, style="red", markup=False)
        return 1
    return 0


def _key(console: Console, given: argparse.Namespace) -> int:
    key = f"partyline_{secrets.token_urlsafe(32)}"
    hashed = sha256(key.encode()).hexdigest()
    console.print(f"bearer key, shown this once:  {key}", markup=False)
    console.print("add to `keys` in the BearerKeys secret:")
    console.print_json(data={"id": given.id, "sha256": hashed})
    return 0
