"""The commands that operate a deployed stack: its keys, its dead letters, its dials."""

from typing import Annotated, Literal

import typer

from local.cli import common

Queue = Literal["failover", "events", "bus", "starts", "hooks"]

_AT_AWS = "Waiting for AWS ..."


@common.examples("partyline key ops", "partyline key crm --may start,read --days 90")
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
    as_json: common.AsJson = False,
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
    new_key = bearer_keys.new_key()
    entry = bearer_keys.entry(key_id, new_key, rights, expires_at)
    if as_json:
        common.print_json({"key": new_key, "entry": entry})
        return
    common.print_line(f"bearer key, shown this once:  {new_key}")
    common.print_line("add to `keys` in the BearerKeys secret:")
    common.print_json(entry)


@common.examples("partyline revoke crm --stack partyline-dev")
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The id of the key.")],
    stack: common.StackName,
    as_json: common.AsJson = False,
) -> None:
    """Delete a bearer key from the secret of a deployed stack."""
    from botocore.exceptions import BotoCoreError, ClientError

    from local.deploy.redrive import NoSuchStackError
    from local.deploy.revoke import KeyNotFoundError
    from local.deploy.revoke import revoke as delete

    errors = (NoSuchStackError, KeyNotFoundError, BotoCoreError, ClientError)
    with common.exit_on(*errors, prefix="Not revoked: "), common.progress(_AT_AWS):
        left = delete(key_id, stack)
    if as_json:
        common.print_json({"revoked": key_id, "left": left})
        return
    common.print_line(f"{key_id} is revoked; its requests are refused within 90 seconds.")
    common.print_line(f"keys that are left: {', '.join(left) or 'none'}")


@common.examples(
    "partyline redrive failover --stack partyline-dev",
    "partyline redrive events --stack partyline-dev",
)
def redrive(
    queue: Annotated[Queue, typer.Argument(help="The dead-letter queue.")],
    stack: common.StackName,
    as_json: common.AsJson = False,
) -> None:
    """Send a deployed stack's dead letters again."""
    from botocore.exceptions import BotoCoreError, ClientError

    from local.deploy.redrive import NoSuchStackError
    from local.deploy.redrive import redrive as send_again

    errors = (NoSuchStackError, BotoCoreError, ClientError)
    with common.exit_on(*errors, prefix="Not sent again: "), common.progress(_AT_AWS):
        result = send_again(queue, stack)
    if as_json:
        common.print_json({"sent": result.sent, "left": result.left})
    else:
        common.print_line(f"{result.sent} sent again.")
        for letter in result.left:
            common.print_line(f"left in the queue: {letter}")
    raise typer.Exit(1 if result.left else 0)


@common.examples(
    'partyline dialing off --stack partyline-dev --reason "a leaked key"',
    'partyline dialing on --stack partyline-dev --reason "the key is revoked"',
)
def dialing(
    switch: Annotated[Literal["on", "off"], typer.Argument(help="Whether phones may be dialled.")],
    stack: common.StackName,
    reason: Annotated[str, common.option("TEXT", "The reason, for the event.")],
    as_json: common.AsJson = False,
) -> None:
    """Switch all dials of a deployed stack off, and on again. Calls that are up go on."""
    from botocore.exceptions import BotoCoreError, ClientError

    from local.deploy.dialing import EventNotSentError, set_dialing
    from local.deploy.redrive import NoSuchStackError

    errors = (NoSuchStackError, EventNotSentError, BotoCoreError, ClientError)
    with common.exit_on(*errors, prefix="Check the switch: "), common.progress(_AT_AWS):
        by = set_dialing(switch, stack, reason)
    if as_json:
        common.print_json({"dialing": switch, "by": by})
        return
    sentence = f"dialing is {switch}, by {by}; every function reads the switch within a minute."
    common.print_line(sentence)
