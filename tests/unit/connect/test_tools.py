"""An assistant is given the tools, keeps its own, and loses ours again."""

from typing import Any

import httpx
import pytest

from local.simulator.faults import Fault
from tests.support.telnyx_account import ASSISTANT, KEY, AccountSetup

OWN_TOOL = {
    "type": "webhook",
    "webhook": {"name": "weather", "description": "The weather.", "url": "https://own.example"},
}


def tools(town: AccountSetup, assistant: str = ASSISTANT) -> list[dict[str, Any]]:
    """The webhook tools of an assistant, as Telnyx tells them."""
    response = httpx.get(
        f"{town.telnyx_url}/ai/assistants/{assistant}",
        headers={"authorization": f"Bearer {KEY}"},
        trust_env=False,
    )
    return [each["webhook"] for each in response.json()["tools"]]


def names(town: AccountSetup) -> list[str]:
    return [each["name"] for each in tools(town)]


def test_an_assistant_is_given_the_tools_and_they_are_taken_back(town: AccountSetup) -> None:
    town.simulator.world.inline_tools[ASSISTANT] = [OWN_TOOL]

    assert town.connect_ours("--assistant", ASSISTANT) == 0

    own, invite, status = tools(town)
    assert own == OWN_TOOL["webhook"]
    assert invite["url"] == f"{town.url}/tools/invite"
    assert status["url"] == f"{town.url}/tools/status"
    for each in (invite, status):
        assert each["method"] == "POST"
        assert each["preset_body_fields"] == {"call_control_id": "{{call_control_id}}"}
    assert set(invite["body_parameters"]["properties"]) == {"name", "number"}
    assert [entry.unknown_fields for entry in town.simulator.ledger if entry.unknown_fields] == []
    assert f"gave {ASSISTANT} the tool invite" in town.output

    assert town.run("disconnect") == 0
    assert tools(town) == [OWN_TOOL["webhook"]]
    assert town.simulator.world.tools == {}
    assert f"took the tool status from {ASSISTANT}" in town.output


def test_giving_them_again_changes_nothing(town: AccountSetup) -> None:
    town.connect_ours("--assistant", ASSISTANT)
    asked = town.changes()

    assert town.connect_ours("--assistant", ASSISTANT) == 0

    assert town.changes() == asked
    assert "has the tools already" in town.output


def test_a_second_assistant_shares_the_tools(town: AccountSetup) -> None:
    town.connect_ours("--assistant", ASSISTANT)
    town.connect_ours("--assistant", "assistant-2")

    assert len(town.simulator.world.tools) == 2
    assert tools(town, "assistant-2") == tools(town)
    town.run("disconnect")
    assert tools(town, "assistant-2") == tools(town) == []


def test_the_tools_follow_to_another_address(town: AccountSetup) -> None:
    town.connect_ours("--assistant", ASSISTANT)
    town.connect_ours("--assistant", ASSISTANT, "--url", "https://second.example")

    assert [each["url"] for each in tools(town)] == [
        "https://second.example/tools/invite",
        "https://second.example/tools/status",
    ]
    assert len(town.simulator.world.tools) == 2


def test_a_lost_answer_makes_no_second_tool(town: AccountSetup) -> None:
    town.simulator.faults.add(Fault("lose_reply", "tool_create", secs=0))
    assert town.connect_ours("--assistant", ASSISTANT) == 1

    assert town.connect_ours("--assistant", ASSISTANT) == 0

    assert len(town.simulator.world.tools) == 2
    assert names(town) == ["invite", "status"]
    town.run("disconnect")
    assert town.simulator.world.tools == {}


@pytest.mark.parametrize("name", ["invite", "status"])
def test_a_tool_of_the_same_name_is_not_pushed_aside(town: AccountSetup, name: str) -> None:
    theirs = {**OWN_TOOL, "webhook": {"name": name, "description": "", "url": "https://a.example"}}
    town.simulator.world.inline_tools[ASSISTANT] = [theirs]

    assert town.connect_ours("--assistant", ASSISTANT) == 1

    assert f"has a tool called {name} already, at https://a.example" in town.output
    assert names(town) == [name]
    assert town.simulator.world.tools == {}


def test_an_unknown_assistant_is_told(town: AccountSetup) -> None:
    assert town.connect_ours("--assistant", "nobody") == 1
    assert "no assistant nobody" in town.output


def test_a_right_that_is_missing_is_named(town: AccountSetup) -> None:
    town.simulator.faults.add(Fault("refuse", "tool_create", status=403))
    assert town.connect_ours("--assistant", ASSISTANT) == 1
    assert "lacks the right to change AI tools and assistants" in town.output


def test_tools_that_somebody_removed_are_no_trouble(town: AccountSetup) -> None:
    town.connect_ours("--assistant", ASSISTANT)
    town.simulator.world.attached_tools.clear()
    town.simulator.world.tools.clear()

    assert town.run("disconnect") == 0
