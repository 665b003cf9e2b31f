"""Experiments with sentences on an answered call."""

import base64

from local.live_test.experiments.model import Experiment
from local.live_test.lab import Lab, show
from local.live_test.webhooks import of_type

SPEAKING_SECS = 2
WEBHOOK_SECS = 4

_OTHER_STATE = base64.b64encode(b"live-test of the stop").decode()
_SPEECH = {
    "payload": "This is a test with a sentence that lasts for a number of seconds. " * 3,
    "voice": "female",
    "language": "en-US",
}


def voices(lab: Lab) -> None:
    """Stop a sentence by a command with another client_state; then speak beside an assistant."""
    call = lab.calls.answered()
    lab.api.command(call.ids[-1], "speak", client_state=call.client_state, **_SPEECH)
    lab.calls.sleep(SPEAKING_SECS)
    lab.api.command(call.ids[-1], "playback_stop", client_state=_OTHER_STATE)
    lab.calls.sleep(WEBHOOK_SECS)

    lab.started(call)
    beside = lab.api.command(call.ids[-1], "speak", client_state=call.client_state, **_SPEECH)
    lab.accepted_or_refused("voice-with-assistant", beside)
    ends = of_type(lab.calls.finish(call), "call.speak.ended")
    if not ends:
        for name in ("voice-client-state", "stopped-speech"):
            lab.leave_open(name, "call.speak.ended is not listed.")
        return
    state, status = (ends[0].payload.get(name) for name in ("client_state", "status"))
    answers = {_OTHER_STATE: "latest", call.client_state: "own"}
    evidence = show(ends[0], "status")
    if state in answers:
        lab.found("voice-client-state", answers[str(state)], f"{answers[str(state)]} client_state")
    else:
        lab.unlisted("voice-client-state", show(ends[0], "client_state"))
    if status in ("completed", "cancelled"):
        lab.found("stopped-speech", str(status), evidence)
    else:
        lab.unlisted("stopped-speech", evidence)


EXPERIMENTS = (
    Experiment(
        "a voice on a call",
        ("voice-client-state", "stopped-speech", "voice-with-assistant"),
        calls=1,
        minutes=2,
        play=voices,
    ),
)
