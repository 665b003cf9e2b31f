"""`partyline hooks`: put, list, show and delete hooks; secrets, deliveries and replays."""

from typing import Annotated, Any

import typer

from local.cli import common
from local.cli.api import Api, api_command

HookId = Annotated[str, typer.Argument(metavar="HOOK", help="The hook's id, such as crm.")]

app = typer.Typer(no_args_is_help=True)


@app.callback()
def hooks(
    context: typer.Context,
    url: common.ApiUrl = None,
    key_from: common.BearerKeyFile = None,
    as_json: common.AsJson = False,
) -> None:
    """Send events to a URL, signed as Standard Webhooks."""
    context.obj = (url, key_from, as_json)


@common.examples(
    "partyline hooks put crm https://hooks.example.com/partyline",
    "partyline hooks put crm https://hooks.example.com/partyline --types conversation.ended",
    "partyline hooks put crm https://hooks.example.com/partyline --off",
)
@api_command
def put(
    api: Api,
    hook: HookId,
    receiver: Annotated[str, typer.Argument(metavar="RECEIVER", help="The https URL.")],
    types: Annotated[
        str | None, common.option("TYPES", "Only these event types, separated by commas.")
    ] = None,
    description: Annotated[str | None, common.option("TEXT", "What the hook is for.")] = None,
    off: Annotated[bool, typer.Option("--off", help="Send nothing for now.")] = False,
) -> None:
    """Make a hook, or change a hook. The secret of a new hook is printed once."""
    body: dict[str, Any] = {"url": receiver, "enabled": not off}
    body |= {"event_types": types.split(",")} if types else {}
    body |= {"description": description} if description else {}
    answer = api.ask("PUT", f"/hooks/{hook}", body)
    _print_secret(api, answer, f"{hook}: {_status(answer)}")


@common.examples("partyline hooks list", "partyline hooks list --json", name="list")
@api_command
def list_all(api: Api) -> None:
    """List all hooks.

    In a pipe, each hook is a line with tabs: id, status, event types, URL.
    """
    from local import printing

    answer = api.ask("GET", "/hooks")
    if api.as_json:
        common.print_json(answer)
        return
    headings = ("id", "status", "types", "url")
    cells = [
        (row["id"], _status(row), ", ".join(row["event_types"]) or "all", row["url"])
        for row in answer["hooks"]
    ]
    printing.print_columns(common.stdout(), headings, cells)


@common.examples("partyline hooks secret crm")
@api_command
def secret(api: Api, hook: HookId) -> None:
    """Give a hook a new secret. The former secret signs too for a day."""
    answer = api.ask("POST", f"/hooks/{hook}/secret")
    until = f"the former secret signs until {answer['former_secret_until']}"
    _print_secret(api, answer, f"{hook}: {until}")


@common.examples("partyline hooks deliveries crm", "partyline hooks deliveries crm --limit 50")
@api_command
def deliveries(
    api: Api,
    hook: HookId,
    limit: Annotated[int, typer.Option(min=1, max=50, help="List this many at most.")] = 20,
    cursor: Annotated[
        str | None, common.option("CURSOR", "Begin after an earlier list (`next_cursor`).")
    ] = None,
) -> None:
    """List the newest deliveries to a hook.

    In a pipe, each delivery is a line with tabs: time of the event, type, status, attempts, the
    receiver's last answer, id.
    """
    from urllib.parse import quote

    from local import printing

    after = f"&cursor={quote(cursor, safe='')}" if cursor else ""
    answer = api.ask("GET", f"/hooks/{hook}/deliveries?limit={limit}{after}")
    if api.as_json:
        common.print_json(answer)
        return
    headings = ("event", "type", "status", "attempts", "answer", "id")
    cells = [
        (
            *(row["occurred_at"], row["type"], row["status"], str(row["attempts"])),
            *(str(row["http_status"] or row["error"] or "-"), row["event_id"]),
        )
        for row in answer["deliveries"]
    ]
    printing.print_columns(common.stdout(), headings, cells)
    if answer["next_cursor"]:
        common.print_note(f"There are more: --cursor {answer['next_cursor']}")


@common.examples(
    "partyline hooks replay crm --event msg_402ec47c-5b1c-4a0e-9f0e-2f4b1f1c9d11_7",
    "partyline hooks replay crm --from 2026-12-24T08:00:00Z --to 2026-12-24T18:00:00Z",
)
@api_command
def replay(
    api: Api,
    hook: HookId,
    event: Annotated[str | None, common.option("ID", "The id of an event.")] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="The begin of a span of events.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="The end of the span.")
    ] = None,
) -> None:
    """Deliver an event again, or all events of a span of time."""
    if (event is None) is (first is None or last is None):
        raise typer.BadParameter("give --event, or --from and --to")
    body: dict[str, Any] = {"event_id": event} if event else {"from": first, "to": last}
    replayed = 0
    while True:
        answer = api.ask("POST", f"/hooks/{hook}/replay", body)
        replayed += answer["replayed"]
        if answer["next_cursor"] is None:
            break
        body["cursor"] = answer["next_cursor"]
    api.print_result({"replayed": replayed}, f"{replayed} sent again.")


@common.examples("partyline hooks delete crm")
@api_command
def delete(api: Api, hook: HookId) -> None:
    """Delete a hook. Deliveries on the way end."""
    answer = api.ask("DELETE", f"/hooks/{hook}")
    api.print_result(answer, f"{hook} is deleted.")


def _status(row: dict[str, Any]) -> str:
    if row["enabled"]:
        return f"failing since {row['failing_since']}" if row["failing_since"] else "on"
    return f"off ({row['disabled_reason']})" if row["disabled_reason"] else "off"


def _print_secret(api: Api, answer: dict[str, Any], line: str) -> None:
    shown = [answer["secret"]] if answer.get("secret") else []
    note = "Keep the secret: it is not shown again." if shown else ""
    api.print_result(answer, line, *shown, note=note)


common.register(app, put, list_all, secret, deliveries, replay, delete)
