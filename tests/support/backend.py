"""The AWS services behind a test lab: a DynamoDB table and Secrets Manager."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from local.simulator.model import Person
from local.simulator.settings import Settings
from local.stack.gateway import Gateway
from local.stack.logs import Logs
from local.stack.memory_table import MemoryTable
from local.stack.template import Template
from partyline.bootstrap import override
from tests.support.lab import API_KEY, Lab
from tests.support.table import Table

NO_AWS = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "no-key",
    "AWS_SECRET_ACCESS_KEY": "no-secret",
    # Port 9 discards, so a request to a real AWS fails at once.
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "POWERTOOLS_METRICS_DISABLED": "true",
}

SECRET_NAMES = {
    "partyline-TelnyxApiKey": "telnyx",
    "partyline-BearerKeys": "bearer",
    "partyline-NumberKey": "number",
    "partyline-HookKey": "hook",
}
"""The template's secrets by their names in Secrets Manager."""


class Secrets:
    """A Secrets Manager client in memory. `reads` lists the secrets that were read, in order."""

    def __init__(self, **values: str) -> None:
        self.values = values
        self.reads: list[str] = []

    def get_secret_value(self, SecretId: str, **_: Any) -> dict[str, str]:  # noqa: N803
        name = SECRET_NAMES[SecretId]
        self.reads.append(name)
        return {"SecretString": self.values[name]}


def telnyx_secret() -> str:
    """The secret with the Telnyx API key that the simulator accepts."""
    return json.dumps({"api_key": Settings().api_key})


def number_secret() -> str:
    """The secret with a key of the hashes of numbers."""
    return json.dumps({"key": "0123456789abcdef" * 4})


def bearer_secret(**keys: str) -> str:
    """The secret with the hashes of these bearer keys, by the keys' ids."""
    entries = [
        {"id": key_id, "sha256": sha256(key.encode()).hexdigest()} for key_id, key in keys.items()
    ]
    return json.dumps({"keys": entries})


@dataclass
class Backend:
    """A DynamoDB client with a table, a Secrets Manager client, and their environment."""

    environment: Mapping[str, str]
    dynamodb: Any
    table: Table
    secrets: Any

    def new_lab(
        self,
        template: Template,
        logs: Logs,
        people: Iterable[Person] = (),
        settings: Settings | None = None,
    ) -> Lab:
        """Create a lab for a template on these services."""
        gateway = Gateway(template, self.environment)
        lab = Lab(gateway, self.dynamodb, self.table, logs, people, settings)
        app = lab.app
        for secret in (app.telnyx_api_key, app.bearer_keys, app.number_key, app.hook_key):
            secret._client = lambda: self.secrets
        return lab


def memory_backend(template: Template, secrets: Secrets | None = None) -> Backend:
    """An empty table and secrets in memory; by default the secrets that a lab needs."""
    dynamodb = MemoryTable(template.table.create)
    default = Secrets(
        telnyx=telnyx_secret(), bearer=bearer_secret(scenario=API_KEY), number=number_secret()
    )
    return Backend(NO_AWS, dynamodb, Table(dynamodb, template.table.name), secrets or default)


@contextmanager
def restored_process() -> Iterator[None]:
    """Restore the environment and the process's App afterwards."""
    before = dict(os.environ)
    try:
        yield
    finally:
        override(None)
        os.environ.clear()
        os.environ.update(before)
