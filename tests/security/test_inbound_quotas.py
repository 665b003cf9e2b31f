"""Shares of the open conversations, and the calls of a single caller."""

from typing import Any

import pytest

from local.simulator.model import SimulatedLeg
from tests.support.lab import Lab, NewLab
from tests.support.people import CALLER, DANA, HOST

BUSY = "busy"


def ring(lab: Lab, *numbers: str) -> list[str]:
    """Call from each number. Returns the states of the calls."""
    legs: list[SimulatedLeg] = []
    for number in numbers:
        legs.append(lab.ring_in(number))
        lab.run(5)
    return ["up" if leg.state != "ended" else str(leg.hangup_cause) for leg in legs]


def strangers(count: int) -> list[str]:
    """Numbers of strangers."""
    return [f"+1312555{2000 + nth}" for nth in range(count)]


def logged_reasons(lab: Lab) -> list[Any]:
    """The reasons of refused incoming calls in the log."""
    lines = lab.logs.lines()
    return [line["reason"] for line in lines if line["message"] == "incoming call refused"]


def test_inbound_calls_cannot_use_up_the_share_of_the_api(new_lab: NewLab) -> None:
    lab = new_lab(MaxConversations="4")
    states = ring(lab, *strangers(3))
    assert states == ["up", "up", "user_busy"]
    assert [lab.ask("POST", "/conversations", {"to": HOST}).status for _ in range(3)] == [
        202,
        202,
        429,
    ]
    assert logged_reasons(lab) == ["inbound_share"]


def test_starts_of_the_api_cannot_use_up_the_share_of_inbound_calls(new_lab: NewLab) -> None:
    lab = new_lab(MaxConversations="4")
    statuses = [lab.ask("POST", "/conversations", {"to": HOST}).status for _ in range(3)]
    assert statuses == [202, 202, 429]
    assert ring(lab, *strangers(2)) == ["up", "up"]


@pytest.mark.parametrize(
    ("share", "state", "status"), [("0", "user_busy", 202), ("100", "up", 429)]
)
def test_the_operator_sets_the_shares(new_lab: NewLab, share: str, state: str, status: int) -> None:
    lab = new_lab(InboundShare=share)
    assert ring(lab, CALLER) == [state]
    assert lab.ask("POST", "/conversations", {"to": HOST}).status == status


def test_a_refused_call_leaves_no_row_and_is_rejected_as_busy(new_lab: NewLab) -> None:
    lab = new_lab(InboundShare="0")
    leg = lab.ring_in()
    lab.run(5)
    assert (leg.state, leg.hangup_cause) == ("ended", "user_busy")
    assert lab.table.keys() == []
    assert [command["action"] for command in lab.commands()] == ["reject"]
    lab.assert_clean()


def test_a_refused_call_that_telnyx_does_not_reject_is_not_answered(new_lab: NewLab) -> None:
    lab = new_lab(InboundShare="0")
    lab.fail("reject", "refuse", None, 500)
    leg = lab.ring_in()
    lab.run(30)
    assert leg.state != "answered"
    assert lab.table.keys() == []


def test_a_caller_has_three_calls_at_once(new_lab: NewLab) -> None:
    lab = new_lab()
    assert ring(lab, *[CALLER] * 4, DANA) == ["up"] * 3 + ["user_busy", "up"]
    assert logged_reasons(lab) == ["calls_of_a_caller"]
    lab.telnyx.hang_up(lab.leg(CALLER, 0).call_control_id)
    lab.run(70)
    assert ring(lab, CALLER) == ["up"]


def test_all_withheld_numbers_are_a_single_caller(new_lab: NewLab) -> None:
    lab = new_lab(MaxCallsPerCaller="2")
    assert ring(lab, "anonymous", "Restricted", "anonymous", CALLER) == [
        *("up", "up"),
        *("user_busy", "up"),
    ]


def test_a_sip_caller_in_another_case_is_the_same_caller(new_lab: NewLab) -> None:
    lab = new_lab(MaxCallsPerCaller="1")
    assert ring(lab, "sip:Robin@sip.example", "sip:robin@SIP.example") == ["up", "user_busy"]


def test_the_webhook_of_an_answered_call_is_not_refused_when_it_comes_again(
    new_lab: NewLab,
) -> None:
    lab = new_lab(MaxCallsPerCaller="1")
    lab.hold()
    lab.ring_in()
    webhooks = lab.release()
    assert lab.deliver([*webhooks, *webhooks]) == [200] * 2 * len(webhooks)
    lab.run(5)
    assert [conversation["status"] for conversation in lab.conversations()] == ["active"]
    assert logged_reasons(lab) == []
