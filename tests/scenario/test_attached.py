"""The assistant is put on a call that is live already and belongs to another application."""

from local.simulator.model import SimulatedLeg
from local.simulator.settings import Settings
from tests.scenario.people import CALLER, DANA, HOST, LEE, OURS
from tests.scenario.stage import URL, Answer, Stage, Staged, minutes


def brought_in(at: Stage, conversation_id: str, leg: SimulatedLeg) -> Answer:
    """A live call of Cam's is to join a conversation."""
    body = {"call_control_id": leg.call_control_id, "name": "Cam"}
    return at.ask("POST", f"/conversations/{conversation_id}/participants", body)


def test_the_assistant_runs_when_the_request_is_answered(stage: Staged) -> None:
    at = stage()
    leg = at.telnyx.outside_call(CALLER, OURS)
    answer = at.ask("POST", "/conversations", {"call_control_id": leg.call_control_id})
    assert answer.status == 201
    assert (answer.json["status"], answer.json["direction"]) == ("active", "attached")
    assert answer.json["telnyx_conversation_id"] == at.ai().conversation_id
    assert at.asked() == ["start caller"]
    at.assert_clean()


def test_the_same_call_again_is_the_same_conversation(stage: Staged) -> None:
    at = stage()
    leg = at.telnyx.outside_call(CALLER, OURS)
    here = at.attach(leg)
    again = at.ask("POST", "/conversations", {"call_control_id": leg.call_control_id})
    assert (again.status, again.json["id"]) == (200, here)
    assert at.asked() == ["start caller"]


def test_stopped_it_leaves_the_call_to_its_owner(stage: Staged) -> None:
    at = stage()
    leg = at.telnyx.outside_call(CALLER, OURS, f"{URL}/webhooks")
    here = at.attach(leg)
    at.run(5)
    at.stop(here)
    at.run(5)
    assert at.status(here) == "ended"
    assert at.asked() == ["start caller", "stop caller"]
    assert leg.state == "answered"
    at.run(minutes(10))
    assert leg.state == "answered"
    assert at.conversation(here)["insights"]
    at.assert_clean()


def test_once_it_is_over_the_same_call_is_not_taken_again(stage: Staged) -> None:
    at = stage()
    leg = at.telnyx.outside_call(CALLER, OURS, f"{URL}/webhooks")
    here = at.attach(leg)
    at.run(5)
    at.stop(here)
    at.run(5)
    again = at.ask("POST", "/conversations", {"call_control_id": leg.call_control_id})
    assert (again.status, again.json["error"]["code"]) == (409, "conversation_over")
    assert at.asked() == ["start caller", "stop caller"]
    assert leg.state == "answered"


def test_without_any_webhook_the_stop_is_noticed_all_the_same(stage: Staged) -> None:
    at = stage()
    leg = at.telnyx.outside_call(CALLER, OURS)
    here = at.attach(leg)
    at.stop(here)
    at.run(minutes(5))
    seen = at.conversation(here)
    assert seen["status"] == "ended"
    assert seen["insights"]
    assert leg.state == "answered"


def test_without_any_webhook_the_hangup_is_noticed_all_the_same(stage: Staged) -> None:
    at = stage()
    here = at.attach(at.telnyx.outside_call(CALLER, OURS))
    at.run(5)
    at.hang_up(CALLER)
    at.run(minutes(5))
    assert at.status(here) == "ended"
    assert at.conversation(here)["insights"]
    at.assert_clean()


def test_a_guest_is_joined_to_an_attached_call_and_let_go_after_it(stage: Staged) -> None:
    at = stage()
    here = at.attach(at.telnyx.outside_call(CALLER, OURS, f"{URL}/webhooks"))
    at.invite(here, DANA, name="Dana")
    at.run(5)
    assert at.joined() == ["Dana"]
    at.hang_up(CALLER)
    at.run(10)
    assert at.status(here) == "ended"
    at.assert_no_leg_up()
    at.assert_clean()


