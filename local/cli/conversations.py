"""`partyline conversations`: list, show, timeline and cancel."""

from typing import Annotated
from urllib.parse import quote

import typer

from local.cli import common
from local.cli.api import AnyConversationId, Api, Json, api_command
from local.cli.summary import now, summary

STATUSES = ("connecting", "active", "stopping", "ended", "failed", "scheduled")

app = typer.Typer(no_args_is_help=True)


@app.callback()
def conversations(
    context: typer.Context,
    url: common.ApiUrl = None,
    key_from: common.BearerKeyFile = None,
    as_json: common.AsJson = False,
) -> None:
    """Look at conversations, and cancel scheduled starts."""
    context.obj = (url, key_from, as_json)


@common.examples(
    "partyline conversations list",
    "partyline conversations list --status active --limit 200",
    "partyline conversations list --json | jq -r '.conversations[].id'",
    name="list",
)
@api_command
def list_newest(
    api: Api,
    status: Annotated[
        str | None,
        common.option(
            "STATUS", "List conversations of this status only.", autocompletion=lambda: STATUSES
        ),
    ] = None,
    number: Annotated[
        str | None, common.option("NUMBER", "List those with a person of this number only.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="List this many at most.")] = 20,
    cursor: Annotated[
        str | None, common.option("CURSOR", "Begin after an earlier list (`next_cursor`).")
    ] = None,
) -> None:
    """List the newest conversations.

    In a pipe, each conversation is a line with tabs: began, people, status, id.
    """
    from local import printing

    filters = {"status": status, "number": number}
    query = "".join(f"&{name}={quote(text, safe='')}" for name, text in filters.items() if text)
    page = api.rows(limit, query, cursor)
    if api.as_json:
        common.print_json(page)
        return
    if not page["conversations"]:
        common.print_note("There is no such conversation." if query else "No conversation yet.")
        return
    show_rows = printing.bookings if status == "scheduled" else printing.conversations
    show_rows(common.stdout(), page["conversations"])
    if page["next_cursor"]:
        common.print_note(f"There are more: --limit, or --cursor {page['next_cursor']}")


@common.examples(
    "partyline conversations show newest", "partyline conversations show 402ec47c --json"
)
@api_command
def show(api: Api, conversation: AnyConversationId) -> None:
    """Show a conversation and its people."""
    from local import printing

    view = api.ask("GET", f"/conversations/{api.conversation_id(conversation, newest=True)}")
    api.print_result(view, view["id"], summary(view, now()))
    if not api.as_json:
        printing.people(common.stdout(), view.get("participants", []))


@common.examples(
    "partyline conversations cancel 402ec47c", "partyline conversations cancel --key crm"
)
@api_command
def cancel(
    api: Api,
    conversation: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The id of the start, or its beginning.")
    ] = None,
    key: Annotated[
        str | None, common.option("ID", "Cancel every scheduled start of this bearer key.")
    ] = None,
) -> None:
    """Cancel a scheduled start, or all of a bearer key."""
    from local import printing

    if (conversation is None) is (key is None):
        raise typer.BadParameter("give the id of a conversation, or --key with the id of a key")
    if conversation:
        rows = [_cancelled(api, api.conversation_id(conversation))]
    else:
        rows = api.client.cancel_all(str(key))
    if api.as_json:
        common.print_json({"cancelled": rows})
        return
    printing.bookings(common.stdout(), rows)
    common.print_line(f"{len(rows)} cancelled.")


def _cancelled(api: Api, conversation_id: str) -> Json:
    """Cancel a scheduled start. The same request would erase a conversation that is over."""
    path = f"/conversations/{conversation_id}"
    view = api.ask("GET", path)
    if "start_at" not in view or view["status"] == "failed":
        raise typer.BadParameter("the start is over; `partyline erase` erases a conversation")
    return api.ask("DELETE", path)


@common.examples(
    "partyline conversations timeline newest",
    "partyline conversations timeline 402ec47c --json | jq -r '.events[].type'",
)
@api_command
def timeline(api: Api, conversation: AnyConversationId) -> None:
    """Show a conversation's events in order of time.

    In a pipe, each event is a line with tabs: time, type, the rest.
    """
    from local import printing

    conversation_id = api.conversation_id(conversation, newest=True)
    with common.progress("Reading the timeline ..."):
        events = api.client.timeline(conversation_id)
    if api.as_json:
        common.print_json({"events": events})
    else:
        printing.timeline(common.stdout(), events)


@common.examples(
    "partyline transcript newest",
    "partyline transcript 402ec47c --json | jq -r '.messages[].text'",
)
@api_command
def transcript(api: Api, conversation: AnyConversationId) -> None:
    """Show what was said in a conversation.

    Without `live_transcript`, a conversation has messages after its end.
    """
    conversation_id = api.conversation_id(conversation, newest=True)
    if api.as_json:
        common.print_json({"messages": api.client.transcript(conversation_id)})
        return
    text = api.client.transcript_text(conversation_id)
    if text:
        common.print_line(text.rstrip("\n"))
    else:
        common.print_note("Nothing is stored yet.")


common.register(app, list_newest, show, timeline, cancel)
