"""The page's server refuses requests that are not of its own page."""

import pytest
from starlette.types import Receive, Scope, Send

from local.room.guard import HEADER, PageGuard


async def page(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """A page that nobody asks for."""


def refusal(method: str = "GET", **headers: str) -> str | None:
    all_headers = {"host": "127.0.0.1:8400", **{n.replace("_", "-"): v for n, v in headers.items()}}
    raw = [(name.encode(), value.encode()) for name, value in all_headers.items()]
    return PageGuard(page).refusal({"type": "http", "method": method, "headers": raw})


PAGE_HEADER = {HEADER.replace("-", "_"): "1"}


@pytest.mark.parametrize("host", ["127.0.0.1:8400", "localhost:8400", "[::1]:8400", "localhost"])
def test_a_request_of_the_servers_own_page_is_passed_on(host: str) -> None:
    assert refusal(host=host) is None
    assert refusal("POST", host=host, origin=f"http://{host}", **PAGE_HEADER) is None


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
def test_other_sites_other_host_names_and_tunnels_are_refused(headers: dict[str, str]) -> None:
    assert refusal(**headers)
    assert refusal("POST", **{**headers, **PAGE_HEADER})


def test_a_request_other_than_get_needs_the_pages_own_header() -> None:
    """A form of another site can send a POST without a preflight, but not with this header."""
    assert refusal("POST")
    assert refusal("DELETE")
    assert refusal("POST", **PAGE_HEADER) is None
