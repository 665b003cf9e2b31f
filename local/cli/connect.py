"""`partyline connect`, `doctor` and `disconnect`: their options and their output."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from local.cli.common import SigningKeyFile, exit_on, option, stdout

if TYPE_CHECKING:
    from local.connect.account import Account

TELNYX_URL = "https://api.telnyx.com/v2"
DEFAULT_NAME = "partyline"
_WEBHOOK_PATH = "/webhooks"
_STYLES = {"ok": "green", "wrong": "bold red", "untried": "yellow", "note": "dim"}


def _check_url(text: str | None) -> str | None:
    """Return a valid URL unchanged. Raises BadParameter for any other text."""
    if text is None:
        return None
    parts = urlsplit(text)
    usable = parts.scheme in ("http", "https") and parts.hostname and text.isprintable()
    if not usable or " " in text or parts.query or parts.fragment:
        raise typer.BadParameter(f"{text!r} is no URL such as https://api.example.com")
    return text


def _base_url(text: str) -> str:
    """Return a URL without a slash at its end and without the webhooks' path."""
    return (_check_url(text) or "").rstrip("/").removesuffix(_WEBHOOK_PATH)


TelnyxKeyFile = Annotated[
    Path | None, option("FILE", "A file with the Telnyx API key.", "$TELNYX_API_KEY")
]
TelnyxUrl = Annotated[str, option("URL", "The Telnyx API's URL.", callback=_base_url)]
DeploymentUrl = Annotated[
    str,
    option("URL", "The deployment's base URL: ApiUrl of the stack's outputs.", callback=_base_url),
]
ApplicationId = Annotated[
    str | None, option("ID", "The Call Control application.", None, "--application")
]
ApplicationName = Annotated[
    str | None, option("NAME", "The application's name, instead of --application.", DEFAULT_NAME)
]
AssistantId = Annotated[
    str | None, option("ID", "The Telnyx assistant that gets our tools.", None, "--assistant")
]
FailoverUrl = Annotated[
    str | None,
    option("URL", "The whole failover URL.", "/failover of the deployment", callback=_check_url),
]
MaxMinutes = Annotated[int, option("MINUTES", "MaxMinutes of the deployment.", "120")]
ConnectedId = Annotated[
    str | None, option("ID", "The application.", "the only connected one", "--application")
]


def connect(
    url: DeploymentUrl,
    key_from: TelnyxKeyFile = None,
    telnyx_api_base_url: TelnyxUrl = TELNYX_URL,
    application_id: ApplicationId = None,
    name: ApplicationName = None,
    assistant_id: AssistantId = None,
    failover_url: FailoverUrl = None,
) -> None:
    """Connect a Telnyx application to a deployment."""
    from local.connect import application, skip_turn, tools
    from local.connect.findings import LIMITS
    from local.connect.records import FOLDER, Records
    from local.loopback import is_loopback

    with open_account(key_from, telnyx_api_base_url) as account:
        for public_url in filter(None, (url, failover_url)):
            if not public_url.startswith("https://") and not is_loopback(telnyx_api_base_url):
                raise ValueError(f"{public_url} is not https: Telnyx reaches it over the internet.")
        records = Records(FOLDER)
        settings = application.ApplicationSettings(
            url, application_name(application_id, name), application_id, failover_url
        )
        record, changes = application.connect(account, records, settings)
        _print_changes(changes, f"the application {record.application_id} is as it should be")
        if assistant_id:
            changes = tools.attach_tools(account, records, record, url, assistant_id)
            changes += skip_turn.attach(account, records, record, assistant_id)
            _print_changes(changes, f"{assistant_id} has the tools already")
        _print(f"The previous settings are kept in {records.path(record.application_id)}")
    _print(f"TelnyxConnectionId is {record.application_id}")
    _print("Next: partyline doctor, with the same options.")
    for limit in LIMITS:
        _print_finding("note", limit)


def disconnect(
    key_from: TelnyxKeyFile = None,
    telnyx_api_base_url: TelnyxUrl = TELNYX_URL,
    application_id: ConnectedId = None,
) -> None:
    """Put back the settings from before connect."""
    from local.connect import application, tools
    from local.connect.records import FOLDER, Records

    with open_account(key_from, telnyx_api_base_url) as account:
        records = Records(FOLDER)
        record = records.get(application_id)
        changes = application.disconnect(account, record) + tools.remove_tools(account, record)
        records.delete(record)
    _print_changes(changes, f"the application {record.application_id} is as it was")


def doctor(  # noqa: PLR0913, PLR0917 each argument is an option of the command
    url: DeploymentUrl,
    key_from: TelnyxKeyFile = None,
    telnyx_api_base_url: TelnyxUrl = TELNYX_URL,
    application_id: ApplicationId = None,
    name: ApplicationName = None,
    assistant_id: AssistantId = None,
    failover_url: FailoverUrl = None,
    signing_key: SigningKeyFile = None,
    max_minutes: MaxMinutes = 120,
) -> None:
    """Say what is wrong between Telnyx and a deployment."""
    from local.layer import use_layer
    from local.simulator.signing import read_seed

    use_layer()
    from local.connect.doctor import Context, examine

    wrong, untried = 0, []
    with open_account(key_from, telnyx_api_base_url) as account:
        context = Context(
            url=url,
            name=application_name(application_id, name),
            application_id=application_id,
            assistant_id=assistant_id,
            failover_url=failover_url,
            signing_seed=read_seed(signing_key) if signing_key else None,
            max_minutes=max_minutes,
        )
        for finding in examine(account, context):
            _print_finding(finding.verdict, finding.sentence)
            wrong += finding.verdict == "wrong"
            if finding.verdict == "untried":
                untried.append(finding.subject)
    if wrong:
        _print(f"{wrong} {'thing is' if wrong == 1 else 'things are'} wrong.")
    elif untried:
        _print(f"Nothing wrong was found; not tried: {', '.join(untried)}.")
    else:
        _print("Nothing is wrong.")
    raise typer.Exit(1 if wrong else 0)


@contextmanager
def open_account(key_from: Path | None, telnyx_url: str) -> Iterator["Account"]:
    """Open the Telnyx account. A usage error ends the command with 2, any other error with 1."""
    from local.connect.account import Account, AccountError, read_key
    from local.connect.records import RecordError

    failing, misused = exit_on(AccountError, RecordError, OSError), exit_on(ValueError, status=2)
    with failing, misused, closing(Account(telnyx_url, read_key(key_from, os.environ))) as account:
        yield account


def application_name(application_id: str | None, name: str | None) -> str:
    """Return the application's name, or the default name. Raises BadParameter for two names."""
    if application_id and name:
        raise typer.BadParameter("--name is not allowed with --application")
    return name or DEFAULT_NAME


def _print_changes(changes: list[str], unchanged: str) -> None:
    for line in changes or [f"Nothing to change: {unchanged}"]:
        _print(line)


def _print_finding(verdict: str, sentence: str) -> None:
    stdout().print(f"{verdict:8}", style=_STYLES[verdict], end="")
    _print(sentence)


def _print(line: str) -> None:
    stdout().print(line, soft_wrap=True)
