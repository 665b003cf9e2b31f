"""A call from a number of the account to another number of the account: both legs are ours."""

import pytest

from local.simulator.model import SimulatedLeg
from local.simulator.settings import Settings
from tests.support.simulator_harness import HOOK, US, SimulatorHarness, code

SECOND = "+13125550199"


@pytest.fixture
def lab() -> SimulatorHarness:
    return SimulatorHarness(Settings(webhook_url=HOOK, numbers=(US, SECOND)))


def dialled(lab: SimulatorHarness) -> tuple[SimulatedLeg, SimulatedLeg]:
    """Dial the second number. Returns the outgoing leg and the incoming leg."""
    outgoing = lab.dial(SECOND)
    lab.clock.advance(1)
    (incoming,) = (leg for leg in lab.telnyx.legs if leg is not outgoing)
    return outgoing, incoming


def test_the_second_number_rings_until_a_command_answers(lab: SimulatorHarness) -> None:
    outgoing, incoming = dialled(lab)
    assert (incoming.direction, incoming.state, outgoing.state) == ("incoming", "parked", "ringing")
    assert (incoming.from_, incoming.to) == (US, SECOND)
    assert lab.command(incoming, "answer")[0] == 200
    assert (incoming.state, outgoing.state) == ("answered", "answered")


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("by", ["outgoing", "incoming"])
def test_both_legs_end_together(by: str, answered: bool, lab: SimulatorHarness) -> None:
    outgoing, incoming = dialled(lab)
    if answered:
        lab.command(incoming, "answer")
    lab.command({"outgoing": outgoing, "incoming": incoming}[by], "hangup")
    assert (outgoing.state, incoming.state) == ("ended", "ended")
    lab.clock.advance(1)
    assert len(lab.hooks("call.hangup")) == 2
    reply = lab.command(outgoing, "hangup")
    assert code(reply[1])[0] == "90018"


def test_an_unanswered_ring_ends_for_both_legs(lab: SimulatorHarness) -> None:
    outgoing, incoming = dialled(lab)
    lab.clock.advance(60)
    assert (outgoing.state, incoming.state) == ("ended", "ended")
