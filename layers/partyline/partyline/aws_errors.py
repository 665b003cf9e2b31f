"""The two kinds of errors that a request to AWS ends with, for every AWS service.

`AwsUnavailableError` is an outage: the API answers 503, and the caller tries again.
`AwsRequestError` is a bug or a missing permission. The API answers 500, the log names the service,
the operation and the code, and the metric `AwsErrorUnexpected` raises an alarm.

Every retry of a bug has an end. Telnyx delivers a webhook a limited number of times: five
retries for calls that we dial or answer (`webhook_retries_policies`), its own schedule for others.
The failover queue moves a message to the dead letters after five receives, Lambda tries an
asynchronous invocation three times, and the sweep postpones a conversation that fails.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

from partyline.telemetry import Metric, count, log_safe, logger

TRANSIENT_CODES = frozenset(
    {
        *("InternalFailure", "InternalServerError", "InternalServerException"),
        *("ProvisionedThroughputExceeded", "ProvisionedThroughputExceededException"),
        *("RequestLimitExceeded", "RequestTimeout", "RequestTimeoutException"),
        *("ServiceUnavailable", "ServiceUnavailableException", "TooManyRequestsException"),
        *("TransactionConflictException", "TransactionInProgressException"),
    }
)
"""Codes of errors that pass, like `Throttl...` codes (AWS: common errors; DynamoDB: errors)."""


class AwsError(Exception):
    """Base of both kinds. The message of AWS may hold data and is left out.

    `code` is the error code of AWS, or the class of botocore's error.
    """

    def __init__(self, service: str, operation: str, code: str) -> None:
        super().__init__(f"{service} {operation}: {code}")


class AwsUnavailableError(AwsError):
    """The service is away, slow or throttles us. The same request may succeed later."""


class AwsRequestError(AwsError):
    """The service refuses the request. The same request fails again."""


@contextmanager
def aws_request(service: str, operation: str) -> Iterator[None]:
    """Raise botocore's errors of the block as an `AwsError`."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise aws_error(error, service, operation) from error


def aws_error(error: Exception, service: str, operation: str) -> AwsError:
    """Classify an error of botocore; log and count an `AwsRequestError`."""
    if isinstance(error, ClientError):
        codes = _codes(error)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        throttled = any(code.startswith(("Throttl", "RequestThrottl")) for code in codes)
        transient = status >= 500 or throttled or not TRANSIENT_CODES.isdisjoint(codes)
    else:
        codes = [type(error).__name__]
        transient = isinstance(error, exceptions.ConnectionError | exceptions.HTTPClientError)
    if transient:
        return AwsUnavailableError(service, operation, codes[0])
    names = {"aws_service": service, "aws_operation": operation, "aws_code": log_safe(codes[0])}
    logger.error("aws request refused", extra=names)
    count(Metric.AWS_ERROR_UNEXPECTED)
    return AwsRequestError(service, operation, codes[0])


def _codes(error: ClientError) -> list[str]:
    reasons = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
    named = [str(code) for code in reasons if code not in (None, "None")]
    return named or [str(error.response.get("Error", {}).get("Code", "Unknown"))]
