"""`connect` attaches the tools to an assistant, and `disconnect` removes the tools again."""

from typing import Any

import httpx
import pytest

from local.client import Json
from local.simulator.faults import Fault
from local.tls import tls_context
from tests.support.patience import PATIENCE_SECS
from tests.support.telnyx_account import ASSISTANT, KEY, AccountSetup

OWN_TOOL = {
    "type": "webhook",
    "webhook": {"name": "weather", "description": "The weather.", "url": "https://own.example"},
}


def tools(account_setup: AccountSetup, assistant: str = ASSISTANT) -> list[dict[str, Any]]:
    """Return the webhook tools of an assistant, as Telnyx has the tools."""
    response = httpx.get(
        f"{account_setup.telnyx_url}/ai/assistants/{assistant}",
        headers={"authorization": f"Bearer {KEY}"},
        timeout=PATIENCE_SECS,
        trust_env=False,
        verify=tls_context(),
    )
    return [tool["webhook"] for tool in response.json()["tools"] if tool["type"] == "webhook"]


def webhooks_in_library(account_setup: AccountSetup) -> list[dict[str, Any]]:
    tools = account_setup.simulator.world.tools.values()
    return [tool for tool in tools if tool["type"] == "webhook"]


def names(account_setup: AccountSetup) -> list[str]:
    return [tool["name"] for tool in tools(account_setup)]


def test_connect_attaches_the_tools_and_disconnect_removes_them(
    account_setup: AccountSetup,
) -> None:
    account_setup.simulator.world.inline_tools[ASSISTANT] = [OWN_TOOL]

    assert account_setup.connect_application("--assistant", ASSISTANT) == 0

    own, invite, handover, call_back, status = tools(account_setup)
    assert own == OWN_TOOL["webhook"]
    assert invite["url"] == f"{account_setup.url}/tools/invite"
    assert call_back["url"] == f"{account_setup.url}/tools/call_back"
    assert status["url"] == f"{account_setup.url}/tools/status"
    assert handover["url"] == f"{account_setup.url}/tools/handover"
    for tool in (invite, handover, call_back, status):
        assert tool["method"] == "POST"
        assert tool["preset_body_fields"] == {"call_control_id": "{{call_control_id}}"}
    whom = {"brief", "name", "number"}
    assert set(invite["body_parameters"]["properties"]) == whom
    assert set(handover["body_parameters"]["properties"]) == whom | {"then"}
    assert [
        entry.unknown_fields for entry in account_setup.simulator.ledger if entry.unknown_fields
    ] == []
    assert f"gave {ASSISTANT} the tool invite" in account_setup.output

    assert account_setup.run("disconnect") == 0
    assert tools(account_setup) == [OWN_TOOL["webhook"]]
    assert account_setup.simulator.world.tools == {}
    assert f"took the tool status from {ASSISTANT}" in account_setup.output


def test_connecting_an_assistant_again_changes_nothing(account_setup: AccountSetup) -> None:
    account_setup.connect_application("--assistant", ASSISTANT)
    asked = account_setup.changes()

    assert account_setup.connect_application("--assistant", ASSISTANT) == 0

    assert account_setup.changes() == asked
    assert "has the tools already" in account_setup.output


def test_a_second_assistant_shares_the_tools(account_setup: AccountSetup) -> None:
    account_setup.connect_application("--assistant", ASSISTANT)
    account_setup.connect_application("--assistant", "assistant-2")

    assert len(webhooks_in_library(account_setup)) == 4
    assert tools(account_setup, "assistant-2") == tools(account_setup)
    account_setup.run("disconnect")
    assert tools(account_setup, "assistant-2") == tools(account_setup) == []


