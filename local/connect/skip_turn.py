"""Gives an assistant Telnyx's tool Skip Turn: the assistant may stay silent for a turn.

Without the tool the assistant answers every turn, also when two people talk to each other. The tool
exists in the assistant's own list only (Telnyx API: POST /ai/assistants/{id}, `tools`, which
replaces the list; tools with `shared` are not in the list).
"""

from local.connect.account import Account, AccountError, Json, NotFoundError, path_segment
from local.connect.records import Record, Records
from local.connect.tools import CHANGE, stored_assistant

_TYPE = "skip_turn"
_TOOL: Json = {
    "type": _TYPE,
    "skip_turn": {
        "description": "Stay silent for this turn. Use it when the people on the line talk with "
        "each other and nobody asks you anything."
    },
}


def add(account: Account, records: Records, record: Record, assistant_id: str) -> list[str]:
    """Give the tool to an assistant that lacks the tool. Returns a line for each change.

    Raises AccountError when the assistant has lost a tool by the change.
    """
    tools = _tools(account, assistant_id)
    if _TYPE in _types(tools):
        return []
    if assistant_id not in record.skip_turn:
        record.skip_turn.append(assistant_id)
        records.save(record)
    _replace(account, assistant_id, [*_own(tools), _TOOL])
    left = _types(_tools(account, assistant_id))
    if sorted(left) != sorted([*_types(tools), _TYPE]):
        raise AccountError(
            f"{assistant_id} had the tools {', '.join(_types(tools)) or 'none'}, and has now "
            f"{', '.join(left) or 'none'}: repair the assistant's tools in the portal."
        )
    return [f"gave {assistant_id} the tool Skip Turn"]


def remove(account: Account, record: Record) -> list[str]:
    """Take the tool from each assistant to which Partyline gave it. Returns a line for each."""
    changes = []
    for assistant_id in record.skip_turn:
        try:
            tools = _tools(account, assistant_id)
        except NotFoundError:
            continue
        if _TYPE in _types(tools):
            own = [tool for tool in _own(tools) if tool.get("type") != _TYPE]
            _replace(account, assistant_id, own)
            changes.append(f"took the tool Skip Turn from {assistant_id}")
    return changes


def _tools(account: Account, assistant_id: str) -> list[Json]:
    return list(stored_assistant(account, assistant_id).get("tools") or [])


def _types(tools: list[Json]) -> list[str]:
    return [str(tool.get("type")) for tool in tools]


def _own(tools: list[Json]) -> list[Json]:
    """Return the tools of the assistant's own list, as the list takes the tools."""
    return [
        {name: value for name, value in tool.items() if name != "shared"}
        for tool in tools
        if not tool.get("shared")
    ]


def _replace(account: Account, assistant_id: str, own: list[Json]) -> None:
    path = f"/ai/assistants/{path_segment(assistant_id)}"
    account.ask(CHANGE, "POST", path, {"tools": own})
