"""The webhook functions can't answer: Telnyx goes to the other door, and nothing is lost."""

import base64
import json
from datetime import timedelta

import pytest
from botocore.exceptions import EndpointConnectionError

from local.http_api import HttpRequest
from local.simulator.settings import Settings
from partyline.entrypoints.failover import FIRST_SENT
from tests.scenario.people import DANA, HOST
from tests.scenario.stage import URL, Stage, Staged, minutes


def with_a_second_door() -> Settings:
    return Settings(accepts_conversation_keys=True, failover_url=f"{URL}/failover")


def through_the_door(at: Stage, body: bytes, headers: dict[str, str]) -> int:
    request = HttpRequest("POST", "/failover", headers=list(headers.items()), body=body)
    return at.gateway.handle(request).status


def waiting(at: Stage) -> int:
    return len(at.gateway.queues.waiting("FailoverQueue"))


def dead(at: Stage) -> int:
    return len(at.gateway.queues.waiting("FailoverDeadLetters"))


def refusals(at: Stage) -> list[object]:
    return [each["reason"] for each in at.logs.lines() if each["message"] == "signature refused"]


def table_is_away(*_: object) -> None:
    raise EndpointConnectionError(endpoint_url="https://dynamodb")


def test_a_call_goes_on_through_the_other_door(stage: Staged) -> None:
    at = stage(settings=with_a_second_door())
    at.webhooks_down = True
    here = at.start()
    # Three more attempts at the first door come before: 1, 2 and 4 seconds apart.
    assert at.until(lambda: at.status(here) == "active", minutes(1))
    at.invite(here, DANA, name="Dana")
    assert at.until(lambda: at.joined() == ["Dana"], minutes(1))
    at.hang_up(HOST)
    assert at.until(lambda: bool(at.conversation(here)["insights"]), minutes(1))
    assert at.status(here) == "ended"
    assert at.dialled() == ["host", "Dana"]
    assert (waiting(at), dead(at)) == (0, 0)
    at.assert_clean()
    at.assert_no_leg_up()


def test_a_call_that_comes_in_while_the_functions_are_down_is_answered(stage: Staged) -> None:
    at = stage(settings=with_a_second_door())
    at.webhooks_down = True
    at.ring_in()
    assert at.until(lambda: bool(at.conversations()), minutes(1))
    [answered] = at.commands("answer")
    # Nobody asked the API, so where it is comes from the door that was used.
    assert answered["webhook_url"] == f"{URL}/webhooks"


def test_a_webhook_that_comes_through_both_doors_counts_once(stage: Staged) -> None:
    at = stage()
    at.hold()
    here = at.start()
    at.run(5)
    webhooks = at.release()
    assert set(at.arrive(webhooks)) == {200}
    at.run(5)
    before = at.timeline(here)
    for webhook in webhooks:
        assert through_the_door(at, webhook.body, dict(webhook.headers)) == 200
    at.run(5)
    assert waiting(at) == 0
    assert at.timeline(here) == before


def test_json_that_begins_with_a_blank_is_no_base64(stage: Staged) -> None:
    at = stage()
    at.hold()
    here = at.start()
    at.run(5)
    [webhook] = at.release(lambda each: each == "call.answered")
    body = b"\n " + webhook.body
    headers = {**dict(webhook.headers), **at.telnyx.deliverer.signed(body)}
    assert through_the_door(at, body, headers) == 200
    at.run(5)
    assert refusals(at) == []
    assert "leg.answered" in at.types(here)


def test_a_signature_is_as_old_as_it_was_when_the_message_came(stage: Staged) -> None:
    """The function was away for ten minutes; the webhook was fresh when it came."""
    at = stage()
    at.hold()
    here = at.start()
    at.run(5)
    [webhook] = at.release(lambda each: each == "call.answered")
    queues = at.gateway.queues
    assert through_the_door(at, webhook.body, dict(webhook.headers)) == 200
    [message] = queues.waiting("FailoverQueue")
    message.visible_at = at.clock.now() + timedelta(minutes=10)
    at.run(minutes(10) + 5)
    assert waiting(at) == 0
    assert refusals(at) == []
    assert "leg.answered" in at.types(here)


