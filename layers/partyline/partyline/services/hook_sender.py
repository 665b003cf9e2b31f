"""Send the request of a hook's delivery, to a public address only.

The name of the host is resolved once. The connection goes to an address that was checked, with the
host's name for TLS. No redirect is followed and no proxy of the environment is used. The answer's
body is not read: only the status counts.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpcore

from partyline.services.hook_urls import is_public

MAX_SECS = 10.0
"""The longest time of a delivery after the host's name is resolved, the receiver's pauses
included."""

Resolve = Callable[..., Iterable[tuple[Any, ...]]]
"""Resolve a host, as `socket.getaddrinfo` does."""


class AddressNotAllowedError(OSError):
    """The host has an address that is not public."""


@dataclass(frozen=True)
class Answer:
    """The status of the receiver's answer, or the error in a word."""

    status: int | None = None
    error: str | None = None

    @property
    def is_success(self) -> bool:
        """Whether the receiver has taken the event."""
        return self.status is not None and 200 <= self.status < 300


_ERRORS: tuple[tuple[type[Exception], str], ...] = (
    (AddressNotAllowedError, "address_not_allowed"),
    (socket.gaierror, "name_not_resolved"),
    (httpcore.TimeoutException, "timeout"),
    (ssl.SSLError, "tls_failed"),
    (httpcore.ProtocolError, "answer_unreadable"),
    (httpcore.NetworkError, "connection_failed"),
    (OSError, "connection_failed"),
)


class HookSender:
    """Sends requests to hooks. Tests replace `resolve`, the TLS context and `max_secs`."""

    def __init__(
        self,
        *,
        allow_loopback: bool = False,
        resolve: Resolve = socket.getaddrinfo,
        tls: ssl.SSLContext | None = None,
        max_secs: float = MAX_SECS,
    ) -> None:
        self._allow_loopback = allow_loopback
        self._resolve = resolve
        self._tls = tls or httpcore.default_ssl_context()
        self._max_secs = max_secs

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send a POST and return the status of its answer, or the reason why there is none."""
        backend = _PublicBackend(self._addresses, self._max_secs)
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), self._max_secs)
        try:
            with (
                httpcore.ConnectionPool(ssl_context=self._tls, network_backend=backend) as pool,
                pool.stream(
                    "POST",
                    url,
                    headers=list(headers.items()),
                    content=body,
                    extensions={"timeout": timeouts},
                ) as response,
            ):
                return Answer(status=response.status)
        except Exception as error:  # noqa: BLE001 - a receiver's fault is an answer, never ours
            return Answer(error=_word(error))

    def _addresses(self, host: str, port: int) -> list[str]:
        """Resolve a host. Raises AddressNotAllowedError when one of its addresses is not public."""
        found = self._resolve(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(place[4][0]) for place in found))
        allowed = [is_public(a) or (self._allow_loopback and a == "127.0.0.1") for a in addresses]
        if not addresses or not all(allowed):
            raise AddressNotAllowedError
        return addresses


class _PublicBackend(httpcore.NetworkBackend):
    """Connects to checked addresses. All waits of the connection together end at a deadline."""

    def __init__(self, addresses: Callable[[str, int], list[str]], max_secs: float) -> None:
        self._addresses = addresses
        self._max_secs = max_secs
        self._backend = httpcore.SyncBackend()

    def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore.NetworkStream:
        """Connect to the first address that takes the connection, within the time of all.

        A host may have an address that this network does not reach: a function of Lambda has no
        IPv6 outside of a VPC.
        """
        *others, last = self._addresses(host, port)
        deadline = time.monotonic() + self._max_secs
        for nth, address in enumerate(others):
            share = _left(deadline, httpcore.ConnectTimeout) / (len(others) + 1 - nth)
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return _Stream(self._backend.connect_tcp(address, port, share), deadline)
        left = _left(deadline, httpcore.ConnectTimeout)
        return _Stream(self._backend.connect_tcp(last, port, left), deadline)


class _Stream(httpcore.NetworkStream):
    """A connection whose waits end at a deadline: a receiver may send a byte every few seconds."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._stream.read(max_bytes, _left(self._deadline, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._stream.write(buffer, _left(self._deadline, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        left = _left(self._deadline, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float, error: type[httpcore.TimeoutException]) -> float:
    """Return the seconds until a deadline; raises `error` after the deadline."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise error
    return left


def _word(error: Exception) -> str:
    """Return an error in a word of `_ERRORS`; the cause of httpcore's error counts first."""
    for cause in (error.__cause__, error.__context__, error):
        for kind, word in _ERRORS[:4]:
            if isinstance(cause, kind):
                return word
    return next((word for kind, word in _ERRORS if isinstance(error, kind)), "failed")
