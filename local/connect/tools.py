"""The assistant's tools: `invite`, `handover`, `call_back` and `status`.

The tools are shared tools of the account, attached to the assistant (Telnyx API: /ai/tools and
/ai/assistants/{id}/tools/{tool_id}), so the assistant's other tools are never sent back and forth.
A preset field names the call: the model neither sees nor sets the field, and the field is
signed with the rest of the body.
"""

from dataclasses import dataclass

from local.connect.account import Account, AccountError, Json, NotFoundError, path_segment
from local.connect.records import Record, Records, Tool

READ = "read AI tools and assistants"
CHANGE = "change AI tools and assistants"
# Telnyx's maximum; a cold start has to fit.
_TIMEOUT_MS = 10_000
PARTS = ("stay", "silent", "away")
"""The parts of the assistant after a handover. `connect` runs without the layer and its `Then`."""
_CALL: Json = {"call_control_id": "{{call_control_id}}"}


def tool_definitions(url: str, application_id: str) -> dict[str, Json]:
    """Return the tools of the deployment at `url` by name, as bodies of POST /ai/tools."""
    invite: Json = {
        "name": "invite",
        "description": (
            "Call somebody and bring them into this phone conversation. Use it when the caller "
            "asks to speak with a person or a department, or agrees to it. Say whom by name; give "
            "a number only if the caller has said one. The answer says what happens next: tell "
            "the caller that, and do not call the tool again for the same person while they are "
            "being called."
        ),
        "body_parameters": {
            "type": "object",
            "properties": {
                "name": {
                    "type": "string",
                    "description": "The contact to call, a person or a department: billing.",
                },
                "number": {
                    "type": "string",
                    "description": "A phone number with its country code: +13125550100. Only for "
                    "somebody who is not a contact.",
                },
                "brief": {
                    "type": "string",
                    "description": "Why the caller wants to speak with them, in a sentence. Only "
                    "the person who is called hears it, before saying yes.",
                },
            },
        },
    }
    handover: Json = {
        "name": "handover",
        "description": (
            "Hand the caller over to a person or a department, who takes the conversation from "
            "you. Use it instead of invite when the caller wants to go on with that person. Stay "
            "with the caller until you are told that the person has joined; if the person cannot "
            "be reached, you are told why. Do not call the tool again meanwhile."
        ),
        "body_parameters": {
            "type": "object",
            "properties": {
                **invite["body_parameters"]["properties"],
                "then": {
                    "type": "string",
                    "enum": list(PARTS),
                    "description": "What you do once the person has joined: stay goes on speaking, "
                    "silent listens until somebody addresses you, away leaves the call. Without "
                    "it, you stay.",
                },
            },
        },
    }
    call_back: Json = {
        "name": "call_back",
        "description": (
            "Book a call to the caller's own number for later. Use it when the caller wants to be "
            "called back, and agree on the time first. The answer says when the caller will be "
            "called: tell the caller that. Another time replaces the time before."
        ),
        "body_parameters": {
            "type": "object",
            "properties": {
                "in_minutes": {
                    "type": "integer",
                    "description": "In how many minutes to call back: 30.",
                },
                "at": {
                    "type": "string",
                    "description": "The date and time instead of minutes, by the caller's clock "
                    "or with a zone: 2027-01-04T15:00:00.",
                },
                "name": {"type": "string", "description": "The caller's name, if you know it."},
            },
        },
    }
    status: Json = {
        "name": "status",
        "description": (
            "Who is on the line now and who is being called. Use it when somebody asks, or before "
            "saying that somebody is or is not there."
        ),
        "body_parameters": {"type": "object", "properties": {}},
    }
    return {
        tool["name"]: {
            # The application's id distinguishes the deployments of an account.
            "display_name": f"Partyline {tool['name']} ({application_id})",
            "type": "webhook",
            "timeout_ms": _TIMEOUT_MS,
            "webhook": {
                **tool,
                "url": f"{url}/tools/{tool['name']}",
                "method": "POST",
                "preset_body_fields": _CALL,
            },
        }
        for tool in (invite, handover, call_back, status)
    }


