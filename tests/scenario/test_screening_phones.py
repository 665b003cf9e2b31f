"""Phones that screen calls: the phone hears who calls, and the second verdict decides."""

import json
from typing import Any

import pytest

from local.simulator.delivery import DeliverySettings
from local.simulator.model import Person
from local.simulator.settings import Settings
from tests.support.lab import Json, Lab, NewLab, minutes
from tests.support.people import DANA, HOST, LEE

MODE = "premium_ios_call_screening"
ON_SCREEN: Json = {"say": "{caller} calls about an invoice."}
SPOKEN = "voice: Robin calls about an invoice."
SCREENED = "“Dana” could not be reached: the phone screens calls, and nobody took the call."


def lab_with_phone(
    new_lab: NewLab, *people: Person, settings: dict[str, Any] | None = None, **plan: Any
) -> tuple[Lab, str]:
    """Create a lab in which Dana is called, whose phone screens calls."""
    lab = new_lab(people, Settings(accepts_conversation_keys=True, **(settings or {})))
    conversation_id = lab.start(name="Robin")
    lab.run(5)
    defaults = {"machine_detection": MODE, "on_screen": ON_SCREEN, "name": "Dana"}
    lab.invite(conversation_id, **{"to": DANA, **defaults, **plan})
    return lab, conversation_id


def phone(kind: Any = "iphone", **more: Any) -> Person:
    """A person whose phone screens calls."""
    return Person(DANA, screens_calls=kind, **more)


def nobody(kind: Any = "iphone", **more: Any) -> Person:
    """A phone that screens calls, and whose owner does not take the call."""
    return phone(kind, behaviour="machine", **more)


def test_an_iphone_hears_who_calls_and_the_person_behind_is_joined(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_phone(new_lab, phone())
    lab.run(20)
    assert lab.heard_by(DANA).count(SPOKEN) == 1
    assert not [notice for notice in lab.heard_by(HOST) if "invoice" in notice]
    assert lab.outcomes(conversation_id, "Dana") == ["human"]
    assert lab.people_joined() == ["Dana"]
    assert "leg.screened" in lab.event_types(conversation_id)
    lab.assert_clean()


def test_a_second_machine_is_screened_and_the_next_number_is_called(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_phone(new_lab, nobody(), Person(LEE), to=[DANA, LEE])
    lab.run(30)
    assert SPOKEN in lab.heard_by(DANA)
    assert lab.outcomes(conversation_id, "Dana") == ["screened", "human"]
    assert lab.people_joined() == ["Lee"]
    lab.assert_clean()


def test_the_assistant_is_told_that_nobody_took_a_screened_call(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_phone(new_lab, nobody())
    lab.run(30)
    assert lab.person(conversation_id, "Dana")["outcome"] == "screened"
    assert lab.messages_to_assistant() == [SCREENED]
    assert lab.legs_up() == ["host"]
    lab.assert_clean()


def test_a_screened_call_without_a_second_verdict_ends_after_the_wait(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_phone(
        new_lab, phone(), settings={"screened_verdict_after_secs": 300.0}
    )
    lab.run(35)
    assert lab.legs_up() == ["host", "Dana"]
    lab.run(15)
    assert lab.outcomes(conversation_id, "Dana") == ["screened"]
    assert lab.legs_up() == ["host"]


def test_an_owner_who_hangs_up_a_screened_call_has_not_taken_the_call(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_phone(
        new_lab, phone(hangs_up_after_secs=5), settings={"screened_verdict_after_secs": 300.0}
    )
    lab.run(20)
    assert lab.outcomes(conversation_id, "Dana") == ["screened"]
    assert lab.messages_to_assistant() == [SCREENED]


def test_the_owner_of_a_pixel_proves_a_person_by_a_key(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_phone(new_lab, phone("pixel", digits="1"))
    lab.run(10)
    assert SPOKEN in lab.heard_by(DANA)
    assert lab.outcomes(conversation_id, "Dana") == ["human"]
    assert lab.people_joined() == ["Dana"]
    lab.assert_clean()


@pytest.mark.parametrize(
    ("second_verdict", "person", "outcome"),
    [
        (True, phone("pixel"), "human"),
        (True, nobody("pixel"), "screened"),
        (False, phone("pixel"), "screened"),
        (False, nobody("pixel"), "screened"),
    ],
)
def test_a_pixel_without_a_key_is_judged_by_a_second_verdict_or_is_screened(
    new_lab: NewLab, person: Person, outcome: str, *, second_verdict: bool
) -> None:
    settings = {"second_verdict_without_tone": second_verdict}
    lab, conversation_id = lab_with_phone(new_lab, person, settings=settings)
    lab.run(minutes(1))
    assert lab.outcomes(conversation_id, "Dana") == [outcome]
    assert lab.people_joined() == (["Dana"] if outcome == "human" else [])


def test_without_words_for_a_screen_a_pixel_is_a_machine(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_phone(new_lab, phone("pixel"), on_screen=None)
    lab.run(20)
    assert lab.outcomes(conversation_id, "Dana") == ["machine"]


def test_an_answering_machine_with_a_beep_hears_no_words_for_a_screen(new_lab: NewLab) -> None:
    machine = Person(DANA, behaviour="machine", greeting_secs=2)
    lab, conversation_id = lab_with_phone(new_lab, machine)
    lab.run(20)
    assert SPOKEN not in lab.heard_by(DANA)
    assert lab.outcomes(conversation_id, "Dana") == ["machine"]


def test_the_person_behind_a_screen_hears_the_brief_and_accepts(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_phone(
        new_lab, phone(digits="1", digits_after_secs=2), brief="An unpaid bill"
    )
    lab.run(30)
    voices = [notice for notice in lab.heard_by(DANA) if notice.startswith("voice: ")]
    assert "“An unpaid bill”" in voices[-1]
    assert lab.people_joined() == ["Dana"]
    assert "unpaid" not in json.dumps(lab.timeline(conversation_id))


def test_a_screened_call_that_nobody_takes_gets_a_message_if_the_plan_has_one(
    new_lab: NewLab,
) -> None:
    leave = {"leave": {"say": "Please call back."}}
    lab, conversation_id = lab_with_phone(
        new_lab, nobody("pixel"), on_machine=leave, verdict_wait={"secs": 10}
    )
    lab.run(60)
    assert "voice: Please call back." in lab.heard_by(DANA)
    assert lab.outcomes(conversation_id, "Dana") == ["voicemail_left"]
    assert lab.legs_up() == ["host"]


@pytest.mark.parametrize(
    "lost",
    [
        "call.machine.premium.call_screening.detected",
        "call.gather.ended",
        "call.machine.premium.detection.started",
    ],
)
def test_a_lost_webhook_of_a_screened_call_leaves_no_leg_up_for_nobody(
    new_lab: NewLab, lost: str
) -> None:
    lab, conversation_id = lab_with_phone(new_lab, nobody())
    lab.telnyx.deliverer.settings[lost] = DeliverySettings(drop=1.0)
    lab.run(minutes(2))
    assert lab.outcomes(conversation_id, "Dana")[0] in ("screened", "machine")
    assert lab.legs_up() == ["host"]


@pytest.mark.parametrize("mode", ["off", "standard", "premium"])
def test_words_for_a_screen_need_the_detection_of_screens(new_lab: NewLab, mode: str) -> None:
    body = {"to": HOST, "machine_detection": mode, "on_screen": ON_SCREEN}
    answer = new_lab([]).ask("POST", "/conversations", body)
    assert answer.status == 422
    assert [detail["field"] for detail in answer.json["error"]["details"]] == ["on_screen"]
