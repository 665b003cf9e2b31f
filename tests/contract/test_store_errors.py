"""Errors of AWS: an outage may be retried, a refused request is a bug and raises an alarm."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from local.stack.handlers import LambdaContext
from partyline.aws_errors import AwsRequestError, AwsUnavailableError
from partyline.services.scheduler import StartScheduler
from partyline.services.secrets import Secret, SecretUnreadableError
from partyline.store import ConversationStore, DedupeRecord, keys
from partyline.store.errors import VersionConflictError
from partyline.telemetry import lambda_handler, logger
from tests.contract.test_store import begun

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

URL = "https://dynamodb.example"
NUMBER = "+13125550101"


def said(code: str, status: int = 400, *reasons: str) -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": f"{NUMBER} is in the message."},
        "ResponseMetadata": {"HTTPStatusCode": status},
        **({"CancellationReasons": [{"Code": reason} for reason in reasons]} if reasons else {}),
    }
    return ClientError(response, "AnyOperation")


OUTAGES = [
    EndpointConnectionError(endpoint_url=URL),
    ReadTimeoutError(endpoint_url=URL),
    ConnectTimeoutError(endpoint_url=URL),
    ConnectionClosedError(endpoint_url=URL),
    said("ThrottlingException"),
    said("Throttling"),
    said("ProvisionedThroughputExceededException"),
    said("RequestLimitExceeded"),
    said("InternalServerError", 500),
    said("ServiceUnavailable", 503),
    said("TransactionInProgressException"),
    said("ANewCode", 502),
    said("TransactionCanceledException", 400, "None", "ThrottlingError"),
    said("TransactionCanceledException", 400, "ProvisionedThroughputExceeded", "None"),
]
BUGS = [
    (said("AccessDeniedException"), "AccessDeniedException"),
    (said("ValidationException"), "ValidationException"),
    (said("ResourceNotFoundException"), "ResourceNotFoundException"),
    (said("UnrecognizedClientException"), "UnrecognizedClientException"),
    (said("TransactionCanceledException", 400, "None", "ValidationError"), "ValidationError"),
    (NoCredentialsError(), "NoCredentialsError"),
]


class Failing:
    """A client with the same error in every operation."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        def operation(**_request: Any) -> Any:
            raise self._error

        return operation


class FailingScheduler(Failing):
    """The same for EventBridge Scheduler, which has errors of its own."""

    class exceptions:  # noqa: N801 - botocore's name
        """The errors that the scheduler handles itself."""

        class ConflictException(Exception): ...  # noqa: N818

        class ResourceNotFoundException(Exception): ...  # noqa: N818


def requests(client: Any) -> dict[str, Callable[[], object]]:
    """Every kind of request, by the operation in the log."""
    store = ConversationStore(client, "table")
    scheduler = StartScheduler(FailingScheduler(client._error), "group", "target", "role")
    return {
        "dynamodb get_item": lambda: store.load("c-1"),
        "dynamodb batch_get_item": lambda: store.look_up_call("c-1", None, None, None),
        "dynamodb query": lambda: store.timeline("c-1"),
        "dynamodb transact_write_items": lambda: store.commit(None, begun()),
        "dynamodb put_item": lambda: store.table.put({}),
        "scheduler create_schedule": lambda: scheduler.schedule("c-1", datetime.now(UTC)),
        "scheduler delete_schedule": lambda: scheduler.cancel("c-1"),
    }


REQUESTS = list(requests(Failing(OUTAGES[0])))


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    """The log lines up to now."""
    text = StringIO()
    for handler in logger._logger.handlers:
        monkeypatch.setattr(handler, "stream", text)
    return lambda: [json.loads(line) for line in text.getvalue().splitlines()]


@pytest.mark.parametrize("error", OUTAGES, ids=str)
def test_an_outage_is_reported_as_one_and_is_not_logged_as_a_bug(
    error: Exception, logged: Callable[[], list[Any]]
) -> None:
    for request in requests(Failing(error)).values():
        with pytest.raises(AwsUnavailableError):
            request()
    assert logged() == []


@pytest.mark.parametrize(("error", "code"), BUGS, ids=[code for _, code in BUGS])
@pytest.mark.parametrize("name", REQUESTS)
def test_a_refused_request_is_logged_with_service_operation_and_code(
    error: Exception, code: str, name: str, logged: Callable[[], list[Any]]
) -> None:
    with pytest.raises(AwsRequestError, match=f"{name}: {code}"):
        requests(Failing(error))[name]()
    [line] = logged()
    names = [line[field] for field in ("aws_service", "aws_operation", "aws_code")]
    assert [" ".join(names[:2]), names[2]] == [name, code]
    assert line["level"] == "ERROR"
    assert NUMBER not in json.dumps(line)


def test_a_refused_request_is_counted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POWERTOOLS_METRICS_DISABLED", raising=False)
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Partyline")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "partyline")

    def counted(error: Exception) -> list[dict[str, Any]]:
        def work(_event: Any, _context: Any) -> None:
            with pytest.raises((AwsRequestError, AwsUnavailableError)):
                ConversationStore(Failing(error), "table").load("c-1")

        capsys.readouterr()
        lambda_handler(work)({}, LambdaContext("function", 1024, 10))
        lines = capsys.readouterr().out.splitlines()
        return [json.loads(line) for line in lines if line.startswith('{"_aws"')]

    [line] = counted(said("AccessDeniedException"))
    assert line["AwsErrorUnexpected"] == [1.0]
    assert counted(said("ThrottlingException")) == []


def test_a_refused_secret_is_logged_and_one_that_is_away_is_not(
    logged: Callable[[], list[Any]],
) -> None:
    with pytest.raises(SecretUnreadableError):
        Secret("bearer", lambda: Failing(said("ThrottlingException")), 30).document()
    assert logged() == []
    with pytest.raises(SecretUnreadableError):
        Secret("bearer", lambda: Failing(said("AccessDeniedException")), 30).document()
    assert [line["aws_service"] for line in logged()] == ["secretsmanager"]


def test_a_conflict_is_neither_an_outage_nor_a_bug(logged: Callable[[], list[Any]]) -> None:
    for reasons in (["TransactionConflict"], ["ConditionalCheckFailed", "ThrottlingError"]):
        error = said("TransactionCanceledException", 400, *reasons, "None", "None", "None")
        store: Any = ConversationStore(Failing(error), "table")
        with pytest.raises(VersionConflictError):
            store.commit(None, begun())
    assert logged() == []


def test_every_engine_refuses_a_request_that_is_wrong(
    store: ConversationStore, dynamodb: "DynamoDBClient"
) -> None:
    with pytest.raises(AwsRequestError, match="ValidationException"):
        store.commit(None, begun(), DedupeRecord(keys.webhook("c-1", "x" * 2000)))
    with pytest.raises(AwsRequestError, match="ResourceNotFoundException"):
        ConversationStore(dynamodb, "no-such-table").load("c-1")
    assert store.load("c-1") is None
