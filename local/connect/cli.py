"""`partyline connect`, `doctor` and `disconnect`: their options, and what they print."""

import argparse
import base64
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console

from local.connect import application, doctor, tools
from local.connect.account import Account, AccountError, is_loopback, read_key
from local.connect.limits import LIMITS
from local.connect.records import FOLDER, RecordError, Records

TELNYX = "https://api.telnyx.com/v2"
NAME = "partyline"
_SEED_BYTES = 32
_STYLES = {"ok": "green", "wrong": "bold red", "untried": "yellow", "note": "dim"}

Run = Callable[[Console, argparse.Namespace], int]


def add(commands: Any, folder: Path = FOLDER) -> None:
    """Add the commands to a group of sub-parsers; `folder` keeps what was before."""
    one = commands.add_parser(
        "connect", help="point a Telnyx application, and an assistant, at a deployment"
    )
    _account_options(one)
    _deployment_options(one)
    one.set_defaults(run=_safely(_connect), folder=folder)

    one = commands.add_parser("doctor", help="say what is wrong between Telnyx and a deployment")
    _account_options(one)
    _deployment_options(one)
    one.add_argument(
        "--signing-key",
        type=Path,
        metavar="FILE",
        help="base64 seed of an Ed25519 key of your own whose public half the deployment knows",
    )
    one.set_defaults(run=_safely(_doctor))

    one = commands.add_parser("disconnect", help="put back what was before connect")
    _account_options(one)
    one.add_argument(
        "--application", metavar="ID", help="which one (default: the only one connected)"
    )
    one.set_defaults(run=_safely(_disconnect), folder=folder)


def _account_options(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--key-from",
        type=Path,
        metavar="FILE",
        help="file with the Telnyx API key (default: $TELNYX_API_KEY)",
    )
    one.add_argument(
        "--telnyx-api-base-url",
        type=_url,
        default=TELNYX,
        metavar="URL",
        help="another Telnyx (default: %(default)s)",
    )


def _deployment_options(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--url",
        type=_url,
        required=True,
        help="the deployment's base URL: ApiUrl of the stack's outputs",
    )
    which = one.add_mutually_exclusive_group()
    which.add_argument("--application", metavar="ID", help="the Call Control application")
    which.add_argument(
        "--name", default=NAME, help="the application's name instead (default: %(default)s)"
    )
    one.add_argument("--assistant", metavar="ID", help="a Telnyx assistant that has our tools")
    one.add_argument(
        "--failover-url",
        type=_whole_url,
        metavar="URL",
        help="where Telnyx turns when the URL fails, whole (default: /failover of the deployment)",
    )


def _url(text: str) -> str:
    """A base URL without a slash at its end, nor the path of the webhooks."""
    return _whole_url(text).rstrip("/").removesuffix(application.WEBHOOKS)


def _whole_url(text: str) -> str:
    parts = urlsplit(text)
    usable = parts.scheme in ("http", "https") and parts.hostname and text.isprintable()
    if not usable or " " in text or parts.query or parts.fragment:
        raise argparse.ArgumentTypeError(f"{text!r} is no URL such as https://api.example.com")
    return text


def _safely(run: Run) -> Run:
    """With what can go wrong told in a sentence: 2 for what was said wrongly, 1 for the rest."""

    def safe(console: Console, given: argparse.Namespace) -> int:
        try:
            return run(console, given)
        except ValueError as error:
            _say(console, str(error), "red")
            return 2
        except (AccountError, RecordError, OSError) as error:
            _say(console, str(error), "red")
            return 1

    return safe


@contextmanager
def _account(given: argparse.Namespace) -> Iterator[Account]:
    account = Account(given.telnyx_api_base_url, read_key(given.key_from, os.environ))
    try:
        yield account
    finally:
        account.close()


def _connect(console: Console, given: argparse.Namespace) -> int:
    for url in filter(None, (given.url, given.failover_url)):
        if not url.startswith("https://") and not is_loopback(given.telnyx_api_base_url):
            raise ValueError(f"{url} is not https: Telnyx is to reach it through the internet.")
    records = Records(given.folder)
    wanted = application.ApplicationSettings(
        given.url, given.name, given.application, given.failover_url
    )
    with _account(given) as account:
        record, done = application.connect(account, records, wanted)
        _done(console, done, f"the application {record.application_id} is as it should be")
        if given.assistant:
            done = tools.attach_tools(account, records, record, given.url, given.assistant)
            _done(console, done, f"{given.assistant} has the tools already")
    _say(console, f"What was before is kept in {records.path(record.application_id)}")
    _say(console, f"TelnyxConnectionId is {record.application_id}")
    _say(console, "Next: partyline doctor, with the same options.")
    for each in LIMITS:
        _finding(console, "note", each)
    return 0


def _disconnect(console: Console, given: argparse.Namespace) -> int:
    records = Records(given.folder)
    record = records.get(given.application)
    with _account(given) as account:
        done = application.disconnect(account, record)
        done += tools.remove_tools(account, record)
    records.delete(record)
    _done(console, done, f"the application {record.application_id} is as it was")
    return 0


def _doctor(console: Console, given: argparse.Namespace) -> int:
    patient = doctor.Context(
        url=given.url,
        name=given.name,
        application_id=given.application,
        assistant_id=given.assistant,
        failover_url=given.failover_url,
        signing_seed=_seed(given.signing_key) if given.signing_key else None,
    )
    wrongs, untried = 0, []
    with _account(given) as account:
        for finding in doctor.examine(account, patient):
            _finding(console, finding.verdict, finding.sentence)
            wrongs += finding.verdict == "wrong"
            if finding.verdict == "untried":
                untried.append(finding.subject)
    if wrongs:
        _say(console, f"{wrongs} {'thing is' if wrongs == 1 else 'things are'} wrong.")
    elif untried:
        _say(console, f"Nothing wrong was found; not tried: {', '.join(untried)}.")
    else:
        _say(console, "Nothing is wrong.")
    return 1 if wrongs else 0


def _seed(path: Path) -> bytes:
    try:
        seed = base64.b64decode(path.read_text().strip(), validate=True)
    except (OSError, ValueError):
        seed = b""
    if len(seed) != _SEED_BYTES:
        raise ValueError(f"{path} does not hold the base64 seed of an Ed25519 key, 32 bytes.")
    return seed


def _done(console: Console, lines: list[str], nothing: str) -> None:
    for line in lines or [f"Nothing to change: {nothing}"]:
        _say(console, line)


def _finding(console: Console, verdict: str, sentence: str) -> None:
    console.print(f"{verdict:8}", style=_STYLES[verdict], end="")
    _say(console, sentence)


def _say(console: Console, line: str, style: str = "") -> None:
    console.print(line, style=style, markup=False, soft_wrap=True)
