"""A hook reaches nothing but the public internet, whatever its URL, its name or its answers."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any

import httpcore
import pytest

from partyline.services.hook_sender import HookSender, _Stream
from partyline.services.hook_urls import is_public, url_problem
from tests.security.hostile_hooks import (
    GOOD_URLS,
    HOSTILE_URLS,
    PRIVATE_ADDRESSES,
    PUBLIC_ADDRESSES,
)
from tests.support.patience import PATIENCE_SECS

TLS = ssl.create_default_context()
"""The context of all senders that reach no connection; each context reads all certificates."""


@pytest.fixture
def no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the test when a connection is tried."""

    def connect(*_: object, **__: object) -> None:
        pytest.fail("a connection was tried")

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)


def resolving_to(*addresses: str) -> Callable[..., list[tuple[Any, ...]]]:
    """A resolver that answers the addresses for every name."""

    def resolve(_host: str, port: int, **_: object) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in addresses]

    return resolve


def test_there_are_more_than_200_hostile_urls() -> None:
    assert len(set(HOSTILE_URLS)) == len(HOSTILE_URLS)
    assert len(HOSTILE_URLS) >= 200


@pytest.mark.parametrize("url", HOSTILE_URLS)
def test_a_hostile_url_is_no_url_of_a_hook(url: str) -> None:
    assert url_problem(url)


@pytest.mark.parametrize("url", GOOD_URLS)
def test_the_url_of_a_public_host_is_a_url_of_a_hook(url: str) -> None:
    assert url_problem(url) is None


@pytest.mark.parametrize("url", [u for u in HOSTILE_URLS if "127.0.0.1:8080" not in u])
def test_the_local_stack_allows_its_own_receivers_and_no_other_hostile_url(url: str) -> None:
    assert url_problem("http://127.0.0.1:8080/hook", allow_loopback=True) is None
    assert url_problem(url, allow_loopback=True)


@pytest.mark.parametrize("address", PRIVATE_ADDRESSES)
@pytest.mark.usefixtures("no_connection")
def test_a_name_that_leads_to_a_private_address_gets_no_connection(address: str) -> None:
    assert not is_public(address)
    sender = HookSender(resolve=resolving_to(address), tls=TLS)
    assert sender.post("https://hooks.example.com/", {}, b"{}").error == "address_not_allowed"


@pytest.mark.usefixtures("no_connection")
def test_a_name_with_a_public_and_a_private_address_gets_no_connection() -> None:
    sender = HookSender(resolve=resolving_to("8.8.8.8", "10.0.0.1"))
    assert sender.post("https://hooks.example.com/", {}, b"{}").error == "address_not_allowed"


@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.53", "169.254.169.254", "::1"])
@pytest.mark.usefixtures("no_connection")
def test_the_local_stack_sends_to_no_private_address_but_its_own(address: str) -> None:
    sender = HookSender(allow_loopback=True, resolve=resolving_to(address), tls=TLS)
    assert sender.post("https://hooks.example.com/", {}, b"{}").error == "address_not_allowed"


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_the_addresses_of_the_public_internet_are_allowed(address: str) -> None:
    assert is_public(address)


