"""What every function behind the API has around it: logs, metrics, and the one map of errors."""

import traceback
from collections.abc import Callable, Mapping
from typing import Any

from partyline.aws_errors import AwsUnavailableError
from partyline.entrypoints.answers import ApiError, Response, error_response
from partyline.services.secrets import SecretMissingError, SecretUnreadableError
from partyline.store.errors import (
    CallInUseError,
    ConversationTooLargeError,
    TooManyConflictsError,
)
from partyline.telemetry import Metric, count, lambda_handler, logger

Handler = Callable[[dict[str, Any], Any], Response]


def http_handler(
    work: Callable[[dict[str, Any]], Response],
    on_failure: Callable[[], None] = lambda: count(Metric.REQUEST_FAILED),
) -> Handler:
    """A Lambda handler around `work`: whatever happens it answers, and says no more than it may.

    `on_failure` is called beside an answer of 500 or above.
    """

    @lambda_handler
    def handler(event: dict[str, Any], _context: Any) -> Response:
        return respond(lambda: work(event), on_failure)

    return handler


def respond(work: Callable[[], Response], on_failure: Callable[[], None]) -> Response:
    """What `work` answers, or the answer that its error amounts to."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - the last place where an answer can be given
        known = _known(error)
        if known.status >= 500:
            on_failure()
            logger.error(known.code, extra={"error": _told(error)})
        return error_response(known)


def _known(error: Exception) -> ApiError:
    """The answer that an error amounts to."""
    match error:
        case ApiError():
            return error
        case TooManyConflictsError():
            return ApiError(503, "busy", "The conversation is being changed by others. Try again.")
        case AwsUnavailableError():
            return ApiError(503, "unavailable", "A service of AWS cannot be reached. Try again.")
        case CallInUseError():
            return ApiError(409, "call_in_use", "Another conversation has this call.")
        case ConversationTooLargeError():
            return ApiError(409, "conversation_full", "The conversation has grown too large.")
    return ApiError(500, "internal", "Something went wrong on our side.")


def _told(error: Exception) -> str:
    """An error as the log may have it: where it was, not what was in the data it met."""
    if isinstance(error, SecretMissingError | SecretUnreadableError | ApiError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    places = " < ".join(f"{each.name}:{each.lineno}" for each in reversed(frames))
    return f"{type(error).__name__} at {places}"


def base_url(event: Mapping[str, Any], configured: str | None) -> str:
    """Where this API is reached from outside: as configured, else as this request reached it."""
    if configured:
        return configured
    headers = event.get("headers") or {}
    scheme = headers.get("x-forwarded-proto", "https")
    return f"{scheme}://{event['requestContext']['domainName']}"
