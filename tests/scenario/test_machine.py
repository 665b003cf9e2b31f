"""Machine detection: Telnyx's verdict may arrive once, twice or never."""

import pytest

from local.simulator.model import Person
from local.simulator.settings import Settings
from tests.support.lab import Lab, NewLab, minutes
from tests.support.people import DANA

JOINED = "“Dana” has joined the conversation."
MACHINE = "“Dana” could not be reached: an answering machine picked up."


def lab_with_detection(
    new_lab: NewLab, person: Person, kind: str, *, times: int = 1, **more: object
) -> tuple[Lab, str]:
    """Create a lab in which Dana is called with machine detection and answers."""
    settings = Settings(accepts_conversation_keys=True, detection_times=times)
    lab = new_lab([person], settings)
    conversation_id = lab.start()
    lab.run(5)
    lab.invite(conversation_id, DANA, name="Dana", machine_detection=kind, **more)
    lab.run(10)
    return lab, conversation_id


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("kind", ["standard", "premium"])
def test_a_person_is_joined_once(new_lab: NewLab, kind: str, times: int) -> None:
    lab, conversation_id = lab_with_detection(new_lab, Person(DANA), kind, times=times)
    assert lab.people_joined() == ["Dana"]
    assert lab.outcomes(conversation_id, "Dana") == ["human"]
    assert lab.messages_to_assistant() == [JOINED]
    lab.assert_clean()


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("kind", ["standard", "premium"])
def test_a_machine_is_hung_up_and_never_joined(new_lab: NewLab, kind: str, times: int) -> None:
    lab, conversation_id = lab_with_detection(
        new_lab, Person(DANA, behaviour="machine"), kind, times=times
    )
    assert lab.people_joined() == []
    assert lab.outcomes(conversation_id, "Dana") == ["machine"]
    assert lab.messages_to_assistant() == [MACHINE]
    assert sorted(lab.commands_in_words()[-2:]) == ["hang up Dana", "tell host"]
    assert lab.legs_up() == ["host"]
    lab.assert_clean()


@pytest.mark.parametrize("kind", ["standard", "premium"])
def test_without_a_verdict_the_answer_counts_as_a_person(new_lab: NewLab, kind: str) -> None:
    lab, conversation_id = lab_with_detection(new_lab, Person(DANA), kind, times=0)
    lab.run(minutes(2))
    assert lab.people_joined() == ["Dana"]
    assert lab.messages_to_assistant() == [JOINED]
    (judged,) = [event for event in lab.timeline(conversation_id) if event["type"] == "leg.judged"]
    assert judged["data"]["reason"] == "no_verdict"
    lab.assert_clean()


@pytest.mark.parametrize("kind", ["standard", "premium"])
def test_a_guest_who_hangs_up_before_the_verdict_is_reported_once(
    new_lab: NewLab, kind: str
) -> None:
    lab, conversation_id = lab_with_detection(
        new_lab, Person(DANA, hangs_up_after_secs=2.0), kind, times=0
    )
    lab.run(minutes(2))
    assert lab.people_joined() == []
    assert lab.person(conversation_id, "Dana")["status"] == "failed"
    assert len(lab.messages_to_assistant()) == 1
    assert lab.legs_up() == ["host"]


def test_the_verdict_not_sure_counts_as_a_person(new_lab: NewLab) -> None:
    lab, _ = lab_with_detection(new_lab, Person(DANA, machine_result="not_sure"), "standard")
    assert lab.people_joined() == ["Dana"]


def test_a_verdict_that_arrives_before_the_answer_counts(new_lab: NewLab) -> None:
    lab = new_lab([Person(DANA, behaviour="machine")])
    conversation_id = lab.start()
    lab.run(5)
    lab.invite(conversation_id, DANA, name="Dana", machine_detection="standard")
    lab.hold()
    lab.run(3)
    lab.deliver(lab.release()[::-1])
    lab.run(10)
    assert lab.people_joined() == []
    assert lab.messages_to_assistant() == [MACHINE]
    assert lab.legs_up() == ["host"]
    lab.assert_clean()


def test_a_person_after_a_screening_and_a_verdict_is_joined(new_lab: NewLab) -> None:
    lab, _ = lab_with_detection(
        new_lab, Person(DANA, digits="1"), "standard", screening={"say": "Press 1."}
    )
    assert lab.people_joined() == ["Dana"]
    assert lab.commands_in_words()[2:] == ["dial Dana", "screen Dana", "join Dana", "tell host"]


def test_an_answering_machine_is_not_screened(new_lab: NewLab) -> None:
    lab, _ = lab_with_detection(
        new_lab, Person(DANA, behaviour="machine"), "standard", screening={"say": "Press 1."}
    )
    assert lab.commands("gather_using_speak") == []
    assert lab.messages_to_assistant() == [MACHINE]
