"""We call somebody, the assistant talks to them, and others come and go."""

import pytest

from local.simulator.model import Person
from local.simulator.settings import Settings
from tests.scenario.people import DANA, HOST, KIM, LEE
from tests.scenario.stage import Staged


def test_the_host_answers_and_the_assistant_starts(stage: Staged) -> None:
    at = stage()
    here = at.start(HOST, name="Robin", assistant={"id": "assistant-7", "greeting": "Hello Robin"})
    assert at.status(here) == "connecting"
    at.run(5)
    seen = at.conversation(here)
    assert seen["status"] == "active"
    assert seen["telnyx_conversation_id"] == at.ai().conversation_id
    assert at.person(here, "Robin")["status"] == "joined"
    assert at.asked() == ["dial host", "start host"]
    (start,) = at.commands("ai_assistant_start")
    assert start["assistant"]["id"] == "assistant-7"
    assert start["assistant"]["greeting"] == "Hello Robin"
    assert "assistant: Hello Robin" in at.heard(HOST)
    at.assert_clean()


def test_the_whole_demo_asks_telnyx_for_exactly_this(stage: Staged) -> None:
    at = stage([Person(LEE, behaviour="busy")])
    here = at.start(HOST, name="Robin", metadata={"ticket": "4711"})
    at.run(5)
    at.invite(here, DANA, name="Dana")
    at.run(5)
    at.invite(here, LEE, name="Lee")
    at.run(5)
    at.message(here, "Robin is a customer of ten years: be generous.")
    at.hang_up(DANA)
    at.run(5)
    assert at.status(here) == "active"
    at.hang_up(HOST)
    at.run(10)
    assert at.asked() == [
        "dial host",
        "start host",
        "dial Dana",
        "join Dana",
        "tell host",
        "dial Lee",
        "tell host",
        "tell host",
        "tell host",
    ]
    assert at.told() == [
        "Dana has joined the conversation.",
        "Lee could not be reached: the line is busy.",
        "Robin is a customer of ten years: be generous.",
        "Dana has left the conversation.",
    ]
    seen = at.conversation(here)
    assert (seen["status"], seen["metadata"]) == ("ended", {"ticket": "4711"})
    assert len(seen["insights"]) == len(at.settings.insight_results)
    assert at.person(here, "Lee")["status"] == "failed"
    at.assert_clean()
    at.assert_no_leg_up()


def test_each_webhook_is_sent_to_a_function_of_its_own(stage: Staged) -> None:
    at = stage()
    at.start()
    at.run(5)
    at.hang_up(HOST)
    at.run(10)
    attempts = at.telnyx.deliverer.attempts
    assert {each.status for each in attempts} == {200}
    assert {each.url.rpartition("/")[2] for each in attempts} == {
        each.event_type for each in attempts
    }


def test_one_guest_joins_by_name_and_the_assistant_hears_that_another_is_busy(
    stage: Staged,
) -> None:
    at = stage([Person(LEE, behaviour="busy")])
    here = at.start()
    at.run(5)
    at.invite(here, DANA, name="Dana")
    at.invite(here, LEE, name="Lee")
    at.run(5)
    (join,) = at.commands("ai_assistant_join")
    assert join["participant"]["name"] == "Dana"
    assert join["participant"]["id"] == at.leg(DANA).call_control_id
    assert join["conversation_id"] == at.ai().conversation_id
    assert at.outcomes(here, "Lee") == ["busy"]
    assert sorted(at.told()) == [
        "Dana has joined the conversation.",
        "Lee could not be reached: the line is busy.",
    ]
    at.assert_clean()


@pytest.mark.parametrize(
    ("behaviour", "outcome", "words"),
    [
        ("busy", "busy", "Lee could not be reached: the line is busy."),
        ("decline", "rejected", "Lee could not be reached: the call was rejected."),
        ("no_answer", "no_answer", "Lee did not answer the call."),
        ("unreachable", "unreachable", "Lee could not be reached: the number is not available."),
    ],
)
def test_the_assistant_is_told_why_a_guest_does_not_come(
    stage: Staged, behaviour: str, outcome: str, words: str
) -> None:
    at = stage([Person(LEE, behaviour=behaviour)])  # type: ignore[arg-type]
    here = at.start()
    at.run(5)
    at.invite(here, LEE, name="Lee", ring_timeout_secs=10)
    at.run(15)
    assert at.person(here, "Lee")["outcome"] == outcome
    assert at.told() == [words]
    assert at.status(here) == "active"
    assert at.up() == ["host"]
    at.assert_clean()


