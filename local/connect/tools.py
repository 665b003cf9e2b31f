"""The tools that an assistant is given: to invite somebody, and to know who is there.

They are shared tools of the account, attached to the assistant (Telnyx API: /ai/tools and
/ai/assistants/{id}/tools/{tool_id}), so that its other tools are never sent back and forth. The
call is named by a preset field: the model neither sees nor sets it, and Telnyx signs it with the
rest of the body.
"""

from dataclasses import dataclass

from local.connect.account import Account, AccountError, Json, NotFoundError, path_segment
from local.connect.records import Record, Records, Tool

READ = "read AI tools and assistants"
CHANGE = "change AI tools and assistants"
# As long as Telnyx waits at most; a cold start has to fit.
_TIMEOUT_MS = 10_000
_CALL: Json = {"call_control_id": "{{call_control_id}}"}


def tool_definitions(url: str, application_id: str) -> dict[str, Json]:
    """The tools of the deployment at `url`, by their names; bodies of POST /ai/tools."""
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
        each["name"]: {
            # The application tells apart the deployments of one account.
            "display_name": f"Partyline {each['name']} ({application_id})",
            "type": "webhook",
            "timeout_ms": _TIMEOUT_MS,
            "webhook": {
                **each,
                "url": f"{url}/tools/{each['name']}",
                "method": "POST",
                "preset_body_fields": _CALL,
            },
        }
        for each in (invite, status)
    }


def attach_tools(
    account: Account, records: Records, record: Record, url: str, assistant_id: str
) -> list[str]:
    """Give an assistant the tools; what was changed, a line each. Raises an AccountError."""
    tools = tool_definitions(url, record.application_id)
    ours = {each["webhook"]["url"] for each in tools.values()}
    ours |= {each.sent["webhook"]["url"] for each in record.tools.values()}
    has = webhook_tools(account, assistant_id)
    for each in has:
        if each.name in tools and not (each.shared and each.url in ours):
            raise AccountError(
                f"{assistant_id} has a tool called {each.name} already, at {each.url}: rename or "
                "remove that one, a model cannot tell them apart."
            )
    if assistant_id not in record.assistants:
        record.assistants.append(assistant_id)
        records.save(record)
    done: list[str] = []
    for name, body in tools.items():
        done += _create_or_update(account, records, record, name, body)
        if name not in {each.name for each in has}:
            account.ask(CHANGE, "PUT", _attachment_path(assistant_id, record.tools[name].id))
            done.append(f"gave {assistant_id} the tool {name}")
    return done


def remove_tools(account: Account, record: Record) -> list[str]:
    """Take the tools from every assistant and remove them; what was done, a line each."""
    done: list[str] = []
    for name, tool in record.tools.items():
        done += [
            f"took the tool {name} from {assistant_id}"
            for assistant_id in record.assistants
            if _delete(account, _attachment_path(assistant_id, tool.id))
        ]
        if _delete(account, f"/ai/tools/{path_segment(tool.id)}"):
            done.append(f"removed the tool {name}, {tool.id}")
    return done


@dataclass(frozen=True)
class Webhook:
    """A webhook tool as an assistant shows it; `shared` ones come from the account's library."""

    name: str
    url: str
    shared: bool
    preset: Json


def webhook_tools(account: Account, assistant_id: str) -> list[Webhook]:
    """The webhook tools of an assistant, inline and shared."""
    try:
        assistant = account.request_object(
            READ, "GET", f"/ai/assistants/{path_segment(assistant_id)}"
        )
    except NotFoundError:
        raise NotFoundError(f"This Telnyx account has no assistant {assistant_id}.") from None
    return [
        Webhook(
            name=each["webhook"].get("name", ""),
            url=each["webhook"].get("url", ""),
            shared=bool(each.get("shared")),
            preset=each["webhook"].get("preset_body_fields") or {},
        )
        for each in assistant.get("tools") or []
        if isinstance(each.get("webhook"), dict)
    ]


def find_shared_tool(account: Account, display_name: str) -> str | None:
    """The id of the account's shared tool of this name."""
    rows = account.list_all(READ, "/ai/tools", {"filter[type]": "webhook"})
    return next((each["id"] for each in rows if each.get("display_name") == display_name), None)


def _create_or_update(
    account: Account, records: Records, record: Record, name: str, body: Json
) -> list[str]:
    """Make the tool, or change it where it differs from what it was last told to be."""
    known = record.tools.get(name)
    tool_id = find_shared_tool(account, body["display_name"])
    if tool_id is None:
        made = account.request_object(CHANGE, "POST", "/ai/tools", body)
        record.tools[name] = Tool(id=made["id"], sent=body)
        records.save(record)
        return [f"made the tool {name}, {made['id']}"]
    if known == Tool(id=tool_id, sent=body):
        return []
    account.ask(CHANGE, "PATCH", f"/ai/tools/{path_segment(tool_id)}", body)
    record.tools[name] = Tool(id=tool_id, sent=body)
    records.save(record)
    return [f"changed the tool {name}, {tool_id}: {body['webhook']['url']}"]


def run_tool_test(account: Account, assistant_id: str, tool_id: str) -> int:
    """Let Telnyx call the tool, signed as in a call; the HTTP status that it got.

    Telnyx API: POST /ai/assistants/{assistant_id}/tools/{tool_id}/test.
    """
    body: Json = {"arguments": {}, "dynamic_variables": {"call_control_id": "v3:doctor"}}
    tried = account.request_object(
        CHANGE, "POST", f"{_attachment_path(assistant_id, tool_id)}/test", body, "status_code"
    )
    return int(tried["status_code"] or 0)


def _attachment_path(assistant_id: str, tool_id: str) -> str:
    return f"/ai/assistants/{path_segment(assistant_id)}/tools/{path_segment(tool_id)}"


def _delete(account: Account, path: str) -> bool:
    """Remove it; False when it was gone already."""
    try:
        account.ask(CHANGE, "DELETE", path)
    except NotFoundError:
        return False
    return True
