"""A message on an answering machine: after its greeting, once, and then the call is hung up."""

from typing import Any

import pytest

from local.simulator.delivery import DeliverySettings
from local.simulator.model import Person
from local.simulator.settings import Settings
from tests.support.lab import Json, Lab, NewLab, minutes
from tests.support.people import DANA, HOST, KIM, LEE

SAY = "Hello Dana, this is {caller} about an invoice. Please call back."
SPOKEN = "voice: Hello Dana, this is Robin about an invoice. Please call back."
LEFT = "“Dana” could not be reached: a message was left on the answering machine."
MACHINE = "“Dana” could not be reached: an answering machine picked up."
LEAVE: Json = {"leave": {"say": SAY}}
AUDIO: Json = {"leave": {"audio_url": "https://media.example.com/message.mp3"}}
BEFORE_GREETING_END = 8  # seconds after the invitation; the greeting ends 9 s after the invitation


def lab_with_machine(
    new_lab: NewLab, *people: Person, settings: dict[str, Any] | None = None, **plan: Any
) -> tuple[Lab, str]:
    """Create a lab in which Dana is called, and machines take messages."""
    lab = new_lab(people, Settings(accepts_conversation_keys=True, **(settings or {})))
    conversation_id = lab.start(name="Robin")
    lab.run(5)
    defaults = {"machine_detection": "standard", "on_machine": LEAVE, "name": "Dana"}
    lab.invite(conversation_id, **{"to": DANA, **defaults, **plan})
    return lab, conversation_id


def machine(number: str = DANA, **more: Any) -> Person:
    """A number with an answering machine."""
    return Person(number, behaviour="machine", **more)


@pytest.mark.parametrize(
    ("mode", "telnyx_mode"),
    [
        ("standard", "greeting_end"),
        ("standard_beep", "detect_beep"),
        ("standard_words", "detect_words"),
        ("standard_greeting_end", "greeting_end"),
        ("premium", "premium"),
    ],
)
def test_a_message_is_left_after_the_beep_and_the_call_is_hung_up(
    new_lab: NewLab, mode: str, telnyx_mode: str
) -> None:
    lab, conversation_id = lab_with_machine(new_lab, machine(), machine_detection=mode)
    assert lab.commands("dial")[-1]["answering_machine_detection"] == telnyx_mode
    lab.run(BEFORE_GREETING_END)
    assert SPOKEN not in lab.heard_by(DANA)
    lab.run(20)
    assert lab.heard_by(DANA).count(SPOKEN) == 1
    assert lab.outcomes(conversation_id, "Dana") == ["voicemail_left"]
    assert lab.person(conversation_id, "Dana")["outcome"] == "voicemail_left"
    assert lab.messages_to_assistant() == [LEFT]
    assert lab.people_joined() == []
    assert lab.legs_up() == ["host"]
    lab.assert_clean()


