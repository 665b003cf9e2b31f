"""`partyline connect`, `doctor` and `disconnect`: their options and their output."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from local.cli import common
from local.cli.common import SigningKeyFile, exit_on, option, print_line, stdout

if TYPE_CHECKING:
    from local.connect.account import Account

TELNYX_URL = "https://api.telnyx.com/v2"
DEFAULT_NAME = "partyline"
_WEBHOOK_PATH = "/webhooks"
_AT_TELNYX = "Waiting for Telnyx ..."
_STYLES = {"ok": "green", "wrong": "bold red", "untried": "yellow", "note": "dim"}


def _base_url(text: str) -> str:
    """Return a URL without a slash at its end and without the webhooks' path."""
    return (common.check_url(text) or "").rstrip("/").removesuffix(_WEBHOOK_PATH)


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
    option(
        "URL", "The whole failover URL.", "/failover of the deployment", callback=common.check_url
    ),
]
MaxMinutes = Annotated[int, option("MINUTES", "MaxMinutes of the deployment.", "120")]
ConnectedId = Annotated[
    str | None, option("ID", "The application.", "the only connected one", "--application")
]


@common.examples(
    "partyline connect --url https://api.example.com --key-from telnyx-key.json "
    "--assistant assistant-1"
)
def connect(
    url: DeploymentUrl,
    key_from: TelnyxKeyFile = None,
    telnyx_api_base_url: TelnyxUrl = TELNYX_URL,
    application_id: ApplicationId = None,
    name: ApplicationName = None,
    assistant_id: AssistantId = None,
    failover_url: FailoverUrl = None,
    as_json: common.AsJson = False,
) -> None:
    """Connect a Telnyx application to a deployment."""
    from local.connect import application, skip_turn, tools
    from local.connect.account import AccountError
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
        with common.progress(_AT_TELNYX):
            record, changes = application.connect(account, records, settings)
            added: list[str] = []
            if assistant_id:
                added = tools.attach_tools(account, records, record, url, assistant_id)
                try:
                    added += skip_turn.add(account, records, record, assistant_id)
                except AccountError:  # all else works without the tool
                    added.append(skip_turn.BY_HAND)
        kept_in = records.path(record.application_id)
    if as_json:
        result = {"application_id": record.application_id, "changes": [*changes, *added]}
        common.print_json({**result, "previous_settings": str(kept_in), "limits": LIMITS})
        return
    _print_changes(changes, f"the application {record.application_id} is as it should be")
    if assistant_id:
        _print_changes(added, f"{assistant_id} has the tools already")
    print_line(f"The previous settings are kept in {kept_in}")
    print_line(f"TelnyxConnectionId is {record.application_id}")
    print_line("Next: partyline doctor, with the same options.")
    for limit in LIMITS:
        print_finding("note", limit)


@common.examples("partyline disconnect --key-from telnyx-key.json")
def disconnect(
    key_from: TelnyxKeyFile = None,
    telnyx_api_base_url: TelnyxUrl = TELNYX_URL,
    application_id: ConnectedId = None,
    as_json: common.AsJson = False,
) -> None:
    """Put back the settings from before connect."""
    from local.connect.records import FOLDER, Records
    from local.connect.restore import restore

    with open_account(key_from, telnyx_api_base_url) as account:
        records = Records(FOLDER)
        record = records.get(application_id)
        with common.progress(_AT_TELNYX):
            changes = restore(account, records, record)
    if as_json:
        common.print_json({"application_id": record.application_id, "changes": changes})
        return
    _print_changes(changes, f"the application {record.application_id} is as it was")


@common.examples(
    "partyline doctor --url https://api.example.com --key-from telnyx-key.json "
    "--assistant assistant-1"
)
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
    as_json: common.AsJson = False,
) -> None:
    """Say what is wrong between Telnyx and a deployment."""
    from local.layer import use_layer
    from local.simulator.signing import read_seed

    use_layer()
    from local.connect.doctor import Context, examine

    found = []
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
        findings = examine(account, context)
        while True:
            with common.progress(_AT_TELNYX):
                finding = next(findings, None)
            if finding is None:
                break
            found.append(finding)
            if not as_json:
                print_finding(finding.verdict, finding.sentence)
    wrong = sum(finding.verdict == "wrong" for finding in found)
    untried = [finding.subject for finding in found if finding.verdict == "untried"]
    if as_json:
        common.print_json({"wrong": wrong, "findings": [asdict(finding) for finding in found]})
    elif wrong:
        print_line(f"{wrong} {'thing is' if wrong == 1 else 'things are'} wrong.")
    elif untried:
        print_line(f"Nothing wrong was found; not tried: {', '.join(untried)}.")
    else:
        print_line("Nothing is wrong.")
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
        print_line(line)


def print_finding(verdict: str, sentence: str) -> None:
    """Print a finding of the doctor: the verdict in color, then the sentence."""
    stdout().print(f"{verdict:8}", style=_STYLES[verdict], end="")
    print_line(sentence)
