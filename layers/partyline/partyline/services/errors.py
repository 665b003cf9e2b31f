"""The error of a request that a service refuses, whatever kind of caller sent the request."""

from collections.abc import Mapping, Sequence
from typing import Any

from partyline.domain.model.errors import ErrorCode


class RequestError(Exception):
    """A request that cannot be carried out.

    `details` name the fields at fault as `{"field", "message"}`, or hold whatever helps the caller.
    The entry points turn the code into an HTTP status.
    """

    def __init__(
        self, code: ErrorCode, message: str, details: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = list(details)


def field_invalid(
    field: str, message: str, code: ErrorCode = ErrorCode.INVALID_REQUEST
) -> RequestError:
    """The error for one wrong field of a request."""
    return RequestError(code, f"{field}: {message}", [{"field": field, "message": message}])


def unknown_conversation() -> RequestError:
    """The error for an id that belongs to no conversation."""
    return RequestError(ErrorCode.UNKNOWN_CONVERSATION, "There is no such conversation.")
