"""`connect` and `doctor` on a whole local stack, and with Telnyx's own client library."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import telnyx
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from telnyx.types.ai.inference_embedding_webhook_tool_params_param import Webhook

from local.connect import numbers, profiles, skip_turn, tools
from local.connect.account import Account
from local.connect.records import Record, Records
from local.stack.local_stack import LocalStack, Options
from partyline.domain.model.assistant import OUR_TOOLS
from tests.support.telnyx_account import ASSISTANT, KEY, AccountSetup, Deployment


@pytest.mark.parametrize("name", OUR_TOOLS)
def test_the_official_types_know_every_field_of_a_tool(name: str) -> None:
    body = tools.tool_definitions("https://api.example.com", "123")[name]
    strict: Any = TypeAdapter(with_config(ConfigDict(extra="forbid"))(Webhook))
    assert strict.validate_python(body["webhook"]) == body["webhook"]
    with pytest.raises(ValidationError):
        strict.validate_python({**body["webhook"], "made_up": 1})
    assert 500 <= body["timeout_ms"] <= 10_000


def test_the_official_client_reads_the_connected_application_and_tools(
    account_setup: AccountSetup,
) -> None:
    account_setup.connect_application("--assistant", ASSISTANT)
    with telnyx.Telnyx(api_key=KEY, base_url=account_setup.telnyx_url, max_retries=0) as client:
        library = {tool.display_name: tool.id for tool in client.ai.tools.list()}
        assert set(library) == {
            f"Partyline {name} ({account_setup.connection_id})" for name in OUR_TOOLS
        }
        assistant = client.ai.assistants.retrieve(ASSISTANT)
        types = ["skip_turn"] + ["webhook"] * len(OUR_TOOLS)
        assert [tool.type for tool in assistant.tools or []] == types
        tried = client.ai.assistants.tools.test(
            library[f"Partyline status ({account_setup.connection_id})"], assistant_id=ASSISTANT
        )
        assert (tried.data.success, tried.data.status_code) == (True, 200)
        numbers = client.phone_numbers.list(filter={"connection_id": account_setup.connection_id})
        assert [number.phone_number for number in numbers] == ["+13125550100"]
        ours = client.call_control_applications.retrieve(account_setup.connection_id).data
        assert ours is not None
        assert ours.webhook_event_url == f"{account_setup.url}/webhooks"


def test_the_official_client_reads_and_makes_the_changes_of_up(account_setup: AccountSetup) -> None:
    """`up` sends the same paths and fields as Telnyx's own client."""
    account_setup.simulator.world.numbers["+13125550101"] = None
    account_setup.simulator.world.inline_tools[ASSISTANT] = []
    with (
        closing(Account(account_setup.telnyx_url, KEY)) as account,
        telnyx.Telnyx(api_key=KEY, base_url=account_setup.telnyx_url, max_retries=0) as client,
    ):
        record = Record(application_id=account_setup.connection_id)
        records = Records(account_setup.home)
        numbers.assign(account, records, record, "+13125550101")
        skip_turn.add(account, records, record, ASSISTANT)
        other: dict[str, Any] = {"outbound": {}}
        account_setup.simulator.world.profiles.clear()
        made, _ = profiles.choose(account, records, record, other, "partyline-dev", ["US"])
        [profile] = client.outbound_voice_profiles.list()
        assert (profile.id, profile.whitelisted_destinations) == (made, ["US"])
        assert [assistant.id for assistant in client.ai.assistants.list().data] == [ASSISTANT]
        [tool] = client.ai.assistants.retrieve(ASSISTANT).tools or []
        assert tool.type == "skip_turn"
        numbers_of_ours = client.phone_numbers.list(
            filter={"connection_id": account_setup.connection_id}
        )
        assert {row.phone_number for row in numbers_of_ours} == {"+13125550100", "+13125550101"}
        client.phone_numbers.update("2", connection_id="")
        client.outbound_voice_profiles.delete(made)
        client.ai.assistants.update(ASSISTANT, tools=[])
    assert account_setup.simulator.world.numbers["+13125550101"] is None
    assert account_setup.simulator.world.profiles == {}
    assert account_setup.simulator.world.inline_tools[ASSISTANT] == []
    unknown = [e.unknown_fields for e in account_setup.simulator.ledger if e.unknown_fields]
    assert unknown == []


def test_the_doctor_finds_no_fault_in_the_local_stack(tmp_path: Path) -> None:
    options = Options()
    (tmp_path / "key").write_text(options.telnyx_api_key)
    with LocalStack(options) as stack:
        assert stack.simulator is not None
        account_setup = AccountSetup(
            stack.simulator.simulator, Deployment(), stack.simulator.api_url, stack.url, tmp_path
        )
        assert account_setup.connect_application("--assistant", options.assistant_id) == 0
        status = account_setup.doctor("--assistant", options.assistant_id)

    assert account_setup.verdicts()["wrong"] == []
    assert status == 0
    assert "A request that Telnyx itself has signed is accepted." in account_setup.verdicts()["ok"]
