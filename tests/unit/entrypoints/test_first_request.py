"""The first requests to a deployment whose secrets nobody has put in: the log says which."""

from collections.abc import Callable

import pytest

from local.stack.template import Template
from tests.support.deployment import Deployment

Written = Callable[[], str]


def test_before_anybody_is_let_in_the_log_names_the_secret(
    world: Deployment, template: Template, written: Written
) -> None:
    world.secrets.values["bearer"] = template.secrets["BearerKeys"].initial
    asked = {"headers": {"authorization": "Bearer key-1"}}
    assert world.invoke("authorizer", asked) == {"isAuthorized": False}
    logged = written()
    assert "secret bearer holds an entry that is not a key" in logged
    assert "key-1" not in logged


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "secret telnyx has no api_key"),
        ('{"key": "KEY1"}', "secret telnyx has no api_key"),
        ("KEY1", "secret telnyx is not JSON"),
    ],
    ids=["as the template makes it", "under another name", "the bare key"],
)
def test_without_telnyxs_key_nobody_is_called_and_the_log_names_the_secret(
    world: Deployment, template: Template, written: Written, value: str | None, said: str
) -> None:
    world.secrets.values["telnyx"] = value or template.secrets["TelnyxApiKey"].initial
    conversation = world.start()
    assert (conversation["status"], conversation["failure"]["code"]) == ("failed", "no_api_key")
    assert world.telnyx.sent == []
    logged = written()
    assert said in logged
    assert "KEY1" not in logged
