import secrets
import socket

import pytest

from local import serving
from local.serving import free_port


def test_a_free_port_is_none_that_the_system_gives_to_another_connection() -> None:
    """Between the choice and the server's start, any connection of the machine takes a port."""
    with socket.socket() as connection:
        connection.bind(("127.0.0.1", 0))
        assert connection.getsockname()[1] not in serving._PORTS
    assert free_port() in serving._PORTS


def test_a_taken_port_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    free, taken = free_port(), free_port()
    with socket.socket() as server:
        server.bind(("127.0.0.1", taken))
        server.listen()
        ports = iter([taken, free])
        monkeypatch.setattr(secrets, "choice", lambda _: next(ports))
        assert free_port() == free
