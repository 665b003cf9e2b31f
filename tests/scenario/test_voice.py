"""What people hear beside the assistant: waiting words, and the goodbye before a hangup."""

from itertools import pairwise

import pytest

from local.simulator.delivery import DeliverySettings
from local.simulator.model import Person
from local.simulator.settings import Settings
from tests.support.lab import Lab, NewLab, minutes
from tests.support.people import DANA, HOST

WORDS = "voice: One moment, please. You will be connected shortly."
AUDIO = "https://audio.example.com/hold.mp3"
GOODBYE = {"say": "Sorry, the call is over. Goodbye."}
STOPPED = "the voice stops"


def lab_with_a_waiting_guest(
    new_lab: NewLab, *, settings: Settings | None = None, **guest: object
) -> tuple[Lab, str]:
    """Create a lab in which Dana has answered, and the host's phone rings."""
    people = [Person(HOST, behaviour="manual"), Person(DANA, answer_after_secs=1)]
    lab = new_lab(people, settings) if settings else new_lab(people)
    guests = [{"to": DANA, "name": "Dana", **guest}]
    conversation_id = lab.start(participants=guests, ring_timeout_secs=120)
    lab.run(4)
    return lab, conversation_id


def voices(lab: Lab) -> list[str]:
    """What Dana heard of our voice, in order."""
    kinds = ("voice: ", "audio: ", STOPPED)
    return [notice for notice in lab.heard_by(DANA) if notice.startswith(kinds)]


