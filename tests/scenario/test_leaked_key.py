"""The page for a leaked key: each of its commands runs, in order, and the key can do no more."""

import json
import re
import shlex
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from local.cli.app import app
from local.deploy.dialing import ROW, set_dialing
from local.deploy.redrive import NoSuchStackError
from local.deploy.revoke import KeyNotFoundError, revoke
from local.serving import serve
from local.stack.template import Template
from tests.support.backend import Backend, Secrets, bearer_secret, memory_backend, telnyx_secret
from tests.support.lab import API_KEY, Lab, NewLab
from tests.support.people import HOST

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "leaked-key.md").read_text()
LEAKED = "leaked-key"


class OperatorSecrets(Secrets):
    """Secrets that an operator may write."""

    def put_secret_value(self, *, SecretId: str, SecretString: str) -> None:  # noqa: N803
        assert SecretId == "partyline-BearerKeys"
        self.values["bearer"] = SecretString

    @property
    def key_ids(self) -> list[str]:
        return [entry["id"] for entry in json.loads(self.values["bearer"])["keys"]]


class Account:
    """The AWS account of the stack `partyline-dev`, for the operator's commands."""

    class exceptions:  # noqa: N801, boto3's name
        ClientError = KeyError

    def __init__(self, dynamodb: Any, secrets: OperatorSecrets, outputs: dict[str, str]) -> None:
        self.clients = {"dynamodb": dynamodb, "secretsmanager": secrets}
        self.outputs = outputs
        self.sent: list[str] = []

    def client(self, service: str) -> Any:
        return self.clients.get(service, self)

    def describe_stacks(self, *, StackName: str) -> Any:  # noqa: N803
        assert StackName == "partyline-dev"
        return {
            "Stacks": [
                {"Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in self.outputs.items()]}
            ]
        }

    def get_caller_identity(self) -> Any:
        return {"Arn": "arn:aws:iam::111122223333:user/ops"}

    def put_events(self, *, Entries: list[dict[str, str]]) -> Any:  # noqa: N803
        self.sent += [entry["DetailType"] for entry in Entries]
        return {"Entries": [{"EventId": "1"}]}


class SilentScheduler:
    """Takes schedules and calls nobody."""

    def schedule(self, *_: object) -> None: ...

    def cancel(self, *_: object) -> None: ...


@pytest.fixture
def secrets() -> OperatorSecrets:
    keys = bearer_secret(scenario=API_KEY, leaked=LEAKED)
    return OperatorSecrets(telnyx=telnyx_secret(), bearer=keys)


@pytest.fixture
def backend(scenario_template: Template, secrets: OperatorSecrets) -> Backend:
    return memory_backend(scenario_template, secrets)


@pytest.fixture
def account(
    backend: Backend,
    secrets: OperatorSecrets,
    scenario_template: Template,
    monkeypatch: pytest.MonkeyPatch,
) -> Account:
    outputs = {
        "TableName": scenario_template.table.name,
        "BusName": "bus",
        "BearerKeysSecretName": "partyline-BearerKeys",
    }
    account = Account(backend.dynamodb, secrets, outputs)
    monkeypatch.setattr(
        "local.deploy.dialing.set_dialing", partial(set_dialing, client=account.client)
    )
    monkeypatch.setattr("local.deploy.revoke.revoke", partial(revoke, client=account.client))
    return account


@pytest.fixture
def lab(new_lab: NewLab) -> Lab:
    lab = new_lab()
    lab.app.start_scheduler = SilentScheduler()  # type: ignore[assignment]
    return lab


@pytest.fixture
def url(lab: Lab) -> Iterator[str]:
    running = serve(lab.gateway)
    yield running.url
    running.stop()


def commands() -> list[list[str]]:
    """The commands of the page, in order."""
    lines = re.findall(r"^ *partyline (.+)$", PAGE, re.MULTILINE)
    return [shlex.split(line) for line in lines]


def book(lab: Lab, key: str) -> int:
    start_at = (lab.clock.now() + timedelta(days=360)).isoformat()
    body = {"to": HOST, "start_at": start_at}
    return lab.ask("POST", "/conversations", body, authorization=f"Bearer {key}").status


def is_off(account: Account) -> bool:
    table = account.outputs["TableName"]
    return "Item" in account.clients["dynamodb"].get_item(TableName=table, Key=ROW)


def test_the_commands_of_the_page_end_what_a_leaked_key_can_do(
    lab: Lab, url: str, account: Account, secrets: OperatorSecrets, tmp_path: Path
) -> None:
    assert [book(lab, key) for key in (LEAKED, LEAKED, API_KEY)] == [202, 202, 202]
    key_file = tmp_path / "operator-key"
    key_file.write_text(API_KEY)
    states, output = [], []
    for command in commands():
        arguments = [{"<ApiUrl>": url, "operator-key": str(key_file)}.get(w, w) for w in command]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, (command, result.output)
        output.append(result.stdout)
        states.append((is_off(account), secrets.key_ids))
    assert states[0] == (True, ["scenario", "leaked"])
    assert states[1] == (True, ["scenario"])
    assert "2 cancelled." in output[2]
    assert output[3].count("scheduled") == 1, "the other key keeps its start"
    assert '"may": [\n    "start",\n    "read"\n  ]' in output[6]
    assert states[-1] == (False, ["scenario"])
    assert account.sent == ["dialing.off", "dialing.on"]
    listed = lab.ask("GET", "/conversations?status=scheduled").json["conversations"]
    assert [booking["key_id"] for booking in listed] == ["scenario"]


def test_a_key_that_is_not_in_the_secret_cannot_be_revoked(
    account: Account, secrets: OperatorSecrets
) -> None:
    before = secrets.values["bearer"]
    for text, told in ((before, "has no key ops"), ("[]", "not a list"), ("{", "not a list")):
        secrets.values["bearer"] = text
        result = CliRunner().invoke(app, ["revoke", "ops", "--stack", "partyline-dev"])
        assert result.exit_code == 1
        assert told in result.stderr
        assert secrets.values["bearer"] == text
    with pytest.raises(KeyNotFoundError):
        revoke("ops", "partyline-dev", account.client)


def test_a_revocation_keeps_every_other_entry(account: Account, secrets: OperatorSecrets) -> None:
    entries = [{"id": "a", "sha256": "x", "may": []}, {"id": "leaked"}, 7, {"id": "leaked"}]
    secrets.values["bearer"] = json.dumps({"keys": entries})
    assert revoke("leaked", "partyline-dev", account.client) == ["a"]
    assert json.loads(secrets.values["bearer"]) == {"keys": [entries[0], 7]}
    account.outputs.clear()
    with pytest.raises(NoSuchStackError):
        revoke("a", "partyline-dev", account.client)