def test_a_replay_through_the_other_door_is_refused(stage: Staged) -> None:
    at = stage()
    at.hold()
    at.start()
    at.run(5)
    [webhook] = at.release(lambda each: each == "call.answered")
    at.run(minutes(10))
    assert through_the_door(at, webhook.body, dict(webhook.headers)) == 200
    at.run(5)
    assert refusals(at) == ["stale"]
    assert (waiting(at), dead(at)) == (0, 0), "it would be refused for ever, so it is dropped"


def test_what_nobody_signed_is_not_even_queued(stage: Staged) -> None:
    at = stage()
    assert through_the_door(at, b"{}", {"host": "partyline.example"}) == 400
    assert waiting(at) == 0


def test_what_somebody_else_signed_is_dropped(stage: Staged) -> None:
    at = stage()
    headers = {
        "host": "partyline.example",
        "telnyx-timestamp": str(int(at.clock.now().timestamp())),
        "telnyx-signature-ed25519": base64.b64encode(bytes(64)).decode(),
    }
    assert through_the_door(at, b'{"data": {}}', headers) == 200
    assert through_the_door(at, b"not even JSON", headers) == 200
    at.run(5)
    assert refusals(at) == ["mismatch", "malformed_body"]
    assert (waiting(at), dead(at)) == (0, 0)


def test_bytes_that_came_as_base64_are_the_bytes_that_were_signed(stage: Staged) -> None:
    at = stage()
    at.hold()
    here = at.start()
    at.run(5)
    [webhook] = at.release(lambda each: each == "call.answered")
    encoded = base64.b64encode(webhook.body)
    assert through_the_door(at, encoded, dict(webhook.headers)) == 200
    at.run(5)
    assert refusals(at) == []
    assert "leg.answered" in at.types(here)


def test_one_that_cannot_be_taken_in_yet_comes_again_and_the_others_do_not(stage: Staged) -> None:
    at = stage()
    at.hold()
    here = at.start()
    at.run(5)
    webhooks = at.release(lambda each: each in ("call.initiated", "call.answered"))
    assert len(webhooks) == 2
    at.fail("ai_assistant_start", "refuse", times=2, status=503)
    for webhook in webhooks:
        through_the_door(at, webhook.body, dict(webhook.headers))
    at.run(2)
    [left] = at.gateway.queues.waiting("FailoverQueue")
    assert json.loads(left.body)["data"]["event_type"] == "call.answered"
    at.run(minutes(2))
    assert waiting(at) == 0
    assert at.status(here) == "active"
    assert len(at.commands("ai_assistant_start")) == 1


def test_after_five_times_it_is_a_dead_letter_and_can_be_sent_again(
    stage: Staged, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = stage()
    at.hold()
    here = at.start()
    at.run(5)
    [webhook] = at.release(lambda each: each == "call.answered")
    came_at = at.clock.now()
    through_the_door(at, webhook.body, dict(webhook.headers))
    with monkeypatch.context() as broken:
        broken.setattr(at.wiring.store, "load", table_is_away)
        at.run(minutes(4))
        assert (waiting(at), dead(at)) == (1, 0)
        at.run(minutes(2))
        assert (waiting(at), dead(at)) == (0, 1)
    queues = at.gateway.queues
    [letter] = queues.take("FailoverDeadLetters")
    assert letter.sent_at == came_at
    # What `partyline redrive failover` sends.
    first = {FIRST_SENT: str(int(letter.sent_at.timestamp() * 1000))}
    queues.send(queues.arn("FailoverQueue"), letter.body, {**letter.attributes, **first})
    at.run(5)
    assert (waiting(at), dead(at), refusals(at)) == (0, 0, [])
    assert "leg.answered" in at.types(here)
