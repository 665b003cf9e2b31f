"""Unknowns of sentences and audio files on a call."""

from local.simulator.unknowns.model import Answer, Unknown

_COMMANDS = "https://developers.telnyx.com/api-reference/call-commands"
_SPEAK = f"{_COMMANDS}/speak-text"
_STOP = f"{_COMMANDS}/stop-audio-playback"

UNKNOWNS = (
    Unknown(
        id="voice-client-state",
        question="Which client_state has the webhook of a sentence's end, after another command?",
        answers=(
            Answer(
                "latest",
                "The client_state of the call's latest command.",
                "The end of the waiting words is unknown; the timer says the words again.",
                {"voice_state": "latest"},
            ),
            Answer(
                "own",
                "The client_state of the command that spoke.",
                "The webhook names the command that it ends.",
                {"voice_state": "own"},
            ),
        ),
        assumed="latest",
        confidence="documented",
        sources=(_SPEAK,),
        evidence="Speak with a client_state, then update the client_state before the end: "
        "client_state of call.speak.ended.",
    ),
    Unknown(
        id="stopped-speech",
        question="Which status has the end of a sentence that playback_stop stops?",
        answers=(
            Answer(
                "completed",
                "`completed`, as after the whole sentence.",
                "The status is not looked at.",
                {"stopped_speech_status": "completed"},
            ),
            Answer(
                "cancelled",
                "`cancelled`, as of an audio file.",
                "The status is not looked at.",
                {"stopped_speech_status": "cancelled"},
            ),
        ),
        assumed="completed",
        confidence="unknown",
        sources=(_STOP, _SPEAK),
        evidence="Speak a long sentence, then playback_stop: status of call.speak.ended.",
    ),
    Unknown(
        id="voice-with-assistant",
        question="Does Telnyx take a sentence for a call with an assistant?",
        answers=(
            Answer(
                "accepted",
                "The person hears the sentence.",
                "The goodbye is said; Partyline stops the assistant first.",
                {"refuses_voice_with_assistant": False},
            ),
            Answer(
                "refused",
                "422.",
                "The goodbye is said if the assistant has stopped; else the call ends without it.",
                {"refuses_voice_with_assistant": True},
            ),
        ),
        assumed="accepted",
        confidence="unknown",
        sources=(_SPEAK,),
        evidence="Start an assistant, then speak: status.",
    ),
)
