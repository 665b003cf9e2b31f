"""Unknowns of the machine detection."""

from local.simulator.unknowns.model import Answer, Unknown

_DETECTION = (
    "https://developers.telnyx.com/docs/voice/programmable-voice/answering-machine-detection"
)
_DIAL = "https://developers.telnyx.com/api-reference/call-commands/dial"

UNKNOWNS = (
    Unknown(
        id="second-verdict-without-tone",
        question="Does a second verdict follow the prompt of a screening phone without a tone, "
        "such as a Pixel?",
        answers=(
            Answer(
                "no",
                "Only the tone of an iPhone starts the detection again.",
                "A key of the called person is the only proof; else the outcome is `screened`.",
                {"second_verdict_without_tone": False},
            ),
            Answer(
                "yes",
                "The detection starts again after `prompt_ended` too.",
                "The second verdict decides.",
                {"second_verdict_without_tone": True},
            ),
        ),
        assumed="no",
        confidence="documented",
        sources=(_DIAL,),
        evidence="Call a Pixel with Call Screen and the mode premium_ios_call_screening_detection, "
        "and take the call after the prompt: call.machine.premium.detection.ended.",
    ),
    Unknown(
        id="endless-greeting",
        question="What does Telnyx send when its time for the end of a greeting is over?",
        answers=(
            Answer(
                "not-sure",
                "`call.machine.greeting.ended` with `not_sure`.",
                "No message is left, and the outcome is `machine` at once.",
                {"endless_greeting": "not_sure"},
            ),
            Answer(
                "ended",
                "`call.machine.greeting.ended` with `ended`.",
                "The message is spoken.",
                {"endless_greeting": "ended"},
            ),
            Answer(
                "nothing",
                "No webhook.",
                "Our own time for a greeting ends the wait: the outcome is `machine`.",
                {"endless_greeting": None},
            ),
        ),
        assumed="not-sure",
        confidence="unknown",
        sources=(_DETECTION, _DIAL),
        evidence="Call a machine with a greeting of a minute, with greeting_end and with "
        "detect_words: the result in call.machine.greeting.ended.",
    ),
    Unknown(
        id="greeting-without-beep",
        question="Does premium detection report a greeting that ends without a beep?",
        answers=(
            Answer(
                "no-beep",
                "`call.machine.premium.greeting.ended` with `no_beep_detected`.",
                "The message is spoken.",
                {"greeting_without_beep": "no_beep_detected"},
            ),
            Answer(
                "nothing",
                "No webhook.",
                "Our own time for a greeting ends the wait: the outcome is `machine`.",
                {"greeting_without_beep": None},
            ),
        ),
        assumed="no-beep",
        confidence="documented",
        sources=(_DETECTION,),
        evidence="Call a machine without a beep with premium: call.machine.premium.greeting.ended.",
    ),
    Unknown(
        id="beep-after-prompt",
        question="Does the mode for screening phones report a beep after `prompt_ended`?",
        answers=(
            Answer(
                "no",
                "`prompt_ended` is the last webhook of the detection.",
                "A message is spoken 25 s after the prompt.",
                {"beep_after_prompt": False},
            ),
            Answer(
                "yes",
                "`beep_detected` follows.",
                "A message is spoken after the beep.",
                {"beep_after_prompt": True},
            ),
        ),
        assumed="no",
        confidence="unknown",
        sources=(_DIAL,),
        evidence="Call a machine with premium_ios_call_screening_detection: the webhooks after "
        "`prompt_ended`.",
    ),
)
