"""Repeated and lost requests, and the ledger of all requests."""

import httpx
import pytest

from local.simulator.faults import Fault
from local.simulator.settings import Settings
from local.simulator.transport import SimulatorTransport
from tests.support.simulator_harness import ASSISTANT, FRIEND, HOOK, US, SimulatorHarness, code


def dial(harness: SimulatorHarness, **more: str) -> tuple[int, dict[str, object]]:
    body = {"connection_id": harness.settings.connection_id, "to": FRIEND, "from": US, **more}
    return harness.request("POST", "/calls", body)


def client(harness: SimulatorHarness) -> httpx.Client:
    return httpx.Client(
        base_url="https://telnyx.example/v2",
        headers={"Authorization": f"Bearer {harness.settings.api_key}"},
        transport=SimulatorTransport(harness.telnyx, harness.clock),
    )


def test_a_repeated_dial_makes_a_single_call_and_returns_no_ids(harness: SimulatorHarness) -> None:
    dial(harness, command_id="c1")
    status, answer = dial(harness, command_id="c1")

    assert (status, answer) == (200, {"data": {"result": "ok"}})
    assert len(harness.telnyx.legs) == 1
    assert [entry.duplicate for entry in harness.telnyx.ledger] == [False, True]
    assert harness.telnyx.violations == []


def test_a_repeated_command_gets_the_first_answer_if_set_so() -> None:
    harness = SimulatorHarness(Settings(webhook_url=HOOK, duplicate_dial="same"))

    assert dial(harness, command_id="c1") == dial(harness, command_id="c1")
    assert len(harness.telnyx.legs) == 1


@pytest.mark.violates
def test_a_repeated_command_acts_again_after_a_minute(harness: SimulatorHarness) -> None:
    dial(harness, command_id="c1", client_state="YQ==")
    harness.clock.advance(60)
    dial(harness, command_id="c1", client_state="YQ==")
    assert len(harness.telnyx.legs) == 1

    harness.clock.advance(1)
    dial(harness, command_id="c1", client_state="YQ==")

    assert len(harness.telnyx.legs) == 2
    assert harness.telnyx.violations == ["dialled twice for client_state YQ=="]


def test_a_command_id_counts_for_each_call_across_commands(
    harness: SimulatorHarness,
) -> None:
    first, second = harness.answered(), harness.answered()
    harness.command(first, "ai_assistant_start", assistant=ASSISTANT, command_id="c1")

    assert harness.command(first, "hangup", command_id="c1")[1] == {"data": {"result": "ok"}}
    assert harness.command(second, "hangup", command_id="c1")[0] == 200
    assert (first.state, second.state) == ("answered", "ended")


def test_a_refused_command_can_be_repeated_with_the_same_id(harness: SimulatorHarness) -> None:
    leg = harness.dial()
    start = {"assistant": ASSISTANT, "command_id": "c1"}
    assert harness.command(leg, "ai_assistant_start", **start)[0] == 422

    harness.clock.advance(1)

    assert "conversation_id" in harness.command(leg, "ai_assistant_start", **start)[1]["data"]


@pytest.mark.parametrize(("status", "error"), [(429, "10011"), (500, "10007"), (503, "10007")])
def test_a_refuse_fault_prevents_the_effect(
    harness: SimulatorHarness, status: int, error: str
) -> None:
    harness.telnyx.faults.add(Fault("refuse", "dial", status=status))
    reply = harness.reply("POST", "/calls", {})
    assert reply.status == status
    assert ("x-ratelimit-reset" in reply.headers) == (status == 429)
    assert error in reply.body.decode()
    assert harness.telnyx.legs == []

    assert dial(harness)[0] == 200


def test_a_fault_applies_to_its_action_the_set_number_of_times(harness: SimulatorHarness) -> None:
    harness.telnyx.faults.add(Fault("refuse", "hangup", times=2))
    leg = harness.dial()

    statuses = [harness.command(leg, "hangup")[0] for _ in range(3)]

    assert statuses == [500, 500, 200]