def attach_tools(
    account: Account, records: Records, record: Record, url: str, assistant_id: str
) -> list[str]:
    """Attach the tools to an assistant. Returns a line for each change, raises an AccountError."""
    tools = tool_definitions(url, record.application_id)
    our_urls = {body["webhook"]["url"] for body in tools.values()}
    our_urls |= {t.sent["webhook"]["url"] for t in record.tools.values() if "webhook" in t.sent}
    existing = webhook_tools(stored_assistant(account, assistant_id))
    for tool in existing:
        if tool.name in tools and not (tool.shared and tool.url in our_urls):
            raise AccountError(
                f"{assistant_id} has a tool called {tool.name} already, at {tool.url}: rename or "
                "remove that tool, because a model cannot distinguish two tools of a name."
            )
    if assistant_id not in record.assistants:
        record.assistants.append(assistant_id)
        records.save(record)
    changes: list[str] = []
    for name, body in tools.items():
        changes += _create_or_update(account, records, record, name, body)
        if name not in {tool.name for tool in existing}:
            account.ask(CHANGE, "PUT", attachment_path(assistant_id, record.tools[name].id))
            changes.append(f"gave {assistant_id} the tool {name}")
    return changes


def remove_tools(account: Account, record: Record) -> list[str]:
    """Detach and delete the tools. Returns a line for each change."""
    changes: list[str] = []
    for name, tool in record.tools.items():
        changes += [
            f"took the tool {name} from {assistant_id}"
            for assistant_id in record.assistants
            if _delete(account, attachment_path(assistant_id, tool.id))
        ]
        if _delete(account, f"/ai/tools/{path_segment(tool.id)}"):
            changes.append(f"removed the tool {name}, {tool.id}")
    return changes


@dataclass(frozen=True)
class Webhook:
    """A webhook tool of an assistant; a `shared` tool is in the account's library."""

    name: str
    url: str
    shared: bool
    preset: Json


def stored_assistant(account: Account, assistant_id: str) -> Json:
    """Return an assistant as Telnyx stores the assistant."""
    try:
        return account.request_object(READ, "GET", f"/ai/assistants/{path_segment(assistant_id)}")
    except NotFoundError:
        raise NotFoundError(f"This Telnyx account has no assistant {assistant_id}.") from None


def webhook_tools(assistant: Json) -> list[Webhook]:
    """Return the webhook tools of an assistant, inline and shared."""
    return [
        Webhook(
            name=tool["webhook"].get("name", ""),
            url=tool["webhook"].get("url", ""),
            shared=bool(tool.get("shared")),
            preset=tool["webhook"].get("preset_body_fields") or {},
        )
        for tool in assistant.get("tools") or []
        if isinstance(tool.get("webhook"), dict)
    ]


def find_shared_tool(account: Account, display_name: str, type_: str = "webhook") -> str | None:
    """Return the id of the account's shared tool of this name."""
    rows = account.list_all(READ, "/ai/tools", {"filter[type]": type_})
    return next((row["id"] for row in rows if row.get("display_name") == display_name), None)


def _create_or_update(
    account: Account, records: Records, record: Record, name: str, body: Json
) -> list[str]:
    """Create the tool, or update the tool when its body differs from the last body sent."""
    known = record.tools.get(name)
    tool_id = find_shared_tool(account, body["display_name"])
    if tool_id and known == Tool(id=tool_id, sent=body):
        return []
    if tool_id:
        account.ask(CHANGE, "PATCH", f"/ai/tools/{path_segment(tool_id)}", body)
        change = f"changed the tool {name}, {tool_id}: {body['webhook']['url']}"
    else:
        tool_id = account.request_object(CHANGE, "POST", "/ai/tools", body)["id"]
        change = f"made the tool {name}, {tool_id}"
    record.tools[name] = Tool(id=tool_id, sent=body)
    records.save(record)
    return [change]


def run_tool_test(account: Account, assistant_id: str, tool_id: str) -> int:
    """Let Telnyx call the tool, signed as in a call. Returns the HTTP status of our answer.

    Telnyx API: POST /ai/assistants/{assistant_id}/tools/{tool_id}/test.
    """
    body: Json = {"arguments": {}, "dynamic_variables": {"call_control_id": "v3:doctor"}}
    result = account.request_object(
        CHANGE, "POST", f"{attachment_path(assistant_id, tool_id)}/test", body, "status_code"
    )
    return int(result["status_code"] or 0)


def attachment_path(assistant_id: str, tool_id: str) -> str:
    """Return the path by which a shared tool is attached to an assistant."""
    return f"/ai/assistants/{path_segment(assistant_id)}/tools/{path_segment(tool_id)}"


def _delete(account: Account, path: str) -> bool:
    """Delete an object. Returns False when the object did not exist."""
    try:
        account.ask(CHANGE, "DELETE", path)
    except NotFoundError:
        return False
    return True
