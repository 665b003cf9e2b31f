"""How webhooks are delivered: where to, signed, again, late, twice, or not at all."""

import base64
import json
from itertools import pairwise

import pytest
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from local.simulator.delivery import DeliverySettings
from local.simulator.model import Person
from local.simulator.settings import Settings
from tests.support.simulator_story import FRIEND, HOOK, US, Received, Story

OTHER = "https://other.example/hook"
FAILOVER = "https://failover.example/hook"


def times(story: Story) -> list[float]:
    attempts = story.telnyx.deliverer.attempts
    return [(one.at - attempts[0].at).total_seconds() for one in attempts]


def attempts(story: Story) -> list[int]:
    return [hook.envelope["meta"]["attempt"] for hook in story.received]


def verify(story: Story, hook: Received, body: bytes) -> None:
    key = VerifyKey(base64.b64decode(story.telnyx.public_key))
    signed = hook.headers["telnyx-timestamp"].encode() + b"|" + body
    key.verify(signed, base64.b64decode(hook.headers["telnyx-signature-ed25519"]))


def test_a_webhook_is_signed_and_says_where_it_went(story: Story) -> None:
    story.dial()
    story.clock.advance(0)

    (hook,) = story.received
    verify(story, hook, hook.raw)
    with pytest.raises(BadSignatureError):
        verify(story, hook, hook.raw + b" ")
    assert hook.headers["user-agent"] == "telnyx-webhooks"
    assert hook.envelope["meta"] == {"attempt": 1, "delivered_to": HOOK}


def test_the_published_test_key_is_the_default(story: Story) -> None:
    assert story.telnyx.public_key == "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="


def test_a_legs_own_urls_come_before_the_applications(story: Story) -> None:
    story.dial(webhook_url=OTHER, webhook_urls={"call.answered": FAILOVER})
    story.clock.advance(2)

    assert [hook.url for hook in story.received] == [OTHER, FAILOVER]


def test_the_answer_decides_where_an_inbound_leg_reports(story: Story) -> None:
    leg = story.telnyx.ring_in(FRIEND, US)
    story.command(leg, "answer", webhook_url=OTHER, webhook_urls={"call.hangup": FAILOVER})
    story.command(leg, "hangup")
    story.clock.advance(1)

    assert [hook.url for hook in story.received] == [HOOK, OTHER, FAILOVER]


@pytest.mark.parametrize("answer", [408, 429, 500, 503, None])
def test_what_fails_is_sent_again_with_the_same_id_and_a_new_signature(
    story: Story, answer: int | None
) -> None:
    story.answers = [answer, answer]
    story.telnyx.set_person(Person(FRIEND, behaviour="manual"))
    story.dial(webhook_retries_policies={"call.initiated": {"retries_ms": [1500, 2500]}})
    story.clock.advance(4)

    again = story.hooks("call.initiated")
    assert attempts(story) == [1, 2, 3]
    assert times(story) == [0, 1.5, 4]
    assert len({hook.envelope["data"]["id"] for hook in again}) == 1
    assert len({hook.headers["telnyx-timestamp"] for hook in again}) == 3
    for hook in again:
        verify(story, hook, hook.raw)


@pytest.mark.parametrize("answer", [200, 204, 301, 400, 401, 404])
def test_other_answers_settle_it(story: Story, answer: int) -> None:
    story.answers = [answer]
    story.telnyx.set_webhook_url(HOOK, FAILOVER)
    story.telnyx.ring_in(FRIEND, US)
    story.clock.advance(60)

    assert attempts(story) == [1]


def test_the_default_schedule_and_then_the_failover(story: Story) -> None:
    story.settings.retries_ms = (1000, 2000)
    story.telnyx.set_webhook_url(HOOK, FAILOVER)
    story.answers = [500, 500, 500, 500]
    story.telnyx.ring_in(FRIEND, US)
    story.clock.advance(60)

    urls = [(hook.url, hook.envelope["meta"]["attempt"]) for hook in story.received]
    assert urls == [(HOOK, 1), (HOOK, 2), (HOOK, 3), (FAILOVER, 4), (FAILOVER, 5)]
    assert times(story) == [0, 1, 3, 3, 4]


def test_a_webhook_that_nobody_takes_is_given_up(story: Story) -> None:
    story.answers = [None] * 10
    story.telnyx.ring_in(FRIEND, US)
    story.clock.advance(60)

    assert attempts(story) == [1, 2, 3, 4]
    assert [one.status for one in story.telnyx.deliverer.attempts] == [None] * 4


def test_a_doubled_webhook_is_the_same_event(story: Story) -> None:
    story.telnyx.deliverer.knobs["call.initiated"] = DeliverySettings(duplicates=2)
    story.telnyx.ring_in(FRIEND, US)
    story.clock.advance(1)

    assert attempts(story) == [1, 1, 1]
    assert len({hook.envelope["data"]["id"] for hook in story.received}) == 1


def test_a_dropped_webhook_never_comes(story: Story) -> None:
    story.telnyx.deliverer.knobs["call.answered"] = DeliverySettings(drop=1.0)
    story.answered()
    story.clock.advance(1)

    assert story.types == ["call.initiated"]
    assert [event.event_type for event in story.telnyx.deliverer.dropped] == ["call.answered"]


def test_an_event_is_overtaken_by_the_next_of_its_call(story: Story) -> None:
    story.telnyx.deliverer.knobs["call.initiated"] = DeliverySettings(reorder=True)
    story.answered()
    story.clock.advance(1)

    assert story.types == ["call.answered", "call.initiated"]


def test_a_held_back_event_comes_in_the_end_when_nothing_overtakes_it(story: Story) -> None:
    story.telnyx.deliverer.knobs["*"] = DeliverySettings(reorder=True)
    story.telnyx.ring_in(FRIEND, US)

    story.clock.advance(4)
    assert story.types == []
    story.clock.advance(2)
    assert story.types == ["call.initiated"]


def test_delays_stay_in_their_range_and_shuffle_events(story: Story) -> None:
    story.telnyx.deliverer.knobs["*"] = DeliverySettings(delay_secs=(1.0, 3.0))
    for _ in range(20):
        story.telnyx.ring_in(FRIEND, US)
    story.clock.advance(10)

    arrived = [one.at for one in story.telnyx.deliverer.attempts]
    starts = [hook.payload["start_time"] for hook in story.received]
    order = [hook.payload["call_control_id"] for hook in story.received]
    assert len(arrived) == len(starts) == 20
    assert (arrived[-1] - arrived[0]).total_seconds() <= 2
    assert all(early <= late for early, late in pairwise(arrived))
    assert order != [leg.call_control_id for leg in story.telnyx.legs]


def test_an_application_of_the_old_version_gets_flat_bodies(story: Story) -> None:
    body = {"application_name": "Old", "webhook_event_url": OTHER}
    _, answer = story.request("POST", "/call_control_applications", body)
    story.telnyx.ring_in(FRIEND, US, answer["data"]["id"])
    story.clock.advance(1)

    flat = json.loads(story.received[0].raw)
    assert (flat["event_type"], "data" in flat) == ("call_initiated", False)


def test_an_application_without_a_url_cannot_dial() -> None:
    story = Story(Settings(webhook_url=None))
    body = {"connection_id": story.settings.connection_id, "to": FRIEND, "from": US}

    assert story.request("POST", "/calls", body)[0] == 422
