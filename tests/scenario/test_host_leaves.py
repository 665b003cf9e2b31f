"""The host hangs up while guests talk. Telnyx does not document its own behaviour in this case."""

from typing import Any

import pytest

from local.simulator.settings import Settings
from tests.support.lab import Lab, NewLab, minutes
from tests.support.people import CALLER, DANA, HOST, KIM, LEE, OUR_NUMBER

CONTINUES: dict[str, Any] = {"on_host_hangup": "continue_conversation"}

with_each_telnyx_behaviour = pytest.mark.parametrize(
    ("at_telnyx", "once_per_leg"),
    [("ends", False), ("ends", True), ("continues", False), ("continues", True)],
)


def lab_with_two_guests(
    new_lab: NewLab, at_telnyx: Any = "ends", once_per_leg: bool = False, **more: Any
) -> tuple[Lab, str]:
    """Create a lab with an active conversation of Robin (the host), Dana and Lee."""
    settings = Settings(host_hangup=at_telnyx, ended_once_per_leg=once_per_leg)
    settings.accepts_conversation_keys = True
    lab = new_lab([], settings)
    guests = [{"to": DANA, "name": "Dana"}, {"to": LEE, "name": "Lee"}]
    conversation_id = lab.start(name="Robin", participants=guests, **more)
    lab.run(5)
    assert sorted(lab.legs_up()) == ["Dana", "Lee", "host"]
    return lab, conversation_id


def numbers_with_assistant(lab: Lab) -> list[str]:
    """The numbers that are in the assistant's newest conversation now."""
    newest = lab.telnyx_conversation()
    assert newest.status == "active"
    legs = {leg.call_control_id: leg for leg in lab.telnyx.legs}
    inside = [leg for leg in legs.values() if leg.conversation_id == newest.conversation_id]
    return sorted(leg.to for leg in inside)


@with_each_telnyx_behaviour
def test_by_default_the_hosts_hangup_ends_the_conversation_for_everybody(
    new_lab: NewLab, at_telnyx: str, once_per_leg: bool
) -> None:
    lab, conversation_id = lab_with_two_guests(new_lab, at_telnyx, once_per_leg)
    lab.hang_up(HOST)
    lab.run(minutes(2))
    assert lab.status(conversation_id) == "ended"
    assert lab.telnyx_conversation().status == "ended"
    assert lab.event_types(conversation_id).count("conversation.ended") == 1
    assert "conversation.restarted" not in lab.event_types(conversation_id)
    lab.assert_no_leg_up()
    lab.assert_clean()


@with_each_telnyx_behaviour
def test_with_continue_conversation_the_guests_keep_the_assistant_after_the_hosts_hangup(
    new_lab: NewLab, at_telnyx: str, once_per_leg: bool
) -> None:
    lab, conversation_id = lab_with_two_guests(new_lab, at_telnyx, once_per_leg, **CONTINUES)
    lab.hang_up(HOST)
    lab.run(minutes(3))
    assert lab.status(conversation_id) == "active"
    assert numbers_with_assistant(lab) == [DANA, LEE]
    assert [lab.person(conversation_id, name)["status"] for name in ("Robin", "Dana", "Lee")] == [
        "left",
        "joined",
        "joined",
    ]
    restarts = 1 if at_telnyx == "ends" else 0
    assert lab.event_types(conversation_id).count("conversation.restarted") == restarts
    assert len(lab.telnyx.conversations) == 1 + restarts
    announcement = "The conversation goes on without “Robin”. On the line: “Dana”, “Lee”."
    assert (lab.messages_to_assistant()[0] == announcement) is bool(restarts)
    assert ("“Robin” has left the conversation." in lab.messages_to_assistant()) is not bool(
        restarts
    )

    lab.hang_up(DANA)
    lab.run(5)
    without = "The conversation goes on without “Robin”, “Dana”. On the line: “Lee”."
    assert lab.messages_to_assistant()[-1] == (
        without if restarts else "“Dana” has left the conversation."
    )
    assert "participant.alone" in lab.event_types(conversation_id)
    lab.hang_up(LEE)
    lab.run(minutes(3))
    assert lab.status(conversation_id) == "ended"
    lab.assert_no_leg_up()
    lab.assert_clean()


