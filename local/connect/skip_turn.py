"""Telnyx's Skip Turn tool, by which a silent assistant passes its turn.

Without the tool, an assistant answers at every turn (Telnyx docs: multi-participant calls). The
tool has no settings that Partyline needs, and Telnyx's description of a shared tool has no field
for them (Telnyx API: POST /ai/tools). An assistant's own Skip Turn tool is left as it is.
"""

from local.connect import tools
from local.connect.account import Account, AccountError, Json
from local.connect.records import Record, Records, Tool

TYPE = "skip_turn"

BY_HAND = (
    "Telnyx did not make a Skip Turn tool: add the tool to the assistant in the portal. Without "
    "the tool, a silent assistant answers at every turn."
)


def has_tool(assistant: Json) -> bool:
    """Whether an assistant has a Skip Turn tool."""
    return any(tool.get("type") == TYPE for tool in assistant.get("tools") or [])


def attach(account: Account, records: Records, record: Record, assistant_id: str) -> list[str]:
    """Give an assistant the tool, unless the assistant has one. Returns a line for each change.

    A refusal of Telnyx is a line too, because everything else works without the tool.
    """
    if has_tool(tools.stored_assistant(account, assistant_id)):
        return []
    display_name = f"Partyline skip turn ({record.application_id})"
    body: Json = {"display_name": display_name, "type": TYPE}
    try:
        tool_id = tools.find_shared_tool(account, display_name, TYPE)
        if tool_id is None:
            tool_id = account.request_object(tools.CHANGE, "POST", "/ai/tools", body)["id"]
        record.tools[TYPE] = Tool(id=tool_id, sent=body)
        records.save(record)
        account.ask(tools.CHANGE, "PUT", tools.attachment_path(assistant_id, tool_id))
    except AccountError:
        return [BY_HAND]
    return [f"gave {assistant_id} the tool {TYPE}"]
