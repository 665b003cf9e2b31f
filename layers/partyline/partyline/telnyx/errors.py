"""Errors of a request to Telnyx.

TelnyxError
+- NoResponseError                  whether the request took effect is not known
|  +- NotSentError                  the request was not sent: no effect
+- RefusedError                     Telnyx refused the request
   +- UnauthorizedError             the API key is wrong
   +- ForbiddenError                the account lacks a right, or has reached a limit
   +- RateLimitedError              too many requests
   +- UnavailableError              Telnyx cannot answer now
   +- CallEndedError                the leg is over: a fact, not a fault
   +- NotAnsweredError              the leg still rings
   +- UnknownCallError              Telnyx does not know the call_control_id: no proof of an end
   +- AssistantAlreadyRunningError  the assistant already runs on this leg
   +- UnknownConversationError      Telnyx does not know the assistant's conversation
   +- WebhookUrlsRefusedError       Telnyx refuses the form or an event type of webhook_urls
   +- InvalidRequestError           any other refusal

    try:
        telnyx.hang_up(call_control_id, request)
    except CallEndedError:
        ...  # the goal is reached
    except TelnyxError as error:
        if error.is_transient:
            ...  # try again later, with the same command_id
"""

import re
from collections.abc import Container, Mapping
from http import HTTPStatus
from typing import Any, ClassVar, NamedTuple

from pydantic_core import from_json

from partyline.telnyx.rate_limits import retry_after

SERVER_ERRORS = range(500, 600)
GONE = (404, 410)  # 410 is not documented, and says no more about the call than 404 does
CHANNEL_LIMITS = ("90041", "90042", "90043")


class TelnyxError(Exception):
    """Base of the errors of a request to Telnyx.

    `is_transient` is True if the request may be sent again, with the same command_id.
    """

    is_transient: ClassVar[bool] = False


class NoResponseError(TelnyxError):
    """The request was sent, and no readable answer came: the effect is not known."""

    is_transient = True


class NotSentError(NoResponseError):
    """No connection was made: the request had no effect."""


class Problem(NamedTuple):
    """An entry of Telnyx's `errors`. Never log `detail`: the text may quote a phone number."""

    code: str | None
    title: str
    detail: str
    pointer: str


