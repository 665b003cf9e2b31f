"""A person hears who is calling and why, and presses a digit before being joined."""

import pytest

from local.simulator.delivery import DeliveryKnobs
from local.simulator.model import Person
from local.simulator.settings import Settings
from tests.scenario.people import DANA, HOST, LEE
from tests.scenario.stage import Stage, Staged, minutes

SAY = "Robin has a question about the invoice. Press 1 to talk."
JOINED = "Dana has joined the conversation."
DECLINED = "Dana was reached but declined to join the conversation."
SILENT = "Dana did not answer the call."


def screened(stage: Staged, person: Person, **more: object) -> tuple[Stage, str]:
    """Dana is called and asked."""
    at = stage([person])
    here = at.start()
    at.run(5)
    at.invite(here, DANA, name="Dana", screening={"say": SAY, **more})
    at.run(1.5)
    return at, here


def test_who_accepts_is_joined_and_the_caller_hears_nothing_of_it(stage: Staged) -> None:
    at, here = screened(stage, Person(DANA, digits="1", digits_after_secs=3))
    assert at.person(here, "Dana")["status"] == "screening"
    assert at.joined() == []
    at.run(5)
    assert at.asked()[2:] == ["dial Dana", "screen Dana", "join Dana", "tell host"]
    assert f"voice: {SAY}" in at.heard(DANA)
    assert not [what for what in at.heard(HOST) if "invoice" in what]
    assert at.told() == [JOINED]
    assert at.outcomes(here, "Dana") == ["human"]
    at.assert_clean()


def test_any_other_digit_can_be_the_one_that_accepts(stage: Staged) -> None:
    at, _ = screened(stage, Person(DANA, digits="7"), accept_digit="7")
    at.run(5)
    assert at.joined() == ["Dana"]


def test_the_key_that_ends_an_input_elsewhere_can_accept_here(stage: Staged) -> None:
    at, here = screened(stage, Person(DANA, digits="#"), accept_digit="#")
    at.run(5)
    assert at.outcomes(here, "Dana") == ["human"]
    assert at.joined() == ["Dana"]


@pytest.mark.parametrize("digits", ["2", "0", "*", "#"])
def test_who_declines_is_hung_up_and_the_assistant_knows(stage: Staged, digits: str) -> None:
    at, here = screened(stage, Person(DANA, digits=digits))
    at.run(5)
    assert at.outcomes(here, "Dana") == ["declined"]
    assert at.told() == [DECLINED]
    assert at.joined() == []
    assert at.up() == ["host"]
    at.assert_clean()


def test_who_says_nothing_is_hung_up_and_the_assistant_knows(stage: Staged) -> None:
    at, here = screened(stage, Person(DANA), timeout_secs=5)
    at.run(minutes(2))
    assert at.outcomes(here, "Dana") == ["no_answer"]
    assert at.told() == [SILENT]
    assert at.joined() == []
    assert at.up() == ["host"]
    at.assert_clean()


def test_who_hangs_up_instead_has_declined(stage: Staged) -> None:
    at, here = screened(stage, Person(DANA, hangs_up_after_secs=3))
    at.run(10)
    assert at.person(here, "Dana")["status"] == "failed"
    assert at.outcomes(here, "Dana") == ["declined"]
    assert at.joined() == []
    assert at.told() == [DECLINED]
    assert "hang up Dana" not in at.asked()
    assert at.up() == ["host"]
    at.assert_clean()


def test_the_hangup_that_a_gather_ended_with_is_looked_for_if_it_never_comes(stage: Staged) -> None:
    at, here = screened(stage, Person(DANA, hangs_up_after_secs=3))
    at.telnyx.deliverer.knobs["call.hangup"] = DeliveryKnobs(drop=1.0)
    at.run(minutes(2))
    assert at.outcomes(here, "Dana") == ["declined"]
    assert at.told() == [DECLINED]


def test_a_long_sentence_is_heard_to_its_end(stage: Staged) -> None:
    at = stage([Person(DANA, digits="1", digits_after_secs=90)])
    here = at.start()
    at.run(5)
    at.invite(here, DANA, name="Dana", screening={"say": "word " * 300, "timeout_secs": 20})
    at.run(100)
    assert at.joined() == ["Dana"]
    at.assert_clean()


def test_after_a_no_the_next_number_is_asked(stage: Staged) -> None:
    at = stage([Person(LEE, digits="2"), Person(DANA, digits="1")])
    here = at.start()
    at.run(5)
    at.invite(here, [LEE, DANA], name="Dana", screening={"say": SAY})
    at.run(20)
    assert at.outcomes(here, "Dana") == ["declined", "human"]
    assert at.told() == [f"{DECLINED} The next number is being tried.", JOINED]
    assert at.joined() == ["Dana"]
    at.assert_clean()


def test_if_the_digit_is_never_told_of_the_person_is_not_kept_for_ever(stage: Staged) -> None:
    at, _here = screened(stage, Person(DANA, digits="1"))
    at.telnyx.deliverer.knobs["call.gather.ended"] = DeliveryKnobs(drop=1.0)
    at.run(minutes(5))
    assert at.joined() == []
    assert at.told() == [SILENT]
    assert at.up() == ["host"]


def test_the_conversation_ends_while_a_person_is_being_asked(stage: Staged) -> None:
    at, here = screened(stage, Person(DANA, digits="1", digits_after_secs=10))
    at.hang_up(HOST)
    at.run(minutes(2))
    assert at.status(here) == "ended"
    assert at.joined() == []
    assert at.told() == []
    at.assert_no_leg_up()
    at.assert_clean()


@pytest.mark.parametrize("digit_first", [True, False])
def test_the_digit_and_the_hosts_hangup_cross(stage: Staged, digit_first: bool) -> None:
    at, here = screened(stage, Person(DANA))
    at.hold()
    at.press(DANA, "1")
    at.hang_up(HOST)
    webhooks = at.release()
    at.arrive(webhooks if digit_first else webhooks[::-1])
    at.run(minutes(2))
    assert at.status(here) == "ended"
    at.assert_no_leg_up()
    at.assert_clean()


def test_a_guest_asked_before_the_assistant_runs_waits_for_it(stage: Staged) -> None:
    settings = Settings(accepts_conversation_keys=True)
    at = stage([Person(HOST, answer_after_secs=10), Person(DANA, digits="1")], settings)
    here = at.start(participants=[{"to": DANA, "name": "Dana", "screening": {"say": SAY}}])
    at.run(8)
    assert at.person(here, "Dana")["status"] == "waiting"
    at.run(5)
    assert at.joined() == ["Dana"]
    at.assert_clean()
