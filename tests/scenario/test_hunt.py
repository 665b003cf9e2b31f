"""A plan calls several numbers of a person in order."""

import pytest

from local.simulator.model import Person
from local.simulator.settings import Settings
from tests.support.lab import Lab, NewLab, minutes
from tests.support.people import DANA, HOST, KIM, LEE

BUSY_NEXT = "“Dana” could not be reached: the line is busy. The next number is being tried."
SILENT_NEXT = "“Dana” did not answer the call. The next number is being tried."
SILENT_LAST = "“Dana” did not answer the call. There is no other number to try."
MACHINE_NEXT = (
    "“Dana” could not be reached: an answering machine picked up. The next number is being tried."
)
JOINED = "“Dana” has joined the conversation."


def lab_with_host(
    new_lab: NewLab, *people: Person, settings: Settings | None = None
) -> tuple[Lab, str]:
    """Create a lab with an active conversation of the host and the assistant."""
    lab = new_lab(people, settings or Settings(accepts_conversation_keys=True))
    conversation_id = lab.start()
    lab.run(5)
    return lab, conversation_id


def test_a_busy_number_and_a_machine_are_passed_over_until_a_person_presses_1(
    new_lab: NewLab,
) -> None:
    lab, conversation_id = lab_with_host(
        new_lab,
        Person(LEE, behaviour="busy"),
        Person(KIM, behaviour="machine"),
        Person(DANA, digits="1"),
    )
    lab.invite(
        conversation_id,
        [LEE, KIM, DANA],
        name="Dana",
        machine_detection="standard",
        screening={"say": "A caller wants to speak to you. Press 1."},
    )
    lab.run(30)
    assert lab.commands_in_words()[2:] == [
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
    assert lab.outcomes(conversation_id, "Dana") == ["busy", "machine", "human"]
    assert lab.messages_to_assistant() == [BUSY_NEXT, MACHINE_NEXT, JOINED]
    assert lab.people_joined() == ["Dana"]
    assert sorted(lab.legs_up()) == ["Dana", "host"]
    lab.assert_clean()


def test_after_the_last_number_the_assistant_is_told_that_there_is_no_other_number(
    new_lab: NewLab,
) -> None:
    lab, conversation_id = lab_with_host(
        new_lab, Person(LEE, behaviour="busy"), Person(KIM, behaviour="no_answer")
    )
    lab.invite(conversation_id, [LEE, KIM], name="Dana", ring_timeout_secs=10)
    lab.run(30)
    dana = lab.person(conversation_id, "Dana")
    assert (dana["status"], dana["outcome"]) == ("failed", "no_answer")
    assert lab.messages_to_assistant() == [BUSY_NEXT, SILENT_LAST]
    assert lab.legs_up() == ["host"]
    assert lab.status(conversation_id) == "active"
    lab.assert_clean()


def test_every_attempt_is_in_the_timeline_with_its_number_masked(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_host(new_lab, Person(LEE, behaviour="busy"))
    lab.invite(conversation_id, [LEE, DANA], name="Dana")
    lab.run(10)
    ended_legs = [
        event["data"] for event in lab.timeline(conversation_id) if event["type"] == "leg.ended"
    ]
    assert [(leg["to"], leg["outcome"], leg["hangup_cause"]) for leg in ended_legs] == [
        ("***0113", "busy", "user_busy")
    ]
    assert ended_legs[0]["sip_hangup_cause"] == "486"
    assert DANA not in str(lab.timeline(conversation_id))


def test_a_second_round_begins_after_the_pause(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_host(
        new_lab, Person(LEE, behaviour="busy"), Person(KIM, behaviour="decline")
    )
    lab.invite(conversation_id, [LEE, KIM], name="Dana", max_attempts=2, pause_secs=60)
    lab.run(20)
    assert lab.people_dialled() == ["host", "Lee", "Kim"]
    assert lab.person(conversation_id, "Dana")["status"] == "dialing"
    lab.telnyx.set_person(Person(KIM))
    lab.run(minutes(3))
    assert lab.people_dialled() == ["host", "Lee", "Kim", "Lee", "Kim"]
    assert lab.outcomes(conversation_id, "Dana") == ["busy", "rejected", "busy", "human"]
    assert lab.messages_to_assistant()[-1] == JOINED
    assert lab.people_joined() == ["Kim"]
    lab.assert_clean()


def test_after_the_last_round_the_participant_has_failed(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_host(new_lab, Person(LEE, behaviour="busy"))
    lab.invite(conversation_id, LEE, name="Lee", max_attempts=3, pause_secs=10)
    lab.run(minutes(5))
    assert lab.outcomes(conversation_id, "Lee") == ["busy", "busy", "busy"]
    assert lab.person(conversation_id, "Lee")["status"] == "failed"
    assert lab.messages_to_assistant()[-1] == (
        "“Lee” could not be reached: the line is busy. There is no other number to try."
    )
    assert lab.legs_up() == ["host"]


def test_the_deadline_shortens_the_ringing_and_ends_the_plan(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_host(
        new_lab, Person(LEE, behaviour="no_answer"), Person(KIM, behaviour="no_answer")
    )
    lab.invite(
        conversation_id, [LEE, KIM, DANA], name="Dana", ring_timeout_secs=20, deadline_secs=30
    )
    lab.run(minutes(3))
    rang = [command["timeout_secs"] for command in lab.commands("dial")[1:]]
    assert rang == [20, 10]
    assert lab.person(conversation_id, "Dana")["outcome"] == "no_answer"
    assert lab.messages_to_assistant() == [SILENT_NEXT, "“Dana” could not be reached in time."]
    assert lab.people_dialled() == ["host", "Lee", "Kim"]
    assert lab.legs_up() == ["host"]
    lab.assert_clean()


def test_a_number_that_still_rings_at_the_deadline_is_hung_up(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_host(
        new_lab, Person(LEE, behaviour="busy", answer_after_secs=27)
    )
    lab.telnyx.set_person(Person(KIM, behaviour="no_answer"))
    lab.invite(conversation_id, [LEE, KIM], name="Dana", ring_timeout_secs=30, deadline_secs=30)
    lab.run(minutes(2))
    assert lab.person(conversation_id, "Dana")["status"] == "failed"
    assert lab.legs_up() == ["host"]
    lab.assert_clean()


def test_an_answering_machine_is_joined_if_the_plan_says_so(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_host(new_lab, Person(DANA, behaviour="machine"))
    lab.invite(conversation_id, DANA, name="Dana", machine_detection="standard", on_machine="join")
    lab.run(10)
    assert lab.outcomes(conversation_id, "Dana") == ["machine"]
    assert lab.people_joined() == ["Dana"]
    assert lab.messages_to_assistant() == [
        "The answering machine of “Dana” has joined the conversation."
    ]


def test_an_answering_machine_that_may_be_joined_is_not_screened(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_host(new_lab, Person(DANA, behaviour="machine"))
    plan = {"machine_detection": "standard", "on_machine": "join", "screening": {"say": "Press 1."}}
    lab.invite(conversation_id, DANA, name="Dana", **plan)
    lab.run(10)
    assert "screen Dana" not in lab.commands_in_words()
    assert lab.people_joined() == ["Dana"]


def test_a_deadline_during_the_pause_keeps_the_last_outcome(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_host(new_lab, Person(LEE, behaviour="busy"))
    lab.invite(conversation_id, LEE, name="Lee", max_attempts=3, pause_secs=600, deadline_secs=60)
    lab.run(minutes(2))
    assert lab.person(conversation_id, "Lee")["outcome"] == "busy"
    assert lab.messages_to_assistant()[-1] == "“Lee” could not be reached in time."


def test_a_guest_who_hangs_up_before_the_assistant_runs_did_not_decline(new_lab: NewLab) -> None:
    people = [Person(HOST, answer_after_secs=10), Person(LEE, hangs_up_after_secs=3)]
    lab = new_lab(people)
    conversation_id = lab.start(participants=[{"to": LEE, "name": "Lee"}])
    lab.run(minutes(1))
    lee = lab.person(conversation_id, "Lee")
    assert (lee["status"], lee["outcome"]) == ("failed", "no_answer")
    assert lab.messages_to_assistant() == ["“Lee” did not answer the call."]
    assert lab.people_joined() == []
    lab.assert_clean()


def test_an_empty_phrase_suppresses_the_message_to_the_assistant(new_lab: NewLab) -> None:
    lab = new_lab([Person(LEE, behaviour="busy")])
    conversation_id = lab.start(words={"joined": "", "busy": " "})
    lab.run(5)
    lab.invite(conversation_id, [LEE, DANA], name="Dana")
    lab.run(10)
    assert lab.people_joined() == ["Dana"]
    assert lab.messages_to_assistant() == ["The next number is being tried."]


def test_the_end_of_the_conversation_stops_a_plan_that_rings(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_host(
        new_lab, Person(LEE, behaviour="busy"), Person(KIM, behaviour="manual")
    )
    lab.invite(conversation_id, [LEE, KIM, DANA], name="Dana")
    lab.run(5)
    lab.hang_up(HOST)
    lab.run(minutes(3))
    assert lab.status(conversation_id) == "ended"
    assert (
        lab.person(conversation_id, "Dana")["status"],
        lab.outcomes(conversation_id, "Dana"),
    ) == (
        "failed",
        ["busy", "cancelled"],
    )
    assert lab.people_dialled() == ["host", "Lee", "Kim"]
    assert lab.people_joined() == []
    assert lab.messages_to_assistant() == [BUSY_NEXT]
    lab.assert_no_leg_up()
    lab.assert_clean()


def test_the_end_of_the_conversation_stops_a_plan_between_two_rounds(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_host(new_lab, Person(LEE, behaviour="busy"))
    lab.invite(conversation_id, LEE, name="Lee", max_attempts=2, pause_secs=60)
    lab.run(10)
    lab.hang_up(HOST)
    lab.run(minutes(5))
    assert lab.people_dialled() == ["host", "Lee"]
    assert lab.person(conversation_id, "Lee")["status"] == "failed"


@pytest.mark.parametrize("hangup_first", [True, False])
def test_no_call_stays_up_if_a_guest_answers_while_the_host_hangs_up(
    new_lab: NewLab, hangup_first: bool
) -> None:
    lab, conversation_id = lab_with_host(new_lab, Person(KIM, behaviour="manual"))
    lab.invite(conversation_id, [KIM, DANA], name="Dana")
    lab.run(2)
    lab.hold()
    lab.pick_up(KIM)
    lab.hang_up(HOST)
    webhooks = lab.release()
    lab.deliver(webhooks[::-1] if hangup_first else webhooks)
    lab.run(minutes(3))
    assert lab.status(conversation_id) == "ended"
    assert lab.people_dialled() == ["host", "Kim"]
    lab.assert_no_leg_up()
    lab.assert_clean()


def test_the_next_number_is_not_called_for_a_removed_guest(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_host(new_lab, Person(LEE, behaviour="manual"))
    dana = lab.invite(conversation_id, [LEE, KIM], name="Dana")
    lab.run(2)
    lab.remove(conversation_id, dana)
    lab.run(minutes(2))
    assert lab.people_dialled() == ["host", "Lee"]
    assert lab.messages_to_assistant() == ["The call to “Dana” was cancelled."]
    assert lab.legs_up() == ["host"]
    lab.assert_clean()


def test_two_plans_at_the_same_time_both_succeed(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_host(new_lab, Person(LEE, behaviour="busy"), Person(HOST))
    lab.invite(conversation_id, [LEE, DANA], name="Dana")
    lab.invite(conversation_id, [KIM], name="Kim")
    lab.run(10)
    assert sorted(lab.people_joined()) == ["Dana", "Kim"]
    assert sorted(lab.messages_to_assistant()) == [
        BUSY_NEXT,
        JOINED,
        "“Kim” has joined the conversation.",
    ]
    lab.assert_clean()
