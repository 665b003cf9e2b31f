"""The embedded AWS: its start, reset and stop, and the refusal of other endpoints."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import httpx
import pytest

from local.stack.embedded_aws import (
    Access,
    EmbeddedAws,
    NotLocalError,
    create_secrets,
    create_table,
)
from local.stack.template import Template
from local.tls import tls_context
from tests.support.patience import PATIENCE_SECS

ROOT = Path(__file__).resolve().parents[3]
LOCAL = "http://127.0.0.1:4566"


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws() as aws:
        yield aws


@pytest.mark.parametrize(
    "url",
    [
        "https://dynamodb.us-east-1.amazonaws.com",
        "http://192.0.2.1:8000",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "",
    ],
)
def test_an_endpoint_on_another_machine_is_refused(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with pytest.raises(NotLocalError):
        Access(url)


def test_an_endpoint_on_another_machine_is_accepted_when_the_user_names_that_endpoint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://192.0.2.1:8000")
    assert Access("http://192.0.2.1:8000").url == "http://192.0.2.1:8000"
    with pytest.raises(NotLocalError):
        Access("http://192.0.2.2:8000")


@pytest.mark.parametrize("url", [LOCAL, "http://localhost:4566", "http://[::1]:4566"])
def test_an_endpoint_on_this_machine_is_accepted(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    access = Access(url)
    assert access.dynamodb().meta.endpoint_url == url
    assert access.client("secretsmanager").meta.endpoint_url == url


def test_the_clients_of_a_handler_use_this_aws_despite_the_users_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "https://dynamodb.us-east-1.amazonaws.com")
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "the user's own")
    for name, value in Access(LOCAL, "token").environment().items():
        monkeypatch.setenv(name, value)
    session = boto3.Session()
    assert session.client("dynamodb").meta.endpoint_url == LOCAL
    assert session.client("secretsmanager").meta.endpoint_url == LOCAL
    credentials = session.get_credentials()
    assert credentials is not None
    assert (credentials.access_key, credentials.token) == ("local", "token")


def test_table_and_secrets_are_the_templates(aws: EmbeddedAws, template: Template) -> None:
    aws.reset()
    dynamodb, secrets = aws.access.dynamodb(), aws.access.client("secretsmanager")
    create_table(dynamodb, template)
    create_secrets(secrets, template, {"TelnyxApiKey": '{"api_key": "KEY1"}'})
    table = dynamodb.describe_table(TableName=template.table.name)["Table"]
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]
    assert {index["IndexName"] for index in table["GlobalSecondaryIndexes"]} == {
        "by_status",
        "by_due",
        "by_open",
        "by_caller",
    }
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    expiry = dynamodb.describe_time_to_live(TableName=template.table.name)
    assert expiry["TimeToLiveDescription"]["AttributeName"] == "expires_at"
    values = {
        logical_id: secrets.get_secret_value(SecretId=secret.name)["SecretString"]
        for logical_id, secret in template.secrets.items()
    }
    for name in ("HookKey", "NumberKey"):
        assert values.pop(name) == template.secrets[name].initial
    assert values == {"TelnyxApiKey": '{"api_key": "KEY1"}', "BearerKeys": '{"keys": []}'}


def test_a_reset_deletes_every_table(aws: EmbeddedAws, template: Template) -> None:
    aws.reset()
    create_table(aws.access.dynamodb(), template)
    aws.reset()
    assert aws.access.dynamodb().list_tables()["TableNames"] == []


def test_stop_ends_the_process_and_may_be_called_twice() -> None:
    aws = EmbeddedAws()
    aws.stop()
    aws.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(aws.access.url, trust_env=False, verify=tls_context())


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_ministack_ends_with_its_parent_process(end: signal.Signals) -> None:
    starter = (
        "import time; from local.stack.embedded_aws import EmbeddedAws;"
        "print(EmbeddedAws().access.url, flush=True); time.sleep(600)"
    )
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", starter], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as parent:
        assert parent.stdout is not None
        health = f"{parent.stdout.readline().strip()}/_ministack/health"
        answer = httpx.get(health, timeout=PATIENCE_SECS, trust_env=False, verify=tls_context())
        assert answer.status_code == 403
        parent.send_signal(end)
    while True:
        try:
            httpx.get(health, timeout=1, trust_env=False, verify=tls_context())
        except httpx.TransportError:
            break
