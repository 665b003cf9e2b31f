"""A request to Telnyx: the bytes, the retry and the API key."""

import json
import socket
import threading
import traceback
from contextlib import closing
from typing import Any

import httpx
import pytest

from partyline.telnyx import errors
from partyline.telnyx.client import TelnyxClient
from tests.support.telnyx_wire import Wire

OK = httpx.Response(200, json={"data": {"result": "ok"}})
COMMAND = {"command_id": "c-1", "text": "é"}


def test_a_command_is_sent_once_as_json_with_the_key() -> None:
    wire = Wire(OK)

    data = wire.client().request("POST", "/calls", json=COMMAND)

    [request] = wire.requests
    assert data == {"result": "ok"}
    assert str(request.url) == "http://127.0.0.1:9/v2/calls"
    assert request.headers["authorization"] == "Bearer key-1"
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == COMMAND
    assert wire.pauses == []


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ReadTimeout("late"),
        httpx.ReadError("broken"),
        httpx.WriteTimeout("stuck"),
        httpx.RemoteProtocolError("hung up"),
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("late"),
        httpx.PoolTimeout("full"),
        httpx.Response(503),
        httpx.Response(500, text="<html>"),
        httpx.Response(408),
        httpx.Response(429),
        httpx.Response(429, headers={"x-ratelimit-reset": "1"}),
    ],
    ids=repr,
)
def test_a_transient_failure_repeats_the_same_bytes_once(
    failure: httpx.Response | Exception,
) -> None:
    wire = Wire(failure, OK)

    data = wire.client().request("POST", "/calls/v3%3Aa/actions/answer", json=COMMAND)

    first, second = wire.requests
    assert data == {"result": "ok"}
    assert first.content == second.content
    assert first.url == second.url
    assert len(wire.pauses) == 1


def test_a_failure_is_raised_after_two_tries() -> None:
    wire = Wire(httpx.ReadTimeout("late"), httpx.ReadTimeout("late"))

    with pytest.raises(errors.NoResponseError) as caught:
        wire.client().request("POST", "/calls", json=COMMAND)

    assert not isinstance(caught.value, errors.NotSentError)
    assert len(wire.requests) == 2


def test_a_request_with_a_time_for_its_answer_is_not_repeated_without_an_answer() -> None:
    wire = Wire(httpx.ReadTimeout("late"), OK)

    with pytest.raises(errors.NoResponseError):
        wire.client().request("POST", "/calls", json=COMMAND, answer_secs=4)

    [request] = wire.requests
    assert request.extensions["timeout"] == {"connect": 2.0, "read": 4, "write": 2.0, "pool": 2.0}


@pytest.mark.parametrize("failure", [httpx.ConnectError("no"), httpx.Response(503)], ids=repr)
def test_a_request_with_a_time_for_its_answer_is_repeated_after_another_failure(
    failure: httpx.Response | Exception,
) -> None:
    wire = Wire(failure, OK)

    assert wire.client().request("POST", "/c", json=COMMAND, answer_secs=4) == {"result": "ok"}


def test_a_failed_connection_raises_not_sent() -> None:
    wire = Wire(httpx.ConnectError("refused"), httpx.ConnectTimeout("late"))

    with pytest.raises(errors.NotSentError):
        wire.client().request("POST", "/calls", json=COMMAND)


def test_a_post_without_command_id_is_not_repeated_after_a_timeout() -> None:
    wire = Wire(httpx.ReadTimeout("late"), OK)

    with pytest.raises(errors.NoResponseError):
        wire.client().request("POST", "/calls", json={"to": "+13125550101"})

    assert len(wire.requests) == 1


def test_a_post_without_command_id_is_repeated_if_not_sent() -> None:
    wire = Wire(httpx.ConnectError("refused"), OK)

    wire.client().request("POST", "/calls", json={"to": "+13125550101"})

    assert len(wire.requests) == 2


def test_a_get_is_repeated() -> None:
    wire = Wire(httpx.Response(502), OK)

    assert wire.client().request("GET", "/calls/v3%3Aa") == {"result": "ok"}


def test_a_rate_limit_with_a_long_wait_is_raised() -> None:
    wire = Wire(httpx.Response(429, headers={"x-ratelimit-reset": "2"}), OK)

    with pytest.raises(errors.RateLimitedError) as caught:
        wire.client().request("POST", "/calls", json=COMMAND)

    assert caught.value.retry_after == 2.0
    assert len(wire.requests) == 1
    assert wire.pauses == []


def test_a_retry_waits_as_long_as_telnyx_asks() -> None:
    wire = Wire(httpx.Response(429, headers={"x-ratelimit-reset": "0.7"}), OK)

    wire.client().request("POST", "/calls", json=COMMAND)

    assert wire.pauses == [0.7]


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
def test_a_refusal_is_not_repeated(status: int) -> None:
    wire = Wire(httpx.Response(status), OK)

    with pytest.raises(errors.RefusedError):
        wire.client().request("POST", "/calls", json=COMMAND)

    assert len(wire.requests) == 1


