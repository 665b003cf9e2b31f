"""The simulator as Telnyx's own client library sees it, over real HTTP."""

import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import telnyx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from telnyx.lib.webhook_verification import WebhookVerificationError, verify_webhook_signature

from local.simulator.faults import Fault
from local.simulator.model import Person
from local.simulator.running import run_simulator
from local.simulator.settings import Settings
from local.simulator.telnyx import Simulator
from local.stack.serving import serve

US, CALLER, FRIEND = "+13125550100", "+13125550101", "+13125550102"
KEY = "KEY-contract"


@dataclass
class Stand:
    """A simulator on a port, and a receiver of its webhooks on another."""

    url: str
    simulator: Simulator
    client: telnyx.Telnyx
    hooks: "queue.Queue[tuple[bytes, dict[str, str]]]" = field(default_factory=queue.Queue)

    def hook(self) -> tuple[bytes, dict[str, str]]:
        return self.hooks.get(timeout=10)


@pytest.fixture
def stand() -> Iterator[Stand]:
    hooks: queue.Queue[tuple[bytes, dict[str, str]]] = queue.Queue()

    async def receive(request: Request) -> Response:
        hooks.put((await request.body(), dict(request.headers)))
        return Response()

    receiver = serve(Starlette(routes=[Route("/hook", receive, methods=["POST"])]))
    settings = Settings(
        api_key=KEY,
        webhook_url=f"{receiver.url}/hook",
        created_after_secs=0.05,
        insights_after_secs=0.05,
    )
    people = [Person(number, behaviour="manual") for number in (CALLER, FRIEND)]
    running = run_simulator(settings, people)
    client = telnyx.Telnyx(api_key=KEY, base_url=running.api_url, max_retries=0, timeout=2)
    yield Stand(running.url, running.simulator, client, hooks)
    client.close()
    running.stop()
    receiver.stop()


def answered(stand: Stand, number: str) -> str:
    dialled = stand.client.calls.dial(
        connection_id=stand.simulator.settings.connection_id, from_=US, to=number
    )
    assert dialled.data is not None
    assert dialled.data.is_alive is False
    call = dialled.data.call_control_id
    answer = httpx.post(f"{stand.url}/admin/calls/{call}/answer", trust_env=False)
    assert answer.json()["state"] == "answered"
    return call


def test_a_conversation_of_two_through_the_official_client(stand: Stand) -> None:
    actions = stand.client.calls.actions
    host, friend = answered(stand, CALLER), answered(stand, FRIEND)

    started = actions.start_ai_assistant(host, assistant={"id": "assistant-1"}, command_id="s")
    assert started.data is not None
    conversation = started.data.conversation_id
    assert conversation
    joined = actions.join_ai_assistant(
        friend,
        conversation_id=conversation,
        participant={"id": friend, "role": "user", "name": "Ada"},
    )
    assert joined.data is not None
    assert joined.data.conversation_id == conversation
    told = actions.add_ai_assistant_messages(
        host, messages=[{"role": "system", "content": "Ada is here"}]
    )
    assert told.data is not None
    assert told.data.result == "ok"

    status = stand.client.calls.retrieve_status(friend)
    assert status.data is not None
    assert status.data.is_alive
    live = stand.client.connections.list_active_calls(stand.simulator.settings.connection_id)
    assert {call.call_control_id for call in live} == {host, friend}
    rows = stand.client.ai.conversations.list(metadata_call_control_id=f"eq.{host}")
    assert [row.id for row in rows.data] == [conversation]

    actions.stop_ai_assistant(host)
    actions.hangup(host)
    actions.hangup(friend)
    with pytest.raises(telnyx.UnprocessableEntityError, match="90018"):
        actions.hangup(friend)

    assert stand.simulator.violations == []
    assert [entry.unknown_fields for entry in stand.simulator.ledger if entry.unknown_fields] == []


def test_a_caller_is_answered_through_the_official_client(stand: Stand) -> None:
    ring = {"from": CALLER, "to": US}
    leg = httpx.post(f"{stand.url}/admin/ring_in", json=ring, trust_env=False).json()

    answer = stand.client.calls.actions.answer(leg["call_control_id"])

    assert answer.data is not None
    assert answer.data.result == "ok"
    assert stand.simulator.legs[0].state == "answered"


