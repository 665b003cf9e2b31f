"""A person has several numbers, tried one after the other."""

import pytest

from local.simulator.model import Person
from local.simulator.settings import Settings
from tests.scenario.people import DANA, HOST, KIM, LEE
from tests.scenario.stage import Stage, Staged, minutes

BUSY_NEXT = "Dana could not be reached: the line is busy. The next number is being tried."
SILENT_NEXT = "Dana did not answer the call. The next number is being tried."
SILENT_LAST = "Dana did not answer the call. There is no other number to try."
MACHINE_NEXT = (
    "Dana could not be reached: an answering machine picked up. The next number is being tried."
)
JOINED = "Dana has joined the conversation."


def running(stage: Staged, *people: Person, settings: Settings | None = None) -> tuple[Stage, str]:
    """The host is on the line with the assistant."""
    at = stage(people, settings or Settings(accepts_conversation_keys=True))
    here = at.start()
    at.run(5)
    return at, here


def test_busy_then_a_machine_then_a_person_who_presses_1(stage: Staged) -> None:
    at, here = running(
        stage,
        Person(LEE, behaviour="busy"),
        Person(KIM, behaviour="machine"),
        Person(DANA, digits="1"),
    )
    at.invite(
        here,
        [LEE, KIM, DANA],
        name="Dana",
        machine_detection="standard",
        screening={"say": "A caller wants to speak to you. Press 1."},
    )
    at.run(30)
    assert at.asked()[2:] == [
        "dial Lee",
        "dial Kim",
        "tell host",
        "dial Dana",
        "tell host",
        "hang up Kim",
        "screen Dana",
        "join Dana",
        "tell host",
    ]
    assert at.outcomes(here, "Dana") == ["busy", "machine", "human"]
    assert at.told() == [BUSY_NEXT, MACHINE_NEXT, JOINED]
    assert at.joined() == ["Dana"]
    assert sorted(at.up()) == ["Dana", "host"]
    at.assert_clean()


def test_after_the_last_number_the_assistant_knows_that_there_is_no_other(stage: Staged) -> None:
    at, here = running(stage, Person(LEE, behaviour="busy"), Person(KIM, behaviour="no_answer"))
    at.invite(here, [LEE, KIM], name="Dana", ring_timeout_secs=10)
    at.run(30)
    dana = at.person(here, "Dana")
    assert (dana["status"], dana["outcome"]) == ("failed", "no_answer")
    assert at.told() == [BUSY_NEXT, SILENT_LAST]
    assert at.up() == ["host"]
    assert at.status(here) == "active"
    at.assert_clean()


def test_every_attempt_is_in_the_timeline_with_its_number_masked(stage: Staged) -> None:
    at, here = running(stage, Person(LEE, behaviour="busy"))
    at.invite(here, [LEE, DANA], name="Dana")
    at.run(10)
    ended = [each["data"] for each in at.timeline(here) if each["type"] == "leg.ended"]
    assert [(each["to"], each["outcome"], each["hangup_cause"]) for each in ended] == [
        ("***0113", "busy", "user_busy")
    ]
    assert ended[0]["sip_hangup_cause"] == "486"
    assert DANA not in str(at.timeline(here))


def test_a_second_round_begins_after_the_pause(stage: Staged) -> None:
    at, here = running(stage, Person(LEE, behaviour="busy"), Person(KIM, behaviour="decline"))
    at.invite(here, [LEE, KIM], name="Dana", max_attempts=2, pause_secs=60)
    at.run(20)
    assert at.dialled() == ["host", "Lee", "Kim"]
    assert at.person(here, "Dana")["status"] == "dialing"
    at.telnyx.set_person(Person(KIM))
    at.run(minutes(3))
    assert at.dialled() == ["host", "Lee", "Kim", "Lee", "Kim"]
    assert at.outcomes(here, "Dana") == ["busy", "rejected", "busy", "human"]
    assert at.told()[-1] == JOINED
    assert at.joined() == ["Kim"]
    at.assert_clean()


def test_when_all_rounds_are_over_it_is_over(stage: Staged) -> None:
    at, here = running(stage, Person(LEE, behaviour="busy"))
    at.invite(here, LEE, name="Lee", max_attempts=3, pause_secs=10)
    at.run(minutes(5))
    assert at.outcomes(here, "Lee") == ["busy", "busy", "busy"]
    assert at.person(here, "Lee")["status"] == "failed"
    assert at.told()[-1] == (
        "Lee could not be reached: the line is busy. There is no other number to try."
    )
    assert at.up() == ["host"]


def test_the_deadline_shortens_the_ringing_and_ends_the_plan(stage: Staged) -> None:
    at, here = running(
        stage, Person(LEE, behaviour="no_answer"), Person(KIM, behaviour="no_answer")
    )
    at.invite(here, [LEE, KIM, DANA], name="Dana", ring_timeout_secs=20, deadline_secs=30)
    at.run(minutes(3))
    rang = [each["timeout_secs"] for each in at.commands("dial")[1:]]
    assert rang == [20, 10]
    assert at.person(here, "Dana")["outcome"] == "no_answer"
    assert at.told() == [SILENT_NEXT, "Dana could not be reached in time."]
    assert at.dialled() == ["host", "Lee", "Kim"]
    assert at.up() == ["host"]
    at.assert_clean()


