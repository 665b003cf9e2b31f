"""`connect` and `doctor` on a whole local stack, and with Telnyx's own client library."""

from pathlib import Path
from typing import Any

import pytest
import telnyx
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from telnyx.types.ai.inference_embedding_webhook_tool_params_param import Webhook

from local.connect import tools
from local.stack.local_stack import LocalStack, Options
from partyline.domain.model.conversation import OUR_TOOLS
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
            f"Partyline {name} ({account_setup.connection_id})"
            for name in (*OUR_TOOLS, "skip turn")
        }
        assistant = client.ai.assistants.retrieve(ASSISTANT)
        types = [tool.type for tool in assistant.tools or []]
        assert types == ["webhook"] * len(OUR_TOOLS) + ["skip_turn"]
        tried = client.ai.assistants.tools.test(
            library[f"Partyline status ({account_setup.connection_id})"], assistant_id=ASSISTANT
        )
        assert (tried.data.success, tried.data.status_code) == (True, 200)
        numbers = client.phone_numbers.list(filter={"connection_id": account_setup.connection_id})
        assert [number.phone_number for number in numbers] == ["+13125550100"]
        ours = client.call_control_applications.retrieve(account_setup.connection_id).data
        assert ours is not None
        assert ours.webhook_event_url == f"{account_setup.url}/webhooks"


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
