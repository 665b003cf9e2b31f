"""Who may ask the page's server."""

import pytest
from starlette.types import Scope

from local.room.guard import HEADER, refusal


def asked(method: str = "GET", **headers: str) -> Scope:
    given = {"host": "127.0.0.1:8400", **{n.replace("_", "-"): v for n, v in headers.items()}}
    raw = [(name.encode(), value.encode()) for name, value in given.items()]
    return {"type": "http", "method": method, "headers": raw}


MINE = {HEADER.replace("-", "_"): "1"}


@pytest.mark.parametrize("host", ["127.0.0.1:8400", "localhost:8400", "[::1]:8400", "localhost"])
def test_the_own_page_is_answered(host: str) -> None:
    assert refusal(asked(host=host)) is None
    assert refusal(asked("POST", host=host, origin=f"http://{host}", **MINE)) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example:8400"},
        {"host": "127.0.0.1.evil.example"},
        {"x_forwarded_for": "203.0.113.7"},
        {"forwarded": "for=203.0.113.7"},
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
)
def test_other_sites_names_and_tunnels_are_refused(headers: dict[str, str]) -> None:
    assert refusal(asked(**headers))
    assert refusal(asked("POST", **{**headers, **MINE}))


def test_what_changes_something_needs_the_page_s_own_header() -> None:
    """A form of another site can send a POST without a question asked, but not this header."""
    assert refusal(asked("POST"))
    assert refusal(asked("DELETE"))
    assert refusal(asked("POST", **MINE)) is None
