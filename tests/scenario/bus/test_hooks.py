"""Hooks from the API to a receiver: all events of a call, failures, a replay, a dead letter."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from standardwebhooks import Webhook

from partyline.domain.content_mask import ContentMask
from tests.scenario.bus.conftest import BusStack, NewStack
from tests.support.people import HOST
from tests.support.planted import left_in
from tests.support.planted_content import VALUES, deliver, insights, messages, texts_in


@dataclass
class Receiver:
    """A web server that takes events; `status` is its next answer."""

    status: int = 204
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    def details(self) -> list[Any]:
        return [json.loads(body)["data"] for _, body in self.requests]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    taken = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            taken.requests.append((dict(self.headers), body))
            self.send_response(taken.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    taken.url = f"http://127.0.0.1:{server.server_port}/partyline"
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    yield taken
    server.shutdown()
    server.server_close()


@pytest.fixture
def stack(new_stack: NewStack, monkeypatch: pytest.MonkeyPatch) -> BusStack:
    monkeypatch.setenv("HOOKS_ALLOW_LOOPBACK", "on")
    return new_stack()


def put(stack: BusStack, receiver: Receiver, **fields: Any) -> str:
    answer = stack.lab.ask("PUT", "/hooks/crm", {"url": receiver.url, **fields})
    assert answer.status == 200, answer.json
    return str(answer.json["secret"])


def call(stack: BusStack) -> str:
    conversation_id = stack.lab.start()
    stack.lab.run(30)
    stack.lab.hang_up(HOST)
    stack.lab.run(120)
    return conversation_id


def deliveries(stack: BusStack) -> list[Any]:
    answer = stack.lab.ask("GET", "/hooks/crm/deliveries?limit=50")
    assert answer.status == 200
    listed: list[Any] = answer.json["deliveries"]
    return listed


def test_a_receiver_gets_every_event_of_a_call_signed(stack: BusStack, receiver: Receiver) -> None:
    secret = put(stack, receiver)
    conversation_id = call(stack)
    sent = [event["detail"] for event in stack.events_of(conversation_id)]
    details = [d for d in receiver.details() if d["conversation_id"] == conversation_id]
    assert sorted(details, key=lambda detail: detail["seq"]) == sent
    assert len(sent) > 5
    for headers, body in receiver.requests:
        assert HOST[1:].encode() not in body
        # The library compares the timestamp with the machine's clock; the stack's time is virtual.
        at = int(headers["webhook-timestamp"])
        assert headers["webhook-signature"] == _signature(secret, headers["webhook-id"], at, body)
    assert {delivery["status"] for delivery in deliveries(stack)} == {"delivered"}


@pytest.mark.parametrize("is_masked", [True, False])
def test_no_planted_value_of_what_people_say_reaches_a_receiver(
    stack: BusStack, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, is_masked: bool
) -> None:
    """Without the mask the same values come, so the search would find them."""
    if not is_masked:
        monkeypatch.setattr(ContentMask, "text", lambda _, text: text)
        monkeypatch.setattr(ContentMask, "json", lambda _, value: value)
    put(stack, receiver)
    lab = stack.lab
    lab.start(live_transcript=True)
    lab.run(5)
    turn = "call.conversation.message_history_updated"
    deliver(lab, turn, HOST, message_history=messages(VALUES()[:1000]))
    results = insights(VALUES()[1000:], "w")
    deliver(lab, "call.conversation_insights.generated", HOST, results=results)
    lab.run(30)
    lab.hang_up(HOST)
    lab.run(600)
    details = receiver.details()
    types = {detail["type"] for detail in details}
    assert types >= {"transcript.updated", "conversation.insights_generated", "conversation.report"}
    left = left_in(texts_in(details), VALUES())
    assert left == [] if is_masked else len(left) > 900


def _signature(secret: str, event_id: str, at: int, body: bytes) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return Webhook(secret).sign(event_id, moment, body.decode())


def test_a_receiver_that_fails_for_minutes_gets_all_events_later(
    stack: BusStack, receiver: Receiver
) -> None:
    put(stack, receiver, event_types=["conversation.started", "conversation.ended"])
    receiver.status = 503
    call(stack)
    assert {delivery["status"] for delivery in deliveries(stack)} == {"retrying"}
    receiver.status = 204
    receiver.requests.clear()
    stack.lab.run(600)
    types = sorted(detail["type"] for detail in receiver.details())
    assert types == ["conversation.ended", "conversation.started"]
    assert {delivery["status"] for delivery in deliveries(stack)} == {"delivered"}


def test_a_receiver_that_is_gone_is_switched_off_and_its_events_can_be_replayed(
    stack: BusStack, receiver: Receiver
) -> None:
    put(stack, receiver, event_types=["conversation.ended"])
    receiver.status = 410
    conversation_id = call(stack)
    hook = stack.lab.ask("GET", "/hooks/crm").json
    assert (hook["enabled"], hook["disabled_reason"]) == (False, "gone")
    [disabled] = [e["detail"] for e in stack.received if e["detail-type"] == "hook.disabled"]
    assert disabled["data"] == {"hook_id": "crm", "reason": "gone"}
    assert len(stack.background.queues.waiting("HookDeadLetters")) == 1
    [delivery] = deliveries(stack)
    assert (delivery["status"], delivery["http_status"]) == ("failed", 410)

    receiver.status = 200
    put(stack, receiver, event_types=["conversation.ended"])
    answer = stack.lab.ask("POST", "/hooks/crm/replay", {"event_id": delivery["event_id"]})
    assert answer.json["replayed"] == 1
    receiver.requests.clear()
    stack.lab.run(60)
    assert [detail["conversation_id"] for detail in receiver.details()] == [conversation_id]
    assert receiver.requests[0][0]["webhook-id"] == delivery["event_id"]
    assert [d["status"] for d in deliveries(stack)] == ["delivered"]
