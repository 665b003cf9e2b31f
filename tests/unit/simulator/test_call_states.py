"""The state of a call and the list of active calls, by the settings for what Telnyx leaves open."""

from typing import Any

import pytest

from local.simulator.delivery import DeliverySettings
from local.simulator.faults import Fault
from local.simulator.model import Person, SimulatedLeg
from local.simulator.settings import Settings
from tests.support.simulator_harness import FRIEND, HOOK, SimulatorHarness


def with_settings(**settings: Any) -> SimulatorHarness:
    return SimulatorHarness(Settings(webhook_url=HOOK, **settings))


def state_of(harness: SimulatorHarness, leg: SimulatedLeg) -> Any:
    status, answer = harness.request("GET", f"/calls/{leg.call_control_id}")
    assert status == 200
    return answer["data"]


def listed(harness: SimulatorHarness) -> list[str]:
    _, answer = harness.request(
        "GET", f"/connections/{harness.settings.connection_id}/active_calls"
    )
    return [row["call_control_id"] for row in answer["data"]]


@pytest.mark.parametrize(
    ("counts_from", "ringing", "answered", "ended"),
    [("answer", 0, 4, 4), ("start", 1, 6, 6), ("end", 0, 0, 4)],
)
def test_the_duration_of_a_call_counts_from_the_answer_the_start_or_the_end(
    counts_from: Any, ringing: int, answered: int, ended: int
) -> None:
    harness = with_settings(duration_counts_from=counts_from)
    harness.telnyx.set_person(Person(FRIEND, answer_after_secs=2.0))
    leg = harness.dial()
    harness.clock.advance(1)
    assert state_of(harness, leg)["call_duration"] == ringing
    harness.clock.advance(5)
    assert state_of(harness, leg)["call_duration"] == answered
    harness.telnyx.hang_up(leg.call_control_id)
    harness.clock.advance(60)
    assert state_of(harness, leg)["call_duration"] == ended


@pytest.mark.parametrize("alive", [True, False])
def test_a_call_that_rings_is_alive_or_not_and_has_no_end(alive: bool) -> None:
    harness = with_settings(ringing_is_alive=alive)
    leg = harness.dial()
    assert state_of(harness, leg)["is_alive"] is alive
    assert "end_time" not in state_of(harness, leg)
    harness.clock.advance(1)
    assert leg.state == "answered"
    assert state_of(harness, leg)["is_alive"] is True


def test_the_list_of_active_calls_may_be_late_with_begins_and_ends() -> None:
    harness = with_settings(active_listed_after_secs=5.0, active_kept_after_secs=3.0)
    leg = harness.answered()
    assert listed(harness) == []
    harness.clock.advance(4)
    assert listed(harness) == [leg.call_control_id]
    harness.telnyx.hang_up(leg.call_control_id)
    harness.clock.advance(2.9)
    assert listed(harness) == [leg.call_control_id]
    harness.clock.advance(0.1)
    assert listed(harness) == []


def test_a_garbled_answer_is_a_success_that_is_not_json() -> None:
    harness = SimulatorHarness()
    harness.telnyx.faults.add(Fault("garble", "active_calls"))
    path = f"/connections/{harness.settings.connection_id}/active_calls"
    reply = harness.reply("GET", path)
    assert (reply.status, reply.wire, reply.body) == (200, "answered", b"<html>")
    assert harness.request("GET", path)[0] == 200


def test_the_events_of_a_call_have_the_webhooks_that_were_lost_on_the_way() -> None:
    harness = with_settings(events_listed_after_secs=2.0)
    harness.telnyx.deliverer.settings["call.answered"] = DeliverySettings(drop=1.0)
    leg, other = harness.answered(), harness.dial("+13125550199")

    def names() -> list[str]:
        path = f"/call_events?filter[type]=webhook&filter[leg_id]={leg.call_leg_id}"
        rows = harness.request("GET", path)[1]["data"]
        assert {row["call_leg_id"] for row in rows} <= {leg.call_leg_id}
        assert {row["type"] for row in rows} <= {"webhook"}
        return [row["name"] for row in rows]

    assert "call.answered" not in harness.types
    assert names() == []
    harness.clock.advance(2)
    assert names() == ["call.initiated", "call.answered"]
    assert other.call_leg_id != leg.call_leg_id