def test_a_number_that_rings_on_at_the_deadline_is_hung_up(stage: Staged) -> None:
    at, here = running(stage, Person(LEE, behaviour="busy", answer_after_secs=27))
    at.telnyx.set_person(Person(KIM, behaviour="no_answer"))
    at.invite(here, [LEE, KIM], name="Dana", ring_timeout_secs=30, deadline_secs=30)
    at.run(minutes(2))
    assert at.person(here, "Dana")["status"] == "failed"
    assert at.up() == ["host"]
    at.assert_clean()


def test_a_machine_is_joined_if_that_was_asked(stage: Staged) -> None:
    at, here = running(stage, Person(DANA, behaviour="machine"))
    at.invite(here, DANA, name="Dana", machine_detection="standard", on_machine="join")
    at.run(10)
    assert at.outcomes(here, "Dana") == ["machine"]
    assert at.joined() == ["Dana"]
    assert at.told() == ["The answering machine of Dana has joined the conversation."]


def test_a_machine_that_may_be_joined_is_not_asked_for_a_digit(stage: Staged) -> None:
    at, here = running(stage, Person(DANA, behaviour="machine"))
    plan = {"machine_detection": "standard", "on_machine": "join", "screening": {"say": "Press 1."}}
    at.invite(here, DANA, name="Dana", **plan)
    at.run(10)
    assert "screen Dana" not in at.asked()
    assert at.joined() == ["Dana"]


def test_the_deadline_in_a_pause_leaves_what_was_found_out(stage: Staged) -> None:
    at, here = running(stage, Person(LEE, behaviour="busy"))
    at.invite(here, LEE, name="Lee", max_attempts=3, pause_secs=600, deadline_secs=60)
    at.run(minutes(2))
    assert at.person(here, "Lee")["outcome"] == "busy"
    assert at.told()[-1] == "Lee could not be reached in time."


def test_who_does_not_wait_for_the_assistant_has_declined(stage: Staged) -> None:
    people = [Person(HOST, answer_after_secs=10), Person(LEE, hangs_up_after_secs=3)]
    at = stage(people)
    here = at.start(participants=[{"to": LEE, "name": "Lee"}])
    at.run(minutes(1))
    lee = at.person(here, "Lee")
    assert (lee["status"], lee["outcome"]) == ("failed", "declined")
    assert at.told() == ["Lee was reached but declined to join the conversation."]
    assert at.joined() == []
    at.assert_clean()


def test_an_empty_sentence_keeps_the_assistant_in_peace(stage: Staged) -> None:
    at = stage([Person(LEE, behaviour="busy")])
    here = at.start(words={"joined": "", "busy": " "})
    at.run(5)
    at.invite(here, [LEE, DANA], name="Dana")
    at.run(10)
    assert at.joined() == ["Dana"]
    assert at.told() == ["The next number is being tried."]


def test_the_conversation_ends_while_the_plan_is_under_way(stage: Staged) -> None:
    at, here = running(stage, Person(LEE, behaviour="busy"), Person(KIM, behaviour="manual"))
    at.invite(here, [LEE, KIM, DANA], name="Dana")
    at.run(5)
    at.hang_up(HOST)
    at.run(minutes(3))
    assert at.status(here) == "ended"
    assert (at.person(here, "Dana")["status"], at.outcomes(here, "Dana")) == (
        "failed",
        ["busy", "cancelled"],
    )
    assert at.dialled() == ["host", "Lee", "Kim"]
    assert at.joined() == []
    assert at.told() == [BUSY_NEXT]
    at.assert_no_leg_up()
    at.assert_clean()


def test_the_conversation_ends_between_two_rounds(stage: Staged) -> None:
    at, here = running(stage, Person(LEE, behaviour="busy"))
    at.invite(here, LEE, name="Lee", max_attempts=2, pause_secs=60)
    at.run(10)
    at.hang_up(HOST)
    at.run(minutes(5))
    assert at.dialled() == ["host", "Lee"]
    assert at.person(here, "Lee")["status"] == "failed"


@pytest.mark.parametrize("hangup_first", [True, False])
def test_a_guest_picks_up_in_the_instant_in_which_the_host_hangs_up(
    stage: Staged, hangup_first: bool
) -> None:
    at, here = running(stage, Person(KIM, behaviour="manual"))
    at.invite(here, [KIM, DANA], name="Dana")
    at.run(2)
    at.hold()
    at.pick_up(KIM)
    at.hang_up(HOST)
    webhooks = at.release()
    at.arrive(webhooks[::-1] if hangup_first else webhooks)
    at.run(minutes(3))
    assert at.status(here) == "ended"
    assert at.dialled() == ["host", "Kim"]
    at.assert_no_leg_up()
    at.assert_clean()


def test_the_next_number_is_not_called_for_a_guest_who_is_called_off(stage: Staged) -> None:
    at, here = running(stage, Person(LEE, behaviour="manual"))
    dana = at.invite(here, [LEE, KIM], name="Dana")
    at.run(2)
    at.remove(here, dana)
    at.run(minutes(2))
    assert at.dialled() == ["host", "Lee"]
    assert at.told() == ["The call to Dana was cancelled."]
    assert at.up() == ["host"]
    at.assert_clean()


def test_two_plans_do_not_get_into_each_others_way(stage: Staged) -> None:
    at, here = running(stage, Person(LEE, behaviour="busy"), Person(HOST))
    at.invite(here, [LEE, DANA], name="Dana")
    at.invite(here, [KIM], name="Kim")
    at.run(10)
    assert sorted(at.joined()) == ["Dana", "Kim"]
    assert sorted(at.told()) == [BUSY_NEXT, JOINED, "Kim has joined the conversation."]
    at.assert_clean()
