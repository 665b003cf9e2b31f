"""The commands by which a person on the line hears a sentence or an audio file, or no more."""

from typing import Literal

from partyline.domain.model import results
from partyline.domain.model.plan import Words
from partyline.domain.rules.voice import goodbye_of, waiting_words_of
from partyline.services.leg_commands import LegCommand
from partyline.telnyx import requests
from partyline.telnyx.call_control import CallControl


def say_waiting_words(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    """Say the words to a person who waits; an audio file is played again and again."""
    words = waiting_words_of(leg_command.participant, leg_command.leg)
    return say(telnyx, leg_command, words, loop="infinity")


def stop_words(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    """Stop what plays on a call (Telnyx API: playback_stop)."""
    request = requests.PlaybackStopRequest(**leg_command.envelope)
    telnyx.stop_playback(leg_command.call_control_id, request)
    return results.Succeeded()


def say_goodbye(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    """Say the goodbye of the plan, in place of what plays on the call."""
    goodbye = goodbye_of(leg_command.participant)
    if goodbye is None:
        return results.Refused(code="no_words", message="There is nothing to say.")
    return say(telnyx, leg_command, goodbye, stop="all")


def say(
    telnyx: CallControl,
    leg_command: LegCommand,
    words: Words,
    *,
    loop: Literal["infinity"] | None = None,
    stop: Literal["all"] | None = None,
) -> results.Result:
    """Say a sentence, or play an audio file (Telnyx API: speak, playback_start).

    Args:
        telnyx: Telnyx's API.
        leg_command: The command; the webhook of the end names its action.
        words: The sentence or the audio file.
        loop: `infinity` plays an audio file until it is stopped.
        stop: `all` stops what plays on the call.

    Returns:
        Succeeded when Telnyx has taken the command; the person hears the words after that.
    """
    call, envelope = leg_command.call_control_id, leg_command.envelope
    if words.audio_url:
        audio = requests.PlaybackStartRequest(
            audio_url=words.audio_url, loop=loop, stop=stop, **envelope
        )
        telnyx.start_playback(call, audio)
    else:
        sentence = requests.SpeakRequest(
            payload=words.say, voice=words.voice, language=words.language, stop=stop, **envelope
        )
        telnyx.speak(call, sentence)
    return results.Succeeded()
