"""Screening: a guest hears a question and presses a digit before joining."""

import pytest

from local.simulator.delivery import DeliverySettings
from local.simulator.model import Person
from local.simulator.settings import Settings
from tests.support.lab import Lab, NewLab, minutes
from tests.support.people import DANA, HOST, LEE

SAY = "Robin has a question about the invoice. Press 1 to talk."
JOINED = "“Dana” has joined the conversation."
DECLINED = "“Dana” was reached but declined to join the conversation."
SILENT = "“Dana” did not answer the call."


def lab_with_screening(new_lab: NewLab, person: Person, **more: object) -> tuple[Lab, str]:
    """Create a lab in which Dana is called and screened."""
    lab = new_lab([person])
    conversation_id = lab.start()
    lab.run(5)
    lab.invite(conversation_id, DANA, name="Dana", screening={"say": SAY, **more})
    lab.run(1.5)
    return lab, conversation_id


def test_a_guest_who_accepts_is_joined_and_the_host_does_not_hear_the_question(
    new_lab: NewLab,
) -> None:
    lab, conversation_id = lab_with_screening(
        new_lab, Person(DANA, digits="1", digits_after_secs=3)
    )
    assert lab.person(conversation_id, "Dana")["status"] == "screening"
    assert lab.people_joined() == []
    lab.run(5)
    assert lab.commands_in_words()[2:] == ["dial Dana", "screen Dana", "join Dana", "tell host"]
    assert f"voice: {SAY}" in lab.heard_by(DANA)
    assert not [notice for notice in lab.heard_by(HOST) if "invoice" in notice]
    assert lab.messages_to_assistant() == [JOINED]
    assert lab.outcomes(conversation_id, "Dana") == ["human"]
    lab.assert_clean()


def test_the_digit_that_accepts_can_be_chosen(new_lab: NewLab) -> None:
    lab, _ = lab_with_screening(new_lab, Person(DANA, digits="7"), accept_digit="7")
    lab.run(5)
    assert lab.people_joined() == ["Dana"]


def test_the_hash_key_can_be_the_digit_that_accepts(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_screening(new_lab, Person(DANA, digits="#"), accept_digit="#")
    lab.run(5)
    assert lab.outcomes(conversation_id, "Dana") == ["human"]
    assert lab.people_joined() == ["Dana"]


@pytest.mark.parametrize("digits", ["2", "0", "*", "#"])
def test_a_guest_who_declines_is_hung_up_and_the_assistant_is_told(
    new_lab: NewLab, digits: str
) -> None:
    lab, conversation_id = lab_with_screening(new_lab, Person(DANA, digits=digits))
    lab.run(5)
    assert lab.outcomes(conversation_id, "Dana") == ["declined"]
    assert lab.messages_to_assistant() == [DECLINED]
    assert lab.people_joined() == []
    assert lab.legs_up() == ["host"]
    lab.assert_clean()


def test_a_guest_who_presses_no_digit_is_hung_up_and_the_assistant_is_told(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_screening(new_lab, Person(DANA), timeout_secs=5)
    lab.run(minutes(2))
    assert lab.outcomes(conversation_id, "Dana") == ["no_answer"]
    assert lab.messages_to_assistant() == [SILENT]
    assert lab.people_joined() == []
    assert lab.legs_up() == ["host"]
    lab.assert_clean()


def test_a_guest_who_hangs_up_during_the_question_has_declined(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_screening(new_lab, Person(DANA, hangs_up_after_secs=3))
    lab.run(10)
    assert lab.person(conversation_id, "Dana")["status"] == "failed"
    assert lab.outcomes(conversation_id, "Dana") == ["declined"]
    assert lab.people_joined() == []
    assert lab.messages_to_assistant() == [DECLINED]
    assert "hang up Dana" not in lab.commands_in_words()
    assert lab.legs_up() == ["host"]
    lab.assert_clean()


def test_a_hangup_reported_only_by_the_end_of_the_gather_counts_as_declined(
    new_lab: NewLab,
) -> None:
    lab, conversation_id = lab_with_screening(new_lab, Person(DANA, hangs_up_after_secs=3))
    lab.telnyx.deliverer.settings["call.hangup"] = DeliverySettings(drop=1.0)
    lab.run(minutes(2))
    assert lab.outcomes(conversation_id, "Dana") == ["declined"]
    assert lab.messages_to_assistant() == [DECLINED]


def test_a_long_question_is_spoken_to_its_end_before_the_timeout_counts(new_lab: NewLab) -> None:
    lab = new_lab([Person(DANA, digits="1", digits_after_secs=90)])
    conversation_id = lab.start()
    lab.run(5)
    lab.invite(
        conversation_id, DANA, name="Dana", screening={"say": "word " * 300, "timeout_secs": 20}
    )
    lab.run(100)
    assert lab.people_joined() == ["Dana"]
    lab.assert_clean()


def test_after_a_declined_number_the_next_number_is_asked(new_lab: NewLab) -> None:
    lab = new_lab([Person(LEE, digits="2"), Person(DANA, digits="1")])
    conversation_id = lab.start()
    lab.run(5)
    lab.invite(conversation_id, [LEE, DANA], name="Dana", screening={"say": SAY})
    lab.run(20)
    assert lab.outcomes(conversation_id, "Dana") == ["declined", "human"]
    assert lab.messages_to_assistant() == [f"{DECLINED} The next number is being tried.", JOINED]
    assert lab.people_joined() == ["Dana"]
    lab.assert_clean()


def test_a_guest_whose_digit_is_never_reported_is_hung_up(new_lab: NewLab) -> None:
    lab, _ = lab_with_screening(new_lab, Person(DANA, digits="1"))
    lab.telnyx.deliverer.settings["call.gather.ended"] = DeliverySettings(drop=1.0)
    lab.run(minutes(5))
    assert lab.people_joined() == []
    assert lab.messages_to_assistant() == [SILENT]
    assert lab.legs_up() == ["host"]


def test_the_end_of_the_conversation_hangs_up_a_guest_who_is_being_asked(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_screening(
        new_lab, Person(DANA, digits="1", digits_after_secs=10)
    )
    lab.hang_up(HOST)
    lab.run(minutes(2))
    assert lab.status(conversation_id) == "ended"
    assert lab.people_joined() == []
    assert lab.messages_to_assistant() == []
    lab.assert_no_leg_up()
    lab.assert_clean()


@pytest.mark.parametrize("digit_first", [True, False])
def test_no_call_stays_up_if_the_digit_and_the_hosts_hangup_cross(
    new_lab: NewLab, digit_first: bool
) -> None:
    lab, conversation_id = lab_with_screening(new_lab, Person(DANA))
    lab.hold()
    lab.press(DANA, "1")
    lab.hang_up(HOST)
    webhooks = lab.release()
    lab.deliver(webhooks if digit_first else webhooks[::-1])
    lab.run(minutes(2))
    assert lab.status(conversation_id) == "ended"
    lab.assert_no_leg_up()
    lab.assert_clean()


def test_a_guest_who_accepts_before_the_assistant_runs_waits_for_the_assistant(
    new_lab: NewLab,
) -> None:
    settings = Settings(accepts_conversation_keys=True)
    lab = new_lab([Person(HOST, answer_after_secs=10), Person(DANA, digits="1")], settings)
    conversation_id = lab.start(
        participants=[{"to": DANA, "name": "Dana", "screening": {"say": SAY}}]
    )
    lab.run(8)
    assert lab.person(conversation_id, "Dana")["status"] == "waiting"
    lab.run(5)
    assert lab.people_joined() == ["Dana"]
    lab.assert_clean()
