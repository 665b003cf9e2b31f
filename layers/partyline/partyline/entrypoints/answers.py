"""What an HTTP API is answered: JSON, and errors in one shape."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import to_json

Response = dict[str, Any]


class ApiError(Exception):
    """A request that is answered with an error: `{"error": {"code", "message", "details"}}`.

    `details` are `{"field", "message"}` for what is wrong with a body, else whatever helps.
    """

    def __init__(
        self, status: int, code: str, message: str, details: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        """Keep what the caller is told."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = list(details)


def json_response(status: int, body: Any) -> Response:
    """A JSON answer in the HTTP API's payload format 2.0."""
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": to_json(body).decode(),
    }


def error_response(error: ApiError) -> Response:
    """The answer that an error amounts to."""
    said = {"code": error.code, "message": error.message, "details": error.details}
    return json_response(error.status, {"error": said})
