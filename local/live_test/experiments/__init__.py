"""The experiments of the live test, in the order in which they run."""

from local.live_test.experiments import alone, dialling, guests, single, voices
from local.live_test.experiments.model import Experiment
from local.simulator.unknowns import UNKNOWNS

__all__ = ["EXPERIMENTS", "NOT_ASKED", "Experiment"]

EXPERIMENTS: tuple[Experiment, ...] = (
    *dialling.EXPERIMENTS,
    *single.EXPERIMENTS,
    *voices.EXPERIMENTS,
    *alone.EXPERIMENTS,
    *guests.EXPERIMENTS,
)

_TOOLS = (
    "Only the deployment sees the request of a tool; Telnyx has no list of these requests. "
    "`partyline doctor --assistant` tests a tool without a call."
)
_BODIES = "The list of deliveries shows neither the body of a webhook nor the spelling in the body."
_MACHINES = "The live test calls a person, not a machine or a phone that screens calls."
_ABSENCE = (
    "No experiment yet. Partyline is right under each answer, and the list says how a call tells "
    "the answers apart."
)
_WORDS = (
    "No experiment yet: a person has to speak to the assistant. Partyline is right under each "
    "answer."
)
NOT_ASKED = {
    "body-version": _BODIES,
    "event-names": _BODIES,
    "transfer-order": "The assistant decides when to transfer a call; no command asks for it.",
    "connect-after-stop": _ABSENCE,
    "bridge-end": _ABSENCE,
    "start-on-bridged": _ABSENCE,
    "conference-events": _ABSENCE,
    "conference-bridged": _ABSENCE,
    "messages-added-rows": _WORDS,
    "end-messages": _WORDS,
    "redaction": "Data retention is a setting of the account, which the live test leaves alone.",
    "messages-order": _WORDS,
    "preset-fields": _TOOLS,
    "tool-call": _TOOLS,
    "tool-header": _TOOLS,
    "tool-repeats": _TOOLS,
    "second-verdict-without-tone": _MACHINES,
    "endless-greeting": _MACHINES,
    "greeting-without-beep": _MACHINES,
    "beep-after-prompt": _MACHINES,
}
"""The questions about Telnyx that no public request can settle, with the reason."""

ABOUT_AWS = "The question is about the deployment on AWS, and no call settles it."

for _unknown in UNKNOWNS.values():
    if not _unknown.is_played:
        NOT_ASKED[_unknown.id] = ABOUT_AWS
