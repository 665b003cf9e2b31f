"""Machine detection on phones that screen calls: the person may be behind the machine."""

from datetime import timedelta
from typing import Any

from partyline.domain.model.plan import VERDICT_WAITS
from partyline.domain.model.statuses import Outcome
from partyline.domain.model.timeouts import DETECTION_GRACE
from tests.support.domain_story import FIRST, SECOND, Story, plan

MODE = "premium_ios_call_screening"
PROMPT_END_WAIT = timedelta(seconds=5) + DETECTION_GRACE
WAIT = timedelta(seconds=VERDICT_WAITS[MODE].secs)


def answered_story(mode: str = MODE, **settings: Any) -> Story:
    story = Story()
    story.start(to=plan(FIRST, SECOND, machine_detection=mode, **settings))
    story.succeed("dial:host:1")
    story.answer()
    return story


def heard(story: Story, *, machine: bool, after: float = 0) -> list[str]:
    """A verdict by speech that Telnyx made so many seconds from now."""
    at = story.now + timedelta(seconds=after)
    return story.machine_verdict("host", machine=machine, by_speech=machine, occurred_at=at)


def test_the_person_behind_a_screening_phone_gets_the_assistant() -> None:
    story = answered_story()
    assert heard(story, machine=True) == []
    story.advance(3)
    assert story.screening_detected() == []
    assert story.messages == []
    story.advance(20)
    assert story.status == "connecting"
    assert heard(story, machine=False) == ["start:host:1"]


def test_the_wait_for_the_verdict_begins_again_when_a_phone_screens_the_call() -> None:
    story = answered_story()
    story.advance(30)
    story.screening_detected()
    assert story.leg().verdict_deadline == story.now + WAIT
    assert story.advance(WAIT.total_seconds()) == ["dial:host:2", "hang_up:host:1"]
    assert story.leg().outcome is Outcome.SCREENED


def test_a_machine_without_the_tone_of_a_screening_phone_is_a_machine() -> None:
    story = answered_story()
    heard(story, machine=True)
    assert story.state.due_at == story.now + PROMPT_END_WAIT
    assert story.advance(PROMPT_END_WAIT.total_seconds()) == ["dial:host:2", "hang_up:host:1"]
    [judged] = [event for event in story.events if event.type == "leg.judged"]
    assert (judged.data["machine"], judged.data.get("reason")) == (True, None)


def test_a_beep_or_the_end_of_the_prompt_is_a_machine_at_once() -> None:
    story = answered_story()
    heard(story, machine=True)
    assert story.machine_verdict("host", machine=True) == ["dial:host:2", "hang_up:host:1"]


def test_a_second_machine_after_the_screening_is_a_call_that_nobody_took() -> None:
    story = answered_story()
    heard(story, machine=True)
    story.screening_detected()
    assert heard(story, machine=True, after=1) == ["dial:host:2", "hang_up:host:1"]
    assert story.leg().outcome is Outcome.SCREENED


def test_the_first_verdict_may_come_after_the_screening() -> None:
    story = answered_story()
    story.screening_detected()
    assert heard(story, machine=True, after=-2) == []
    assert story.leg().verdict_deadline == story.now + WAIT
    assert heard(story, machine=False, after=1) == ["start:host:1"]


def test_with_premium_detection_a_machine_is_a_machine_at_once() -> None:
    story = answered_story("premium")
    assert heard(story, machine=True) == ["dial:host:2", "hang_up:host:1"]


def test_a_screening_that_is_reported_after_the_verdict_changes_nothing() -> None:
    story = answered_story()
    heard(story, machine=False)
    assert story.screening_detected() == []
    assert story.leg().machine is False


def test_no_verdict_is_awaited_of_a_call_that_is_over() -> None:
    story = answered_story()
    story.hang_up()
    heard(story, machine=True)
    story.screening_detected()
    assert story.leg().verdict_deadline is None


def test_a_plan_sets_the_wait_that_begins_again_and_the_end_of_its_words_ends_no_wait() -> None:
    story = answered_story(verdict_wait={"secs": 20, "say": "One moment."})
    story.succeed("hold:host:1")
    story.advance(10)
    story.screening_detected()
    story.advance(10)
    assert story.press("", "host", status="timeout") == []
    assert story.leg().verdict_deadline == story.now + timedelta(seconds=10)
    assert story.advance(10) == ["dial:host:2", "hang_up:host:1"]


def test_the_end_of_the_words_is_no_end_of_the_wait_for_the_tone() -> None:
    story = answered_story(verdict_wait={"secs": 20, "say": "One moment."})
    story.succeed("hold:host:1")
    story.advance(19)
    heard(story, machine=True)
    story.advance(1)
    assert story.press("", "host", status="timeout") == []
    story.screening_detected()
    assert heard(story, machine=False, after=1) == ["start:host:1"]


def test_speech_is_no_late_proof_of_a_machine_but_a_beep_is() -> None:
    story = answered_story()
    heard(story, machine=False)
    story.succeed("start:host:1")
    heard(story, machine=True)
    assert story.leg().machine is False
    story.machine_verdict("host", machine=True)
    assert story.leg().machine is True


def test_no_words_are_said_to_a_phone_that_may_screen_the_call() -> None:
    story = answered_story()
    assert not any(key.startswith("hold") for key in story.state.commands)