def test_guests_who_answer_before_the_host_wait_and_are_joined_when_the_assistant_runs(
    stage: Staged,
) -> None:
    at = stage([Person(HOST, answer_after_secs=8)])
    here = at.start(
        participants=[{"to": DANA, "name": "Dana"}, {"to": LEE, "name": "Lee"}],
    )
    at.run(5)
    assert at.person(here, "Dana")["status"] == "waiting"
    assert at.telnyx.conversations == []
    at.run(5)
    assert sorted(at.joined()) == ["Dana", "Lee"]
    assert at.person(here, "Dana")["status"] == "joined"
    at.assert_clean()


def test_a_message_sent_too_early_is_kept_until_the_assistant_runs(stage: Staged) -> None:
    at = stage()
    here = at.start()
    assert at.message(here, "Robin speaks Spanish.").status == 202
    assert at.commands("ai_assistant_add_messages") == []
    at.run(5)
    assert at.told() == ["Robin speaks Spanish."]
    at.assert_clean()


def test_a_person_who_should_not_be_spoken_of_is_not(stage: Staged) -> None:
    at = stage()
    here = at.start()
    at.run(5)
    at.invite(here, DANA, name="Dana", tell_assistant=False)
    at.run(5)
    assert at.joined() == ["Dana"]
    assert at.told() == []


def test_the_assistant_is_told_in_the_conversations_own_words(stage: Staged) -> None:
    at = stage()
    here = at.start(words={"joined": "{name} ist jetzt dabei."})
    at.run(5)
    at.invite(here, DANA, name="Dana")
    at.run(5)
    assert at.told() == ["Dana ist jetzt dabei."]


@pytest.mark.parametrize("behaviour", ["busy", "decline", "no_answer", "unreachable"])
def test_a_host_who_is_not_reached_fails_the_conversation_and_the_guests_are_let_go(
    stage: Staged, behaviour: str
) -> None:
    at = stage(
        [Person(HOST, behaviour=behaviour), Person(LEE, behaviour="manual")]  # type: ignore[arg-type]
    )
    here = at.start(
        ring_timeout_secs=20,
        participants=[
            {"to": DANA, "name": "Dana"},
            {"to": LEE, "name": "Lee", "ring_timeout_secs": 60},
        ],
    )
    at.run(30)
    seen = at.conversation(here)
    assert seen["status"] == "failed"
    assert seen["failure"]["code"] in {"busy", "rejected", "no_answer", "unreachable"}
    assert {each["status"] for each in seen["participants"]} <= {"failed", "left"}
    assert at.commands("ai_assistant_start") == []
    at.assert_no_leg_up()
    at.assert_clean()


def test_with_machine_detection_the_assistant_starts_on_the_verdict(stage: Staged) -> None:
    at = stage([], Settings(accepts_conversation_keys=True, detection_after_secs=4.0))
    here = at.start(machine_detection="premium")
    at.run(4)
    assert at.commands("ai_assistant_start") == []
    at.run(4)
    assert at.asked() == ["dial host", "start host"]
    assert at.commands("dial")[0]["answering_machine_detection"] == "premium"
    assert at.status(here) == "active"


def test_a_machine_that_answers_for_the_host_is_not_talked_to(stage: Staged) -> None:
    at = stage([Person(HOST, behaviour="machine")])
    here = at.start(machine_detection="standard")
    at.run(10)
    seen = at.conversation(here)
    assert (seen["status"], seen["failure"]["code"]) == ("failed", "machine")
    assert at.asked() == ["dial host", "hang up host"]
    at.assert_no_leg_up()


def test_three_guests_at_once_are_all_joined_once(stage: Staged) -> None:
    at = stage()
    guests = [{"to": to, "name": name} for to, name in ((DANA, "Dana"), (LEE, "Lee"), (KIM, "Kim"))]
    here = at.start(participants=guests)
    at.run(10)
    assert sorted(at.joined()) == ["Dana", "Kim", "Lee"]
    assert sorted(at.dialled()) == ["Dana", "Kim", "Lee", "host"]
    assert len(at.told()) == 3
    assert {each["status"] for each in at.conversation(here)["participants"]} == {"joined"}
    at.assert_clean()