class RefusedError(TelnyxError):
    """Telnyx refused the request.

    `status` is the HTTP status, `code` Telnyx's code (a string, or None), `pointer` the JSON
    pointer of the offending field, `also` the further problems of the same answer, `retry_after`
    the seconds to wait. The exception's text omits `detail`, which may quote a phone number.
    """

    def __init__(
        self,
        status: int,
        code: str | None = None,
        title: str = "",
        detail: str = "",
        pointer: str = "",
        *,
        also: tuple[Problem, ...] = (),
        retry_after: float | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.pointer = pointer
        self.also = also
        self.retry_after = retry_after
        summary = " ".join(part for part in (str(status), code, title) if part)
        super().__init__(f"Telnyx refused: {summary}" + (f" at {pointer}" if pointer else ""))

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem of the answer, the leading problem first."""
        return (Problem(self.code, self.title, self.detail, self.pointer), *self.also)


class UnauthorizedError(RefusedError):
    """401 or 10009: the API key is missing, wrong or revoked."""


class ForbiddenError(RefusedError):
    """403, 10010, 10036, 10038 or a channel limit: a missing right, or a limit of the account."""


class RateLimitedError(RefusedError):
    """429: too many requests. Code 10011 has this meaning too, but with a 422 it is about SRTP."""

    is_transient = True


class UnavailableError(RefusedError):
    """5xx or 408: Telnyx cannot answer now."""

    is_transient = True


class CallEndedError(RefusedError):
    """90018: the leg is over. A hangup or a stop counts this as success."""


class NotAnsweredError(RefusedError):
    """90034: the leg has not been answered yet."""


class UnknownCallError(RefusedError):
    """90015, or a 404 or 410 on a call: Telnyx does not know the call_control_id.

    The call may be up all the same: 404 has no code for an ended call (Telnyx docs, API error
    codes: 10005 is any missing resource), and a call may get another id at its answer.
    """


class AssistantAlreadyRunningError(RefusedError):
    """90061: an assistant already runs on this leg."""


class DuplicateCommandError(RefusedError):
    """A refusal of the command_id itself: an earlier request with the id was carried out.

    Telnyx ignores a repeated command_id; whether with a 200 or a refusal is not documented.
    """


class UnknownConversationError(RefusedError):
    """10007 for a command to an assistant: the conversation does not exist, or is not ours."""


class WebhookUrlsRefusedError(RefusedError):
    """90057: Telnyx refuses an event type or the form of `webhook_urls`."""


class InvalidRequestError(RefusedError):
    """Any other refusal: a bad field, a redirect, a wrong base URL.

    Codes seen on live starts: 10000 with a pointer for a `message_history` in a wrong format (422),
    10015 for a voice that does not exist (400).
    """


class _Rule(NamedTuple):
    kind: type[RefusedError]
    status: Container[int] | None = None  # any status
    code: Container[str | None] | None = None  # any code
    path: str = ""
    pointer: str = ""


# The first matching row decides. A status of a passing failure comes before any code: to send the
# same command again is harmless, to read a failure of Telnyx as a fact about a call is not.
# Sources: Telnyx API, the 422 examples; Telnyx docs, API error codes; for 10007, the README of
# Telnyx's WebRTC client, which joins conversations; for 10010, 10036 and 10038, reports of live
# accounts (July 2026). The code 10007 also comes with a 5xx, where the status decides.
_RULES = (
    _Rule(RateLimitedError, status={429}),
    _Rule(UnauthorizedError, status={401}),
    _Rule(UnavailableError, status=SERVER_ERRORS),
    _Rule(UnavailableError, status={408}),
    _Rule(DuplicateCommandError, pointer="/command_id$"),
    _Rule(CallEndedError, code={"90018"}),
    _Rule(NotAnsweredError, code={"90034"}),
    _Rule(UnknownCallError, code={"90015"}),
    _Rule(AssistantAlreadyRunningError, code={"90061"}),
    _Rule(WebhookUrlsRefusedError, code={"90057"}),
    _Rule(UnknownConversationError, code={"10007"}, path=r"/calls/[^/]+/actions/ai_assistant_"),
    _Rule(UnauthorizedError, code={"10009"}),
    _Rule(ForbiddenError, code={"10010", "10036", "10038", *CHANNEL_LIMITS}),
    _Rule(ForbiddenError, status={403}),
    # The 404 of a start or a join may be about the assistant or the conversation, not the call.
    _Rule(UnknownCallError, status=GONE, path=r"/calls/[^/]+(?!.*/ai_assistant_(start|join)$)"),
    _Rule(WebhookUrlsRefusedError, pointer=r"/webhook_(urls|retries_policies)(/|$)"),
    _Rule(InvalidRequestError),
)


def refusal(path: str, status: int, headers: Mapping[str, str], body: bytes) -> RefusedError:
    """Return the exception for an answer that is not a success.

    `path` is the request's path below the base URL, `body` the answer's raw bytes: JSON, HTML or
    empty. The first rule that matches a problem of the answer decides, and that problem leads.
    """
    problems = _problems(body) or [Problem(None, _phrase(status), "", "")]
    rule, leading = next(
        (rule, problem)
        for rule in _RULES
        for problem in problems
        if (rule.status is None or status in rule.status)
        and (rule.code is None or problem.code in rule.code)
        and re.match(rule.path, path)
        and re.match(rule.pointer, problem.pointer)
    )
    also = tuple(problem for problem in problems if problem is not leading)
    return rule.kind(status, *leading, also=also, retry_after=retry_after(status, headers))


def _problems(body: bytes) -> list[Problem]:
    try:
        answer = from_json(body)
    except ValueError:
        return []
    if not isinstance(answer, dict):
        return []
    errors, detail = answer.get("errors"), answer.get("detail")
    if isinstance(errors, list):
        return [_call_control(error) for error in errors if isinstance(error, dict)]
    if isinstance(detail, list):
        return [_validation(error) for error in detail if isinstance(error, dict)]
    return []


def _call_control(error: dict[str, Any]) -> Problem:
    """Telnyx API: `{"errors": [{"code", "title", "detail", "source": {"pointer"}}]}`."""
    source = error.get("source")
    pointer = source.get("pointer") if isinstance(source, dict) else None
    return Problem(
        _text(error.get("code")) or None,
        _text(error.get("title")),
        _text(error.get("detail")),
        _text(pointer),
    )


def _validation(error: dict[str, Any]) -> Problem:
    """Telnyx API, /ai/conversations: `{"detail": [{"loc", "msg", "type"}]}`."""
    location = error.get("loc")
    steps = location if isinstance(location, list) else []
    return Problem(
        None,
        _text(error.get("type")),
        _text(error.get("msg")),
        "".join(f"/{_text(step)}" for step in steps),
    )


def _text(value: object) -> str:
    # The description has codes as strings, but a code sent as a number must not get lost.
    return str(value)[:500] if isinstance(value, str | int) else ""


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
