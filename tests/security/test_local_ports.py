"""The ports of a local stack answer the programs of this machine only, and never tell the key."""

import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from botocore.exceptions import ClientError

from local.loopback import TOKEN_HEADER, LoopbackGuard
from local.room.room_stack import RoomStack
from local.stack.embedded_aws import Access
from local.stack.local_stack import Options
from local.tls import tls_context
from tests.support.patience import PATIENCE_SECS
from tests.support.sockets import listening_ports

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the ports come from /proc")

LOOPBACK = "0100007F"
"""127.0.0.1 in /proc/net/tcp."""

EVIL = "http://evil.example"

HOSTILE = {
    "a page's request": ("GET", {"origin": EVIL}),
    "a page without an origin of its own": ("GET", {"origin": "null"}),
    "a page of another port": ("GET", {"origin": "http://127.0.0.1:9999"}),
    "a preflight": ("OPTIONS", {"origin": EVIL, "access-control-request-method": "POST"}),
    "a form": ("POST", {"origin": EVIL, "content-type": "text/plain"}),
    "an image or a script": ("GET", {"sec-fetch-site": "cross-site"}),
    "a rebound name": ("GET", {"host": "evil.example"}),
    "a name that begins as ours": ("GET", {"host": "127.0.0.1.evil.example"}),
    "no name": ("GET", {"host": ""}),
    "a tunnel": ("GET", {"x-forwarded-for": "203.0.113.7"}),
    "a tunnel that changes the host": ("GET", {"x-forwarded-host": "evil.example"}),
}


def opened_ports(before: dict[int, str]) -> dict[int, str]:
    return {port: on for port, on in listening_ports().items() if port not in before}


def port_of(url: str) -> int:
    return urlsplit(url).port or 0


@pytest.fixture(scope="module")
def ports() -> Iterator[tuple[RoomStack, dict[int, str]]]:
    """A stack with a room, and its ports with their addresses."""
    before = listening_ports()
    with RoomStack(Options(with_turns=False)) as stack:
        yield stack, opened_ports(before)


@pytest.mark.parametrize("request_name", HOSTILE)
def test_no_port_answers_another_site_another_host_name_or_a_tunnel(
    ports: tuple[RoomStack, dict[int, str]], request_name: str
) -> None:
    stack, opened = ports
    method, headers = HOSTILE[request_name]
    token = {TOKEN_HEADER: stack.environment["AWS_SESSION_TOKEN"]}
    assert len(opened) == 4
    for port in opened:
        for path in ("/", "/conversations", "/admin/state", "/_ministack/health"):
            url = f"http://127.0.0.1:{port}{path}"
            answer = httpx.request(
                method,
                url,
                headers={**token, **headers},
                timeout=PATIENCE_SECS,
                trust_env=False,
                verify=tls_context(),
            )
            assert answer.status_code == 403, (port, path)
            assert answer.json()["error"]["code"] == "refused"
            assert not [name for name in answer.headers if name.startswith("access-control")]


def test_every_port_is_on_loopback(ports: tuple[RoomStack, dict[int, str]]) -> None:
    assert set(ports[1].values()) == {LOOPBACK}


@pytest.mark.parametrize("token", [None, "", "test", "local"])
def test_every_port_but_the_api_and_the_simulator_wants_this_runs_token(
    ports: tuple[RoomStack, dict[int, str]], token: str | None
) -> None:
    stack, opened = ports
    assert stack.simulator is not None
    without_token = {port_of(stack.url), port_of(stack.simulator.url)}
    headers = {
        "authorization": "AWS4-HMAC-SHA256 Credential=local/20260301/us-east-1/secretsmanager/x",
        "x-amz-target": "secretsmanager.ListSecrets",
        **({} if token is None else {TOKEN_HEADER: token}),
    }
    for port in opened.keys() - without_token:
        url = f"http://127.0.0.1:{port}/"
        answer = httpx.post(
            url,
            headers=headers,
            json={},
            timeout=PATIENCE_SECS,
            trust_env=False,
            verify=tls_context(),
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "refused")


