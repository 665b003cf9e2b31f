"""The command that shows the report on a conversation that is over."""

from collections.abc import Iterator
from typing import Any

from local.cli import common
from local.cli.api import AnyConversationId, Api, api_command

Json = dict[str, Any]

_HEADINGS = ("person", "to", "outcome", "cause", "seconds", "cost", "MOS")


@common.examples("partyline report newest", "partyline report 402ec47c --json | jq .report.costs")
@api_command
def report(api: Api, conversation: AnyConversationId) -> None:
    """Show the report on a conversation that is over: people, calls, costs, insights.

    In a pipe, each call is a line with tabs.
    """
    from local import printing

    conversation_id = api.conversation_id(conversation, newest=True)
    view = api.ask("GET", f"/conversations/{conversation_id}/report")
    told = view["report"]
    api.print_result(view, conversation_id, _summary(told))
    if not api.as_json:
        rows = [row for person in told["people"] for row in _rows(person)]
        printing.print_columns(common.stdout(), _HEADINGS, rows)


def _summary(told: Json) -> str:
    failure = told.get("failure")
    why = f"{failure['code']}: {failure['message']}" if failure else told.get("reason") or "ended"
    lasted = told.get("duration_secs")
    costs = ", ".join(f"{cost['total']} {name}" for name, cost in told["costs"].items())
    parts = (
        f"over ({why})",
        f"{lasted} s" if lasted is not None else "not answered",
        f"cost {costs}" if costs else "no cost known",
        f"{len(told['insights'])} insights",
    )
    return ", ".join(parts)


def _rows(person: Json) -> Iterator[list[str]]:
    for leg in person["legs"]:
        cost = leg.get("cost")
        yield [
            str(person.get("name") or person["participant_id"]),
            *(_text(leg, name) for name in ("to", "outcome", "hangup_cause", "seconds")),
            f"{cost['total']} {cost['currency']}" if cost else "-",
            _text(leg, "mos"),
        ]


def _text(leg: Json, name: str) -> str:
    value = leg.get(name)
    return "-" if value is None else str(value)