def test_a_message_ends_the_hunt(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_machine(
        new_lab, machine(), Person(LEE), to=[DANA, LEE], max_attempts=3, pause_secs=1
    )
    lab.run(minutes(3))
    assert lab.outcomes(conversation_id, "Dana") == ["voicemail_left"]
    assert [dial["to"] for dial in lab.commands("dial")] == [HOST, DANA]
    assert lab.messages_to_assistant() == [LEFT]


def test_an_audio_file_can_be_the_message(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_machine(new_lab, machine(), on_machine=AUDIO)
    lab.run(40)
    (played,) = lab.commands("playback_start")
    assert (played["audio_url"], "loop" in played) == (AUDIO["leave"]["audio_url"], False)
    assert lab.outcomes(conversation_id, "Dana") == ["voicemail_left"]
    assert lab.legs_up() == ["host"]


def test_a_missing_audio_file_leaves_no_message_and_the_next_number_is_called(
    new_lab: NewLab,
) -> None:
    missing = {"missing_audio": frozenset({AUDIO["leave"]["audio_url"]})}
    lab, conversation_id = lab_with_machine(
        *(new_lab, machine(), Person(LEE)), settings=missing, on_machine=AUDIO, to=[DANA, LEE]
    )
    lab.run(60)
    assert lab.outcomes(conversation_id, "Dana") == ["machine", "human"]
    assert lab.people_joined() == ["Lee"]


@pytest.mark.parametrize("answer", ["not_sure", None])
@pytest.mark.parametrize("mode", ["standard", "standard_beep", "standard_words", "premium"])
def test_a_greeting_without_an_end_gets_no_message_within_a_minute(
    new_lab: NewLab, mode: str, answer: str | None
) -> None:
    lab, conversation_id = lab_with_machine(
        *(new_lab, machine(greeting_secs=None)),
        machine_detection=mode,
        settings={"endless_greeting": answer},
    )
    lab.run(60)
    assert lab.outcomes(conversation_id, "Dana") == ["machine"]
    assert lab.messages_to_assistant() == [MACHINE]
    assert SPOKEN not in lab.heard_by(DANA)
    assert lab.legs_up() == ["host"]
    lab.assert_clean()


def test_a_greeting_without_a_beep_gets_a_message(new_lab: NewLab) -> None:
    for mode in ("standard", "premium"):
        lab, conversation_id = lab_with_machine(
            new_lab, machine(beeps=False), machine_detection=mode
        )
        lab.run(40)
        assert lab.outcomes(conversation_id, "Dana") == ["voicemail_left"]


def test_a_beep_before_the_verdict_is_enough(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_machine(
        *(new_lab, machine(greeting_secs=2)),
        machine_detection="premium",
        settings={"detection_after_secs": 3.0},
    )
    lab.run(20)
    assert lab.outcomes(conversation_id, "Dana") == ["voicemail_left"]


@pytest.mark.parametrize("beep_after_prompt", [False, True])
def test_with_detection_of_screening_phones_a_machine_gets_a_message_too(
    new_lab: NewLab, *, beep_after_prompt: bool
) -> None:
    lab, conversation_id = lab_with_machine(
        *(new_lab, machine()),
        machine_detection="premium_ios_call_screening",
        settings={"beep_after_prompt": beep_after_prompt},
    )
    lab.run(15)
    assert (SPOKEN in lab.heard_by(DANA)) == beep_after_prompt
    lab.run(30)
    assert lab.heard_by(DANA).count(SPOKEN) == 1
    assert lab.outcomes(conversation_id, "Dana") == ["voicemail_left"]


def test_a_person_is_joined_and_hears_no_message(new_lab: NewLab) -> None:
    lab, _ = lab_with_machine(new_lab, Person(DANA))
    lab.run(20)
    assert lab.people_joined() == ["Dana"]
    assert SPOKEN not in lab.heard_by(DANA)


def test_a_machine_that_hangs_up_within_the_message_took_no_message(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_machine(new_lab, machine(hangs_up_after_secs=9))
    lab.run(30)
    assert SPOKEN in lab.heard_by(DANA)
    assert lab.outcomes(conversation_id, "Dana") == ["machine"]
    assert lab.messages_to_assistant() == [MACHINE]


def test_a_lost_end_of_the_message_is_made_good_by_a_timer(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_machine(new_lab, machine())
    lab.telnyx.deliverer.settings["call.speak.ended"] = DeliverySettings(drop=1.0)
    lab.run(30)
    assert lab.outcomes(conversation_id, "Dana") == ["voicemail_left"]
    assert lab.heard_by(DANA).count(SPOKEN) == 1
    assert lab.legs_up() == ["host"]


def test_of_two_machines_at_once_one_gets_the_message(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_machine(
        new_lab, machine(), machine(LEE, answer_after_secs=2), to=[DANA, LEE], strategy="at_once"
    )
    lab.run(60)
    heard = [*lab.heard_by(DANA), *lab.heard_by(LEE)]
    assert heard.count(SPOKEN) == 1
    assert lab.person(conversation_id, "Dana")["outcome"] == "voicemail_left"
    assert lab.legs_up() == ["host"]


def test_a_person_who_answers_while_a_greeting_plays_is_joined_without_a_message(
    new_lab: NewLab,
) -> None:
    lab, conversation_id = lab_with_machine(
        new_lab, machine(), Person(LEE, answer_after_secs=5), to=[DANA, LEE], strategy="at_once"
    )
    lab.run(30)
    assert lab.people_joined() == ["Lee"]
    assert SPOKEN not in lab.heard_by(DANA)
    assert lab.outcomes(conversation_id, "Dana") == ["cancelled", "human"]


def test_a_deadline_within_the_message_lets_the_message_end(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_machine(
        new_lab, machine(), deadline_secs=11, ring_timeout_secs=5
    )
    lab.run(30)
    assert lab.outcomes(conversation_id, "Dana") == ["voicemail_left"]


def test_a_guest_who_is_removed_within_the_greeting_is_cancelled(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_machine(new_lab, machine())
    lab.run(5)
    guest = lab.person(conversation_id, "Dana")["id"]
    lab.ask("DELETE", f"/conversations/{conversation_id}/participants/{guest}")
    lab.run(30)
    assert lab.person(conversation_id, "Dana")["outcome"] == "cancelled"
    assert SPOKEN not in lab.heard_by(DANA)
    assert lab.legs_up() == ["host"]


def test_a_host_with_a_machine_gets_a_message_and_the_conversation_fails(new_lab: NewLab) -> None:
    lab = new_lab([machine(KIM)])
    plan = {"machine_detection": "standard", "on_machine": {"leave": {"say": "Please call back."}}}
    conversation_id = lab.start(KIM, **plan)
    lab.run(30)
    conversation = lab.ask("GET", f"/conversations/{conversation_id}").json
    assert (conversation["status"], conversation["failure"]["code"]) == ("failed", "voicemail_left")
    assert "voice: Please call back." in lab.heard_by(KIM)
    assert lab.legs_up() == []


@pytest.mark.parametrize(
    ("on_machine", "field"),
    [
        ("leave", "on_machine"),
        ({}, "on_machine.leave"),
        ({"leave": {}}, "on_machine.leave.say"),
        ({"leave": {"say": "x" * 3001}}, "on_machine.leave.say"),
        ({"leave": {"audio_url": "http://media.example.com/a.mp3"}}, "on_machine.leave.audio_url"),
        ({"leave": {"say": "Hello"}, "next": True}, "on_machine.next"),
    ],
)
def test_a_message_that_telnyx_cannot_speak_is_refused(
    new_lab: NewLab, on_machine: Any, field: str
) -> None:
    body = {"to": HOST, "machine_detection": "standard", "on_machine": on_machine}
    answer = new_lab([]).ask("POST", "/conversations", body)
    assert answer.status == 422
    assert [detail["field"] for detail in answer.json["error"]["details"]] == [field]


def test_a_message_needs_a_machine_detection(new_lab: NewLab) -> None:
    answer = new_lab([]).ask("POST", "/conversations", {"to": HOST, "on_machine": LEAVE})
    assert [detail["field"] for detail in answer.json["error"]["details"]] == ["on_machine"]
