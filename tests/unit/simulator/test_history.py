"""The history of the account: commands on calls, and deliveries of webhooks."""

from datetime import timedelta

from local.simulator.faults import Fault
from local.simulator.settings import Settings
from tests.support.simulator_harness import FRIEND, HOOK, US, SimulatorHarness


def test_a_command_is_listed_for_its_leg_also_when_its_reply_was_lost() -> None:
    harness = SimulatorHarness()
    leg, other = harness.answered(), harness.dial()
    harness.telnyx.faults.add(Fault("lose_reply", "hangup"))
    harness.command(leg, "hangup", command_id="c-1")

    _, answer = harness.request("GET", f"/call_events?filter[leg_id]={leg.call_leg_id}")

    assert [(row["type"], row["name"]) for row in answer["data"]] == [
        ("command", "dial"),
        ("command", "hangup"),
    ]
    assert answer["data"][1]["metadata"]["command_id"] == "c-1"
    assert other.call_leg_id not in str(answer)


def test_a_refused_command_is_not_listed_and_an_unknown_filter_is_ignored() -> None:
    harness = SimulatorHarness()
    leg = harness.dial()
    assert harness.command(leg, "ai_assistant_stop", command_id="c-1")[0] == 422

    _, answer = harness.request("GET", "/call_events?filter[call_session_id]=none")

    assert [row["name"] for row in answer["data"]] == ["dial"]


def test_a_command_is_listed_after_the_time_of_the_settings() -> None:
    harness = SimulatorHarness(Settings(webhook_url=HOOK, events_listed_after_secs=60))
    leg = harness.dial()
    path = f"/call_events?filter[leg_id]={leg.call_leg_id}"

    assert harness.request("GET", path)[1]["data"] == []
    harness.clock.advance(60)
    assert len(harness.request("GET", path)[1]["data"]) == 1


def test_a_delivery_fails_when_all_its_attempts_fail() -> None:
    harness = SimulatorHarness(Settings(webhook_url=HOOK, retries_ms=(1000,)))
    harness.answers = [503, 503, 503, 200]
    since = harness.clock.now()
    leg = harness.dial()
    harness.clock.advance(5)

    _, answer = harness.request("GET", "/webhook_deliveries?filter[status][eq]=failed")
    later = (since + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    path = f"/webhook_deliveries?filter[started_at][gte]={later}"

    (row,) = answer["data"]
    assert row["webhook"]["event_type"] == "call.initiated"
    assert row["webhook"]["payload"]["connection_id"] == leg.connection_id
    assert [attempt["status"] for attempt in row["attempts"]] == ["failed", "failed"]
    assert harness.request("GET", path)[1]["data"] == []


def test_a_delivery_shows_the_payload_and_each_attempt_with_the_newest_first() -> None:
    harness = SimulatorHarness(Settings(webhook_url=HOOK, retries_ms=(1000,)))
    harness.answers = [503, 200]
    leg = harness.dial(webhook_url="https://other.example")
    harness.clock.advance(2)
    path = f"/webhook_deliveries?filter[webhook][contains]={leg.call_session_id}"

    row = harness.request("GET", path)[1]["data"][-1]

    assert row["webhook"]["payload"] == harness.received[0].payload
    assert row["webhook"]["occurred_at"] == harness.received[0].envelope["data"]["occurred_at"]
    newest, first = (attempt["http"] for attempt in row["attempts"])
    assert (first["response"]["status"], newest["response"]["status"]) == (503, 200)
    assert newest["request"]["url"] == "https://other.example"
    times = [int(dict(http["request"]["headers"])["telnyx-timestamp"]) for http in (first, newest)]
    assert times[1] == times[0] + 1


def test_deliveries_without_a_text_are_filtered_out() -> None:
    harness = SimulatorHarness()
    harness.dial()
    harness.clock.advance(1)
    path = "/webhook_deliveries?filter[webhook][contains]=nothing-like-this"
    assert harness.request("GET", path)[1]["data"] == []


def test_a_repeated_dial_is_listed_once() -> None:
    harness = SimulatorHarness()
    dial = {"connection_id": harness.settings.connection_id, "to": FRIEND, "from": US}
    for _ in range(2):
        assert harness.request("POST", "/calls", {**dial, "command_id": "c-1"})[0] == 200
    assert len(harness.request("GET", "/call_events")[1]["data"]) == 1
