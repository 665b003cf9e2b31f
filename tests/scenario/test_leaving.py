"""Participants leave, and the conversation continues or ends."""

from local.simulator.settings import Settings
from tests.support.lab import Lab, NewLab, minutes
from tests.support.people import DANA, HOST, LEE


def lab_with_two_guests(
    new_lab: NewLab, settings: Settings | None = None, **more: object
) -> tuple[Lab, str]:
    """Create a lab with an active conversation of the host, Dana and Lee."""
    lab = new_lab([], settings)
    lab.settings.accepts_conversation_keys = True
    guests = [{"to": DANA, "name": "Dana", **more}, {"to": LEE, "name": "Lee"}]
    conversation_id = lab.start(participants=guests)
    lab.run(5)
    return lab, conversation_id


def test_a_guests_hangup_keeps_the_conversation_and_the_hosts_hangup_ends_it(
    new_lab: NewLab,
) -> None:
    lab = new_lab()
    conversation_id = lab.start(participants=[{"to": DANA, "name": "Dana"}])
    lab.run(5)
    lab.hang_up(DANA)
    lab.run(5)
    assert lab.status(conversation_id) == "active"
    assert lab.messages_to_assistant()[-1] == "“Dana” has left the conversation."
    lab.hang_up(HOST)
    lab.run(10)
    conversation = lab.conversation(conversation_id)
    assert conversation["status"] == "ended"
    assert len(conversation["insights"]) == len(lab.settings.insight_results)
    lab.assert_clean()
    lab.assert_no_leg_up()


def test_a_participant_left_alone_with_the_assistant_is_an_event(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_two_guests(new_lab)
    lab.hang_up(DANA)
    lab.run(2)
    assert "participant.alone" not in lab.event_types(conversation_id)
    lab.hang_up(LEE)
    lab.run(2)
    (alone,) = [
        event for event in lab.timeline(conversation_id) if event["type"] == "participant.alone"
    ]
    assert (
        alone["data"]["participant_id"]
        == lab.conversation(conversation_id)["participants"][0]["id"]
    )


def test_a_guest_with_end_conversation_ends_the_conversation_by_hanging_up(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_two_guests(new_lab, on_hangup="end_conversation")
    joins = {
        command["participant"]["name"]: command for command in lab.commands("ai_assistant_join")
    }
    assert joins["Dana"]["participant"]["on_hangup"] == "end_conversation"
    assert joins["Lee"]["participant"]["on_hangup"] == "continue_conversation"
    lab.hang_up(DANA)
    lab.run(minutes(2))
    assert lab.status(conversation_id) == "ended"
    lab.assert_no_leg_up()
    lab.assert_clean()


def test_an_end_event_for_each_leg_ends_the_conversation_once(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_two_guests(new_lab, Settings(ended_once_per_leg=True))
    lab.hang_up(HOST)
    lab.run(10)
    assert lab.event_types(conversation_id).count("conversation.ended") == 1
    lab.assert_no_leg_up()
    lab.assert_clean()


def test_removing_a_guest_keeps_the_conversation(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_two_guests(new_lab)
    lab.remove(conversation_id, lab.person(conversation_id, "Dana")["id"])
    lab.run(5)
    assert lab.commands_in_words()[-2:] == ["hang up Dana", "tell host"]
    assert lab.person(conversation_id, "Dana")["status"] == "left"
    assert lab.messages_to_assistant()[-1] == "“Dana” has left the conversation."
    assert sorted(lab.legs_up()) == ["Lee", "host"]
    lab.assert_clean()


def test_a_guest_whose_phone_rings_can_be_removed(new_lab: NewLab) -> None:
    lab = new_lab([], Settings(accepts_conversation_keys=True))
    conversation_id = lab.start()
    lab.run(5)
    dana = lab.invite(conversation_id, DANA, name="Dana")
    lab.remove(conversation_id, dana)
    lab.run(5)
    assert (
        lab.person(conversation_id, dana)["status"],
        lab.person(conversation_id, dana)["outcome"],
    ) == (
        "failed",
        "cancelled",
    )
    assert lab.messages_to_assistant() == ["The call to “Dana” was cancelled."]
    assert lab.people_joined() == []
    assert lab.legs_up() == ["host"]
    lab.assert_clean()


def test_removing_the_host_ends_the_conversation(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_two_guests(new_lab)
    lab.remove(conversation_id, lab.conversation(conversation_id)["participants"][0]["id"])
    lab.run(10)
    assert lab.status(conversation_id) == "ended"
    lab.assert_no_leg_up()


def test_a_guest_who_hangs_up_before_joining_is_not_reported_as_leaving(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.run(5)
    lab.invite(conversation_id, DANA, name="Dana")
    lab.hold()
    lab.run(2)
    lab.hang_up(DANA)
    lab.deliver(lab.release())
    lab.run(5)
    assert "“Dana” has left the conversation." not in lab.messages_to_assistant()
    assert lab.status(conversation_id) == "active"
    assert lab.legs_up() == ["host"]
    lab.assert_clean()
