"""An AWS on this machine: a few services of ministack, for the programs that have its token.

No request may reach a real account. Credentials are made up and passed explicitly, the user's AWS
profile is not read, and an endpoint outside of loopback is refused unless AWS_ENDPOINT_URL names
that endpoint.
"""

import atexit
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import httpx
from botocore.config import Config

from local.loopback import TOKEN_HEADER, is_loopback
from local.serving import answers, free_port
from local.stack.aws_session import made_up_session
from local.stack.intrinsics import REGION
from local.stack.template import Template
from local.tls import tls_context

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

_START_SECS = 120.0
_STOP_SECS = 20.0
_PATIENCE_SECS = 120
_CHILD = Path(__file__).with_name("ministack_process.py")
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "VIRTUAL_ENV", "SYSTEMROOT")

SERVICES = ("dynamodb", "dynamodbstreams", "secretsmanager")
"""The services of a stack whose functions run outside of the embedded AWS."""


class NotLocalError(Exception):
    """An endpoint is not on this machine, and the user did not name that endpoint."""


@dataclass(frozen=True)
class Access:
    """The URL of the stack's AWS, and the token that each request of this run carries.

    Raises NotLocalError for a URL outside of loopback, unless AWS_ENDPOINT_URL has the same value.
    """

    url: str
    token: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)

    def __post_init__(self) -> None:
        if not is_loopback(self.url) and self.url != os.environ.get("AWS_ENDPOINT_URL"):
            raise NotLocalError(
                f"{self.url} is not on this machine; set AWS_ENDPOINT_URL to insist"
            )

    def environment(self) -> dict[str, str]:
        """Return the variables that send every AWS client of a handler's process here."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            # A user may have set these; they override AWS_ENDPOINT_URL or switch its use off.
            "AWS_ENDPOINT_URL_DYNAMODB": self.url,
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": self.url,
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_SESSION_TOKEN": self.token,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            # The user's proxy would get the requests to this machine's ports.
            "NO_PROXY": ",".join(filter(None, (os.environ.get("NO_PROXY"), "127.0.0.1,localhost"))),
        }

    def dynamodb(self) -> "DynamoDBClient":
        """Return a client of the table's DynamoDB."""
        client: DynamoDBClient = self.client("dynamodb")
        return client

    def client(self, service: str) -> Any:
        """Return a client of another service. CloudFormation may take two minutes to answer."""
        config = Config(proxies={}, read_timeout=_PATIENCE_SECS)
        session = made_up_session(self.token)
        return session.client(service, endpoint_url=self.url, config=config)  # type: ignore[call-overload]


class EmbeddedAws:
    """ministack in a process of its own, with its state in memory only.

    It starts when the object is made and stops with `stop()`, at the end of a `with`, or with this
    process. Only `services` answer; none of them is Lambda, which runs any code. `lambda_python`,
    the Python that runs deployed functions, starts all services. Raises RuntimeError, with the
    process's output, when ministack does not start.
    """

    def __init__(
        self, services: Iterable[str] = SERVICES, *, lambda_python: Path | None = None
    ) -> None:
        port = free_port()
        self.access = Access(f"http://127.0.0.1:{port}")
        """The URL and the token of this AWS."""
        environment = _child_environment(port, self.access.token)
        if lambda_python:
            environment["LAMBDA_EXECUTOR"] = "local"
        else:
            environment["SERVICES"] = ",".join(services)
        self._output = tempfile.TemporaryFile()  # noqa: SIM115, stop() closes it
        # A killed child leaves its files behind, 40 MB for each function.
        self._folder = tempfile.TemporaryDirectory(
            prefix="partyline-aws-", ignore_cleanup_errors=True
        )
        self._process = subprocess.Popen(  # noqa: S603, our own script
            [sys.executable, "-P", _CHILD, *([lambda_python] if lambda_python else [])],
            stdin=subprocess.PIPE,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env={**environment, "TMPDIR": self._folder.name},
            # Ctrl-C goes to the terminal's process group; ministack must outlive the handlers.
            start_new_session=True,
        )
        atexit.register(self.stop)
        self._wait_until_up()

    def reset(self) -> None:
        """Delete every table and secret."""
        url, headers = f"{self.access.url}/_ministack/reset", {TOKEN_HEADER: self.access.token}
        answer = httpx.post(
            url, headers=headers, timeout=_STOP_SECS, trust_env=False, verify=tls_context()
        )
        answer.raise_for_status()

    def stop(self) -> None:
        """End the process and wait for its exit. A second call does nothing."""
        atexit.unregister(self.stop)
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()
        self._output.close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wait_until_up(self) -> None:
        health = f"{self.access.url}/_ministack/health"
        if answers(health, lambda: self._process.poll() is None, _START_SECS):
            return
        self._output.seek(0)
        output = self._output.read().decode(errors="replace")[-2000:]
        self.stop()
        raise RuntimeError(f"the embedded AWS did not start:\n{output}")


def create_table(client: "DynamoDBClient", template: Template) -> None:
    """Create the template's table with indexes, stream and expiry; return when the table exists."""
    table = template.table
    client.create_table(**table.create)
    client.get_waiter("table_exists").wait(TableName=table.name, WaiterConfig={"Delay": 1})
    client.update_time_to_live(
        TableName=table.name,
        TimeToLiveSpecification={"AttributeName": table.ttl_attribute, "Enabled": True},
    )


def create_secrets(
    client: "SecretsManagerClient", template: Template, values: Mapping[str, str]
) -> None:
    """Create the template's secrets. `values` maps logical ids to the operator's values."""
    for name, value in secret_values(template, values).items():
        client.create_secret(Name=name, SecretString=value)


def secret_values(template: Template, values: Mapping[str, str]) -> dict[str, str]:
    """Return the value of each of the template's secrets by the secret's name."""
    return {
        secret.name: values.get(logical_id, secret.initial)
        for logical_id, secret in template.secrets.items()
    }


class SecretsInMemory:
    """Secrets Manager for the handlers in this process, so that no other process has a key."""

    def __init__(self, template: Template, values: Mapping[str, str]) -> None:
        self._values = secret_values(template, values)

    def get_secret_value(self, *, SecretId: str, **_: Any) -> dict[str, str]:  # noqa: N803, AWS's
        """Return the value of a secret, as boto3's client does."""
        return {"SecretString": self._values[SecretId]}


def _child_environment(port: int, token: str) -> dict[str, str]:
    # The user's keys, such as TELNYX_API_KEY, stay in the user's process.
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return inherited | {
        # The token of the guard, and of the requests of deployed functions. An environment is
        # readable by its own user only; a command line is readable by all.
        "AWS_SESSION_TOKEN": token,
        # The default is every interface.
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "PERSIST_STATE": "0",
        "LOG_LEVEL": "WARNING",
        # Without this, ministack listens on port 8883 of every interface.
        "IOT_MTLS_ENABLED": "0",
    }
