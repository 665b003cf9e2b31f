"""What can go wrong between us and Telnyx.

TelnyxError
+- NoAnswer                    we do not know whether it took effect
|  +- NotSent                  it never left us: it did not happen
+- Refusal                     Telnyx answered no
   +- Unauthorized             the API key is wrong
   +- Forbidden                the account may not do this, or not so much of it at once
   +- RateLimited              too fast
   +- Unavailable              Telnyx cannot answer now
   +- CallEnded                the leg is gone: a fact, not a fault
   +- NotAnswered              the leg still rings
   +- UnknownCall              no such call_control_id
   +- AssistantAlreadyRunning  the assistant already runs on this leg
   +- WebhookUrlsRefused       webhook_urls names an event type that Telnyx refuses
   +- InvalidRequest           any other no

    try:
        telnyx.hang_up(call_control_id, request)
    except CallEnded:
        ...  # what we wanted
    except TelnyxError as error:
        if error.is_transient:
            ...  # try again later, with the same command_id
"""

import re
from collections.abc import Container, Mapping
from http import HTTPStatus
from typing import Any, ClassVar, NamedTuple

from pydantic_core import from_json

SERVER_ERRORS = range(500, 600)
CHANNEL_LIMITS = ("90041", "90042", "90043")


class TelnyxError(Exception):
    """Base of everything this package raises about a request to Telnyx.

    `is_transient` is True for what is worth sending again, with the same command_id.
    """

    is_transient: ClassVar[bool] = False


class NoResponseError(TelnyxError):
    """The request left us and no answer came: whether it took effect is not known."""

    is_transient = True


class NotSentError(NoResponseError):
    """No connection was made: the request did not happen."""


class Problem(NamedTuple):
    """One entry of Telnyx's `errors`. `detail` may quote a phone number, so it is never logged."""

    code: str | None
    title: str
    detail: str
    pointer: str


class RefusedError(TelnyxError):
    """Telnyx answered no.

    `status` is the HTTP status, `code` Telnyx's own (a string, None when it gave none), `pointer`
    the JSON pointer of the offending field. `also` are the further problems of the same answer,
    `retry_after` the seconds Telnyx asks us to wait. The text of the exception leaves `detail` out,
    because it may quote a phone number.
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
        said = " ".join(part for part in (str(status), code, title) if part)
        super().__init__(f"Telnyx refused: {said}" + (f" at {pointer}" if pointer else ""))

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem of the answer, the leading one first."""
        return (Problem(self.code, self.title, self.detail, self.pointer), *self.also)


class UnauthorizedError(RefusedError):
    """401 or 10009: the API key is missing, wrong or revoked."""


class ForbiddenError(RefusedError):
    """403, 10010 or a channel limit: not allowed, or too many calls at once on this account."""


class RateLimitedError(RefusedError):
    """429: too fast. 10011 says so too, but with a 422 it means something else (SRTP)."""

    is_transient = True


class UnavailableError(RefusedError):
    """5xx, 408 or 10007: Telnyx cannot answer now."""

    is_transient = True


class CallEndedError(RefusedError):
    """90018, or a 404 on a call: the leg is over. For a hangup or a stop that is success."""


class NotAnsweredError(RefusedError):
    """90034: the leg has not been answered yet."""


class UnknownCallError(RefusedError):
    """90015: the call_control_id is not one of Telnyx's."""


class AssistantAlreadyRunningError(RefusedError):
    """90061: an assistant already runs on this leg."""


class WebhookUrlsRefusedError(RefusedError):
    """90057: `webhook_urls` names an event type, or has a form, that Telnyx refuses."""


class InvalidRequestError(RefusedError):
    """Any other answer that is not a success: a bad field, a redirect, a wrong base URL."""


class _Anything:
    def __contains__(self, item: object) -> bool:
        return True


_ANY: Container[Any] = _Anything()


class _Rule(NamedTuple):
    kind: type[RefusedError]
    status: Container[int] = _ANY
    code: Container[str | None] = _ANY
    path: str = ""
    pointer: str = ""


# The first row that fits decides. A status that says "not now" comes before any code: sending the
# same command again is harmless, taking a failure of Telnyx for a fact about a call is not.
# Sources: Telnyx API, the 422 examples; Telnyx docs, API error codes.
_RULES = (
    _Rule(RateLimitedError, status={429}),
    _Rule(UnauthorizedError, status={401}),
    _Rule(UnavailableError, status=SERVER_ERRORS),
    _Rule(UnavailableError, status={408}),
    _Rule(CallEndedError, code={"90018"}),
    _Rule(NotAnsweredError, code={"90034"}),
    _Rule(UnknownCallError, code={"90015"}),
    _Rule(AssistantAlreadyRunningError, code={"90061"}),
    _Rule(WebhookUrlsRefusedError, code={"90057"}),
    _Rule(UnavailableError, code={"10007"}),
    _Rule(UnauthorizedError, code={"10009"}),
    _Rule(ForbiddenError, code={"10010", *CHANNEL_LIMITS}),
    _Rule(ForbiddenError, status={403}),
    # Of a start or a join a 404 may mean the assistant or the conversation as well as the call.
    _Rule(CallEndedError, status={404}, path=r"/calls/[^/]+(?!.*/ai_assistant_(start|join)$)"),
    _Rule(WebhookUrlsRefusedError, pointer=r"/webhook_(urls|retries_policies)(/|$)"),
    _Rule(InvalidRequestError),
)


def refusal(path: str, status: int, headers: Mapping[str, str], body: bytes) -> RefusedError:
    """Turn an answer that is no success into the exception that says what it means.

    `path` is the request's path below the API's base, `body` the answer's raw bytes: JSON, HTML or
    nothing. When Telnyx names several problems, the one that a rule knows leads.
    """
    problems = _problems(body) or [Problem(None, _phrase(status), "", "")]
    rule, leading = next(
        (rule, problem)
        for rule in _RULES
        for problem in problems
        if status in rule.status
        and problem.code in rule.code
        and re.match(rule.path, path)
        and re.match(rule.pointer, problem.pointer)
    )
    also = tuple(problem for problem in problems if problem is not leading)
    return rule.kind(status, *leading, also=also, retry_after=_retry_after(status, headers))


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
    where = error.get("loc")
    steps = where if isinstance(where, list) else []
    return Problem(
        None,
        _text(error.get("type")),
        _text(error.get("msg")),
        "".join(f"/{_text(step)}" for step in steps),
    )


def _text(value: object) -> str:
    # Codes are strings in the description, but a number must not hide what happened.
    return str(value)[:500] if isinstance(value, str | int) else ""


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _retry_after(status: int, headers: Mapping[str, str]) -> float | None:
    """Telnyx docs, rate limiting: `x-ratelimit-reset` counts the seconds until it is over."""
    text = {name.lower(): value for name, value in headers.items()}.get("x-ratelimit-reset", "")
    if status != HTTPStatus.TOO_MANY_REQUESTS or not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text):
        return None
    return float(text)