def test_connecting_another_url_changes_the_tools_urls(account_setup: AccountSetup) -> None:
    account_setup.connect_application("--assistant", ASSISTANT)
    account_setup.connect_application("--assistant", ASSISTANT, "--url", "https://second.example")

    assert [tool["url"] for tool in tools(account_setup)] == [
        "https://second.example/tools/invite",
        "https://second.example/tools/handover",
        "https://second.example/tools/call_back",
        "https://second.example/tools/status",
    ]
    assert len(webhooks_in_library(account_setup)) == 4


def test_a_lost_answer_makes_no_second_tool(account_setup: AccountSetup) -> None:
    account_setup.simulator.faults.add(Fault("lose_reply", "tool_create", secs=0))
    assert account_setup.connect_application("--assistant", ASSISTANT) == 1

    assert account_setup.connect_application("--assistant", ASSISTANT) == 0

    assert len(webhooks_in_library(account_setup)) == 4
    assert names(account_setup) == ["invite", "handover", "call_back", "status"]
    account_setup.run("disconnect")
    assert account_setup.simulator.world.tools == {}


@pytest.mark.parametrize("name", ["invite", "handover", "call_back", "status"])
def test_another_tool_of_the_same_name_is_not_replaced(
    account_setup: AccountSetup, name: str
) -> None:
    theirs = {**OWN_TOOL, "webhook": {"name": name, "description": "", "url": "https://a.example"}}
    account_setup.simulator.world.inline_tools[ASSISTANT] = [theirs]

    assert account_setup.connect_application("--assistant", ASSISTANT) == 1

    assert f"has a tool called {name} already, at https://a.example" in account_setup.output
    assert names(account_setup) == [name]
    assert account_setup.simulator.world.tools == {}


def test_an_unknown_assistant_is_an_error(account_setup: AccountSetup) -> None:
    assert account_setup.connect_application("--assistant", "nobody") == 1
    assert "no assistant nobody" in account_setup.output


def test_the_error_names_a_missing_right(account_setup: AccountSetup) -> None:
    account_setup.simulator.faults.add(Fault("refuse", "tool_create", status=403))
    assert account_setup.connect_application("--assistant", ASSISTANT) == 1
    assert "lacks the right to change AI tools and assistants" in account_setup.output


def test_disconnect_succeeds_for_tools_that_were_deleted(account_setup: AccountSetup) -> None:
    account_setup.connect_application("--assistant", ASSISTANT)
    account_setup.simulator.world.attached_tools.clear()
    account_setup.simulator.world.tools.clear()

    assert account_setup.run("disconnect") == 0


SKIP_TURN = {"type": "skip_turn", "skip_turn": {"description": "Say nothing."}}


def skip_turns(account_setup: AccountSetup) -> list[Json]:
    own = account_setup.simulator.world.inline_tools.get(ASSISTANT, [])
    return [tool for tool in own if tool["type"] == "skip_turn"]


def test_connect_gives_the_assistant_the_skip_turn_tool_once(account_setup: AccountSetup) -> None:
    account_setup.connect_application("--assistant", ASSISTANT)
    assert f"gave {ASSISTANT} the tool Skip Turn" in account_setup.output
    account_setup.connect_application("--assistant", ASSISTANT)
    assert len(skip_turns(account_setup)) == 1
    account_setup.run("disconnect")
    assert not skip_turns(account_setup)


def test_connect_and_disconnect_leave_an_assistants_own_skip_turn_tool(
    account_setup: AccountSetup,
) -> None:
    account_setup.simulator.world.inline_tools[ASSISTANT] = [SKIP_TURN]
    account_setup.connect_application("--assistant", ASSISTANT)
    account_setup.run("disconnect")
    assert skip_turns(account_setup) == [SKIP_TURN]


def test_connect_goes_on_when_telnyx_gives_no_skip_turn_tool(account_setup: AccountSetup) -> None:
    fault = Fault(kind="refuse", action="assistant_update", status=403, times=None)
    account_setup.simulator.faults.add(fault)
    assert account_setup.connect_application("--assistant", ASSISTANT) == 0
    assert "add the tool in the portal" in " ".join(account_setup.output.split())
