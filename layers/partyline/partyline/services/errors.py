"""The error of a request that a service refuses, whatever kind of caller sent the request."""

from collections.abc import Iterable, Mapping
from typing import Any

from partyline.domain.model.error_codes import ErrorCode

Detail = Mapping[str, Any]


class RequestError(Exception):
    """A request that cannot be carried out.

    `details` name the fields at fault as `{"field", "message"}`, or hold whatever helps the caller.
    The entry points turn the code into an HTTP status.
    """

    def __init__(self, code: ErrorCode, message: str, details: Iterable[Detail] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = list(details)


def field_invalid(field: str, message: str, code: ErrorCode | None = None) -> RequestError:
    """The error for a wrong field of a request; by default with the code `invalid_request`."""
    details = [{"field": field, "message": message}]
    return RequestError(code or ErrorCode.INVALID_REQUEST, f"{field}: {message}", details)


def unknown_conversation() -> RequestError:
    """The error for an id that belongs to no conversation."""
    return RequestError(ErrorCode.UNKNOWN_CONVERSATION, "There is no such conversation.")
