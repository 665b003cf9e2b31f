"""The assistant is attached to a live call that belongs to another application."""

from typing import Any

from local.simulator.model import SimulatedLeg
from local.simulator.settings import Settings
from tests.support.lab import URL, Answer, Lab, NewLab, minutes
from tests.support.people import CALLER, DANA, HOST, LEE, OUR_NUMBER


def invite_live_call(lab: Lab, conversation_id: str, leg: SimulatedLeg) -> Answer:
    """Ask the API to join a live call as a guest named Cam."""
    body = {"call_control_id": leg.call_control_id, "name": "Cam"}
    return lab.ask("POST", f"/conversations/{conversation_id}/participants", body)


def test_the_assistant_already_runs_when_the_attach_request_is_answered(new_lab: NewLab) -> None:
    lab = new_lab()
    leg = lab.telnyx.outside_call(CALLER, OUR_NUMBER)
    answer = lab.ask("POST", "/conversations", {"call_control_id": leg.call_control_id})
    assert answer.status == 201
    assert (answer.json["status"], answer.json["direction"]) == ("active", "attached")
    assert answer.json["telnyx_conversation_id"] == lab.telnyx_conversation().conversation_id
    assert lab.commands_in_words() == ["start caller"]
    lab.assert_clean()


def attach_again(lab: Lab, leg: SimulatedLeg, key: str | None = None, **body: Any) -> Answer:
    """Ask the API to put an assistant on a live call, with an Idempotency-Key if given."""
    body = {"call_control_id": leg.call_control_id, **body}
    return lab.ask("POST", "/conversations", body, idempotency_key=key)


def test_a_second_start_on_a_call_in_use_is_refused(new_lab: NewLab) -> None:
    lab = new_lab()
    leg = lab.telnyx.outside_call(CALLER, OUR_NUMBER)
    lab.attach(leg)
    other: dict[str, Any] = {"assistant": {"id": "assistant-2"}, "name": "Other"}
    for body in (dict[str, Any](), other):
        again = attach_again(lab, leg, **body)
        assert (again.status, again.json["error"]["code"]) == (409, "call_in_use")
    assert attach_again(lab, leg, key="new").status == 409
    assert lab.commands_in_words() == ["start caller"]


def test_only_the_same_start_with_the_same_key_is_a_repetition(new_lab: NewLab) -> None:
    lab = new_lab()
    leg = lab.telnyx.outside_call(CALLER, OUR_NUMBER)
    first = attach_again(lab, leg, key="key-1")
    again = attach_again(lab, leg, key="key-1")
    assert (first.status, again.status) == (201, 200)
    assert again.json["id"] == first.json["id"]
    other = attach_again(lab, leg, key="key-1", name="Other")
    assert (other.status, other.json["error"]["code"]) == (422, "idempotency_key_reused")
    assert lab.commands_in_words() == ["start caller"]


