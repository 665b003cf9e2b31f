"""`POST /conversations/{id}/handover`: the answers, and the handover that `GET` shows."""

from typing import Any

import pytest

from tests.support.deployment import GUEST_NUMBER, Deployment
from tests.unit.entrypoints.test_requests import active, code


def hand_over(deployment: Deployment, conversation_id: str, **body: Any) -> tuple[int, Any]:
    """Ask for a handover to the guest's number."""
    return deployment.ask("hand_over", {"to": GUEST_NUMBER} | body, id=conversation_id)


def handovers(deployment: Deployment, conversation_id: str) -> list[Any]:
    shown = deployment.conversation(conversation_id)["handovers"]
    assert isinstance(shown, list)
    return shown


def test_the_person_is_dialled_and_the_outcome_is_shown(deployment: Deployment) -> None:
    conversation_id = active(deployment)
    status, handover = hand_over(deployment, conversation_id, name="Dana")
    assert status == 202
    assert (handover["status"], handover["outcome"], handover["then"]) == ("reaching", None, "stay")
    assert handovers(deployment, conversation_id) == [handover]

    hangup = {"hangup_cause": "user_busy", "sip_hangup_cause": "486"}
    deployment.deliver_for("call.hangup", deployment.dials()[1], "v3:1", **hangup)

    [shown] = handovers(deployment, conversation_id)
    assert (shown["status"], shown["outcome"]) == ("ended", "busy")
    events = deployment.ask("get_timeline", id=conversation_id)[1]["events"]
    [ended] = [event["data"] for event in events if event["type"] == "handover.ended"]
    assert ended == {
        "handover_id": handover["id"],
        "participant_id": handover["participant_id"],
        "name": "Dana",
        "then": "stay",
        "outcome": "busy",
        "leg": 1,
        "hangup_cause": "user_busy",
        "sip_hangup_cause": "486",
    }


def test_the_same_key_makes_a_single_handover(deployment: Deployment) -> None:
    conversation_id = active(deployment)
    body = {"to": GUEST_NUMBER}
    answers = [deployment.ask("hand_over", body, key="k-1", id=conversation_id) for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(deployment.dials()) == 2
    assert len(handovers(deployment, conversation_id)) == 1


def test_a_second_handover_is_refused_until_the_first_has_ended(deployment: Deployment) -> None:
    conversation_id = active(deployment)
    _, first = hand_over(deployment, conversation_id)
    other = {"to": "+13125550150"}
    assert code(hand_over(deployment, conversation_id, **other)) == (409, "handover_open")
    assert len(deployment.dials()) == 2

    guest = first["participant_id"]
    deployment.ask("remove_participant", id=conversation_id, participant_id=guest)
    assert handovers(deployment, conversation_id)[0]["outcome"] == "cancelled"
    assert hand_over(deployment, conversation_id, **other)[0] == 202


def test_a_guest_of_the_conversation_takes_over_without_a_dial(deployment: Deployment) -> None:
    conversation_id = active(deployment)
    _, guest = deployment.ask("invite_participant", {"to": GUEST_NUMBER}, id=conversation_id)
    deployment.deliver_for("call.answered", deployment.dials()[1], "v3:1")
    body = {"participant_id": guest["id"]}
    status, handover = deployment.ask("hand_over", body, id=conversation_id)
    assert (status, handover["outcome"]) == (202, "handed_over")
    assert len(deployment.dials()) == 2
    assert code(hand_over(deployment, conversation_id)) == (409, "already_there")


@pytest.mark.parametrize("participant_id", ["host", "guest-unknown"])
def test_a_handover_needs_a_guest_of_the_conversation(
    deployment: Deployment, participant_id: str
) -> None:
    body = {"participant_id": participant_id}
    answer = deployment.ask("hand_over", body, id=active(deployment))
    assert code(answer) == (404, "unknown_participant")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"to": GUEST_NUMBER, "then": "leave"}, "then"),
        ({"to": GUEST_NUMBER, "then": None}, "then"),
        ({}, "to"),
        ({"then": "away"}, "to"),
        ({"to": GUEST_NUMBER, "participant_id": "guest-1"}, "to"),
        ({"participant_id": "guest-1", "name": "Dana"}, "name"),
        ({"participant_id": ""}, "participant_id"),
        ({"to": [GUEST_NUMBER, GUEST_NUMBER]}, "to"),
        ({"to": GUEST_NUMBER, "mode": "away"}, "mode"),
    ],
)
def test_bad_input_is_refused_by_the_name_of_its_field(
    deployment: Deployment, body: Any, field: str
) -> None:
    conversation_id = active(deployment)
    answer = deployment.ask("hand_over", body, id=conversation_id)
    assert code(answer) == (422, "invalid_request")
    assert [detail["field"] for detail in answer[1]["error"]["details"]] == [field]
    assert handovers(deployment, conversation_id) == []
