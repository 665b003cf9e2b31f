"""`partyline up` and `partyline down`: their options, their questions and their output."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from local.cli import common
from local.cli.common import exit_on, option, print_error, print_line
from local.cli.connect import TELNYX_URL, ApplicationId, TelnyxKeyFile, TelnyxUrl, print_finding

if TYPE_CHECKING:
    from local.connect.findings import Finding
    from local.up.up import Surroundings

Stage = Annotated[Literal["dev", "prod"], option("STAGE", "The stage: dev or prod.")]
Parameters = Annotated[
    list[str] | None,
    option("NAME=VALUE", "A parameter of the template; can be repeated.", None, "--parameter"),
]
Tags = Annotated[
    list[str] | None,
    option("NAME=VALUE", "A tag for all AWS resources; can be repeated.", None, "--tag"),
]
PublicKey = Annotated[
    str | None, option("KEY", "Telnyx's public key, which the portal shows.", "asked for")
]
Number = Annotated[str | None, option("NUMBER", "The number that Partyline answers.", "asked for")]
Assistant = Annotated[str | None, option("ID", "The assistant that answers.", "asked for")]
Call = Annotated[
    str | None, option("NUMBER", "The number of a first call; empty: no call.", "offered")
]


@common.examples(
    "partyline up",
    "partyline up --stage prod --key-from telnyx-key.json --parameter MaxMinutes=60",
)
def up(  # noqa: PLR0913, PLR0917 each argument is an option of the command
    stage: Stage = "dev",
    key_from: TelnyxKeyFile = None,
    public_key: PublicKey = None,
    number: Number = None,
    assistant: Assistant = None,
    application_id: ApplicationId = None,
    parameters: Parameters = None,
    tags: Tags = None,
    call: Call = None,
    telnyx_api_base_url: TelnyxUrl = TELNYX_URL,
    as_json: common.AsJson = False,
) -> None:
    """Deploy to AWS and connect Telnyx, or change what differs.

    Asks at most five questions. A run after a failure continues; another run changes nothing.
    """
    from local.layer import use_layer

    use_layer()
    from local.up import choices
    from local.up.up import Request
    from local.up.up import up as bring_up

    with exit_on(ValueError, status=2):
        given = {
            choices.PUBLIC_KEYS: public_key and choices.public_keys(public_key),
            choices.NUMBER: number and choices.phone_number(number),
            choices.ASSISTANT: assistant,
        }
        request = Request(
            stage=stage,
            telnyx_key=_given_key(key_from),
            application_id=application_id,
            parameters={
                **_parameters(parameters),
                **{name: value for name, value in given.items() if value},
            },
            tags=_assignments(tags),
            call=None if call is None else choices.phone_number_or_none(call),
        )
    findings: list[Finding] = []
    opened = _surroundings(
        request.stack_name, telnyx_api_base_url, "up", findings if as_json else None
    )
    with opened as around:
        is_healthy = bring_up(request, around)
    if as_json:
        found = [asdict(finding) for finding in findings]
        common.print_json({"stack": request.stack_name, "ok": is_healthy, "findings": found})
    raise typer.Exit(0 if is_healthy else 1)


@common.examples("partyline down", "partyline down --stage prod --yes")
def down(
    stage: Stage = "dev",
    key_from: TelnyxKeyFile = None,
    application_id: ApplicationId = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for a confirmation.")] = False,
    with_calls: Annotated[
        bool, typer.Option("--with-calls", help="Also while calls are up; the calls go on.")
    ] = False,
    telnyx_api_base_url: TelnyxUrl = TELNYX_URL,
    as_json: common.AsJson = False,
) -> None:
    """Restore Telnyx and delete the stack. The table stays, with all conversations."""
    from local.layer import use_layer

    use_layer()
    from local.up.down import down as take_down
    from local.up.up import Request

    with exit_on(ValueError, status=2):
        request = Request(stage, telnyx_key=_given_key(key_from), application_id=application_id)
    if not yes:
        typer.confirm(
            f"Delete the stack {request.stack_name}, all but its table?", abort=True, err=True
        )
    opened = _surroundings(request.stack_name, telnyx_api_base_url, "down", [] if as_json else None)
    with opened as around:
        take_down(request, around, with_calls=with_calls)
    if as_json:
        common.print_json({"stack": request.stack_name, "deleted": True})


@contextmanager
def _surroundings(
    stack_name: str, telnyx_url: str, command: str, findings: "list[Finding] | None"
) -> Iterator["Surroundings"]:
    """Yield the accounts and folders of this machine. An error ends the command with a sentence.

    With a list of `findings`, the doctor's findings go there, and all lines go to stderr.
    """
    import httpx
    from botocore.exceptions import BotoCoreError, ClientError

    from local.client import ApiRefusedError
    from local.connect import records
    from local.connect.account import Account, AccountError
    from local.deploy.aws import aws_client
    from local.stack.template import declared_parameters
    from local.up.choices import NotAnsweredError
    from local.up.down import CallsAreUpError
    from local.up.release import DeployError, SamDeployer
    from local.up.stack import Stack, StackError
    from local.up.up import Surroundings
    from partyline.services.bearer_keys import Right

    hint = f"\nRun `partyline {command}` again: it continues from here."
    expected = (AccountError, records.RecordError, ApiRefusedError, DeployError, StackError)
    outside = (BotoCoreError, ClientError, httpx.HTTPError, OSError)
    say = print_line if findings is None else common.print_note
    choices_file, operator_key = Surroundings.folders(records.FOLDER, Path.home(), stack_name)
    try:
        with exit_on(NotAnsweredError, status=2), exit_on(CallsAreUpError):
            yield Surroundings(
                stack=Stack(stack_name, aws_client, say),
                deployer=SamDeployer(),
                open_account=lambda key: Account(telnyx_url, key),
                records=records.Records(records.FOLDER),
                earlier=choices_file,
                operator_key=operator_key,
                declared=declared_parameters(),
                rights=tuple(Right),
                ask=_ask,
                say=say,
                report=_print_finding if findings is None else findings.append,
                sleep=time.sleep,
            )
    except (*expected, *outside) as error:
        print_error(f"{str(error) or type(error).__name__}{hint}")
        raise typer.Exit(1) from None


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _ask(
    question: str,
    option: str,
    *,
    check: Callable[[str], str],
    hidden: bool = False,
    choices: Sequence[tuple[str, str]] = (),
) -> str:
    """Ask at the terminal until `check` takes the answer. Raises NotAnsweredError without one."""
    from local.up.choices import NotAnsweredError

    if not _is_terminal():
        raise NotAnsweredError(f"{question}: give {option}.")
    for place, (value, description) in enumerate(choices, 1):
        common.print_note(f"  {place}  {value}  {description}")
    while True:
        answer = typer.prompt(question, default="", show_default=False, hide_input=hidden, err=True)
        if answer.isdigit() and 0 < int(answer) <= len(choices):
            answer = choices[int(answer) - 1][0]
        try:
            return check(answer)
        except ValueError as error:
            print_error(str(error))


def _given_key(path: Path | None) -> str:
    """Return the key of a file or of the environment, or an empty text. Raises ValueError."""
    from local.connect.account import KEY_VARIABLE, read_key

    return read_key(path, os.environ) if path or os.environ.get(KEY_VARIABLE) else ""


def _assignments(texts: list[str] | None) -> dict[str, str]:
    """Return the values of NAME=VALUE by name. Raises ValueError for another form."""
    pairs = [text.partition("=") for text in texts or ()]
    for name, sign, _ in pairs:
        if not name or not sign:
            raise ValueError(f"{name!r} is not NAME=VALUE.")
    return {name: value for name, _, value in pairs}


def _print_finding(finding: "Finding") -> None:
    print_finding(finding.verdict, finding.sentence)


def _parameters(texts: list[str] | None) -> dict[str, str]:
    """Return parameters of the template by name. Raises ValueError for an unknown name."""
    from local.stack.template import declared_parameters

    values = _assignments(texts)
    unknown = sorted(values.keys() - declared_parameters().keys()) if values else []
    if unknown:
        raise ValueError(f"The template has no parameter {', '.join(unknown)}.")
    return values
