"""A message on a machine: the greeting's end, the message's end, and each of their failures."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from partyline.domain.model.commands import Action
from partyline.domain.model.detection import GREETING_SECS
from partyline.domain.model.inputs import GreetingEnded, VoiceEnded
from partyline.domain.model.plan import Leave, Words
from partyline.domain.model.results import Refused
from partyline.domain.model.timeouts import BEEP_WAIT, DETECTION_GRACE, MESSAGE_TIME, RESEND_WINDOW
from partyline.domain.rules.spoken import longest_time_of
from tests.support.domain_story import FIRST, SECOND, Story, active_story, call_ref, guest, plan

WORDS = Words(say="Please call back.")
MESSAGE = "leave_message:dana:1"
GREETING_WAIT = timedelta(seconds=GREETING_SECS) + DETECTION_GRACE
NEXT = ["dial:dana:2", "hang_up:dana:1"]


def machine_story(
    *numbers: str, words: Words = WORDS, mode: str = "standard", **settings: Any
) -> Story:
    """A machine has answered Dana's number, and its greeting plays."""
    story = active_story()
    leave = Leave(leave=words)
    dana = plan(*(numbers or (FIRST, SECOND)), machine_detection=mode, on_machine=leave, **settings)
    story.invite(guest(to=dana))
    story.succeed("dial:dana:1")
    story.answer("dana")
    story.machine_verdict("dana", machine=True, by_speech=True)
    return story


def greeting_ended(story: Story, result: str = "beep_detected") -> list[str]:
    return story.receive(GreetingEnded(id="", call=call_ref("dana"), result=result))


def message_ended(story: Story, status: str | None = "completed") -> list[str]:
    call = replace(call_ref("dana"), prompt=Action.LEAVE_MESSAGE)
    return story.receive(VoiceEnded(id="", call=call, status=status))


def calls(story: Story, keys: list[str]) -> list[str]:
    """The commands about Dana's calls."""
    return [key for key in keys if not key.startswith("message")]


@pytest.mark.parametrize("result", ["beep_detected", "no_beep_detected", "ended"])
def test_a_message_is_spoken_at_the_end_of_the_greeting(result: str) -> None:
    story = machine_story()
    assert not any("leave_message" in key for key in story.state.commands)
    assert greeting_ended(story, result) == [MESSAGE]
    [speaking] = [event for event in story.events if event.type == "leg.speaking"]
    assert speaking.data["words"] == "message"
    story.succeed(MESSAGE)
    assert calls(story, message_ended(story)) == ["hang_up:dana:1"]
    assert story.leg("dana").outcome == "voicemail_left"
    dana = story.participant("dana")
    assert (dana.status, dana.outcome) == ("failed", "voicemail_left")


def test_a_greeting_is_awaited_for_a_bounded_time() -> None:
    story = machine_story()
    assert story.state.due_at == story.now + GREETING_WAIT
    assert story.advance(GREETING_WAIT.total_seconds() - 1) == []
    assert calls(story, story.advance(1)) == NEXT
    assert story.leg("dana").outcome == "machine"


def test_a_plans_own_time_for_a_greeting_counts() -> None:
    story = machine_story(machine_detection_config={"greeting_total_analysis_time_millis": 60_000})
    assert story.state.due_at == story.now + timedelta(seconds=60) + DETECTION_GRACE


def test_a_greeting_that_telnyx_is_not_sure_of_gets_no_message() -> None:
    story = machine_story()
    assert calls(story, greeting_ended(story, "not_sure")) == NEXT


def test_a_beep_after_an_uncertain_end_is_an_end() -> None:
    story = active_story()
    dana = plan(FIRST, machine_detection="standard", on_machine=Leave(leave=WORDS))
    story.invite(guest(to=dana))
    story.succeed("dial:dana:1")
    story.answer("dana")
    greeting_ended(story, "not_sure")
    assert greeting_ended(story) == [MESSAGE]


def test_a_prompt_that_ended_without_a_beep_gets_the_message_later() -> None:
    story = machine_story(mode="premium_ios_call_screening")
    greeting_ended(story, "prompt_ended")
    assert story.advance(BEEP_WAIT.total_seconds() - 1) == []
    assert story.advance(1) == [MESSAGE]


def test_the_end_of_a_message_without_a_webhook_is_a_matter_of_time() -> None:
    for words, longest in ((WORDS, longest_time_of(WORDS)), (Words(audio_url="x"), MESSAGE_TIME)):
        story = machine_story(words=words)
        greeting_ended(story)
        story.succeed(MESSAGE)
        assert story.state.due_at == story.now + longest
        assert calls(story, story.advance(longest.total_seconds())) == ["hang_up:dana:1"]
        assert story.leg("dana").outcome == "voicemail_left"


@pytest.mark.parametrize("status", ["file_not_found", "failed", "cancelled", "cancelled_amd"])
def test_a_message_that_was_cut_short_is_no_message(status: str) -> None:
    story = machine_story()
    greeting_ended(story)
    story.succeed(MESSAGE)
    assert calls(story, message_ended(story, status)) == NEXT
    leg = story.leg("dana")
    assert leg.outcome == "machine"
    assert leg.failure is not None
    assert leg.failure.code == "message_unplayable"


def test_a_refused_message_leads_to_the_next_number() -> None:
    story = machine_story()
    greeting_ended(story)
    assert calls(story, story.result(MESSAGE, Refused(code="10015", message="No voice."))) == NEXT
    assert story.leg("dana").outcome == "machine"


def test_a_doubtful_message_is_looked_for_and_not_spoken_twice() -> None:
    story = machine_story(FIRST)
    greeting_ended(story)
    story.no_response(MESSAGE)
    story.advance(RESEND_WINDOW.total_seconds() + 1)
    assert story.state.commands[MESSAGE].reconcile
    assert calls(story, story.not_found(MESSAGE)) == ["hang_up:dana:1"]
    assert story.participant("dana").outcome == "machine"


def test_the_end_of_the_message_may_be_reported_after_the_hangup() -> None:
    story = machine_story(FIRST, SECOND)
    greeting_ended(story)
    story.succeed(MESSAGE)
    assert calls(story, story.hang_up("dana")) == ["dial:dana:2"]
    assert story.leg("dana").outcome == "machine"
    story.succeed("dial:dana:2")
    assert calls(story, message_ended(story)) == ["hang_up:dana:2"]
    assert story.leg("dana").outcome == "voicemail_left"
    assert story.participant("dana").outcome == "voicemail_left"


def test_a_hangup_within_the_greeting_is_a_machine() -> None:
    story = machine_story(FIRST)
    story.hang_up("dana")
    assert story.participant("dana").outcome == "machine"
    assert greeting_ended(story) == []


def test_a_deadline_ends_the_wait_for_a_greeting_and_not_a_message() -> None:
    waiting = machine_story(deadline_secs=20)
    assert calls(waiting, waiting.advance(20)) == ["hang_up:dana:1"]
    speaking = machine_story(deadline_secs=20, words=Words(say="x" * 300))
    greeting_ended(speaking)
    speaking.succeed(MESSAGE)
    assert speaking.advance(25) == []
    assert calls(speaking, message_ended(speaking)) == ["hang_up:dana:1"]
    assert speaking.participant("dana").outcome == "voicemail_left"


def test_a_removed_guest_gets_no_message() -> None:
    story = machine_story()
    story.remove("dana")
    assert greeting_ended(story) == []
    assert story.participant("dana").outcome == "cancelled"
