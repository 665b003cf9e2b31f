"""People leave, and what that means for those who stay."""

from local.simulator.settings import Settings
from tests.scenario.people import DANA, HOST, LEE
from tests.scenario.stage import Stage, Staged, minutes


def three(stage: Staged, settings: Settings | None = None, **more: object) -> tuple[Stage, str]:
    """The host, Dana and Lee are on the line."""
    at = stage([], settings)
    at.settings.accepts_conversation_keys = True
    guests = [{"to": DANA, "name": "Dana", **more}, {"to": LEE, "name": "Lee"}]
    here = at.start(participants=guests)
    at.run(5)
    return at, here


def test_a_guest_leaves_and_it_goes_on_the_host_leaves_and_it_ends(stage: Staged) -> None:
    at = stage()
    here = at.start(participants=[{"to": DANA, "name": "Dana"}])
    at.run(5)
    at.hang_up(DANA)
    at.run(5)
    assert at.status(here) == "active"
    assert at.told()[-1] == "Dana has left the conversation."
    at.hang_up(HOST)
    at.run(10)
    seen = at.conversation(here)
    assert seen["status"] == "ended"
    assert len(seen["insights"]) == len(at.settings.insight_results)
    at.assert_clean()
    at.assert_no_leg_up()


def test_who_stays_alone_with_the_assistant_is_an_event(stage: Staged) -> None:
    at, here = three(stage)
    at.hang_up(DANA)
    at.run(2)
    assert "participant.alone" not in at.types(here)
    at.hang_up(LEE)
    at.run(2)
    (alone,) = [each for each in at.timeline(here) if each["type"] == "participant.alone"]
    assert alone["data"]["participant_id"] == at.conversation(here)["participants"][0]["id"]


def test_a_guest_whose_leaving_ends_it_ends_it(stage: Staged) -> None:
    at, here = three(stage, on_hangup="end_conversation")
    joins = {each["participant"]["name"]: each for each in at.commands("ai_assistant_join")}
    assert joins["Dana"]["participant"]["on_hangup"] == "end_conversation"
    assert joins["Lee"]["participant"]["on_hangup"] == "continue_conversation"
    at.hang_up(DANA)
    at.run(minutes(2))
    assert at.status(here) == "ended"
    at.assert_no_leg_up()
    at.assert_clean()


def test_telnyx_tells_the_end_once_for_each_leg_and_it_ends_once(stage: Staged) -> None:
    at, here = three(stage, Settings(ended_once_per_leg=True))
    at.hang_up(HOST)
    at.run(10)
    assert at.types(here).count("conversation.ended") == 1
    at.assert_no_leg_up()
    at.assert_clean()


def test_a_guest_is_hung_up_by_request_and_it_goes_on(stage: Staged) -> None:
    at, here = three(stage)
    at.remove(here, at.person(here, "Dana")["id"])
    at.run(5)
    assert at.asked()[-2:] == ["hang up Dana", "tell host"]
    assert at.person(here, "Dana")["status"] == "left"
    assert at.told()[-1] == "Dana has left the conversation."
    assert sorted(at.up()) == ["Lee", "host"]
    at.assert_clean()


def test_a_guest_who_is_still_being_called_can_be_called_off(stage: Staged) -> None:
    at = stage([], Settings(accepts_conversation_keys=True))
    here = at.start()
    at.run(5)
    dana = at.invite(here, DANA, name="Dana")
    at.remove(here, dana)
    at.run(5)
    assert (at.person(here, dana)["status"], at.person(here, dana)["outcome"]) == (
        "failed",
        "cancelled",
    )
    assert at.told() == ["The call to Dana was cancelled."]
    assert at.joined() == []
    assert at.up() == ["host"]
    at.assert_clean()


def test_the_host_is_hung_up_by_request_and_it_ends(stage: Staged) -> None:
    at, here = three(stage)
    at.remove(here, at.conversation(here)["participants"][0]["id"])
    at.run(10)
    assert at.status(here) == "ended"
    at.assert_no_leg_up()


def test_whoever_leaves_before_being_joined_has_left_nothing(stage: Staged) -> None:
    at = stage()
    here = at.start()
    at.run(5)
    at.invite(here, DANA, name="Dana")
    at.hold()
    at.run(2)
    at.hang_up(DANA)
    answered_and_gone = at.release()
    at.arrive(answered_and_gone)
    at.run(5)
    assert "Dana has left the conversation." not in at.told()
    assert at.status(here) == "active"
    assert at.up() == ["host"]
    at.assert_clean()