ADMIN = ("/admin/state", "/admin/ledger", "/admin/deliveries", "/v2/calls/v3:x")


@pytest.mark.parametrize(
    "key", [None, "partyline-local-key", "KEY-of-the-simulator", "KEY", "local"]
)
def test_the_api_and_the_simulator_want_this_runs_keys(
    ports: tuple[RoomStack, dict[int, str]], key: str | None
) -> None:
    """Other users of the machine know each key that the repository publishes."""
    stack, _ = ports
    assert stack.simulator is not None
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    for path in ADMIN:
        answer = httpx.get(
            f"{stack.simulator.url}{path}", headers=headers, trust_env=False, verify=tls_context()
        )
        assert answer.status_code == 401, path
    call = {"from": "+13125550120", "to": "+13125550100"}
    url = f"{stack.simulator.url}/admin/ring_in"
    assert (
        httpx.post(
            url, json=call, headers=headers, trust_env=False, verify=tls_context()
        ).status_code
        == 401
    )
    for path in ("/conversations", "/routes"):
        answer = httpx.get(
            f"{stack.url}{path}", headers=headers, trust_env=False, verify=tls_context()
        )
        assert answer.status_code in (401, 403), path
    assert stack.simulator.simulator.legs == []


def test_two_runs_have_two_tokens() -> None:
    first, second = Access("http://127.0.0.1:1"), Access("http://127.0.0.1:1")
    assert len(first.token) == 64
    assert first.token != second.token
    assert first.token not in repr(first)


def test_the_embedded_aws_of_a_stack_runs_no_code(
    ports: tuple[RoomStack, dict[int, str]],
) -> None:
    environment = ports[0].environment
    access = Access(environment["AWS_ENDPOINT_URL"], environment["AWS_SESSION_TOKEN"])
    for service, call in (("lambda", "list_functions"), ("s3", "list_buckets")):
        with pytest.raises(ClientError):
            getattr(access.client(service), call)()


def test_the_simulators_admin_refuses_a_body_that_needs_no_preflight(
    ports: tuple[RoomStack, dict[int, str]],
) -> None:
    stack, _ = ports
    assert stack.simulator is not None
    url = f"{stack.simulator.url}/admin/ring_in"
    body = '{"from": "+13125550120", "to": "+13125550100"}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        own = {"authorization": f"Bearer {stack.simulator.simulator.settings.api_key}"}
        headers = {**own, "content-type": kind}
        answer = httpx.post(
            url,
            content=body,
            headers=headers,
            timeout=PATIENCE_SECS,
            trust_env=False,
            verify=tls_context(),
        )
        assert answer.status_code == 415
    assert stack.simulator.simulator.legs == []


def refusal(guard: LoopbackGuard, **headers: str) -> str | None:
    raw = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    return guard.refusal({"type": "http", "method": "GET", "headers": raw})


async def app(*_: object) -> None:
    """An application that nobody asks."""


def test_a_foreign_host_name_is_ours_only_when_the_user_names_that_tunnel() -> None:
    tunnels = Options(public_base_url="https://tunnel.example/x").tunnels()
    guard = LoopbackGuard(app, tunnels=tunnels)
    assert refusal(guard, host="tunnel.example", x_forwarded_for="203.0.113.7") is None
    assert refusal(guard, host="tunnel.example", origin="https://evil.example")
    assert refusal(guard, host="another.example")
    assert refusal(LoopbackGuard(app), host="tunnel.example")
    for ours in ("", "http://127.0.0.1:8400", "http://localhost:8400"):
        assert Options(public_base_url=ours).tunnels() == frozenset()


def test_a_page_may_send_its_own_origin_and_no_other() -> None:
    guard = LoopbackGuard(app, page=True)
    assert refusal(guard, host="127.0.0.1:8400", origin="http://127.0.0.1:8400") is None
    assert refusal(guard, host="127.0.0.1:8400", origin="http://localhost:8400")
    without_page = LoopbackGuard(app)
    assert refusal(without_page, host="127.0.0.1:8400", origin="http://127.0.0.1:8400")
