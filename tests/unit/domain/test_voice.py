"""What people hear beside the assistant: the waiting words and the goodbye."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from partyline.domain.model.commands import Action
from partyline.domain.model.inputs import NewParticipant, VoiceEnded
from partyline.domain.model.plan import DEFAULT_WAITING, Screening, Words
from partyline.domain.model.results import Refused, Retryable
from partyline.domain.model.statuses import OnHangup
from partyline.domain.rules.voice import waiting_words_of
from tests.support.domain_story import FIRST, Story, call_ref, guest, plan

PAUSE = 10
MUSIC = Words(audio_url="https://example.com/music.mp3")
GOODBYE = Words(say="Goodbye.")
WAIT = "wait_words:dana:1"


def waiting(**settings: Any) -> Story:
    """A guest has answered and waits for the host, whose phone rings."""
    story = Story()
    story.start(guest(to=plan(FIRST, **settings)))
    story.succeed("dial:host:1", "dial:dana:1")
    story.answer("dana")
    return story


def joined(**settings: Any) -> Story:
    """The host and a guest talk with the assistant."""
    story = waiting(**settings)
    story.answer()
    story.succeed("start:host:1", "join:dana:1")
    return story


def voice_ended(
    story: Story, action: Action | None = Action.WAIT_WORDS, repeat: int = 0, **fields: Any
) -> list[str]:
    call = replace(call_ref("dana"), prompt=action, repeat=repeat)
    return story.receive(VoiceEnded(id="", call=call, **{"status": "completed", **fields}))


def advance(story: Story, secs: float) -> list[str]:
    """Let time pass; returns the commands that the guest hears."""
    heard = ("wait_words", "stop_words", "goodbye", "hang_up:dana")
    return [key for key in story.advance(secs) if key.startswith(heard)]


def test_a_guest_who_waits_for_the_host_hears_words_at_once() -> None:
    story = waiting()

    assert story.sent[-1].key == WAIT
    [event] = [event for event in story.events if event.type == "leg.speaking"]
    assert event.data["words"] == "waiting"


def test_the_words_are_said_again_after_their_end_and_a_pause() -> None:
    story = waiting()
    story.succeed(WAIT)
    first = story.sent[-1]
    story.advance(2)
    voice_ended(story)

    assert story.leg("dana").voice.words_at == story.now + timedelta(seconds=PAUSE)
    assert advance(story, PAUSE - 1) == []
    assert advance(story, 1) == [WAIT]
    assert story.sent[-1].id != first.id, "Telnyx drops a command with a known id"
    assert story.event_types.count("leg.speaking") == 1


def test_the_words_are_said_again_without_the_webhook_of_their_end() -> None:
    story = waiting()
    story.succeed(WAIT)
    longest = len(DEFAULT_WAITING.say) * 0.1 + 5

    assert advance(story, longest + PAUSE - 1) == []
    assert advance(story, 1) == [WAIT]


@pytest.mark.parametrize(("action", "repeat"), [(None, 0), (Action.SCREEN, 0), (None, 1)])
def test_the_end_of_other_words_is_not_the_end_of_the_waiting_words(
    action: Action | None, repeat: int
) -> None:
    story = waiting()
    story.succeed(WAIT)
    due_at = story.leg("dana").voice.words_at
    voice_ended(story, action, repeat)

    assert story.leg("dana").voice.words_at == due_at


def test_a_late_end_of_the_first_words_does_not_end_the_second() -> None:
    story = waiting()
    story.succeed(WAIT)
    voice_ended(story)
    story.advance(PAUSE)
    story.succeed(WAIT)
    due_at = story.leg("dana").voice.words_at
    voice_ended(story, repeat=0)
    assert story.leg("dana").voice.words_at == due_at

    voice_ended(story, repeat=1)
    assert story.leg("dana").voice.words_at == story.now + timedelta(seconds=PAUSE)


def test_a_doubled_end_says_the_words_once() -> None:
    story = waiting()
    story.succeed(WAIT)
    voice_ended(story)
    voice_ended(story)

    assert advance(story, PAUSE) == [WAIT]
    assert story.succeed(WAIT) == []


def test_an_end_that_comes_before_the_answer_to_the_command_counts() -> None:
    story = waiting()
    voice_ended(story)
    story.succeed(WAIT)

    assert advance(story, PAUSE) == [WAIT]


def test_an_audio_file_plays_until_the_join() -> None:
    story = waiting(waiting=MUSIC)
    story.succeed(WAIT)
    assert advance(story, 600) == []
    story.answer()

    assert story.succeed("start:host:1") == ["stop_words:dana:1", "join:dana:1"]


@pytest.mark.parametrize("status", ["file_not_found", "failed"])
def test_the_default_sentence_takes_the_place_of_a_file_that_cannot_be_played(status: str) -> None:
    story = waiting(waiting=MUSIC)
    story.succeed(WAIT)

    assert voice_ended(story, status=status) == [WAIT]
    assert waiting_words_of(story.participant("dana"), story.leg("dana")) == DEFAULT_WAITING


def test_an_audio_file_that_ends_is_played_again() -> None:
    story = waiting(waiting=MUSIC)
    story.succeed(WAIT)
    voice_ended(story, status="cancelled")

    assert advance(story, PAUSE) == [WAIT]
    assert waiting_words_of(story.participant("dana"), story.leg("dana")) == MUSIC


def test_the_default_sentence_takes_the_place_of_refused_words() -> None:
    story = waiting(waiting=Words(say="Hello.", voice="Nobody"))

    assert story.refuse(WAIT) == [WAIT]
    assert waiting_words_of(story.participant("dana"), story.leg("dana")) == DEFAULT_WAITING
    assert story.refuse(WAIT) == []
    assert advance(story, 600) == [], "words that Telnyx refuses are not asked for again"
    story.answer()
    assert story.succeed("start:host:1") == ["join:dana:1"]


def test_words_without_an_answer_are_sent_again() -> None:
    story = waiting()
    story.no_response(WAIT)

    assert advance(story, 1) == [WAIT]
    assert story.sent[-1].id == story.sent[-2].id, "Telnyx drops the second command"


def test_a_guest_who_hears_nothing_is_joined_without_a_stop() -> None:
    story = waiting()
    story.succeed(WAIT)
    voice_ended(story)
    story.answer()

    assert story.succeed("start:host:1") == ["join:dana:1"]


def test_the_words_stop_before_the_join_and_a_refused_stop_delays_nothing() -> None:
    story = waiting()
    story.succeed(WAIT)
    story.answer()

    assert story.succeed("start:host:1") == ["stop_words:dana:1", "join:dana:1"]
    story.refuse("stop_words:dana:1")
    story.succeed("join:dana:1")
    assert story.participant("dana").status == "joined"
    assert advance(story, 60) == []


def test_a_stop_of_a_sentence_is_sent_once_and_of_an_audio_file_until_its_answer() -> None:
    sentence, music = waiting(), waiting(waiting=MUSIC)
    for story in (sentence, music):
        story.succeed(WAIT)
        story.answer()
        story.succeed("start:host:1")
        story.no_response("stop_words:dana:1")
        story.succeed("join:dana:1")

    assert "stop_words:dana:1" not in sentence.advance(2)
    assert "stop_words:dana:1" in music.advance(2)


def test_an_audio_file_that_begins_after_the_join_is_stopped_again() -> None:
    story = waiting(waiting=MUSIC)
    story.answer()
    story.succeed("start:host:1")
    story.succeed("stop_words:dana:1", "join:dana:1")

    assert story.succeed(WAIT) == ["stop_words:dana:1"]


def test_a_guest_who_waits_for_a_start_hears_words_after_a_moment() -> None:
    story = Story()
    story.start(guest())
    story.succeed("dial:host:1", "dial:dana:1")
    story.answer()

    assert story.answer("dana") == []
    assert WAIT in story.advance(3)


def test_a_guest_whose_join_is_held_back_hears_words_until_the_join() -> None:
    story = Story()
    story.start(guest())
    story.succeed("dial:host:1", "dial:dana:1")
    story.answer()
    story.succeed("start:host:1")
    story.answer("dana")
    story.result("join:dana:1", held_back(8))

    assert advance(story, 3) == [WAIT]
    story.succeed(WAIT)
    assert story.advance(5) == ["stop_words:dana:1", "join:dana:1"]


def held_back(secs: float) -> Any:
    return Retryable(had_no_effect=True, retry_after=secs)


def test_a_guest_who_hangs_up_while_waiting_hears_no_more_words() -> None:
    story = waiting()
    story.succeed(WAIT)
    story.hang_up("dana")

    assert WAIT not in story.advance(120)


def test_words_to_a_call_that_is_over_end_the_call() -> None:
    story = waiting()
    story.call_ended(WAIT)

    assert story.leg("dana").status == "ended"


def test_guests_who_wait_for_a_restart_hear_words_until_they_are_joined_again() -> None:
    story = Story()
    story.start(guest(), guest("eli"), on_hangup=OnHangup.CONTINUE)
    story.succeed("dial:host:1", "dial:dana:1", "dial:eli:1")
    story.answer()
    story.succeed("start:host:1")
    story.answer("dana")
    story.answer("eli")
    story.succeed("join:dana:1", "join:eli:1")
    story.assistant_ended()
    story.hang_up("host")

    assert story.sent[-1].key == "start:dana:1"
    assert story.advance(3) == ["wait_words:eli:1"], "the assistant speaks to the other guest soon"
    story.succeed("wait_words:eli:1")
    assert story.succeed("start:dana:1")[:2] == ["stop_words:eli:1", "join:eli:1:2"]


def test_an_attached_call_hears_no_words_of_ours() -> None:
    story = Story()
    attached = NewParticipant(id="dana", call_control_id=call_ref("dana").call_control_id)
    story.start(attached)
    story.succeed("dial:host:1")

    assert story.participant("dana").status == "waiting"
    assert advance(story, 4) == []


# The goodbye


def test_a_guest_hears_the_goodbye_before_the_hangup_when_the_conversation_has_gone() -> None:
    story = joined(goodbye=GOODBYE)
    keys = story.hang_up("host")

    assert keys == ["stop:dana:1", "goodbye:dana:1"]
    story.succeed("goodbye:dana:1")
    assert voice_ended(story, Action.GOODBYE) == ["hang_up:dana:1"]
    [event] = [e for e in story.events if e.type == "leg.speaking" and e.data["words"] == "goodbye"]
    assert event.data["participant_id"] == "dana"


def test_a_refused_stop_before_a_goodbye_is_no_failure() -> None:
    story = joined(goodbye=GOODBYE)
    story.hang_up("host")
    story.refuse("stop:dana:1")

    assert "command.failed" not in story.event_types


@pytest.mark.parametrize("answered", [True, False])
def test_the_call_is_hung_up_after_five_seconds_without_the_end_of_the_goodbye(
    answered: bool,
) -> None:
    story = joined(goodbye=GOODBYE)
    story.hang_up("host")
    if answered:
        story.succeed("goodbye:dana:1")

    assert "hang_up:dana:1" not in story.advance(4)
    assert "hang_up:dana:1" in story.advance(1)


def test_a_refused_goodbye_is_followed_by_the_hangup() -> None:
    story = joined(goodbye=GOODBYE)
    story.hang_up("host")

    assert story.result("goodbye:dana:1", Refused(code="1", message="No.")) == ["hang_up:dana:1"]


def test_a_guest_who_waits_hears_the_goodbye_when_the_host_is_not_reached() -> None:
    story = waiting(goodbye=GOODBYE)
    story.succeed(WAIT)
    assert "goodbye:dana:1" in story.hang_up("host", cause="user_busy")
    assert story.status == "failed"
    story.succeed("goodbye:dana:1")

    assert voice_ended(story, Action.GOODBYE) == [], "perhaps the end of the waiting words"
    assert voice_ended(story, Action.GOODBYE) == ["hang_up:dana:1"]


def test_a_guest_who_is_asked_for_a_digit_hears_the_goodbye() -> None:
    story = waiting(goodbye=GOODBYE, screening=Screening(say="Press 1."))
    assert story.participant("dana").status == "screening"

    assert "goodbye:dana:1" in story.hang_up("host", cause="user_busy")


def test_a_removed_guest_a_machine_and_a_ringing_phone_hear_no_goodbye() -> None:
    removed = joined(goodbye=GOODBYE)
    assert removed.remove("dana") == ["hang_up:dana:1"]

    ringing = Story()
    ringing.start(guest(to=plan(FIRST, goodbye=GOODBYE)))
    ringing.succeed("dial:host:1", "dial:dana:1")
    assert "hang_up:dana:1" in ringing.hang_up("host", cause="user_busy")

    machine = Story()
    detected = plan(FIRST, goodbye=GOODBYE, machine_detection="standard", on_machine="join")
    machine.start(guest(to=detected))
    machine.succeed("dial:host:1", "dial:dana:1")
    machine.answer("dana")
    machine.machine_verdict("dana", machine=True)
    assert "hang_up:dana:1" in machine.hang_up("host", cause="user_busy")


def test_a_guest_without_a_goodbye_is_hung_up_at_once() -> None:
    assert "hang_up:dana:1" in joined().hang_up("host")


def test_a_person_who_hangs_up_during_the_goodbye_gets_no_hangup() -> None:
    story = joined(goodbye=GOODBYE)
    story.hang_up("host")
    story.hang_up("dana")

    assert advance(story, 60) == []
    assert story.status == "ended"
    assert "hang_up:dana:1" not in [command.key for command in story.sent]


def test_a_stop_by_request_says_the_goodbye_and_a_second_stop_changes_nothing() -> None:
    story = joined(goodbye=GOODBYE)
    keys = story.stop(hang_up=True)

    assert "goodbye:dana:1" in keys
    assert "hang_up:host:1" in keys, "the host's plan has no goodbye"
    story.stop(hang_up=True)
    assert "hang_up:dana:1" in story.advance(5)


def test_a_repetition_waits_for_the_end_of_telnyxs_rate_limit() -> None:
    story = Story()
    story.start(guest(), guest("eli"))
    story.succeed("dial:host:1", "dial:dana:1", "dial:eli:1")
    story.answer("dana")
    story.succeed(WAIT)
    voice_ended(story)
    story.answer("eli")
    story.result("wait_words:eli:1", held_back(30))

    assert WAIT not in advance(story, PAUSE)
    assert WAIT in advance(story, 20)


def test_a_guest_who_is_removed_while_words_play_is_hung_up_without_a_stop() -> None:
    story = waiting(goodbye=GOODBYE)
    story.succeed(WAIT)

    assert story.remove("dana") == ["hang_up:dana:1"]


def test_words_that_play_at_a_stop_of_the_assistant_are_stopped_where_the_call_stays() -> None:
    story = Story()
    story.start(guest(), on_hangup=OnHangup.CONTINUE)
    story.succeed("dial:host:1", "dial:dana:1")
    story.answer()
    story.succeed("start:host:1")
    story.answer("dana")
    story.succeed("join:dana:1")
    story.assistant_ended()
    assert WAIT in story.advance(3)
    story.succeed(WAIT)

    assert "stop_words:dana:1" in story.stop()
