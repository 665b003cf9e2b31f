"""Telnyx's official client library works with the simulator over HTTP."""

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

from local.serving import serve
from local.simulator.faults import Fault
from local.simulator.model import Person
from local.simulator.running import run_simulator
from local.simulator.settings import Settings
from local.simulator.telnyx import Simulator
from tests.support.patience import PATIENCE_SECS

US, CALLER, FRIEND = "+13125550100", "+13125550101", "+13125550102"
KEY = "KEY-contract"


@dataclass
class Setup:
    """A simulator on a port, and a webhook receiver on another port."""

    url: str
    simulator: Simulator
    client: telnyx.Telnyx
    hooks: "queue.Queue[tuple[bytes, dict[str, str]]]" = field(default_factory=queue.Queue)

    def hook(self) -> tuple[bytes, dict[str, str]]:
        return self.hooks.get(timeout=PATIENCE_SECS)


AUTH = {"authorization": f"Bearer {KEY}"}


@pytest.fixture
def setup() -> Iterator[Setup]:
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
    client = telnyx.Telnyx(
        api_key=KEY, base_url=running.api_url, max_retries=0, timeout=PATIENCE_SECS
    )
    yield Setup(running.url, running.simulator, client, hooks)
    client.close()
    running.stop()
    receiver.stop()


def answered(setup: Setup, number: str) -> str:
    dialled = setup.client.calls.dial(
        connection_id=setup.simulator.settings.connection_id, from_=US, to=number
    )
    assert dialled.data is not None
    assert dialled.data.is_alive is False
    call = dialled.data.call_control_id
    answer = httpx.post(
        f"{setup.url}/admin/calls/{call}/answer",
        headers=AUTH,
        timeout=PATIENCE_SECS,
        trust_env=False,
    )
    assert answer.json()["state"] == "answered"
    return call


def test_the_official_client_reads_every_page_of_active_calls(setup: Setup) -> None:
    connection_id = setup.simulator.settings.connection_id
    calls = {answered(setup, number) for number in (CALLER, FRIEND, CALLER)}
    list_page = setup.client.connections.list_active_calls
    pages = [list_page(connection_id, page_size=2, page_number=number).data for number in (1, 2, 3)]
    assert [len(page or []) for page in pages] == [2, 1, 0]
    listed = [call for page in pages for call in page or []]
    assert {call.call_control_id for call in listed} == calls
    assert all(call.call_leg_id and call.call_duration >= 0 for call in listed)


def test_the_official_client_reads_the_webhooks_of_a_call(setup: Setup) -> None:
    call = answered(setup, CALLER)
    leg = setup.simulator.world.legs[call].call_leg_id
    events = setup.client.call_events.list(filter={"leg_id": leg, "type": "webhook"})
    assert [event.name for event in events] == ["call.initiated", "call.answered"]
    assert {event.call_leg_id for event in events} == {leg}


def test_the_official_client_can_run_a_conversation_of_two(setup: Setup) -> None:
    actions = setup.client.calls.actions
    host, friend = answered(setup, CALLER), answered(setup, FRIEND)

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
    added = actions.add_ai_assistant_messages(
        host, messages=[{"role": "system", "content": "Ada is here"}]
    )
    assert added.data is not None
    assert added.data.result == "ok"

    status = setup.client.calls.retrieve_status(friend)
    assert status.data is not None
    assert status.data.is_alive
    live = setup.client.connections.list_active_calls(setup.simulator.settings.connection_id)
    assert {call.call_control_id for call in live} == {host, friend}
    rows = setup.client.ai.conversations.list(metadata_call_control_id=f"eq.{host}")
    assert [row.id for row in rows.data] == [conversation]

    actions.stop_ai_assistant(host)
    setup.client.ai.conversations.delete(conversation)
    with pytest.raises(telnyx.NotFoundError):
        setup.client.ai.conversations.retrieve(conversation)
    actions.hangup(host)
    actions.hangup(friend)
    with pytest.raises(telnyx.UnprocessableEntityError, match="90018"):
        actions.hangup(friend)

    assert setup.simulator.violations == []


def test_the_official_client_can_answer_a_caller(setup: Setup) -> None:
    ring = {"from": CALLER, "to": US}
    leg = httpx.post(
        f"{setup.url}/admin/ring_in",
        json=ring,
        headers=AUTH,
        timeout=PATIENCE_SECS,
        trust_env=False,
    ).json()

    answer = setup.client.calls.actions.answer(leg["call_control_id"])

    assert answer.data is not None
    assert answer.data.result == "ok"
    assert setup.simulator.legs[0].state == "answered"


