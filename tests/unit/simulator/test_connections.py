"""The simulated Telnyx connects calls: bridges and conferences."""

from typing import Any

from local.simulator.model import SimulatedLeg
from tests.support.simulator_harness import CALLER, FRIEND, SimulatorHarness, code

OTHER = "+13125550103"


def two(lab: SimulatorHarness) -> tuple[SimulatedLeg, SimulatedLeg]:
    return lab.answered(FRIEND), lab.answered(OTHER)


def bridge(lab: SimulatorHarness, leg: SimulatedLeg, other: SimulatedLeg, **more: Any) -> int:
    call = other.call_control_id
    return lab.command(leg, "bridge", call_control_id=call, **more)[0]


def confer(lab: SimulatorHarness, leg: SimulatedLeg, name: str = "one") -> tuple[int, Any]:
    body = {"call_control_id": leg.call_control_id, "name": name}
    return lab.request("POST", "/conferences", body)


def in_conference(
    lab: SimulatorHarness, action: str, leg: SimulatedLeg, name: str = "one"
) -> tuple[int, Any]:
    body = {"call_control_id": leg.call_control_id}
    return lab.request("POST", f"/conferences/{name}/actions/{action}", body)


def heard(leg: SimulatedLeg) -> list[str]:
    return [notice for _, notice in leg.heard]


def test_bridged_people_hear_each_other_and_each_call_has_a_webhook() -> None:
    lab = SimulatorHarness()
    first, second = two(lab)
    assert bridge(lab, first, second, park_after_unbridge="self") == 200
    lab.clock.advance(1)
    bridged = [hook.payload["call_control_id"] for hook in lab.hooks("call.bridged")]
    assert bridged == [first.call_control_id, second.call_control_id]
    lab.telnyx.say(first.call_control_id, "Hello")
    assert f"{FRIEND}: Hello" in heard(second)


def test_the_call_of_the_path_is_parked_when_the_other_hangs_up() -> None:
    lab = SimulatorHarness()
    first, second = two(lab)
    bridge(lab, first, second, park_after_unbridge="self")
    lab.telnyx.hang_up(second.call_control_id)
    assert first.state == "answered"


def test_a_call_that_is_not_parked_is_hung_up_with_the_bridge() -> None:
    lab = SimulatorHarness()
    first, second = two(lab)
    bridge(lab, first, second, park_after_unbridge="self")
    lab.telnyx.hang_up(first.call_control_id)
    assert second.state == "ended"


def test_a_call_with_an_assistant_is_not_bridged() -> None:
    lab = SimulatorHarness()
    first, second = two(lab)
    lab.started(first)
    assert bridge(lab, first, second) == 422
    lab.command(first, "ai_assistant_stop")
    assert bridge(lab, first, second) == 200


def test_a_bridge_needs_two_answered_calls() -> None:
    lab = SimulatorHarness()
    first, second = lab.answered(FRIEND), lab.dial(OTHER)
    assert bridge(lab, first, second) == 422
    lab.telnyx.hang_up(second.call_control_id)
    answer = lab.command(first, "bridge", call_control_id=second.call_control_id)
    assert code(answer[1]) == ("90018", "/call_control_id")


def test_people_in_a_conference_hear_each_other_until_they_leave() -> None:
    lab = SimulatorHarness()
    first, second = two(lab)
    third = lab.answered(CALLER)
    status, answer = confer(lab, first)
    assert (status, answer["data"]["name"]) == (200, "one")
    assert in_conference(lab, "join", second, answer["data"]["id"])[0] == 200
    assert in_conference(lab, "join", third)[0] == 200
    lab.telnyx.say(third.call_control_id, "All here?")
    assert f"{CALLER}: All here?" in heard(first)
    assert f"{CALLER}: All here?" in heard(second)
    assert in_conference(lab, "leave", third)[0] == 200
    assert third.state == "answered"
    lab.telnyx.say(second.call_control_id, "Still here")
    assert f"{OTHER}: Still here" not in heard(third)
    lab.clock.advance(1)
    assert lab.types.count("conference.participant.joined") == 3
    assert lab.types.count("conference.participant.left") == 1


def test_a_conference_ends_with_its_last_call() -> None:
    lab = SimulatorHarness()
    leg = lab.answered()
    confer(lab, leg)
    lab.telnyx.hang_up(leg.call_control_id)
    lab.clock.advance(1)
    assert lab.hooks("conference.ended")[0].payload["reason"] == "all_left"
    assert in_conference(lab, "join", lab.answered(OTHER))[0] == 404


def test_a_call_that_moves_into_a_conference_leaves_its_bridge() -> None:
    lab = SimulatorHarness()
    first, second = two(lab)
    bridge(lab, first, second, park_after_unbridge="self")
    assert confer(lab, second)[0] == 200
    assert (first.state, first.bridged_to) == ("answered", None)


def test_no_assistant_starts_on_a_call_in_a_conference() -> None:
    lab = SimulatorHarness()
    leg = lab.answered()
    confer(lab, leg)
    assert lab.command(leg, "ai_assistant_start", assistant={"id": "assistant-1"})[0] == 422
    in_conference(lab, "leave", leg)
    assert lab.command(leg, "ai_assistant_start", assistant={"id": "assistant-1"})[0] == 200


def test_a_webhook_of_a_conference_has_the_client_state_of_its_first_call() -> None:
    lab = SimulatorHarness()
    first, second = two(lab)
    body = {"call_control_id": first.call_control_id, "name": "one", "client_state": "Zmlyc3Q="}
    lab.request("POST", "/conferences", body)
    body = {"call_control_id": second.call_control_id, "client_state": "c2Vjb25k"}
    lab.request("POST", "/conferences/one/actions/join", body)
    lab.clock.advance(1)
    states = [hook.payload["client_state"] for hook in lab.hooks("conference.participant.joined")]
    assert states == ["Zmlyc3Q=", "Zmlyc3Q="]
    assert second.client_state == "c2Vjb25k"
