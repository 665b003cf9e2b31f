"""An empty deployment for each test, on a table in memory."""

from collections.abc import Callable, Iterator
from io import StringIO
from typing import TYPE_CHECKING, cast

import pytest

from local.stack.memory_table import MemoryTable
from local.stack.template import Template
from partyline.bootstrap import override
from partyline.telemetry import logger
from tests.support.deployment import (
    ALL_DEAD_LETTERS,
    HOOK_DEAD_LETTERS,
    HOOK_DELIVERIES,
    OUR_NUMBER,
    PUBLIC_KEY,
    Deployment,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ENVIRONMENT = {
    "TELNYX_API_KEY_SECRET": "telnyx",
    "TELNYX_CONNECTION_ID": "1494404757140276705",
    "TIMERS_QUEUE_URL": "https://sqs.example/timers",
    "TELNYX_API_BASE_URL": "http://127.0.0.1:9/v2",
    "TELNYX_PUBLIC_KEYS": PUBLIC_KEY,
    "DEFAULT_NUMBER": OUR_NUMBER,
    "DEFAULT_ASSISTANT_ID": "assistant-1",
    "ALLOWED_DESTINATION_PREFIXES": "+1",
    "ALLOWED_COUNTRIES": "US,CA",
    "PUBLIC_BASE_URL": "",
    "BEARER_KEYS_SECRET": "bearer",
    "HOOK_DELIVERIES_URL": HOOK_DELIVERIES,
    "HOOK_DEAD_LETTERS_URL": HOOK_DEAD_LETTERS,
    "ALL_DEAD_LETTER_URLS": ",".join(ALL_DEAD_LETTERS),
    "POWERTOOLS_SERVICE_NAME": "partyline",
    "POWERTOOLS_METRICS_NAMESPACE": "Partyline",
    "LOG_LEVEL": "DEBUG",
}


@pytest.fixture
def written(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[[], str]:
    """A function that returns the logs, the metrics and the error output up to now."""
    logged = StringIO()
    for handler in logger._logger.handlers:
        monkeypatch.setattr(handler, "stream", logged)
    return lambda: logged.getvalue() + "".join(capsys.readouterr())


@pytest.fixture
def deployment(template: Template, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    """An empty deployment with a default number and a default assistant."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TABLE_NAME", template.table.name)
    # The local stack of an earlier test may have switched metrics off.
    monkeypatch.delenv("POWERTOOLS_METRICS_DISABLED", raising=False)
    client = cast("DynamoDBClient", MemoryTable(template.table.create))
    deployment = Deployment(client, template.table.name)
    override(deployment.app)
    yield deployment
    override(None)
