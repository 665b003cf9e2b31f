"""What every function behind the API has around it: logs, metrics, and the one map of errors."""

import traceback
from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import to_json

from partyline.aws_errors import AwsUnavailableError
from partyline.bootstrap import App, with_app
from partyline.domain.model.error_codes import ErrorCode
from partyline.services.errors import RequestError, field_invalid
from partyline.store.errors import (
    ConversationTooLargeError,
    InvalidCursorError,
    TooManyConflictsError,
)
from partyline.telemetry import Metric, count, logger

Response = dict[str, Any]
Handler = Callable[[dict[str, Any], Any], Response]

_C = ErrorCode
_CODES = {
    400: (_C.MALFORMED_WEBHOOK,),
    401: (_C.UNAUTHORIZED, _C.BAD_SIGNATURE),
    403: (_C.FORBIDDEN,),
    404: (
        *(_C.UNKNOWN_CONVERSATION, _C.UNKNOWN_PARTICIPANT, _C.UNKNOWN_ROUTE, _C.NOT_LISTED),
        *(_C.REPORT_NOT_READY, _C.REPORT_EXPIRED, _C.UNKNOWN_ERASURE),
        *(_C.UNKNOWN_HOOK, _C.UNKNOWN_EVENT),
    ),
    409: (
        *(_C.CONVERSATION_OVER, _C.CONVERSATION_FULL, _C.CALL_IN_USE, _C.ALREADY_THERE),
        *(_C.TOO_FEW_PEOPLE, _C.HANDOVER_OPEN, _C.CONVERSATION_RUNNING),
        *(_C.ALREADY_STARTED, _C.NOT_STARTED, _C.STARTING),
        *(_C.TOO_MANY_PARTICIPANTS, _C.TOO_MANY_LEGS, _C.DIALING_OFF),
        *(_C.HOOK_DISABLED, _C.TOO_MANY_HOOKS),
    ),
    413: (_C.TOO_LARGE,),
    422: (_C.INVALID_REQUEST, _C.IDEMPOTENCY_KEY_REUSED, _C.DESTINATION_NOT_ALLOWED),
    429: (_C.TOO_MANY_CONVERSATIONS, _C.TOO_MANY_DIALS, _C.TOO_MANY_BOOKINGS, _C.BUDGET_EXCEEDED),
    500: (_C.INTERNAL,),
    503: (_C.PENDING, _C.BUSY, _C.UNAVAILABLE),
}
HTTP_STATUS = {code: status for status, codes in _CODES.items() for code in codes}
"""The HTTP status of each error code."""

RETRY_AFTER_SECS = {
    _C.TOO_MANY_CONVERSATIONS: 30,
    _C.TOO_MANY_DIALS: 15,  # the dials of the last 60 s count
    _C.TOO_MANY_BOOKINGS: 60,
    _C.BUDGET_EXCEEDED: 600,  # prices of ended calls may leave room; a new day does
    _C.PENDING: 2,
    _C.BUSY: 1,
    _C.UNAVAILABLE: 2,
}
"""The header `Retry-After` of each error that a later request may not meet, in seconds."""


def http_handler(
    work: Callable[[App, dict[str, Any]], Response],
    on_failure: Callable[[], None] = lambda: count(Metric.REQUEST_FAILED),
) -> Handler:
    """Make the Lambda handler around `work`; the handler answers whatever happens.

    `on_failure` is called with each answer of 500 or above.
    """

    def handle(app: App, event: dict[str, Any], _context: Any) -> Response:
        return respond(lambda: work(app, event), on_failure)

    return with_app(handle)


def respond(work: Callable[[], Response], on_failure: Callable[[], None]) -> Response:
    """Return the answer of `work`, or the answer that its error amounts to."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - the last place where an answer can be given
        return error_response(error, on_failure)


def json_response(status: int, body: Any) -> Response:
    """Build a JSON answer in the HTTP API's payload format 2.0."""
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": to_json(body).decode(),
    }


def error_response(error: Exception, on_failure: Callable[[], None]) -> Response:
    """Build the answer `{"error": {"code", "message", "details"}}` that an error amounts to."""
    known = _as_request_error(error)
    status = HTTP_STATUS[known.code]
    if status >= 500:
        on_failure()
        logger.error(known.code, extra={"error": _describe(error)})
    body = {"code": known.code, "message": known.message, "details": known.details}
    response = json_response(status, {"error": body})
    if known.code in RETRY_AFTER_SECS:
        response["headers"]["retry-after"] = str(RETRY_AFTER_SECS[known.code])
    return response


API_URL = "ApiUrl"
"""The stage variable of the API of IAM callers: the URL of the API that Telnyx reaches."""


def base_url(event: Mapping[str, Any], configured: str | None) -> str:
    """Return where this API is reached from outside: as configured, else as the request did.

    The host is API Gateway's own word. Any scheme but `http`, which a local stack has, is `https`:
    a sender may write another host into the header, and Telnyx's webhooks would go there.
    """
    if configured:
        return configured
    # The API of IAM callers has no routes for Telnyx, and names the API that has them.
    other = (event.get("stageVariables") or {}).get(API_URL)
    if other:
        return str(other)
    headers = event.get("headers") or {}
    scheme = "http" if headers.get("x-forwarded-proto") == "http" else "https"
    return f"{scheme}://{event['requestContext']['domainName']}"


def _as_request_error(error: Exception) -> RequestError:
    match error:
        case RequestError():
            return error
        case InvalidCursorError():
            return field_invalid("cursor", str(error))
        case TooManyConflictsError():
            message = "The conversation is being changed by others. Try again."
            return RequestError(ErrorCode.BUSY, message)
        case AwsUnavailableError():
            message = "A service of AWS cannot be reached. Try again."
            return RequestError(ErrorCode.UNAVAILABLE, message)
        case ConversationTooLargeError():
            message = "The conversation has grown too large."
            return RequestError(ErrorCode.CONVERSATION_FULL, message)
    return RequestError(ErrorCode.INTERNAL, "Something went wrong on our side.")


def _describe(error: Exception) -> str:
    """Describe an error for the log by its place in the code, never by the data at fault."""
    if isinstance(error, RequestError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    places = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(error).__name__} at {places}"
