"""The answers and log lines of errors."""

import json
from collections.abc import Callable

import pytest

from partyline.domain.model.error_codes import ErrorCode
from partyline.entrypoints.http import HTTP_STATUS, Response, error_response, respond
from partyline.services.errors import RequestError


@pytest.mark.parametrize(
    ("error", "status", "logged"),
    [
        (RequestError(ErrorCode.PENDING, "A command is pending."), 503, "A command is pending."),
    ],
)
def test_the_log_of_a_failure_says_what_is_missing(
    written: Callable[[], str], error: Exception, status: int, logged: str
) -> None:
    failures: list[int] = []

    def work() -> Response:
        raise error

    answer = respond(work, lambda: failures.append(1))
    assert (answer["statusCode"], failures) == (status, [1])
    [line] = [json.loads(line) for line in written().splitlines()]
    assert line["error"] == logged


@pytest.mark.parametrize("code", ErrorCode)
def test_exactly_the_errors_429_and_503_say_when_to_ask_again(code: ErrorCode) -> None:
    answer = error_response(RequestError(code, "No."), lambda: None)
    assert ("retry-after" in answer["headers"]) == (HTTP_STATUS[code] in (429, 503))
    assert int(answer["headers"].get("retry-after", "1")) >= 1
