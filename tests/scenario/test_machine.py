"""Is it a person or a machine that picked up? The verdict may come, come twice, or never."""

import pytest

from local.simulator.model import Person
from local.simulator.settings import Settings
from tests.scenario.people import DANA
from tests.scenario.stage import Stage, Staged, minutes

JOINED = "Dana has joined the conversation."
MACHINE = "Dana could not be reached: an answering machine picked up."


def invited(
    stage: Staged, person: Person, kind: str, *, times: int = 1, **more: object
) -> tuple[Stage, str]:
    """Dana is called with machine detection and picks up."""
    settings = Settings(accepts_conversation_keys=True, detection_times=times)
    at = stage([person], settings)
    here = at.start()
    at.run(5)
    at.invite(here, DANA, name="Dana", machine_detection=kind, **more)
    at.run(10)
    return at, here


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("kind", ["standard", "premium"])
def test_a_person_is_joined_once(stage: Staged, kind: str, times: int) -> None:
    at, here = invited(stage, Person(DANA), kind, times=times)
    assert at.joined() == ["Dana"]
    assert at.outcomes(here, "Dana") == ["human"]
    assert at.told() == [JOINED]
    at.assert_clean()


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("kind", ["standard", "premium"])
def test_a_machine_is_hung_up_and_never_joined(stage: Staged, kind: str, times: int) -> None:
    at, here = invited(stage, Person(DANA, behaviour="machine"), kind, times=times)
    assert at.joined() == []
    assert at.outcomes(here, "Dana") == ["machine"]
    assert at.told() == [MACHINE]
    assert sorted(at.asked()[-2:]) == ["hang up Dana", "tell host"]
    assert at.up() == ["host"]
    at.assert_clean()


@pytest.mark.parametrize("kind", ["standard", "premium"])
def test_without_a_verdict_it_is_taken_for_a_person(stage: Staged, kind: str) -> None:
    at, here = invited(stage, Person(DANA), kind, times=0)
    at.run(minutes(2))
    assert at.joined() == ["Dana"]
    assert at.told() == [JOINED]
    (judged,) = [each for each in at.timeline(here) if each["type"] == "leg.judged"]
    assert judged["data"]["reason"] == "no_verdict"
    at.assert_clean()


@pytest.mark.parametrize("kind", ["standard", "premium"])
def test_who_hangs_up_before_the_verdict_is_told_of(stage: Staged, kind: str) -> None:
    at, here = invited(stage, Person(DANA, hangs_up_after_secs=2.0), kind, times=0)
    at.run(minutes(2))
    assert at.joined() == []
    assert at.person(here, "Dana")["status"] == "failed"
    assert len(at.told()) == 1
    assert at.up() == ["host"]


def test_someone_of_whom_telnyx_is_not_sure_is_a_person(stage: Staged) -> None:
    at, _ = invited(stage, Person(DANA, machine_result="not_sure"), "standard")
    assert at.joined() == ["Dana"]


def test_a_verdict_that_overtakes_the_answer_counts(stage: Staged) -> None:
    at = stage([Person(DANA, behaviour="machine")])
    here = at.start()
    at.run(5)
    at.invite(here, DANA, name="Dana", machine_detection="standard")
    at.hold()
    at.run(3)
    at.arrive(at.release()[::-1])
    at.run(10)
    assert at.joined() == []
    assert at.told() == [MACHINE]
    assert at.up() == ["host"]
    at.assert_clean()


def test_a_person_after_a_screening_and_a_verdict_is_joined(stage: Staged) -> None:
    at, _here = invited(stage, Person(DANA, digits="1"), "standard", screening={"say": "Press 1."})
    assert at.joined() == ["Dana"]
    assert at.asked()[2:] == ["dial Dana", "screen Dana", "join Dana", "tell host"]


def test_a_machine_is_not_asked_anything(stage: Staged) -> None:
    at, _ = invited(
        stage, Person(DANA, behaviour="machine"), "standard", screening={"say": "Press 1."}
    )
    assert at.commands("gather_using_speak") == []
    assert at.told() == [MACHINE]
