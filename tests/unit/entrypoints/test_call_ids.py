"""A call may get other ids at its answer. The newest ids are used, the old ids are understood."""

import pytest

from tests.support.deployment import HOST_NUMBER, Deployment

SAME_LEG = {"call_leg_id": "leg-0"}


@pytest.mark.parametrize("ids", [SAME_LEG, {}, {"call_leg_id": "leg-other"}])
@pytest.mark.parametrize("secs", [1, 0])
def test_the_assistant_starts_on_the_newest_id(
    deployment: Deployment, ids: dict[str, str], secs: int
) -> None:
    conversation = deployment.start()
    dial = deployment.dials()[0]
    deployment.deliver_for("call.initiated", dial, call_leg_id="leg-0")
    deployment.clock.advance(secs)
    deployment.deliver_for("call.answered", dial, "v3:new", **ids)

    assert deployment.telnyx.only_request("ai_assistant_start").call == "v3:new"
    leg = deployment.conversation(conversation["id"])["participants"][0]["legs"][0]
    assert leg["call_control_id"] == "v3:new"


def test_the_same_leg_id_is_enough(deployment: Deployment) -> None:
    deployment.start()
    deployment.deliver(
        "call.answered", call_control_id="v3:new", call_leg_id="leg-0", client_state=None
    )

    assert deployment.telnyx.only_request("ai_assistant_start").call == "v3:new"


@pytest.mark.parametrize("call", ["v3:0", "v3:new"])
def test_a_hangup_is_found_by_the_old_and_by_the_new_id(deployment: Deployment, call: str) -> None:
    conversation = deployment.start()
    deployment.deliver_for("call.answered", deployment.dials()[0], "v3:new")
    deployment.deliver("call.hangup", call_control_id=call, hangup_cause="normal_clearing")

    assert deployment.conversation(conversation["id"])["participants"][0]["status"] == "left"


def test_a_late_webhook_with_the_old_id_does_not_bring_the_old_id_back(
    deployment: Deployment,
) -> None:
    conversation = deployment.start()
    dial = deployment.dials()[0]
    deployment.deliver_for("call.answered", dial, "v3:new", id="answered")
    deployment.clock.advance(-5)
    deployment.deliver_for("call.initiated", dial, "v3:0", id="initiated")

    leg = deployment.conversation(conversation["id"])["participants"][0]["legs"][0]
    assert leg["call_control_id"] == "v3:new"


def test_a_caller_with_our_client_state_takes_no_leg_over(deployment: Deployment) -> None:
    conversation = deployment.start()
    dial = deployment.dials()[0]
    deployment.deliver_for("call.initiated", dial)
    caller = {"direction": "incoming", "from": "+13125550177", "to": HOST_NUMBER}
    deployment.deliver_for("call.initiated", dial, "v3:caller", id="e-1", **caller)
    deployment.deliver_for("call.answered", dial, "v3:caller", id="e-2", **caller)

    leg = deployment.conversation(conversation["id"])["participants"][0]["legs"][0]
    assert (leg["call_control_id"], leg["status"]) == ("v3:0", "ringing")


def test_a_call_that_was_hung_up_under_its_old_id_is_hung_up_under_the_new_id(
    deployment: Deployment,
) -> None:
    conversation = deployment.start()
    dial = deployment.dials()[0]
    deployment.ask("stop_conversation", {"hang_up": True}, id=conversation["id"])
    deployment.deliver_for("call.answered", dial, "v3:new", id="answered")

    hung_up = [sent.call for sent in deployment.telnyx.sent if sent.action == "hangup"]
    assert hung_up == ["v3:0", "v3:new"]


def test_the_call_of_another_conversation_stays_there(deployment: Deployment) -> None:
    first, second = deployment.start(), deployment.start()
    dial = deployment.dials()[0]
    deployment.deliver("call.answered", call_control_id="v3:1", client_state=None)
    deployment.deliver_for("call.hangup", dial, "v3:1", id="e-9", hangup_cause="normal_clearing")

    assert deployment.conversation(first["id"])["status"] == "connecting"
    assert deployment.conversation(second["id"])["participants"][0]["status"] == "left"
