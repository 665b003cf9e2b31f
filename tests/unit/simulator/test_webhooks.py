"""Delivery of webhooks: URLs, signatures, retries, delays, duplicates and losses."""

import base64
import json
from itertools import pairwise

import pytest
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from local.simulator.delivery import DeliverySettings
from local.simulator.model import Person
from local.simulator.settings import Settings
from tests.support.simulator_harness import FRIEND, HOOK, US, Received, SimulatorHarness

OTHER = "https://other.example/hook"
FAILOVER = "https://failover.example/hook"


def times(harness: SimulatorHarness) -> list[float]:
    attempts = harness.telnyx.deliverer.attempts
    return [(attempt.at - attempts[0].at).total_seconds() for attempt in attempts]


def attempts(harness: SimulatorHarness) -> list[int]:
    return [hook.envelope["meta"]["attempt"] for hook in harness.received]


def verify(harness: SimulatorHarness, hook: Received, body: bytes) -> None:
    key = VerifyKey(base64.b64decode(harness.telnyx.public_key))
    signed = hook.headers["telnyx-timestamp"].encode() + b"|" + body
    key.verify(signed, base64.b64decode(hook.headers["telnyx-signature-ed25519"]))


def test_a_webhook_is_signed_and_has_its_url(harness: SimulatorHarness) -> None:
    harness.dial()
    harness.clock.advance(0)

    (hook,) = harness.received
    verify(harness, hook, hook.raw)
    with pytest.raises(BadSignatureError):
        verify(harness, hook, hook.raw + b" ")
    assert hook.headers["user-agent"] == "telnyx-webhooks"
    assert hook.envelope["meta"] == {"attempt": 1, "delivered_to": HOOK}


def test_the_published_test_key_is_the_default(harness: SimulatorHarness) -> None:
    assert harness.telnyx.public_key == "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="


def test_the_urls_of_a_leg_replace_the_url_of_the_application(harness: SimulatorHarness) -> None:
    harness.dial(webhook_url=OTHER, webhook_urls={"call.answered": [FAILOVER]})
    harness.clock.advance(2)

    assert [hook.url for hook in harness.received] == [OTHER, FAILOVER]


def test_the_answer_command_sets_the_urls_of_an_inbound_leg(harness: SimulatorHarness) -> None:
    leg = harness.telnyx.ring_in(FRIEND, US)
    harness.command(leg, "answer", webhook_url=OTHER, webhook_urls={"call.hangup": [FAILOVER]})
    harness.command(leg, "hangup")
    harness.clock.advance(1)

    assert [hook.url for hook in harness.received] == [HOOK, OTHER, FAILOVER]


@pytest.mark.parametrize("answer", [408, 429, 500, 503, None])
def test_a_failed_delivery_is_retried_with_the_same_id_and_a_new_signature(
    harness: SimulatorHarness, answer: int | None
) -> None:
    harness.answers = [answer, answer]
    harness.telnyx.set_person(Person(FRIEND, behaviour="manual"))
    harness.dial(webhook_retries_policies={"call.initiated": {"retries_ms": [1500, 2500]}})
    harness.clock.advance(4)

    deliveries = harness.hooks("call.initiated")
    assert attempts(harness) == [1, 2, 3]
    assert times(harness) == [0, 1.5, 4]
    assert len({hook.envelope["data"]["id"] for hook in deliveries}) == 1
    assert len({hook.headers["telnyx-timestamp"] for hook in deliveries}) == 3
    for hook in deliveries:
        verify(harness, hook, hook.raw)


@pytest.mark.parametrize("answer", [200, 204, 301, 400, 401, 404])
def test_other_answers_are_not_retried(harness: SimulatorHarness, answer: int) -> None:
    harness.answers = [answer]
    harness.telnyx.set_webhook_url(HOOK, FAILOVER)
    harness.telnyx.ring_in(FRIEND, US)
    harness.clock.advance(60)

    assert attempts(harness) == [1]


def test_the_failover_url_comes_after_the_default_retries(harness: SimulatorHarness) -> None:
    harness.settings.retries_ms = (1000, 2000)
    harness.telnyx.set_webhook_url(HOOK, FAILOVER)
    harness.answers = [500, 500, 500, 500]
    harness.telnyx.ring_in(FRIEND, US)
    harness.clock.advance(60)

    urls = [(hook.url, hook.envelope["meta"]["attempt"]) for hook in harness.received]
    assert urls == [(HOOK, 1), (HOOK, 2), (HOOK, 3), (FAILOVER, 4), (FAILOVER, 5)]
    assert times(harness) == [0, 1, 3, 3, 4]


