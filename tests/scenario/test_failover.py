"""Telnyx uses the failover URL while the webhook functions fail, and no webhook is lost."""

import base64
import json
from datetime import timedelta

import pytest
from botocore.exceptions import EndpointConnectionError

from local.simulator.settings import Settings
from local.stack.http_api import HttpRequest
from partyline.entrypoints.failover import FIRST_SENT
from tests.scenario.conftest import PARAMETERS
from tests.support.lab import URL, Lab, NewLab, minutes
from tests.support.people import DANA, HOST


def settings_with_failover() -> Settings:
    return Settings(accepts_conversation_keys=True, failover_url=f"{URL}/failover")


def post_to_failover(lab: Lab, body: bytes, headers: dict[str, str]) -> int:
    request = HttpRequest("POST", "/failover", headers=list(headers.items()), body=body)
    return lab.gateway.handle(request).status


def queued_count(lab: Lab) -> int:
    return len(lab.gateway.queues.waiting("FailoverQueue"))


def dead_letter_count(lab: Lab) -> int:
    return len(lab.gateway.queues.waiting("FailoverDeadLetters"))


def refusals(lab: Lab) -> list[object]:
    return [line["reason"] for line in lab.logs.lines() if line["message"] == "signature refused"]


def unreachable_table(*_: object) -> None:
    raise EndpointConnectionError(endpoint_url="https://dynamodb")


def test_a_call_continues_through_the_failover_url(new_lab: NewLab) -> None:
    lab = new_lab(settings=settings_with_failover())
    lab.webhooks_down = True
    conversation_id = lab.start()
    # Before, Telnyx tries the first URL three more times: after 1, 2 and 4 seconds.
    assert lab.run_until(lambda: lab.status(conversation_id) == "active", minutes(1))
    lab.invite(conversation_id, DANA, name="Dana")
    assert lab.run_until(lambda: lab.people_joined() == ["Dana"], minutes(1))
    lab.hang_up(HOST)
    assert lab.run_until(lambda: lab.status(conversation_id) == "ended", minutes(1))
    assert lab.conversation(conversation_id)["insights"]
    assert lab.people_dialled() == ["host", "Dana"]
    assert (queued_count(lab), dead_letter_count(lab)) == (0, 0)
    lab.assert_clean()
    lab.assert_no_leg_up()


def test_an_inbound_call_is_answered_while_the_webhook_functions_are_down(new_lab: NewLab) -> None:
    lab = new_lab(settings=settings_with_failover())
    lab.webhooks_down = True
    lab.ring_in()
    assert lab.run_until(lambda: bool(lab.conversations()), minutes(1))
    [answered] = lab.commands("answer")
    # Without an API request, the base URL comes from the host of the failover URL.
    assert answered["webhook_url"] == f"{URL}/webhooks"


