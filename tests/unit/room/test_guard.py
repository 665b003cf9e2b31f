"""The page's server refuses requests that are not of its own page."""

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from local.room.console import run_console
from local.room.guard import HEADER, PageGuard
from local.tls import tls_context
from tests.support.paged_api import ID, serve_paged_api


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


def test_another_user_of_the_machine_cannot_use_the_console() -> None:
    with (
        serve_paged_api() as api,
        run_console(api, "key") as url,
        httpx.Client(
            base_url=httpx.URL(url).join("/"), trust_env=False, verify=tls_context()
        ) as browser,
    ):
        for path in ("/", "/?guess", "/?", "/room/live", "/room/api/conversations", "/room/page/x"):
            cookies = {"cookie": "partyline=guess; partyline="}
            assert browser.get(path).status_code == 403, path
            assert browser.get(path, headers=cookies).status_code == 403, path
        dial = browser.post("/room/api/conversations", json={}, headers={HEADER: "1"})
        assert dial.status_code == 403
        assert browser.get(url, headers={"host": "evil.example"}).status_code == 403
        opened = browser.get(url)
        assert (opened.status_code, opened.headers["location"]) == (303, "/")
        assert "httponly; samesite=strict" in opened.headers["set-cookie"].lower()
        assert browser.get(f"/room/api/conversations/{ID}").status_code == 200