def test_the_restarted_assistant_has_the_configuration_of_the_first(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_two_guests(
        new_lab, assistant={"id": "assistant-sales", "greeting": "Hello."}, **CONTINUES
    )
    first = lab.conversation(conversation_id)["telnyx_conversation_id"]
    lab.hang_up(HOST)
    lab.run(10)
    old, new = lab.commands("ai_assistant_start")
    assert new["assistant"] == old["assistant"]
    second = lab.conversation(conversation_id)["telnyx_conversation_id"]
    assert second == lab.telnyx_conversation().conversation_id != first
    assert lab.commands_in_words()[-4:].count("start Dana") == 1
    assert "join Lee" in lab.commands_in_words()[-4:]


def test_on_a_route_with_continue_conversation_the_guests_stay_after_the_callers_hangup(
    new_lab: NewLab,
) -> None:
    lab = new_lab([], Settings(accepts_conversation_keys=True))
    lab.route(OUR_NUMBER, {"Dana": {"to": DANA}, "Lee": {"to": LEE}}, **CONTINUES)
    conversation_id = lab.inbound()
    for name in ("Dana", "Lee"):
        lab.use_tool("invite", name=name)
    lab.run(5)
    lab.hang_up(CALLER)
    lab.run(minutes(1))
    assert lab.status(conversation_id) == "active"
    assert numbers_with_assistant(lab) == [DANA, LEE]
    assert lab.use_tool("status") == "On the line: “Dana”, “Lee”."
    lab.route(OUR_NUMBER, {"Kim": {"to": KIM}})
    assert lab.use_tool("invite", name="Kim") == "Calling “Kim” now."
    lab.run(5)
    assert numbers_with_assistant(lab) == [DANA, LEE, KIM]
    lab.assert_clean()


def test_a_guest_who_rings_during_the_hosts_hangup_joins_the_restarted_assistant(
    new_lab: NewLab,
) -> None:
    lab, conversation_id = lab_with_two_guests(new_lab, **CONTINUES)
    lab.invite(conversation_id, KIM, name="Kim")
    lab.hang_up(HOST)
    lab.run(minutes(1))
    assert numbers_with_assistant(lab) == [DANA, LEE, KIM]
    assert lab.messages_to_assistant()[-1] == "“Kim” has joined the conversation."
    lab.assert_clean()


def test_the_conversation_ends_if_the_only_guest_still_rings_at_the_hosts_hangup(
    new_lab: NewLab,
) -> None:
    lab = new_lab([], Settings(accepts_conversation_keys=True))
    conversation_id = lab.start(**CONTINUES)
    lab.run(5)
    lab.invite(conversation_id, KIM, name="Kim")
    lab.hang_up(HOST)
    lab.run(minutes(2))
    assert lab.status(conversation_id) == "ended"
    assert lab.people_joined() == []
    lab.assert_no_leg_up()
    lab.assert_clean()


@pytest.mark.parametrize("ended_first", [True, False])
def test_the_hosts_hangup_and_the_assistants_end_restart_once_in_either_order(
    new_lab: NewLab, ended_first: bool
) -> None:
    lab, conversation_id = lab_with_two_guests(new_lab, **CONTINUES)
    lab.hold()
    lab.hang_up(HOST)
    lab.run(1)
    webhooks = lab.release()
    lab.deliver(webhooks[::-1] if ended_first else webhooks)
    lab.run(minutes(1))
    assert lab.status(conversation_id) == "active"
    assert numbers_with_assistant(lab) == [DANA, LEE]
    assert lab.event_types(conversation_id).count("conversation.restarted") == 1
    lab.assert_clean()


def test_the_hosts_hangup_and_the_assistants_end_may_arrive_together(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_two_guests(new_lab, once_per_leg=True, **CONTINUES)
    lab.hold()
    lab.hang_up(HOST)
    lab.run(1)
    webhooks = lab.release()
    statuses = lab.deliver_together(webhooks)
    lab.deliver(
        [webhook for webhook, status in zip(webhooks, statuses, strict=True) if status == 503]
    )
    lab.run(minutes(2))
    assert lab.status(conversation_id) == "active"
    assert numbers_with_assistant(lab) == [DANA, LEE]
    lab.assert_clean()


def test_after_the_assistants_own_end_the_hosts_call_is_looked_up_twice(new_lab: NewLab) -> None:
    lab = new_lab()
    people = [{"to": DANA, "name": "Dana"}, {"to": LEE, "name": "Lee"}]
    conversation_id = lab.start(on_host_hangup="continue_conversation", participants=people)
    lab.run(10)
    before = len(lab.telnyx.ledger)
    lab.telnyx.end_assistant(lab.leg(HOST).call_control_id)
    lab.run(minutes(5))
    looks = [entry for entry in lab.telnyx.ledger[before:] if entry.action == "retrieve"]
    assert len(looks) == 2, "at the end, and when the cause of the end has not come"
    assert lab.status(conversation_id) == "ended"
    lab.assert_no_leg_up()
    lab.assert_clean()


def test_the_sweep_finds_a_hosts_hangup_whose_webhook_was_lost(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_two_guests(new_lab, "continues")
    lab.hold()
    lab.hang_up(HOST)
    lab.run(1)
    lab.release()  # these webhooks are lost
    lab.run(minutes(5))
    assert lab.status(conversation_id) == "ended"
    lab.assert_no_leg_up()


def test_a_refused_restart_ends_the_conversation_and_hangs_up_every_call(
    new_lab: NewLab,
) -> None:
    lab, conversation_id = lab_with_two_guests(new_lab, **CONTINUES)
    lab.hang_up(LEE)
    lab.run(2)
    lab.transport.refuse("ai_assistant_start", 422, "10015", "Not now.")
    lab.hang_up(HOST)
    lab.run(minutes(2))
    assert lab.status(conversation_id) == "ended"
    lab.assert_no_leg_up()
