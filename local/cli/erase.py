"""`partyline erase` and `partyline receipt`: erase a conversation or a person."""

import time
from typing import Annotated, Any

import typer

from local.cli import common
from local.cli.api import Api, api_command

Json = dict[str, Any]

POLL_SECS = 5.0
NAMES = {
    "conversations": "conversations",
    "bookings": "scheduled starts",
    "contacts": "contacts",
    "do_not_call": "do-not-call entries",
    "queue_messages": "dead letters",
    "telnyx_conversations": "conversations at Telnyx",
}


@common.examples(
    "partyline erase 402ec47c",
    "partyline erase +13125550111 --wait",
    "partyline erase +13125550111 --do-not-call --yes",
)
@api_command
def erase(
    api: Api,
    subject: Annotated[
        str, typer.Argument(metavar="ID|NUMBER", help="A conversation's id, or a person's number.")
    ],
    do_not_call: Annotated[
        bool, typer.Option("--do-not-call", help="Erase the number's do-not-call entry too.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for a confirmation.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the erasure is done.")] = False,
) -> None:
    """Erase a conversation that is over, a scheduled start, or a person everywhere.

    The erasure of a person takes ten minutes. `partyline receipt ID` shows what was erased.
    """
    path, question = _request(api, subject, do_not_call=do_not_call)
    if not yes:
        typer.confirm(question, abort=True, err=True)
    receipt = api.ask("DELETE", path)
    while wait and receipt["status"] != "done":
        time.sleep(POLL_SECS)
        receipt = api.ask("GET", f"/erasures/{receipt['id']}")
    _show(api, receipt)


@common.examples("partyline receipt 3f1c2a9e-5d3b-4a55-9d5a-0b1f6d1c7e11")
@api_command
def receipt(
    api: Api,
    erasure: Annotated[str, typer.Argument(metavar="ID", help="The whole id of the erasure.")],
) -> None:
    """Show the receipt of an erasure."""
    _show(api, api.ask("GET", f"/erasures/{erasure}"))


def _request(api: Api, subject: str, *, do_not_call: bool) -> tuple[str, str]:
    """Return the path of the request, and the question before it."""
    if subject.startswith("+"):
        query = "?do_not_call=delete" if do_not_call else ""
        return f"/people/{subject}{query}", f"Erase the person of {subject} everywhere?"
    if do_not_call:
        raise typer.BadParameter("--do-not-call needs a number")
    conversation_id = api.conversation_id(subject)
    path = f"/conversations/{conversation_id}"
    return f"{path}?scheduled=erase", f"Erase the conversation {conversation_id}?"


def _show(api: Api, receipt: Json) -> None:
    erased = [
        f"{number} {NAMES.get(name, name)}" for name, number in receipt["erased"].items() if number
    ]
    note = f"{receipt['status']}: {', '.join(erased) or 'nothing'} erased."
    left = [f"{receipt['telnyx_owed']} at Telnyx to come"] if receipt["telnyx_owed"] else []
    left += [
        f"not deleted at Telnyx: {', '.join(ids)}" for ids in [receipt["telnyx_given_up"]] if ids
    ]
    api.print_result(receipt, receipt["id"], note=" ".join([note, *left]))