def test_refusals_raise_the_exceptions_of_the_official_client(setup: Setup) -> None:
    stranger = telnyx.Telnyx(api_key="wrong", base_url=f"{setup.url}/v2", max_retries=0)
    with stranger, pytest.raises(telnyx.AuthenticationError, match="10009"):
        stranger.calls.retrieve_status("v3:abcdefgh")
    with pytest.raises(telnyx.NotFoundError, match="10005"):
        setup.client.calls.retrieve_status("v3:abcdefgh")
    with pytest.raises(telnyx.UnprocessableEntityError, match="10016"):
        setup.client.calls.dial(connection_id="1", from_=US, to="nobody")
    setup.simulator.faults.add(Fault("refuse", status=429))
    with pytest.raises(telnyx.RateLimitError, match="10011"):
        setup.client.calls.retrieve_status("v3:abcdefgh")


@pytest.mark.parametrize("kind", ["drop", "lose_reply"])
def test_faults_of_the_connection_reach_the_official_client(setup: Setup, kind: Any) -> None:
    setup.simulator.faults.add(Fault(kind, "dial", secs=0.05))

    with pytest.raises(telnyx.APIConnectionError):
        answered(setup, CALLER)

    assert len(setup.simulator.legs) == (1 if kind == "lose_reply" else 0)


def test_the_official_library_accepts_the_signature_of_webhooks(setup: Setup) -> None:
    answered(setup, CALLER)
    key = setup.simulator.public_key

    for _ in range(2):
        body, headers = setup.hook()
        verify_webhook_signature(body, headers, key)
        with pytest.raises(WebhookVerificationError):
            verify_webhook_signature(body.replace(b"call.", b"cull."), headers, key)
        old = {**headers, "telnyx-timestamp": str(int(time.time()) - 301)}
        with pytest.raises(WebhookVerificationError):
            verify_webhook_signature(body, old, key)


def test_the_official_client_can_read_webhooks(setup: Setup) -> None:
    client = telnyx.Telnyx(api_key=KEY, public_key=setup.simulator.public_key)
    answered(setup, CALLER)

    events = {}
    for _ in range(2):
        body, headers = setup.hook()
        event: Any = client.webhooks.unwrap(body.decode(), headers=headers)
        events[event.data.event_type] = event
    client.close()

    assert set(events) == {"call.initiated", "call.answered"}
    assert events["call.answered"].data.payload.to == CALLER


def test_the_client_reads_call_events_and_webhook_deliveries(setup: Setup) -> None:
    dialed = setup.client.calls.dial(
        connection_id=setup.simulator.settings.connection_id, to=FRIEND, from_=US, command_id="c-1"
    )
    setup.hook()
    assert dialed.data is not None

    (event,) = setup.client.call_events.list(filter={"leg_id": dialed.data.call_leg_id})
    failed = list(setup.client.webhook_deliveries.list(filter={"status": {"eq": "failed"}}))

    assert (event.type, event.name, event.metadata["command_id"]) == ("command", "dial", "c-1")
    assert failed == []


def test_the_admin_api_controls_people_faults_and_settings(setup: Setup) -> None:
    with httpx.Client(
        base_url=f"{setup.url}/admin", headers=AUTH, timeout=PATIENCE_SECS, trust_env=False
    ) as admin:
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
        # There is no assistant that could transfer the call.
        transfer = f"/calls/{leg['call_control_id']}/transfer"
        assert admin.post(transfer, json={"to": FRIEND}).status_code == 422
        admin.post(f"/calls/{leg['call_control_id']}/hang_up")
        outside = admin.post("/outside_call", json={"from": CALLER, "to": US}).json()

        # The caller's ring, and the caller's hangup twice.
        for _ in range(3):
            setup.hook()
        state = admin.get("/state").json()
        # The simulator records a delivery after the receiver's answer.
        until = time.monotonic() + PATIENCE_SECS
        while len(deliveries := admin.get("/deliveries").json()) < 3 and time.monotonic() < until:
            time.sleep(0.01)
        ledger = admin.get("/ledger?since=0").json()

    assert [leg["state"] for leg in state["legs"]] == ["ended", "answered"]
    assert outside["call_control_id"] == state["legs"][1]["call_control_id"]
    assert setup.simulator.settings.host_hangup == "continues"
    assert state["violations"] == ledger == []
    assert sorted(delivery["event_type"] for delivery in deliveries) == [
        "call.hangup",
        "call.hangup",
        "call.initiated",
    ]


def test_a_stopped_server_frees_its_port() -> None:
    app, before = Starlette(), set(threading.enumerate())
    first = serve(app)
    port = int(first.url.rsplit(":", 1)[1])
    with pytest.raises(OSError, match="taken by another program"):
        serve(app, port=port)
    first.stop()
    first.stop()

    second = serve(app, port=port)
    second.stop()

    assert not [thread for thread in set(threading.enumerate()) - before if thread.name == "serve"]