def test_an_unanswered_webhook_is_dropped_after_the_retries(harness: SimulatorHarness) -> None:
    harness.answers = [None] * 10
    harness.telnyx.ring_in(FRIEND, US)
    harness.clock.advance(60)

    assert attempts(harness) == [1, 2, 3, 4]
    assert [attempt.status for attempt in harness.telnyx.deliverer.attempts] == [None] * 4


def test_a_duplicate_webhook_has_the_same_event_id(harness: SimulatorHarness) -> None:
    harness.telnyx.deliverer.settings["call.initiated"] = DeliverySettings(duplicates=2)
    harness.telnyx.ring_in(FRIEND, US)
    harness.clock.advance(1)

    assert attempts(harness) == [1, 1, 1]
    assert len({hook.envelope["data"]["id"] for hook in harness.received}) == 1


def test_a_fault_of_webhooks_ends_after_its_times(harness: SimulatorHarness) -> None:
    settings = harness.telnyx.deliverer.settings
    settings["call.initiated"] = DeliverySettings(drop=1.0, times=1)
    settings["*"] = DeliverySettings(duplicates=1, times=1)
    for _ in range(3):
        harness.telnyx.ring_in(FRIEND, US)
    harness.clock.advance(1)

    # The first webhook is lost, the second is delivered twice, the third is as usual.
    assert len(harness.telnyx.deliverer.dropped) == 1
    assert attempts(harness) == [1, 1, 1]
    assert settings["call.initiated"].times == settings["*"].times == 0


def test_a_dropped_webhook_is_not_delivered(harness: SimulatorHarness) -> None:
    harness.telnyx.deliverer.settings["call.answered"] = DeliverySettings(drop=1.0)
    harness.answered()
    harness.clock.advance(1)

    assert harness.types == ["call.initiated"]
    assert [event.event_type for event in harness.telnyx.deliverer.dropped] == ["call.answered"]


def test_a_reordered_event_comes_after_the_next_event_of_its_call(
    harness: SimulatorHarness,
) -> None:
    harness.telnyx.deliverer.settings["call.initiated"] = DeliverySettings(reorder=True)
    harness.answered()
    harness.clock.advance(1)

    assert harness.types == ["call.answered", "call.initiated"]


def test_a_reordered_event_without_a_next_event_is_delivered_in_the_end(
    harness: SimulatorHarness,
) -> None:
    harness.telnyx.deliverer.settings["*"] = DeliverySettings(reorder=True)
    harness.telnyx.ring_in(FRIEND, US)

    harness.clock.advance(4)
    assert harness.types == []
    harness.clock.advance(2)
    assert harness.types == ["call.initiated"]


def test_random_delays_stay_in_range_and_change_the_order(harness: SimulatorHarness) -> None:
    harness.telnyx.deliverer.settings["*"] = DeliverySettings(delay_secs=(1.0, 3.0))
    for _ in range(20):
        harness.telnyx.ring_in(FRIEND, US)
    harness.clock.advance(10)

    arrived = [attempt.at for attempt in harness.telnyx.deliverer.attempts]
    starts = [hook.payload["start_time"] for hook in harness.received]
    order = [hook.payload["call_control_id"] for hook in harness.received]
    assert len(arrived) == len(starts) == 20
    assert (arrived[-1] - arrived[0]).total_seconds() <= 2
    assert all(early <= late for early, late in pairwise(arrived))
    assert order != [leg.call_control_id for leg in harness.telnyx.legs]


def test_an_application_with_webhook_version_1_gets_flat_bodies(harness: SimulatorHarness) -> None:
    body = {"application_name": "Old", "webhook_event_url": OTHER}
    _, answer = harness.request("POST", "/call_control_applications", body)
    harness.telnyx.ring_in(FRIEND, US, answer["data"]["id"])
    harness.clock.advance(1)

    flat = json.loads(harness.received[0].raw)
    assert (flat["event_type"], "data" in flat) == ("call_initiated", False)


def test_an_application_without_a_url_cannot_dial() -> None:
    harness = SimulatorHarness(Settings(webhook_url=None))
    body = {"connection_id": harness.settings.connection_id, "to": FRIEND, "from": US}

    assert harness.request("POST", "/calls", body)[0] == 422
