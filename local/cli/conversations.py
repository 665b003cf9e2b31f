"""`partyline conversations`: list, show, timeline and cancel."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from local.cli import common

if TYPE_CHECKING:
    from local.client import Client

app = typer.Typer(no_args_is_help=True)
ConversationId = Annotated[str, typer.Argument(metavar="ID", help="The conversation's id.")]


@app.callback()
def conversations(
    context: typer.Context,
    url: common.ApiUrl = common.LOCAL_URL,
    key_from: common.BearerKeyFile = None,
) -> None:
    """Look at conversations, and cancel scheduled starts."""
    context.obj = (url.rstrip("/"), key_from)


@contextmanager
def _client(context: typer.Context) -> Iterator["Client"]:
    """Open a client of the API; its errors end the command with 1."""
    import httpx

    from local.client import ApiRefusedError, Client

    url, key_from = context.obj
    failing = common.exit_on(ApiRefusedError, common.KeyUnreadableError, httpx.HTTPError)
    with failing, closing(Client(url, common.bearer_key(key_from, url))) as client:
        yield client


@app.command("list")
def list_newest(
    context: typer.Context,
    status: Annotated[
        str | None, common.option("STATUS", "List conversations of this status only.")
    ] = None,
) -> None:
    """List the newest conversations."""
    from local import printing

    query = f"?status={status}" if status else ""
    with _client(context) as client:
        rows = client.ask("GET", f"/conversations{query}")["conversations"]
        show_rows = printing.bookings if status == "scheduled" else printing.conversations
        show_rows(common.stdout(), rows)


@app.command()
def show(context: typer.Context, conversation_id: ConversationId) -> None:
    """Show a conversation as JSON."""
    with _client(context) as client:
        common.stdout().print_json(data=client.conversation(conversation_id))


@app.command()
def cancel(
    context: typer.Context,
    conversation_id: Annotated[str | None, typer.Argument(metavar="[ID]")] = None,
    key: Annotated[
        str | None, common.option("ID", "Cancel every scheduled start of this bearer key.")
    ] = None,
) -> None:
    """Cancel a scheduled start, or every scheduled start of a bearer key."""
    from local import printing

    if (conversation_id is None) is (key is None):
        raise typer.BadParameter("give the id of a conversation, or --key with the id of a key")
    with _client(context) as client:
        if key is None:
            rows = [client.ask("DELETE", f"/conversations/{conversation_id}")]
        else:
            rows = client.cancel_all(key)
    printing.bookings(common.stdout(), rows)
    common.stdout().print(f"{len(rows)} cancelled.")


@app.command()
def timeline(context: typer.Context, conversation_id: ConversationId) -> None:
    """Show a conversation's events in order of time."""
    from local import printing

    with _client(context) as client:
        printing.timeline(common.stdout(), client.timeline(conversation_id))
