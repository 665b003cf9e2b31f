"""`partyline dialing`: the row that the functions read, the event, the user's name."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from local.deploy.dialing import ROW, EventNotSentError, set_dialing
from local.deploy.redrive import NoSuchStackError
from local.stack.memory_table import MemoryTable
from partyline.store import keys
from partyline.store.dialing import DialingSwitch

NOW = datetime(2026, 3, 1, tzinfo=UTC)
USER = "arn:aws:iam::111122223333:user/ops"


class Account:
    """An AWS account with the stack `partyline-dev`."""

    class exceptions:  # noqa: N801, boto3's name
        ClientError = KeyError

    def __init__(self, dynamodb: Any) -> None:
        self.dynamodb = dynamodb
        self.sent: list[dict[str, Any]] = []
        self.answer: dict[str, str] = {"EventId": "1"}

    def client(self, service: str) -> Any:
        return self.dynamodb if service == "dynamodb" else self

    def describe_stacks(self, **_: Any) -> Any:
        names = {"TableName": "table", "BusName": "bus"}
        outputs = [{"OutputKey": name, "OutputValue": text} for name, text in names.items()]
        return {"Stacks": [{"Outputs": outputs}]}

    def get_caller_identity(self) -> Any:
        return {"Arn": USER}

    def put_events(self, *, Entries: list[dict[str, Any]]) -> Any:  # noqa: N803, boto3's name
        self.sent += Entries
        return {"Entries": [self.answer]}


@pytest.fixture
def account(template: Any) -> Account:
    return Account(MemoryTable({**template.table.create, "TableName": "table"}))


def is_off(account: Account) -> bool:
    return DialingSwitch(account.dynamodb, "table", lambda: NOW).is_off()


def test_off_writes_the_row_that_functions_read_and_on_deletes_the_row(account: Account) -> None:
    assert (ROW["pk"]["S"], ROW["sk"]["S"]) == keys.DIALING_OFF
    assert not is_off(account)
    assert set_dialing("off", "partyline-dev", "a leaked key", account.client) == USER
    assert is_off(account)
    set_dialing("on", "partyline-dev", "the key is revoked", account.client)
    assert not is_off(account)


def test_each_switch_puts_an_event_with_the_user_and_the_reason_on_the_bus(
    account: Account,
) -> None:
    set_dialing("off", "partyline-dev", "a leaked key", account.client)
    [entry] = account.sent
    detail = json.loads(entry["Detail"])
    assert (entry["EventBusName"], entry["DetailType"]) == ("bus", "dialing.off")
    assert (detail["by"], detail["reason"], detail["version"]) == (USER, "a leaked key", 1)


def test_a_refused_event_is_an_error_after_the_switch_is_set(account: Account) -> None:
    account.answer = {"ErrorCode": "InternalFailure"}
    with pytest.raises(EventNotSentError, match="InternalFailure"):
        set_dialing("off", "partyline-dev", "a leaked key", account.client)
    assert is_off(account)


def test_the_command_needs_a_stack_of_partyline() -> None:
    account = Account(None)
    account.describe_stacks = lambda **_: {"Stacks": [{}]}  # type: ignore[method-assign]
    with pytest.raises(NoSuchStackError):
        set_dialing("off", "other", "x", account.client)