def test_a_live_call_is_joined_as_a_guest_and_left_up_at_the_end(stage: Staged) -> None:
    at = stage()
    here = at.start()
    at.run(5)
    guest = at.telnyx.outside_call(CALLER, OURS)
    assert brought_in(at, here, guest).status == 202
    assert at.joined() == ["caller"]
    assert at.told() == ["Cam has joined the conversation."]
    at.stop(here)
    at.run(5)
    assert at.status(here) == "ended"
    assert guest.state == "answered"
    at.assert_clean()


def test_a_call_that_is_over_cannot_be_attached_to(stage: Staged) -> None:
    at = stage()
    leg = at.telnyx.outside_call(CALLER, OURS)
    at.hang_up(CALLER)
    answer = at.ask("POST", "/conversations", {"call_control_id": leg.call_control_id})
    assert answer.status == 202
    assert answer.json["status"] == "failed"
    assert answer.json["failure"]["code"] == "90018"
    assert "no longer active" in answer.json["failure"]["message"]
    assert at.telnyx.conversations == []


def test_a_call_has_one_place_at_a_time(stage: Staged) -> None:
    at = stage()
    here = at.start()
    at.invite(here, DANA, name="Dana")
    at.run(5)
    elsewhere = at.attach(at.telnyx.outside_call(CALLER, OURS))

    def refused(path: str, leg: SimulatedLeg) -> tuple[int, str]:
        answer = at.ask("POST", path, {"call_control_id": leg.call_control_id})
        return answer.status, answer.json["error"]["code"]

    people = f"/conversations/{here}/participants"
    in_use = (409, "call_in_use")
    assert refused(people, at.leg(DANA)) == in_use
    assert refused(people, at.leg(HOST)) == in_use
    assert refused(people, at.leg(CALLER)) == in_use
    assert refused(f"/conversations/{elsewhere}/participants", at.leg(DANA)) == in_use
    assert refused("/conversations", at.leg(DANA)) == in_use
    guest = [{"call_control_id": at.leg(DANA).call_control_id}]
    answer = at.ask("POST", "/conversations", {"to": LEE, "participants": guest})
    assert (answer.status, answer.json["error"]["code"]) == in_use
    assert [each for each in at.asked() if "join" in each] == ["join Dana"]
    at.stop(elsewhere)
    at.run(minutes(2))
    assert at.ask("POST", people, {"call_control_id": at.leg(CALLER).call_control_id}).status == 202
    at.run(5)
    assert [each for each in at.asked() if "join" in each] == ["join Dana", "join caller"]
    at.assert_clean()


def test_a_call_that_is_over_cannot_be_invited(stage: Staged) -> None:
    at = stage()
    here = at.start()
    at.run(5)
    leg = at.telnyx.outside_call(CALLER, OURS)
    at.hang_up(CALLER)
    brought_in(at, here, leg)
    at.run(5)
    cam = at.person(here, "Cam")
    assert (cam["status"], cam["outcome"]) == ("failed", "unreachable")
    assert cam["legs"][0]["failure"]["code"] == "90018"
    assert at.told() == ["Cam could not be reached: the number is not available."]


def test_a_call_that_another_assistant_is_on_is_not_said_to_have_joined(stage: Staged) -> None:
    at = stage()
    leg = at.telnyx.outside_call(CALLER, OURS)
    here = at.start()
    at.run(5)
    at.line.refuse("ai_assistant_join", 422, "90061", "AI Assistant already in progress")
    brought_in(at, here, leg)
    at.run(5)
    assert at.joined() == []
    assert at.person(here, "Cam")["status"] == "failed"
    assert at.told() == ["Cam could not be brought into the conversation: a technical error."]
    assert leg.state == "answered"


def test_an_assistant_that_another_started_there_is_not_taken_for_a_second_one(
    stage: Staged,
) -> None:
    at = stage([], Settings(accepts_conversation_keys=True, duplicate_reply="same"))
    leg = at.telnyx.outside_call(CALLER, OURS)
    at.fail("ai_assistant_start", "lose_reply", times=2)
    here = at.attach(leg)
    at.run(minutes(3))
    assert at.status(here) == "active"
    assert at.conversation(here)["telnyx_conversation_id"] == at.ai().conversation_id
    assert len(at.telnyx.conversations) == 1
    at.assert_clean()
