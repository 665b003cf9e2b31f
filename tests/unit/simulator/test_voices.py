"""Sentences and audio files on a call."""

import pytest

from local.simulator.model import SimulatedLeg
from tests.support.simulator_harness import SimulatorHarness

AUDIO = "https://example.com/music.mp3"
SENTENCE = "Please hold the line"  # a second


def ends(harness: SimulatorHarness) -> list[tuple[str, str]]:
    return [
        (hook.type, hook.payload["status"]) for hook in harness.received if ".ended" in hook.type
    ]


def heard(leg: SimulatedLeg) -> list[str]:
    return [notice for _, notice in leg.heard if notice.startswith(("voice", "audio", "the voice"))]


def test_sentences_are_spoken_one_after_the_other(harness: SimulatorHarness) -> None:
    leg = harness.answered()
    for text in (SENTENCE, SENTENCE):
        harness.command(leg, "speak", payload=text, voice="female")
    harness.clock.advance(1.5)
    assert harness.types[-3:] == ["call.speak.started", "call.speak.ended", "call.speak.started"]
    harness.clock.advance(1)

    assert ends(harness) == [("call.speak.ended", "completed")] * 2


def test_an_audio_file_has_its_url_in_both_webhooks(harness: SimulatorHarness) -> None:
    leg = harness.answered()
    harness.command(leg, "playback_start", audio_url=AUDIO)
    harness.clock.advance(6)

    assert ends(harness) == [("call.playback.ended", "completed")]
    assert {hook.payload["media_url"] for hook in harness.received[-2:]} == {AUDIO}
    assert heard(leg) == [f"audio: {AUDIO}"]


def test_an_endless_audio_file_plays_until_the_stop(harness: SimulatorHarness) -> None:
    leg = harness.answered()
    harness.command(leg, "playback_start", audio_url=AUDIO, loop="infinity")
    harness.clock.advance(600)
    assert ends(harness) == []
    harness.command(leg, "playback_stop")
    harness.clock.advance(1)

    assert ends(harness) == [("call.playback.ended", "cancelled")]
    assert heard(leg) == [f"audio: {AUDIO}", "the voice stops"]


@pytest.mark.parametrize(("stop", "next_heard"), [("all", []), ("current", ["voice: Next"])])
def test_a_stop_drops_what_waits_or_goes_on_with_it(
    harness: SimulatorHarness, stop: str, next_heard: list[str]
) -> None:
    leg = harness.answered()
    harness.command(leg, "playback_start", audio_url=AUDIO, loop="infinity")
    harness.command(leg, "speak", payload="Next", voice="female")
    harness.command(leg, "playback_stop", stop=stop)
    harness.clock.advance(5)

    assert heard(leg)[2:] == next_heard


def test_a_sentence_with_stop_takes_the_place_of_what_plays(harness: SimulatorHarness) -> None:
    leg = harness.answered()
    harness.command(leg, "playback_start", audio_url=AUDIO, loop="infinity")
    harness.command(leg, "speak", payload="Goodbye.", voice="female", stop="all")
    harness.clock.advance(2)

    assert heard(leg) == [f"audio: {AUDIO}", "the voice stops", "voice: Goodbye."]
    assert [type_ for type_, _ in ends(harness)] == ["call.playback.ended", "call.speak.ended"]


def test_a_stop_on_a_silent_call_has_no_effect(harness: SimulatorHarness) -> None:
    leg = harness.answered()

    assert harness.command(leg, "playback_stop")[0] == 200
    assert heard(leg) == []


def test_a_file_that_does_not_exist_ends_at_once(harness: SimulatorHarness) -> None:
    harness.settings.missing_audio = frozenset({AUDIO})
    leg = harness.answered()
    harness.command(leg, "playback_start", audio_url=AUDIO, loop="infinity")
    harness.clock.advance(1)

    assert ends(harness) == [("call.playback.ended", "file_not_found")]
    assert heard(leg) == []


def test_a_hangup_ends_the_sentence_first(harness: SimulatorHarness) -> None:
    leg = harness.answered()
    harness.command(leg, "speak", payload=SENTENCE, voice="female")
    harness.telnyx.hang_up(leg.call_control_id)
    harness.clock.advance(5)

    assert harness.types[-3:] == ["call.speak.ended", "call.hangup", "call.cost"]
    assert ends(harness) == [("call.speak.ended", "call_hangup")]


def test_the_own_client_state_of_a_speak_without_one_is_that_of_the_call(
    harness: SimulatorHarness,
) -> None:
    harness.settings.voice_state = "own"
    leg = harness.answered()
    harness.command(leg, "client_state_update", client_state="YmVmb3Jl")
    harness.command(leg, "speak", payload=SENTENCE, voice="female")
    harness.command(leg, "client_state_update", client_state="YWZ0ZXI=")
    harness.clock.advance(5)

    spoken = [hook for hook in harness.received if hook.type.startswith("call.speak")]
    assert [hook.payload["client_state"] for hook in spoken] == ["YmVmb3Jl", "YmVmb3Jl"]