def test_a_401_fetches_the_key_afresh_and_sends_again() -> None:
    wire = Wire(httpx.Response(401), OK)

    wire.client().request("POST", "/calls", json=COMMAND)

    assert [request.headers["authorization"] for request in wire.requests] == [
        "Bearer key-1",
        "Bearer key-2",
    ]
    assert wire.requests[0].content == wire.requests[1].content
    assert wire.keys == [False, True]


def test_a_second_401_is_raised() -> None:
    wire = Wire(httpx.Response(401), httpx.Response(401))

    with pytest.raises(errors.UnauthorizedError):
        wire.client().request("POST", "/calls", json=COMMAND)

    assert len(wire.requests) == 2


def test_an_unchanged_key_is_not_sent_again() -> None:
    wire = Wire(httpx.Response(401))
    wire.fresh_key = wire.key

    with pytest.raises(errors.UnauthorizedError):
        wire.client().request("POST", "/calls", json=COMMAND)


def test_a_redirect_is_not_followed() -> None:
    wire = Wire(httpx.Response(308, headers={"location": "http://127.0.0.1:9/elsewhere"}))

    with pytest.raises(errors.InvalidRequestError):
        wire.client().request("POST", "/calls", json=COMMAND)

    assert len(wire.requests) == 1


@pytest.mark.parametrize("body", [b'{"result": "ok"}', b'{"data": null}'])
def test_a_success_without_data_is_a_success(body: bytes) -> None:
    wire = Wire(httpx.Response(200, content=body))

    assert wire.client().request("POST", "/calls", json=COMMAND) == {}


def test_a_success_with_204_needs_no_body() -> None:
    assert Wire(httpx.Response(204)).client().request("POST", "/calls", json=COMMAND) == {}


UNREADABLE = [b"", b"ok", b"<html>", b"[1]", b"null", b"\xff", b'{"data": {"result"', b"[" * 9999]


@pytest.mark.parametrize("body", UNREADABLE, ids=lambda body: repr(body[:20]))
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_200_that_cannot_be_read_is_in_doubt_and_the_same_request_is_sent_again(
    method: str, body: bytes
) -> None:
    wire = Wire(httpx.Response(200, content=body), OK)

    assert wire.client().request(method, "/calls", json=COMMAND) == {"result": "ok"}
    assert wire.requests[0].content == wire.requests[1].content


@pytest.mark.parametrize("body", UNREADABLE, ids=lambda body: repr(body[:20]))
def test_two_answers_that_cannot_be_read_leave_the_effect_unknown(body: bytes) -> None:
    wire = Wire(*[httpx.Response(200, content=body) for _ in range(2)])

    with pytest.raises(errors.NoResponseError) as caught:
        wire.client().request("POST", "/calls", json=COMMAND)

    assert not isinstance(caught.value, errors.NotSentError)


def test_a_start_whose_answer_cannot_be_read_waits_for_its_webhook() -> None:
    wire = Wire(httpx.Response(200, content=b"<html>"))

    with pytest.raises(errors.NoResponseError):
        wire.client().request("POST", "/calls", json=COMMAND, answer_secs=4)


def test_an_encoded_id_is_not_encoded_again() -> None:
    wire = Wire(OK)

    wire.client().request("GET", "/calls/v3%3Aa-b_c")

    assert wire.requests[0].url.raw_path == b"/v2/calls/v3%3Aa-b_c"


@pytest.mark.parametrize(
    "failure",
    [
        httpx.LocalProtocolError,
        httpx.ConnectError,
        httpx.ReadTimeout,
        httpx.RemoteProtocolError,
    ],
)
def test_a_failure_does_not_show_the_key(failure: type[httpx.TransportError]) -> None:
    wire = Wire(*[failure("Illegal header value b'Bearer key-1'")] * 2)

    with pytest.raises(errors.NoResponseError) as caught:
        wire.client().request("POST", "/calls", json={})

    assert "key-1" not in "".join(traceback.format_exception(caught.value))


def test_a_silent_server_raises_no_response_after_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v2"
        client = TelnyxClient(lambda fresh=False: "key-1", url, timeout_secs=0.05)
        with closing(client), pytest.raises(errors.NoResponseError) as caught:
            client.request("POST", "/calls", json={"to": "+13125550101"})

    assert not isinstance(caught.value, errors.NotSentError), "it may have been heard"


def test_threads_share_one_connection_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[httpx.Client] = []
    real = httpx.Client

    def counted(**settings: Any) -> httpx.Client:
        made.append(real(**settings))
        return made[-1]

    monkeypatch.setattr("partyline.telnyx.client.httpx.Client", counted)
    wire = Wire(*(httpx.Response(200, json={"data": {"n": 1}}) for _ in range(8)))
    client = wire.client()
    assert made == []
    threads = [threading.Thread(target=client.request, args=("GET", "/calls/a")) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(wire.requests) == 8
    assert len(made) == 1


def test_a_closed_client_can_send_again() -> None:
    wire = Wire(OK, OK)
    client = wire.client()
    client.close()
    client.request("GET", "/calls/a")
    client.close()

    assert client.request("GET", "/calls/a") == {"result": "ok"}
