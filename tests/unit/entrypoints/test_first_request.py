"""The first requests to a deployment without secrets: the log names the missing secret."""

from collections.abc import Callable

import pytest

from local.stack.template import Template
from tests.support.deployment import Deployment

Written = Callable[[], str]


def test_without_bearer_keys_the_log_names_the_secret(
    deployment: Deployment, template: Template, written: Written
) -> None:
    deployment.secrets.values["bearer"] = template.secrets["BearerKeys"].initial
    request = {"headers": {"authorization": "Bearer key-1"}}
    assert deployment.invoke("authorizer", request) == {"isAuthorized": False}
    logged = written()
    assert "secret bearer holds an entry that is not a key" in logged
    assert "key-1" not in logged


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "secret telnyx has no api_key"),
        ('{"key": "KEY1"}', "secret telnyx has no api_key"),
        ("KEY1", "secret telnyx is not JSON"),
    ],
    ids=["as the template makes it", "under another name", "the bare key"],
)
def test_without_a_telnyx_key_no_call_is_made_and_the_log_names_the_secret(
    deployment: Deployment, template: Template, written: Written, value: str | None, message: str
) -> None:
    deployment.secrets.values["telnyx"] = value or template.secrets["TelnyxApiKey"].initial
    conversation = deployment.start()
    assert (conversation["status"], conversation["failure"]["code"]) == ("failed", "no_api_key")
    assert deployment.telnyx.sent == []
    logged = written()
    assert message in logged
    assert "KEY1" not in logged
