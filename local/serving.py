"""Serve an ASGI application over loopback from a thread of this process."""

import errno
import secrets
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn

from local.loopback import LoopbackGuard
from local.tls import tls_context

_PORTS = range(20_000, 32_000)
"""Below the ports that Linux and macOS give to outgoing connections and to servers on port 0."""

_KEEP_ALIVE_SECS = 120
"""How long an idle connection stays: a client may send just as the server closes a connection."""

_START_SECS = 60.0
_STOP_SECS = 5.0


class PortError(OSError):
    """A server cannot listen on a port. The text is a sentence for the user."""

    def __init__(self, port: int, error: OSError) -> None:
        is_taken = error.errno == errno.EADDRINUSE
        reason = "is taken by another program" if is_taken else f"is unusable: {error.strerror}"
        super().__init__(error.errno, f"port {port} {reason}")

    def __str__(self) -> str:
        """Return the sentence without the error's number."""
        return str(self.strerror)


@dataclass(frozen=True)
class Running:
    """A running server; `url` has no trailing slash, e.g. `http://127.0.0.1:8400`."""

    url: str
    _server: uvicorn.Server
    _thread: threading.Thread

    def stop(self) -> None:
        """Stop the server and wait for its thread. A second call does nothing."""
        self._server.should_exit = True
        self._thread.join(_STOP_SECS)
        if self._thread.is_alive():
            self._server.force_exit = True
            self._thread.join(_STOP_SECS)


def answers(url: str, is_alive: Callable[[], bool], secs: float) -> bool:
    """Wait until a server at `url` gives any answer; return whether it came in time.

    `is_alive` tells whether the server's process still runs.
    """
    deadline = time.monotonic() + secs
    with httpx.Client(trust_env=False, timeout=1.0, verify=tls_context()) as client:
        while is_alive() and time.monotonic() < deadline:
            try:
                client.get(url)
            except httpx.TransportError:
                time.sleep(0.01)
            else:
                return True
    return False


def free_port() -> int:
    """Return a free port of this machine, for a server that cannot choose a port.

    The server binds the port a moment later. In that moment the operating system gives a port of
    its own range to any connection, so this port is of another range and chosen at random.
    """
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as probe:
            # As a server does: a port whose last connections have just closed is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def serve(
    app: Any,
    port: int = 0,
    *,
    tunnels: frozenset[str] = frozenset(),
    page: bool = False,
    token: str = "",
) -> Running:
    """Serve `app` (ASGI) and return when the server accepts connections. Port 0 is any free port.

    A LoopbackGuard with `tunnels`, `page` and `token` stands before the application. Raises
    PortError when the port is taken, RuntimeError when the server does not start.
    """
    # With an explicit protocol: otherwise asyncio keeps Nagle on, and each response waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise PortError(port, error) from None
    server = uvicorn.Server(
        uvicorn.Config(
            LoopbackGuard(app, tunnels=tunnels, page=page, token=token),
            log_level="critical",
            access_log=False,
            ws="none",
            timeout_graceful_shutdown=int(_STOP_SECS / 2),
            timeout_keep_alive=_KEEP_ALIVE_SECS,
        )
    )
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, name="serve", daemon=True
    )
    thread.start()
    deadline = time.monotonic() + _START_SECS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            server.should_exit = True
            raise RuntimeError("the server did not start")
        time.sleep(0.01)
    return Running(f"http://127.0.0.1:{listener.getsockname()[1]}", server, thread)