def test_a_name_is_resolved_once_and_the_connection_goes_to_the_checked_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that leads elsewhere at its second resolution (DNS rebinding) gains nothing."""
    answers = [["8.8.8.8"], ["169.254.169.254"]]
    connected = []

    def connect(_: object, host: str, port: int, *_args: object, **__: object) -> None:
        connected.append((host, port))
        raise httpcore.ConnectError

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)

    def resolve(host: str, port: int, **more: object) -> list[tuple[Any, ...]]:
        return resolving_to(*answers.pop(0))(host, port, **more)

    sender = HookSender(resolve=resolve)
    answer = sender.post("https://rebind.example.com/", {}, b"{}")
    assert answer.error == "connection_failed"
    assert connected == [("8.8.8.8", 443)]
    assert answers == [["169.254.169.254"]]


@pytest.fixture
def serve() -> Iterator[Callable[..., int]]:
    """A function that starts a server on this machine, which sends chunks; returns its port."""
    sockets = []

    def start(*chunks: bytes, pause: threading.Event | None = None) -> int:
        listening = socket.create_server(("127.0.0.1", 0))
        sockets.append(listening)

        def run() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with closing(connection), suppress(OSError):
                    connection.recv(65_536)
                    for chunk in chunks:
                        connection.sendall(chunk)
                        if pause:
                            pause.wait(0.05)

        threading.Thread(target=run, daemon=True).start()
        return int(listening.getsockname()[1])

    yield start
    for listening in sockets:
        listening.close()


def test_a_redirect_is_not_followed(serve: Callable[..., int]) -> None:
    port = serve(
        b"HTTP/1.1 307 Temporary Redirect\r\n"
        b"location: http://127.0.0.1:1/latest/meta-data\r\ncontent-length: 0\r\n\r\n"
    )
    sender = HookSender(allow_loopback=True)
    answer = sender.post(f"http://127.0.0.1:{port}/", {}, b"{}")
    assert (answer.status, answer.is_success) == (307, False)


def test_the_body_of_an_answer_is_not_read(serve: Callable[..., int]) -> None:
    endless = [b"x" * 65_536] * 1_000
    port = serve(b"HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n", *endless)
    answer = HookSender(allow_loopback=True).post(f"http://127.0.0.1:{port}/", {}, b"{}")
    assert answer.is_success


def test_an_answer_in_drops_ends_at_the_deadline(serve: Callable[..., int]) -> None:
    drops = [b"x"] * 10_000
    port = serve(b"HTTP/1.1 200 OK\r\nx-drops: ", *drops, pause=threading.Event())
    sender = HookSender(allow_loopback=True, max_secs=0.5)
    answers = []
    thread = threading.Thread(
        target=lambda: answers.append(sender.post(f"http://127.0.0.1:{port}/", {}, b"{}")),
        daemon=True,
    )
    thread.start()
    thread.join(PATIENCE_SECS)
    assert [answer.error for answer in answers] == ["timeout"]


def test_a_connection_does_nothing_after_its_deadline() -> None:
    stream = _Stream(httpcore.MockStream([b"x"]), time.monotonic())
    with pytest.raises(httpcore.ReadTimeout):
        stream.read(1)
    with pytest.raises(httpcore.WriteTimeout):
        stream.write(b"x")
    with pytest.raises(httpcore.ConnectTimeout):
        stream.start_tls(ssl.create_default_context())


def test_endless_headers_are_no_answer(serve: Callable[..., int]) -> None:
    port = serve(b"HTTP/1.1 200 OK\r\n", *[b"x-more: " + b"x" * 8_000 + b"\r\n"] * 100)
    answer = HookSender(allow_loopback=True).post(f"http://127.0.0.1:{port}/", {}, b"{}")
    assert answer.error in ("answer_unreadable", "connection_failed")


def test_a_receiver_without_a_valid_certificate_gets_nothing(
    monkeypatch: pytest.MonkeyPatch, serve: Callable[..., int]
) -> None:
    port = serve(b"not TLS")
    real = httpcore.SyncBackend.connect_tcp
    monkeypatch.setattr(
        httpcore.SyncBackend, "connect_tcp", lambda self, *_: real(self, "127.0.0.1", port)
    )
    sender = HookSender(resolve=resolving_to("8.8.8.8"))
    assert sender.post("https://hooks.example.com/", {}, b"{}").error == "tls_failed"
    context = sender._tls
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_a_name_without_an_address_is_an_answer_in_a_word() -> None:
    def fail(*_: object, **__: object) -> list[tuple[Any, ...]]:
        raise socket.gaierror

    answer = HookSender(resolve=fail).post("https://hooks.example.com/", {}, b"{}")
    assert answer.error == "name_not_resolved"


def test_the_next_address_is_tried_when_an_address_is_not_reached(
    monkeypatch: pytest.MonkeyPatch, serve: Callable[..., int]
) -> None:
    port = serve(b"HTTP/1.1 204 No Content\r\n\r\n")
    real, tried = httpcore.SyncBackend.connect_tcp, []

    def connect(self: httpcore.SyncBackend, host: str, _port: int, *more: Any) -> Any:
        tried.append(host)
        if host != "8.8.4.4":
            raise httpcore.ConnectTimeout if ":" in host else httpcore.ConnectError
        return real(self, "127.0.0.1", port, *more)

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    addresses = ["2001:4860:4860::8888", "8.8.8.8", "8.8.4.4"]
    sender = HookSender(resolve=resolving_to(*addresses))
    assert sender.post("http://hooks.example.com/", {}, b"{}").status == 204
    assert tried == addresses


def test_the_addresses_of_a_host_share_the_time_of_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shares = []

    def connect(_: object, _host: str, _port: int, timeout: float) -> None:
        shares.append(timeout)
        raise httpcore.ConnectTimeout

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    sender = HookSender(resolve=resolving_to("8.8.8.8", "8.8.4.4"), max_secs=60.0)
    assert sender.post("https://hooks.example.com/", {}, b"{}").error == "timeout"
    assert 29 < shares[0] <= 30
    assert 59 < shares[1] <= 60


def test_no_proxy_of_the_environment_is_used(
    monkeypatch: pytest.MonkeyPatch, serve: Callable[..., int]
) -> None:
    port = serve(b"HTTP/1.1 204 No Content\r\n\r\n")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    answer = HookSender(allow_loopback=True).post(f"http://127.0.0.1:{port}/", {}, b"{}")
    assert answer.status == 204