def test_the_seed_decides_about_random_faults() -> None:
    def statuses(seed: int) -> list[int]:
        harness = SimulatorHarness(seed=seed)
        harness.telnyx.faults.add(Fault("refuse", times=None, probability=0.5))
        return [dial(harness)[0] for _ in range(30)]

    assert statuses(1) == statuses(1)
    assert set(statuses(1)) == {200, 500}


def test_a_drop_fault_prevents_the_effect(harness: SimulatorHarness) -> None:
    harness.telnyx.faults.add(Fault("drop", "dial"))
    body = {"connection_id": harness.settings.connection_id, "to": FRIEND, "from": US}

    with client(harness) as http, pytest.raises(httpx.RemoteProtocolError):
        http.post("/calls", json=body)

    assert harness.telnyx.legs == []
    assert harness.telnyx.ledger[0].status == 0


def test_a_command_with_a_lost_answer_takes_effect(
    harness: SimulatorHarness,
) -> None:
    harness.telnyx.faults.add(Fault("lose_reply", "dial", secs=2))
    body = {"connection_id": harness.settings.connection_id, "to": FRIEND, "from": US}

    with client(harness) as http, pytest.raises(httpx.ReadTimeout):
        http.post("/calls", json=body)

    assert harness.types == ["call.initiated", "call.answered"]
    assert harness.telnyx.ledger[0].lost


def test_webhooks_can_arrive_before_a_slow_answer(harness: SimulatorHarness) -> None:
    harness.telnyx.faults.add(Fault("slow", "dial", secs=3))
    body = {"connection_id": harness.settings.connection_id, "to": FRIEND, "from": US}

    with client(harness) as http:
        answer = http.post("/calls", json=body)

    assert answer.status_code == 200
    assert harness.types == ["call.initiated", "call.answered"]


def test_a_call_id_may_be_percent_encoded(harness: SimulatorHarness) -> None:
    leg = harness.answered()
    with client(harness) as http:
        encoded = http.get(f"/calls/{leg.call_control_id.replace(':', '%3A')}")
        plain = http.get(f"/calls/{leg.call_control_id}")

    assert encoded.json() == plain.json()
    assert encoded.status_code == 200


def test_the_ledger_has_each_request_and_answer(harness: SimulatorHarness) -> None:
    leg = harness.answered()
    harness.command(leg, "hangup", command_id="c9")

    entry = harness.telnyx.ledger[-1]
    assert (entry.action, entry.method, entry.status) == ("hangup", "POST", 200)
    assert (entry.call_control_id, entry.command_id) == (leg.call_control_id, "c9")
    assert (entry.body, entry.response) == ({"command_id": "c9"}, {"data": {"result": "ok"}})


def test_an_application_can_be_created_changed_listed_and_removed(
    harness: SimulatorHarness,
) -> None:
    body = {"application_name": "Line 2", "webhook_event_url": HOOK}
    path = "/call_control_applications"
    status, created = harness.request("POST", path, body)
    assert (status, created["data"]["webhook_api_version"]) == (201, "1")
    url = f"{path}/{created['data']['id']}"

    change = {**body, "webhook_api_version": "2", "webhook_timeout_secs": 10}
    harness.request("PATCH", url, change)

    _, listed = harness.request("GET", f"{path}?filter[application_name][contains]=line+2")
    assert [row["webhook_timeout_secs"] for row in listed["data"]] == [10]
    assert harness.request("GET", url)[1]["data"]["webhook_api_version"] == "2"
    assert harness.request("DELETE", url)[0] == 200
    status, answer = harness.request("GET", url)
    assert (status, code(answer)[0]) == (404, "10005")


def test_an_application_needs_a_name_and_valid_values(harness: SimulatorHarness) -> None:
    path = "/call_control_applications"

    _, nameless = harness.request("POST", path, {"webhook_event_url": HOOK})
    body = {"application_name": "x", "webhook_event_url": HOOK, "webhook_timeout_secs": 31}
    _, patient = harness.request("POST", path, body)

    assert code(nameless) == ("10004", "/application_name")
    assert code(patient) == ("10033", "/webhook_timeout_secs")
    assert harness.request("GET", f"{path}?page[size]=0")[0] == 422