def test_refusals_have_the_types_of_the_official_client(stand: Stand) -> None:
    stranger = telnyx.Telnyx(api_key="wrong", base_url=f"{stand.url}/v2", max_retries=0)
    with stranger, pytest.raises(telnyx.AuthenticationError, match="10009"):
        stranger.calls.retrieve_status("v3:abcdefgh")
    with pytest.raises(telnyx.NotFoundError, match="10005"):
        stand.client.calls.retrieve_status("v3:abcdefgh")
    with pytest.raises(telnyx.UnprocessableEntityError, match="10016"):
        stand.client.calls.dial(connection_id="1", from_=US, to="nobody")
    stand.simulator.faults.add(Fault("refuse", status=429))
    with pytest.raises(telnyx.RateLimitError, match="10011"):
        stand.client.calls.retrieve_status("v3:abcdefgh")


@pytest.mark.parametrize("kind", ["drop", "lose_reply"])
def test_a_bad_line_breaks_the_official_clients_connection(stand: Stand, kind: Any) -> None:
    stand.simulator.faults.add(Fault(kind, "dial", secs=0.05))

    with pytest.raises(telnyx.APIConnectionError):
        answered(stand, CALLER)

    assert len(stand.simulator.legs) == (1 if kind == "lose_reply" else 0)


def test_webhooks_carry_a_signature_that_telnyx_itself_accepts(stand: Stand) -> None:
    answered(stand, CALLER)
    key = stand.simulator.public_key

    for _ in range(2):
        body, headers = stand.hook()
        verify_webhook_signature(body, headers, key)
        with pytest.raises(WebhookVerificationError):
            verify_webhook_signature(body.replace(b"call.", b"cull."), headers, key)
        old = {**headers, "telnyx-timestamp": str(int(time.time()) - 301)}
        with pytest.raises(WebhookVerificationError):
            verify_webhook_signature(body, old, key)


def test_webhooks_are_read_by_the_official_client(stand: Stand) -> None:
    client = telnyx.Telnyx(api_key=KEY, public_key=stand.simulator.public_key)
    answered(stand, CALLER)

    events = {}
    for _ in range(2):
        body, headers = stand.hook()
        event: Any = client.webhooks.unwrap(body.decode(), headers=headers)
        events[event.data.event_type] = event
    client.close()

    assert set(events) == {"call.initiated", "call.answered"}
    assert events["call.answered"].data.payload.to == CALLER


def test_a_person_or_a_page_plays_the_phones(stand: Stand) -> None:
    with httpx.Client(base_url=f"{stand.url}/admin", trust_env=False) as admin:
        busy = {"number": FRIEND, "behaviour": "busy", "answer_after_secs": 0}
        assert admin.put("/people", json=busy).json()["behaviour"] == "busy"
        assert admin.put("/people", json={"number": FRIEND, "behaviour": "x"}).status_code == 422
        assert admin.patch("/settings", json={"host_hangup": "continues"}).status_code == 200
        assert admin.patch("/settings", json={"api_key": "x"}).status_code == 422
        assert admin.patch("/settings", json={"nothing": 1}).status_code == 404
        assert admin.put("/webhooks/call.hangup", json={"duplicates": 1}).status_code == 200
        assert admin.post("/faults", json={"kind": "refuse", "action": "dial"}).status_code == 200
        assert admin.delete("/faults").status_code == 200
        assert admin.post("/calls/v3:nobody/answer").status_code == 404
        leg = admin.post("/ring_in", json={"from": CALLER, "to": US}).json()
        admin.post(f"/calls/{leg['call_control_id']}/hang_up")
        outside = admin.post("/outside_call", json={"from": CALLER, "to": US}).json()

        # The caller's ring and hangup, the latter doubled.
        for _ in range(3):
            stand.hook()
        state = admin.get("/state").json()
        # A delivery is written down once its answer is there, whichever comes first.
        while len(deliveries := admin.get("/deliveries").json()) < 3:
            time.sleep(0.01)
        ledger = admin.get("/ledger?since=0").json()

    assert [leg["state"] for leg in state["legs"]] == ["ended", "answered"]
    assert outside["call_control_id"] == state["legs"][1]["call_control_id"]
    assert stand.simulator.settings.host_hangup == "continues"
    assert state["violations"] == ledger == []
    assert sorted(each["event_type"] for each in deliveries) == [
        "call.hangup",
        "call.hangup",
        "call.initiated",
    ]


def test_a_server_stops_and_frees_its_port() -> None:
    app = Starlette()
    first = serve(app)
    port = int(first.url.rsplit(":", 1)[1])
    with pytest.raises(OSError, match="in use"):
        serve(app, port=port)
    first.stop()
    first.stop()

    second = serve(app, port=port)
    second.stop()

    assert not any(thread.name == "serve" for thread in threading.enumerate())
