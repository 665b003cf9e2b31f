"""`partyline watch`: a conversation live, with its events and a sentence about its people."""

from contextlib import nullcontext
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from local import printing
from local.cli import common
from local.cli.api import AnyConversationId, Api, api_command
from local.cli.summary import now, summary

Json = dict[str, Any]

POLL_SECS = 1.0
FINISHED = frozenset({"ended", "failed", "cancelled"})
"""Statuses after which nothing more happens, also of a scheduled start."""


@common.examples(
    "partyline watch newest",
    "partyline watch 402ec47c",
    "partyline watch 402ec47c --json | jq -r .type",
)
@api_command
def watch(
    api: Api,
    conversation: AnyConversationId,
    every: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, help="The time between two reads.")
    ] = POLL_SECS,
) -> None:
    """Follow a conversation until its end, or until Ctrl-C.

    Prints each event, and on a terminal a sentence about the people. With --json, each event is a
    line of JSON. Ends with 1 if the conversation failed.
    """
    follow(api, api.conversation_id(conversation, newest=True), every)


def follow(api: Api, conversation_id: str, every: float = POLL_SECS) -> None:
    """Print the events of a conversation as they come, until its end or a signal."""
    out = common.stdout()
    live = out.status("") if out.is_terminal and not api.as_json else None
    seen, read_at = 0, None
    with common.stop_event() as stopped, live or nullcontext():
        while True:
            view = api.retried(lambda: api.client.conversation(conversation_id))
            if live:
                live.update(Text(summary(view, now())))
            if view.get("updated_at") != read_at:  # a scheduled start has no events yet
                for event in api.retried(lambda: api.client.timeline(conversation_id)):
                    if event["seq"] > seen:
                        seen = event["seq"]
                        _print_event(api, out, event)
                read_at = view.get("updated_at")
            if view["status"] in FINISHED or stopped.wait(every):
                break
    if not api.as_json:
        common.print_note(summary(view, now()))
    if view["status"] == "failed":
        raise typer.Exit(common.FAILED)


def _print_event(api: Api, out: Console, event: Json) -> None:
    if api.as_json:
        typer.echo(printing.json_text(event))
    else:
        printing.event_line(out, event)
