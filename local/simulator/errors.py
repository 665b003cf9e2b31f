"""Refusals of the simulated Telnyx: codes, titles and statuses."""

from local.simulator.model import JsonObject

# code -> (HTTP status, title); Telnyx API reference, error codes.
_CODES: dict[str, tuple[int, str]] = {
    "10000": (422, "Invalid message format"),
    "10004": (422, "Missing required parameter"),
    "10005": (404, "Resource not found"),
    # With a status of 4xx: the conversation does not exist or belongs to another user.
    "10007": (500, "Unexpected error"),
    "10009": (401, "Authentication failed"),
    "10010": (403, "Authorization failed"),
    "10011": (429, "Too many requests"),
    "10015": (422, "Bad request"),
    "10016": (422, "Phone number must be in +E164 format"),
    "10032": (422, "Value outside of enumeration"),
    "10033": (422, "Value outside of range"),
    "90015": (422, "Invalid Call Control ID"),
    "90017": (422, "Invalid value for client_state"),
    "90018": (422, "Call has already ended"),
    "90034": (422, "Call not answered yet"),
    "90057": (422, "Invalid event type in webhook_urls"),
    "90061": (422, "AI Assistant already in progress"),
    "90102": (422, "Call is outbound"),
}


class ApiError(Exception):
    """A refusal of a request, with all problems of the request."""

    def __init__(
        self, code: str, detail: str, pointer: str | None = None, *, status: int | None = None
    ) -> None:
        super().__init__(f"{code} {detail}")
        self.status = status or _CODES[code][0]
        self.errors: list[JsonObject] = [_error(code, detail, pointer)]

    @classmethod
    def of(cls, problems: list[tuple[str, str, str | None]]) -> "ApiError":
        """Return a refusal with several `(code, detail, pointer)`; the first sets the status."""
        refusal = cls(*problems[0])
        refusal.errors = [_error(*problem) for problem in problems]
        return refusal

    @classmethod
    def not_found(cls) -> "ApiError":
        """Return the refusal of a request for an unknown object."""
        return cls("10005", "The requested resource or URL could not be found")

    def body(self) -> JsonObject:
        """Return the JSON body (Telnyx API: call-control_Errors)."""
        return {"errors": self.errors}


def _error(code: str, detail: str, pointer: str | None) -> JsonObject:
    error: JsonObject = {
        "code": code,
        "title": _CODES[code][1],
        "detail": detail,
        "meta": {"url": f"https://developers.telnyx.com/docs/overview/errors/{code}"},
    }
    if pointer is not None:
        error["source"] = {"pointer": pointer}
    return error