def test_a_guest_who_waits_for_the_host_hears_words_until_the_join(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_a_waiting_guest(new_lab)
    assert voices(lab) == [WORDS]
    lab.run(30)
    assert 3 <= len(voices(lab)) <= 4
    lab.pick_up(HOST)
    lab.run(5)

    assert lab.people_joined() == ["Dana"]
    heard = len(voices(lab))
    lab.run(minutes(2))
    assert len(voices(lab)) == heard, "no words after the join"
    assert WORDS not in lab.heard_by(HOST)
    assert lab.event_types(conversation_id).count("leg.speaking") == 1
    lab.assert_clean()


@pytest.mark.parametrize("lost", ["call.speak.ended", "call.speak.started"])
def test_a_lost_webhook_of_the_words_leaves_no_guest_in_silence(new_lab: NewLab, lost: str) -> None:
    lab, _ = lab_with_a_waiting_guest(new_lab)
    lab.telnyx.deliverer.settings[lost] = DeliverySettings(drop=1.0)
    lab.run(minutes(1))

    assert len(voices(lab)) >= 3
    lab.pick_up(HOST)
    lab.run(5)
    assert lab.people_joined() == ["Dana"]
    lab.assert_clean()


@pytest.mark.parametrize("answers", [{"duplicates": 2}, {"delay_secs": (20.0, 20.0)}])
def test_doubled_and_late_ends_do_not_say_the_words_twice_at_a_time(
    new_lab: NewLab, answers: dict[str, object]
) -> None:
    lab, _ = lab_with_a_waiting_guest(new_lab)
    lab.telnyx.deliverer.settings["call.speak.ended"] = DeliverySettings(**answers)  # type: ignore[arg-type]
    lab.run(minutes(2))

    at = [moment for moment, notice in lab.leg(DANA).heard if notice == WORDS]
    pauses = [(late - early).total_seconds() for early, late in pairwise(at)]
    assert min(pauses) >= 10


def test_an_audio_file_plays_until_the_join(new_lab: NewLab) -> None:
    lab, _ = lab_with_a_waiting_guest(new_lab, waiting={"audio_url": AUDIO})
    lab.run(minutes(1))
    assert voices(lab) == [f"audio: {AUDIO}"]
    lab.pick_up(HOST)
    lab.run(5)

    assert voices(lab) == [f"audio: {AUDIO}", STOPPED]
    commands = lab.commands_in_words()
    assert commands.index("stop the voice to Dana") < commands.index("join Dana")
    lab.assert_clean()


def test_the_default_sentence_takes_the_place_of_a_missing_audio_file(new_lab: NewLab) -> None:
    settings = Settings(accepts_conversation_keys=True, missing_audio=frozenset({AUDIO}))
    lab, _ = lab_with_a_waiting_guest(new_lab, settings=settings, waiting={"audio_url": AUDIO})
    lab.run(1)

    assert voices(lab) == [WORDS]
    lab.assert_clean()


def test_the_default_sentence_takes_the_place_of_refused_words(new_lab: NewLab) -> None:
    people = [Person(HOST, behaviour="manual"), Person(DANA, answer_after_secs=1)]
    lab = new_lab(people)
    lab.transport.refuse("playback_start", 422, "10015", "No such file.")
    guests = [{"to": DANA, "name": "Dana", "waiting": {"audio_url": AUDIO}}]
    conversation_id = lab.start(participants=guests)
    lab.run(4)

    assert voices(lab) == [WORDS]
    assert "command.failed" in lab.event_types(conversation_id)


def test_a_refused_stop_does_not_keep_a_guest_from_the_conversation(new_lab: NewLab) -> None:
    lab, _ = lab_with_a_waiting_guest(new_lab)
    lab.transport.refuse("playback_stop", 422, "10015", "No.")
    lab.pick_up(HOST)
    lab.run(5)

    assert lab.people_joined() == ["Dana"]


def test_a_guest_who_hangs_up_while_waiting_hears_no_more_words(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_a_waiting_guest(new_lab)
    lab.hang_up(DANA)
    lab.run(minutes(1))

    assert voices(lab) == [WORDS]
    assert lab.person(conversation_id, "Dana")["status"] == "failed"
    lab.assert_clean()


def test_a_waiting_guest_hears_the_goodbye_when_the_host_is_busy(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_a_waiting_guest(new_lab, goodbye=GOODBYE)
    lab.telnyx.busy(lab.leg(HOST).call_control_id)
    lab.run(1)
    assert lab.legs_up() == ["Dana"]
    lab.run(8)

    assert voices(lab)[-1] == f"voice: {GOODBYE['say']}"
    assert lab.status(conversation_id) == "failed"
    lab.assert_no_leg_up()
    lab.assert_clean()


def lab_with_a_joined_guest(new_lab: NewLab, **guest: object) -> tuple[Lab, str]:
    """Create a lab in which the host and Dana talk with the assistant."""
    lab = new_lab([Person(DANA, answer_after_secs=1)])
    conversation_id = lab.start()
    lab.run(5)
    lab.invite(conversation_id, DANA, name="Dana", **guest)
    lab.run(5)
    assert lab.people_joined() == ["Dana"]
    return lab, conversation_id


@pytest.mark.parametrize("fault", ["", "refused", "speak lost", "end lost"])
def test_a_guest_is_hung_up_after_the_goodbye_whatever_happens(new_lab: NewLab, fault: str) -> None:
    lab, conversation_id = lab_with_a_joined_guest(new_lab, goodbye=GOODBYE)
    if fault == "refused":
        lab.transport.refuse("speak", 422, "10015", "No.")
    elif fault == "speak lost":
        lab.fail("speak", "drop", times=None)
    elif fault == "end lost":
        lab.telnyx.deliverer.settings["call.speak.ended"] = DeliverySettings(drop=1.0)
    lab.hang_up(HOST)
    lab.run(8)

    said = [notice for notice in voices(lab) if notice.startswith("voice")]
    assert said == ([] if "refused" in fault or "speak" in fault else [f"voice: {GOODBYE['say']}"])
    assert lab.status(conversation_id) == "ended"
    assert ("command.failed" in lab.event_types(conversation_id)) is (fault == "refused")
    lab.assert_no_leg_up()


def test_a_removed_guest_hears_no_goodbye(new_lab: NewLab) -> None:
    lab, conversation_id = lab_with_a_joined_guest(new_lab, goodbye=GOODBYE)
    lab.remove(conversation_id, str(lab.person(conversation_id, "Dana")["id"]))
    lab.run(2)

    assert voices(lab) == []
    assert lab.legs_up() == ["host"]
    lab.assert_clean()


def test_everybody_with_a_goodbye_hears_the_goodbye_at_a_stop_with_a_hangup(
    new_lab: NewLab,
) -> None:
    lab, conversation_id = lab_with_a_joined_guest(new_lab, goodbye=GOODBYE)
    lab.stop(conversation_id, hang_up=True)
    lab.run(8)

    assert voices(lab) == [f"voice: {GOODBYE['say']}"]
    lab.assert_no_leg_up()
    lab.assert_clean()