def test_an_inbound_call_in_use_cannot_be_started_on(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.inbound()
    lab.run(5)
    again = attach_again(lab, lab.leg(CALLER))
    assert (again.status, again.json["error"]["code"]) == (409, "call_in_use")


def test_a_stop_leaves_the_attached_call_up(new_lab: NewLab) -> None:
    lab = new_lab()
    leg = lab.telnyx.outside_call(CALLER, OUR_NUMBER, f"{URL}/webhooks")
    conversation_id = lab.attach(leg)
    lab.run(5)
    lab.stop(conversation_id)
    lab.run(5)
    assert lab.status(conversation_id) == "ended"
    assert lab.commands_in_words() == ["start caller", "stop caller"]
    assert leg.state == "answered"
    lab.run(minutes(10))
    assert leg.state == "answered"
    assert lab.conversation(conversation_id)["insights"]
    lab.assert_clean()


def test_after_the_end_the_same_call_begins_another_conversation(new_lab: NewLab) -> None:
    lab = new_lab()
    leg = lab.telnyx.outside_call(CALLER, OUR_NUMBER, f"{URL}/webhooks")
    ids = []
    for life in range(3):
        ids.append(lab.attach(leg))
        lab.run(5)
        assert lab.status(ids[life]) == "active"
        lab.stop(ids[life])
        lab.run(5)
        assert lab.status(ids[life]) == "ended"
    assert len(set(ids)) == 3
    assert lab.commands_in_words() == ["start caller", "stop caller"] * 3
    lab.run(minutes(2))
    runs = [lab.conversation(conversation_id)["insights"] for conversation_id in ids]
    found = [[insight["insight_id"] for insight in insights] for insights in runs]
    assert all(len(insight_ids) == len(found[0]) > 0 for insight_ids in found)
    assert (
        len({insight_id for insight_ids in found for insight_id in insight_ids})
        == len(found[0]) * 3
    )
    lab.assert_clean()


def test_the_hangup_of_a_call_in_its_second_life_ends_the_second_conversation(
    new_lab: NewLab,
) -> None:
    lab = new_lab()
    leg = lab.telnyx.outside_call(CALLER, OUR_NUMBER, f"{URL}/webhooks")
    first = lab.attach(leg)
    lab.stop(first)
    second = lab.attach(leg)
    lab.run(5)
    lab.hang_up(CALLER)
    lab.run(15)
    assert [lab.status(first), lab.status(second)] == ["ended", "ended"]
    lab.assert_clean()


def test_an_inbound_call_has_a_second_life_after_a_stop(new_lab: NewLab) -> None:
    lab = new_lab()
    first = lab.inbound()
    lab.run(5)
    lab.stop(first)
    lab.run(10)
    assert lab.status(first) == "ended"
    second = lab.attach(lab.leg(CALLER))
    lab.run(5)
    assert lab.status(second) == "active"
    lab.hang_up(CALLER)
    lab.run(15)
    assert lab.status(second) == "ended"
    lab.assert_clean()


def test_a_stop_is_completed_without_any_webhook(new_lab: NewLab) -> None:
    lab = new_lab()
    leg = lab.telnyx.outside_call(CALLER, OUR_NUMBER)
    conversation_id = lab.attach(leg)
    lab.stop(conversation_id)
    lab.run(minutes(5))
    conversation = lab.conversation(conversation_id)
    assert conversation["status"] == "ended"
    assert conversation["insights"]
    assert leg.state == "answered"


def test_a_hangup_is_noticed_without_any_webhook(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.attach(lab.telnyx.outside_call(CALLER, OUR_NUMBER))
    lab.run(5)
    lab.hang_up(CALLER)
    lab.run(minutes(5))
    assert lab.status(conversation_id) == "ended"
    assert lab.conversation(conversation_id)["insights"]
    lab.assert_clean()


def test_a_guest_of_an_attached_call_is_hung_up_when_the_call_ends(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.attach(lab.telnyx.outside_call(CALLER, OUR_NUMBER, f"{URL}/webhooks"))
    lab.invite(conversation_id, DANA, name="Dana")
    lab.run(5)
    assert lab.people_joined() == ["Dana"]
    lab.hang_up(CALLER)
    lab.run(10)
    assert lab.status(conversation_id) == "ended"
    lab.assert_no_leg_up()
    lab.assert_clean()


def test_a_live_call_that_joined_as_a_guest_stays_up_after_the_end(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.run(5)
    guest = lab.telnyx.outside_call(CALLER, OUR_NUMBER)
    assert invite_live_call(lab, conversation_id, guest).status == 202
    assert lab.people_joined() == ["caller"]
    assert lab.messages_to_assistant() == ["“Cam” has joined the conversation."]
    lab.stop(conversation_id)
    lab.run(5)
    assert lab.status(conversation_id) == "ended"
    assert guest.state == "answered"
    lab.assert_clean()


def test_an_ended_call_cannot_be_attached(new_lab: NewLab) -> None:
    lab = new_lab()
    leg = lab.telnyx.outside_call(CALLER, OUR_NUMBER)
    lab.hang_up(CALLER)
    answer = lab.ask("POST", "/conversations", {"call_control_id": leg.call_control_id})
    assert answer.status == 202
    assert answer.json["status"] == "failed"
    assert answer.json["failure"]["code"] == "90018"
    assert "no longer active" in answer.json["failure"]["message"]
    assert lab.telnyx.conversations == []


def test_a_live_call_belongs_to_one_conversation_at_a_time(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.invite(conversation_id, DANA, name="Dana")
    lab.run(5)
    other_id = lab.attach(lab.telnyx.outside_call(CALLER, OUR_NUMBER))

    def refused(path: str, leg: SimulatedLeg) -> tuple[int, str]:
        answer = lab.ask("POST", path, {"call_control_id": leg.call_control_id})
        return answer.status, answer.json["error"]["code"]

    people = f"/conversations/{conversation_id}/participants"
    in_use = (409, "call_in_use")
    assert refused(people, lab.leg(DANA)) == in_use
    assert refused(people, lab.leg(HOST)) == in_use
    assert refused(people, lab.leg(CALLER)) == in_use
    assert refused(f"/conversations/{other_id}/participants", lab.leg(DANA)) == in_use
    assert refused("/conversations", lab.leg(DANA)) == in_use
    guest = [{"call_control_id": lab.leg(DANA).call_control_id}]
    answer = lab.ask("POST", "/conversations", {"to": LEE, "participants": guest})
    assert (answer.status, answer.json["error"]["code"]) == in_use
    assert [command for command in lab.commands_in_words() if "join" in command] == ["join Dana"]
    lab.stop(other_id)
    lab.run(minutes(2))
    assert (
        lab.ask("POST", people, {"call_control_id": lab.leg(CALLER).call_control_id}).status == 202
    )
    lab.run(5)
    assert [command for command in lab.commands_in_words() if "join" in command] == [
        "join Dana",
        "join caller",
    ]
    lab.assert_clean()


def test_an_ended_call_cannot_be_invited(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.run(5)
    leg = lab.telnyx.outside_call(CALLER, OUR_NUMBER)
    lab.hang_up(CALLER)
    invite_live_call(lab, conversation_id, leg)
    lab.run(5)
    cam = lab.person(conversation_id, "Cam")
    assert (cam["status"], cam["outcome"]) == ("failed", "unreachable")
    assert cam["legs"][0]["failure"]["code"] == "90018"
    assert lab.messages_to_assistant() == [
        "“Cam” could not be reached: the number is not available."
    ]


def test_a_call_with_another_assistant_is_reported_as_not_joined(new_lab: NewLab) -> None:
    lab = new_lab()
    leg = lab.telnyx.outside_call(CALLER, OUR_NUMBER)
    conversation_id = lab.start()
    lab.run(5)
    lab.transport.refuse("ai_assistant_join", 422, "90061", "AI Assistant already in progress")
    invite_live_call(lab, conversation_id, leg)
    lab.run(5)
    assert lab.people_joined() == []
    assert lab.person(conversation_id, "Cam")["status"] == "failed"
    assert lab.messages_to_assistant() == [
        "“Cam” could not be brought into the conversation: a technical error."
    ]
    assert leg.state == "answered"


def test_a_start_whose_reply_was_lost_does_not_start_a_second_assistant(
    new_lab: NewLab,
) -> None:
    lab = new_lab([], Settings(accepts_conversation_keys=True, duplicate_start="same"))
    leg = lab.telnyx.outside_call(CALLER, OUR_NUMBER)
    lab.fail("ai_assistant_start", "lose_reply", times=2)
    conversation_id = lab.attach(leg)
    lab.run(minutes(3))
    assert lab.status(conversation_id) == "active"
    assert (
        lab.conversation(conversation_id)["telnyx_conversation_id"]
        == lab.telnyx_conversation().conversation_id
    )
    assert len(lab.telnyx.conversations) == 1
    lab.assert_clean()
