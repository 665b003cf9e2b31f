"""Each refusal of Telnyx becomes the right error."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from partyline.telnyx import errors
from partyline.telnyx.errors import (
    NoResponseError,
    NotSentError,
    RefusedError,
    TelnyxError,
    refusal,
)

LEG = "/calls/v3%3Aabc/actions/hangup"


def answer(code: object, pointer: str | None = None) -> bytes:
    error: dict[str, object] = {"code": code, "title": "A title", "detail": "About +13125550123"}
    if pointer is not None:
        error["source"] = {"pointer": pointer}
    return json.dumps({"errors": [error]}).encode()


@pytest.mark.parametrize(
    ("status", "code", "kind", "passing"),
    [
        (401, "10009", errors.UnauthorizedError, False),
        (422, "10009", errors.UnauthorizedError, False),
        (403, "10010", errors.ForbiddenError, False),
        (403, "90043", errors.ForbiddenError, False),
        (403, "", errors.ForbiddenError, False),
        (422, "90041", errors.ForbiddenError, False),
        (422, "10010", errors.ForbiddenError, False),
        (429, "10011", errors.RateLimitedError, True),
        (429, "90103", errors.RateLimitedError, True),
        (422, "10011", errors.InvalidRequestError, False),
        (500, "10007", errors.UnavailableError, True),
        (503, "10007", errors.UnavailableError, True),
        (404, "10007", errors.UnknownCallError, False),
        (403, "10036", errors.ForbiddenError, False),
        (422, "10038", errors.ForbiddenError, False),
        (408, "10005", errors.UnavailableError, True),
        (503, "90018", errors.UnavailableError, True),
        (422, "90018", errors.CallEndedError, False),
        (404, "10005", errors.UnknownCallError, False),
        (404, "90018", errors.CallEndedError, False),
        (422, "90034", errors.NotAnsweredError, False),
        (422, "90015", errors.UnknownCallError, False),
        (422, "90061", errors.AssistantAlreadyRunningError, False),
        (422, "90057", errors.WebhookUrlsRefusedError, False),
        (422, 90057, errors.WebhookUrlsRefusedError, False),
        (422, "90102", errors.InvalidRequestError, False),
        (400, "10015", errors.InvalidRequestError, False),
        (302, "", errors.InvalidRequestError, False),
    ],
)
def test_each_status_and_code_has_its_error(
    status: int, code: object, kind: type[RefusedError], passing: bool
) -> None:
    error = refusal(LEG, status, {}, answer(code, "/to"))

    assert type(error) is kind
    assert error.is_transient is passing
    assert error.status == status
    assert error.code == (str(code) or None)
    assert (error.title, error.detail, error.pointer) == ("A title", "About +13125550123", "/to")


@pytest.mark.parametrize("status", [400, 404, 422])
def test_10007_means_that_the_conversation_is_unknown(status: int) -> None:
    for action in ("start", "join", "stop", "add_messages"):
        path = f"/calls/v3%3Aabc/actions/ai_assistant_{action}"
        error = refusal(path, status, {}, answer("10007"))
        assert type(error) is errors.UnknownConversationError
        assert not error.is_transient


@pytest.mark.parametrize("status", [404, 410])
def test_a_404_or_410_means_an_unknown_call_only_on_a_call(status: int) -> None:
    assert isinstance(refusal("/calls/v3%3Aabc", status, {}, b""), errors.UnknownCallError)
    assert isinstance(refusal("/calls", status, {}, b""), errors.InvalidRequestError)
    for action in ("ai_assistant_start", "ai_assistant_join"):  # may be about the assistant
        path = f"/calls/v3%3Aabc/actions/{action}"
        assert isinstance(refusal(path, status, {}, b""), errors.InvalidRequestError)
    assert isinstance(refusal("/ai/conversations/x", status, {}, b""), errors.InvalidRequestError)


def test_a_pointer_to_webhook_urls_means_webhook_urls_refused() -> None:
    for pointer in ("/webhook_urls", "/webhook_urls/call.hangup", "/webhook_retries_policies"):
        error = refusal("/calls", 422, {}, answer("10015", pointer))
        assert isinstance(error, errors.WebhookUrlsRefusedError)
    error = refusal("/calls", 422, {}, answer("10015", "/webhook_urls_method"))
    assert isinstance(error, errors.InvalidRequestError)


def test_the_problem_that_a_rule_knows_leads() -> None:
    body = json.dumps(
        {"errors": [{"code": "10004", "title": "Missing"}, {"code": "90018", "title": "Ended"}]}
    ).encode()

    error = refusal(LEG, 422, {}, body)

    assert isinstance(error, errors.CallEndedError)
    assert error.code == "90018"
    assert [problem.code for problem in error.problems] == ["90018", "10004"]


def test_the_error_shape_of_the_conversations_api_is_read() -> None:
    body = json.dumps(
        {"detail": [{"loc": ["query", "limit", 0], "msg": "too small", "type": "value_error"}]}
    ).encode()

    error = refusal("/ai/conversations", 422, {}, body)

    assert type(error) is errors.InvalidRequestError
    assert error.code is None
    assert (error.title, error.detail, error.pointer) == (
        "value_error",
        "too small",
        "/query/limit/0",
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Bad gateway</html>",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"errors": "no"}',
        b'{"errors": []}',
        b'{"errors": ["no"]}',
        b'{"detail": "Not Found"}',
        b"[" * 100_000,
    ],
)
def test_an_unreadable_answer_keeps_its_status(body: bytes) -> None:
    error = refusal(LEG, 502, {}, body)

    assert type(error) is errors.UnavailableError
    assert str(error) == "Telnyx refused: 502 Bad Gateway"


def test_odd_fields_of_a_problem_are_empty() -> None:
    body = b'{"errors": [{"code": null, "title": ["x"], "detail": {}, "source": "to"}]}'

    error = refusal(LEG, 599, {}, body)

    assert type(error) is errors.UnavailableError
    assert (error.code, error.title, error.detail, error.pointer) == (None, "", "", "")
    assert str(refusal(LEG, 599, {}, b"")) == "Telnyx refused: 599"


def test_the_text_of_a_refusal_has_no_phone_number() -> None:
    error = refusal("/calls", 422, {}, answer("10016", "/to"))

    assert str(error) == "Telnyx refused: 422 10016 A title at /to"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        *[("3", 3.0), ("0.5", 0.5), ("soon", None), ("-1", None), ("", None), ("nan", None)],
        *[("30s", 30.0), ("30 S", 30.0), ("30 seconds", 30.0), ("1500ms", 1.5), ("1500 ms", 1.5)],
        *[("1m30s", 90.0), ("1m 30s", 90.0), ("2min", 120.0), ("0.5h", 1800.0), ('"30"', 30.0)],
        *[("30;w=60", 30.0), ("30, 3", 30.0), ("3, 30s", 30.0), ("3, soon", None)],
        *[("30 horses", None), ("s", None), ("ms30", None), ("1e3", None), ("9" * 400, None)],
        *[("limit=9, remaining=0, reset=30", 30.0), ('"default";r=0;t=30', 30.0)],
        ("Wed, 21 Oct 2030 07:28:00 +99999999999999", None),
        *[("20261399", 20261399.0), ("2026-13-45T00:00:00Z", None), ("\u0663", None)],
    ],
)
def test_a_rate_limit_has_the_seconds_to_wait(header: str, seconds: float | None) -> None:
    error = refusal("/calls", 429, {"X-RateLimit-Reset": header}, b"")

    assert isinstance(error, errors.RateLimitedError)
    assert error.retry_after == seconds


@pytest.mark.parametrize("status", [429, 503, 500])
@pytest.mark.parametrize(
    ("header", "seconds"), [("3", 3.0), ("0", 0.0), ("soon", None), ("-1", None)]
)
def test_any_refusal_may_have_a_retry_after(
    status: int, header: str, seconds: float | None
) -> None:
    assert refusal("/calls", status, {"Retry-After": header}, b"").retry_after == seconds


def test_a_retry_after_may_be_a_date() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    wait = refusal("/calls", 429, {"retry-after": at}, b"").retry_after
    assert wait is not None
    assert 90 < wait <= 100
    past = "Wed, 21 Oct 2015 07:28:00 GMT"
    assert refusal("/calls", 429, {"retry-after": past}, b"").retry_after == 0


@pytest.mark.parametrize(
    "form",
    [
        lambda at: str(int(at.timestamp())),
        lambda at: str(int(at.timestamp() * 1000)),
        lambda at: str(at.timestamp()),
        lambda at: at.isoformat(),
        lambda at: at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        lambda at: at.replace(tzinfo=None).isoformat(" "),
        lambda at: at.astimezone(timezone(timedelta(hours=2))).isoformat(),
        lambda at: format_datetime(at, usegmt=True),
    ],
)
@pytest.mark.parametrize(
    "header",
    ["x-ratelimit-reset", "X-Rate-Limit-Reset", "RateLimit-Reset", "RateLimit", "Retry-After"],
)
def test_a_wait_may_be_a_moment_in_any_form(header: str, form: Callable[[datetime], str]) -> None:
    at = datetime.now(UTC) + timedelta(seconds=100)
    wait = refusal("/calls", 429, {header: form(at)}, b"").retry_after
    assert wait is not None
    assert 90 < wait <= 100
    past = form(datetime.now(UTC) - timedelta(days=1))
    assert refusal("/calls", 429, {header: past}, b"").retry_after == 0


def test_the_longest_of_two_waits_counts() -> None:
    for reset, retry in (("3", "30"), ("30", "3")):
        headers = {"x-ratelimit-reset": reset, "retry-after": retry}
        assert refusal("/calls", 429, headers, b"").retry_after == 30


def test_the_reset_of_another_refusal_is_no_wait() -> None:
    assert refusal("/calls", 503, {"x-ratelimit-reset": "3"}, b"").retry_after is None


def test_not_sent_is_a_no_response_error() -> None:
    assert issubclass(NotSentError, NoResponseError)
    assert NoResponseError.is_transient
    assert not TelnyxError.is_transient