def test_a_webhook_that_arrives_at_both_urls_counts_once(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.hold()
    conversation_id = lab.start()
    lab.run(3)  # a poll would find the answer after 5 s
    webhooks = lab.release()
    assert set(lab.deliver(webhooks)) == {200}
    lab.run(5)
    before = lab.timeline(conversation_id)
    for webhook in webhooks:
        assert post_to_failover(lab, webhook.body, dict(webhook.headers)) == 200
    lab.run(5)
    assert queued_count(lab) == 0
    assert lab.timeline(conversation_id) == before


def test_json_that_begins_with_white_space_is_not_read_as_base64(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.hold()
    conversation_id = lab.start()
    lab.run(3)  # a poll would find the answer after 5 s
    [webhook] = lab.release(lambda event_type: event_type == "call.answered")
    body = b"\n " + webhook.body
    headers = {**dict(webhook.headers), **lab.telnyx.deliverer.signature_headers(body)}
    assert post_to_failover(lab, body, headers) == 200
    lab.run(1.5)
    assert refusals(lab) == []
    assert "leg.answered" in lab.event_types(conversation_id)


@pytest.mark.parametrize("first_sent_at", ["nonsense", "-1", "\u0661", "9" * 400, "1.5"])
def test_a_time_of_receipt_that_is_no_number_is_ignored(
    new_lab: NewLab, first_sent_at: str
) -> None:
    lab = new_lab()
    lab.hold()
    lab.start()
    lab.run(5)
    [webhook] = lab.release(lambda event_type: event_type == "call.answered")
    queues = lab.gateway.queues
    attributes = {**dict(webhook.headers), FIRST_SENT: first_sent_at}
    queues.send(queues.arn("FailoverQueue"), webhook.body.decode(), attributes)
    lab.run(5)
    assert (queued_count(lab), dead_letter_count(lab), refusals(lab)) == (0, 0, [])


def test_a_time_of_receipt_in_a_message_of_api_gateway_is_not_believed(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.hold()
    lab.start()
    lab.run(5)
    [webhook] = lab.release(lambda event_type: event_type == "call.answered")
    first = str(int(lab.clock.now().timestamp() * 1000))
    lab.run(minutes(60))
    queues = lab.gateway.queues
    attributes = {**dict(webhook.headers), FIRST_SENT: first}
    sender = f"{queues.routes[0].role_id}:session"
    queues.send(queues.arn("FailoverQueue"), webhook.body.decode(), attributes, sender=sender)
    lab.run(5)
    assert refusals(lab) == ["stale"]


def test_a_signature_is_checked_against_the_time_when_the_message_arrived(new_lab: NewLab) -> None:
    """The function handles the message ten minutes after the message arrived."""
    lab = new_lab()
    lab.hold()
    conversation_id = lab.start()
    lab.run(3)  # a poll would find the answer after 5 s
    [webhook] = lab.release(lambda event_type: event_type == "call.answered")
    queues = lab.gateway.queues
    assert post_to_failover(lab, webhook.body, dict(webhook.headers)) == 200
    [message] = queues.waiting("FailoverQueue")
    message.visible_at = lab.clock.now() + timedelta(minutes=10)
    lab.run(minutes(10) + 5)
    assert queued_count(lab) == 0
    assert refusals(lab) == []
    assert "leg.answered" in lab.event_types(conversation_id)


def test_a_replay_through_the_failover_url_is_refused(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.hold()
    lab.start()
    lab.run(5)
    [webhook] = lab.release(lambda event_type: event_type == "call.answered")
    lab.run(minutes(10))
    assert post_to_failover(lab, webhook.body, dict(webhook.headers)) == 200
    lab.run(5)
    assert refusals(lab) == ["stale"]
    assert (queued_count(lab), dead_letter_count(lab)) == (0, 0), (
        "a stale message is dropped, because no retry could succeed"
    )


def test_a_request_without_a_signature_is_not_queued(new_lab: NewLab) -> None:
    lab = new_lab()
    assert post_to_failover(lab, b"{}", {"host": "partyline.example"}) == 400
    assert queued_count(lab) == 0


def test_a_message_with_a_wrong_signature_is_dropped(new_lab: NewLab) -> None:
    lab = new_lab()
    headers = {
        "host": "partyline.example",
        "telnyx-timestamp": str(int(lab.clock.now().timestamp())),
        "telnyx-signature-ed25519": base64.b64encode(bytes(64)).decode(),
    }
    ours = json.dumps({"data": {"connection_id": PARAMETERS["TelnyxConnectionId"]}}).encode()
    assert post_to_failover(lab, ours, headers) == 200
    assert post_to_failover(lab, b'{"data": {}}', headers) == 200
    assert post_to_failover(lab, b"not even JSON", headers) == 200
    lab.run(5)
    assert refusals(lab) == ["mismatch"], "a stranger's message has no line"
    assert (queued_count(lab), dead_letter_count(lab)) == (0, 0)


def test_a_base64_body_is_verified_by_its_decoded_bytes(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.hold()
    conversation_id = lab.start()
    lab.run(3)  # a poll would find the answer after 5 s
    [webhook] = lab.release(lambda event_type: event_type == "call.answered")
    encoded = base64.b64encode(webhook.body)
    assert post_to_failover(lab, encoded, dict(webhook.headers)) == 200
    lab.run(1.5)
    assert refusals(lab) == []
    assert "leg.answered" in lab.event_types(conversation_id)


def test_only_the_message_that_failed_is_delivered_again(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.hold()
    conversation_id = lab.start()
    lab.run(3)  # a poll would find the answer after 5 s
    webhooks = lab.release(lambda event_type: event_type in ("call.initiated", "call.answered"))
    assert len(webhooks) == 2
    lab.fail("ai_assistant_start", "refuse", times=2, status=503)
    for webhook in webhooks:
        post_to_failover(lab, webhook.body, dict(webhook.headers))
    lab.run(2)
    [left] = lab.gateway.queues.waiting("FailoverQueue")
    assert json.loads(left.body)["data"]["event_type"] == "call.answered"
    lab.run(minutes(2))
    assert queued_count(lab) == 0
    assert lab.status(conversation_id) == "active"
    assert len(lab.commands("ai_assistant_start")) == 1


def test_after_five_failures_a_message_is_a_dead_letter_that_can_be_redriven(
    new_lab: NewLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = new_lab()
    lab.hold()
    conversation_id = lab.start()
    lab.run(3)  # a poll would find the answer after 5 s
    [webhook] = lab.release(lambda event_type: event_type == "call.answered")
    came_at = lab.clock.now()
    post_to_failover(lab, webhook.body, dict(webhook.headers))
    with monkeypatch.context() as broken:
        broken.setattr(lab.app.store, "load", unreachable_table)
        lab.run(minutes(4))
        assert (queued_count(lab), dead_letter_count(lab)) == (1, 0)
        lab.run(minutes(2))
        assert (queued_count(lab), dead_letter_count(lab)) == (0, 1)
    queues = lab.gateway.queues
    [letter] = queues.take("FailoverDeadLetters")
    assert letter.sent_at == came_at
    # The message that `partyline redrive failover` sends.
    first = {FIRST_SENT: str(int(letter.sent_at.timestamp() * 1000))}
    queues.send(queues.arn("FailoverQueue"), letter.body, {**letter.attributes, **first})
    lab.run(5)
    assert (queued_count(lab), dead_letter_count(lab), refusals(lab)) == (0, 0, [])
    assert "leg.answered" in lab.event_types(conversation_id)
