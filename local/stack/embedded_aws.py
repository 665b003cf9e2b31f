"""An AWS on this machine: DynamoDB and Secrets Manager of ministack, on loopback only.

No request may reach a real account. Credentials are made up and passed explicitly, the user's AWS
profile is not read, and an endpoint outside of loopback is refused unless AWS_ENDPOINT_URL names
that endpoint.
"""

import atexit
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import httpx
from botocore.config import Config

from local.serving import answers, free_port
from local.stack.aws_session import made_up_session
from local.stack.intrinsics import REGION
from local.stack.template import Template

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

_START_SECS = 30.0
_STOP_SECS = 5.0
_NO_PROXY = Config(proxies={})
_CHILD = Path(__file__).with_name("ministack_process.py")


class NotLocalError(Exception):
    """An endpoint is not on this machine, and the user did not name that endpoint."""


@dataclass(frozen=True)
class Access:
    """The URLs of the stack's AWS. They differ when the user brings a DynamoDB of their own.

    Raises NotLocalError for a URL outside of loopback, unless AWS_ENDPOINT_URL has the same value.
    """

    dynamodb_url: str
    secrets_url: str

    def __post_init__(self) -> None:
        for url in (self.dynamodb_url, self.secrets_url):
            if not _is_loopback(url) and url != os.environ.get("AWS_ENDPOINT_URL"):
                raise NotLocalError(f"{url} is not on this machine; set AWS_ENDPOINT_URL to insist")

    def environment(self) -> dict[str, str]:
        """Return the variables that send every AWS client of a handler's process here."""
        return {
            "AWS_ENDPOINT_URL": self.dynamodb_url,
            # A user may have set these; they override AWS_ENDPOINT_URL or switch its use off.
            "AWS_ENDPOINT_URL_DYNAMODB": self.dynamodb_url,
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": self.secrets_url,
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_SESSION_TOKEN": "",
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
        """Return a client of another service. DynamoDB Streams has the URL of DynamoDB."""
        url = self.dynamodb_url if service.startswith("dynamodb") else self.secrets_url
        return made_up_session().client(service, endpoint_url=url, config=_NO_PROXY)  # type: ignore[call-overload]


class EmbeddedAws:
    """ministack in a process of its own, with its state in memory only.

    It starts when the object is made and stops with `stop()`, at the end of a `with`, or with this
    process. `lambda_python` is the Python that runs deployed functions. Raises RuntimeError, with
    the process's output, when ministack does not start.
    """

    def __init__(self, lambda_python: Path | None = None) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
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
            env={**_child_environment(port), "TMPDIR": self._folder.name},
            # Ctrl-C goes to the terminal's process group; ministack must outlive the handlers.
            start_new_session=True,
        )
        atexit.register(self.stop)
        self._wait_until_up()

    @property
    def access(self) -> Access:
        """The URLs of this AWS."""
        return Access(self.url, self.url)

    def reset(self) -> None:
        """Delete every table and secret."""
        url = f"{self.url}/_ministack/reset"
        httpx.post(url, timeout=_STOP_SECS, trust_env=False).raise_for_status()

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
        health = f"{self.url}/_ministack/health"
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
    client: "SecretsManagerClient", template: Template, values: dict[str, str]
) -> None:
    """Create the template's secrets. `values` maps logical ids to the operator's values."""
    for logical_id, secret in template.secrets.items():
        client.create_secret(Name=secret.name, SecretString=values.get(logical_id, secret.initial))


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _child_environment(port: int) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return inherited | {
        # The default is every interface.
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "PERSIST_STATE": "0",
        "LAMBDA_EXECUTOR": "local",
        "LOG_LEVEL": "WARNING",
        # Without this, ministack listens on port 8883 of every interface.
        "IOT_MTLS_ENABLED": "0",
    }
