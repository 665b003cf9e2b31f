"""The real functions, connected; and what Telnyx's own client library makes of it all."""

from pathlib import Path
from typing import Any

import pytest
import telnyx
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from telnyx.types.ai.inference_embedding_webhook_tool_params_param import Webhook

from local.connect import tools
from local.stack.local_stack import LocalStack, Options
from tests.support.telnyx_account import ASSISTANT, KEY, AccountSetup, Deployment


@pytest.mark.parametrize("name", ["invite", "status"])
def test_the_official_types_know_every_field_of_a_tool(name: str) -> None:
    body = tools.tool_definitions("https://api.example.com", "123")[name]
    strict: Any = TypeAdapter(with_config(ConfigDict(extra="forbid"))(Webhook))
    assert strict.validate_python(body["webhook"]) == body["webhook"]
    with pytest.raises(ValidationError):
        strict.validate_python({**body["webhook"], "made_up": 1})
    assert 500 <= body["timeout_ms"] <= 10_000


def test_the_official_client_sees_what_was_connected(town: AccountSetup) -> None:
    town.connect_ours("--assistant", ASSISTANT)
    with telnyx.Telnyx(api_key=KEY, base_url=town.telnyx_url, max_retries=0) as client:
        library = {each.display_name: each.id for each in client.ai.tools.list()}
        assert set(library) == {
            f"Partyline {name} ({town.connection_id})" for name in ("invite", "status")
        }
        assistant = client.ai.assistants.retrieve(ASSISTANT)
        assert [each.type for each in assistant.tools or []] == ["webhook", "webhook"]
        tried = client.ai.assistants.tools.test(
            library[f"Partyline status ({town.connection_id})"], assistant_id=ASSISTANT
        )
        assert (tried.data.success, tried.data.status_code) == (True, 200)
        numbers = client.phone_numbers.list(filter={"connection_id": town.connection_id})
        assert [each.phone_number for each in numbers] == ["+13125550100"]
        ours = client.call_control_applications.retrieve(town.connection_id).data
        assert ours is not None
        assert ours.webhook_event_url == f"{town.url}/webhooks"


def test_the_local_stack_is_well_connected(tmp_path: Path) -> None:
    options = Options()
    (tmp_path / "key").write_text(options.telnyx_api_key)
    with LocalStack(options) as stack:
        assert stack.simulator is not None
        town = AccountSetup(
            stack.simulator.simulator, Deployment(), stack.simulator.api_url, stack.url, tmp_path
        )
        assert town.connect_ours("--assistant", options.assistant_id) == 0
        status = town.doctor("--assistant", options.assistant_id)

    assert town.verdicts()["wrong"] == []
    assert status == 0
    assert "A request that Telnyx itself has signed is taken." in town.verdicts()["ok"]
